"""Peer of the `general` benchmark: a whole training run of a GPT-2 folder with PyTorch and transformers.

One request line: {"data": path, "threads": n, settings}. The data file holds, as int32, the training ids, the
training lengths, the validation ids and lengths, in that order. Answer: the milliseconds of the training
(validation included), and as values the validation loss after every epoch.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import numpy as np
import torch
from transformers import GPT2LMHeadModel, get_linear_schedule_with_warmup


def labelled(ids: torch.Tensor, lengths: torch.Tensor) -> dict[str, torch.Tensor]:
    """A batch cut to its longest sequence, padding neither attended to nor counted."""
    width = int(lengths.max())
    ids = ids[:, :width]
    real = torch.arange(width) < lengths[:, None]
    return {
        "input_ids": ids,
        "attention_mask": real.long(),
        "labels": torch.where(real, ids, -100),
    }


def token_mean(model, ids: torch.Tensor, lengths: torch.Tensor, batch: int) -> float:
    """Mean loss over all predicted tokens."""
    total, tokens = 0.0, 0
    model.eval()
    with torch.no_grad():
        for at in range(0, len(ids), batch):
            part = lengths[at : at + batch]
            count = int((part - 1).clamp(min=0).sum())
            loss = model(**labelled(ids[at : at + batch], part)).loss
            total, tokens = total + loss.item() * count, tokens + count
    model.train()
    return total / tokens


def run(folder: str, request: dict) -> dict:
    """Train as asked."""
    raw = torch.from_numpy(np.fromfile(request["data"], dtype=np.int32).astype(np.int64))
    width = request["length"]
    parts, at = [], 0
    for count in (request["train"], request["validation"]):
        ids = raw[at : at + count * width].reshape(count, width)
        lengths = raw[at + count * width : at + count * (width + 1)]
        parts.append((ids, lengths))
        at += count * (width + 1)
    (ids, lengths), held_out = parts
    torch.set_num_threads(request["threads"])
    model = GPT2LMHeadModel.from_pretrained(
        folder, attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0
    )
    model.train()
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2]},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(
        groups, lr=request["rate"], weight_decay=request["decay"]
    )
    per_epoch = -(-len(ids) // request["batch"])
    schedule = get_linear_schedule_with_warmup(
        optimizer, request["warmup"], per_epoch * request["epochs"]
    )
    start = time.perf_counter()
    losses = []
    for epoch in range(request["epochs"]):
        order = np.random.RandomState(request["seed"] + epoch).permutation(len(ids))
        for step in range(per_epoch):
            rows = order[step * request["batch"] : (step + 1) * request["batch"]]
            loss = model(**labelled(ids[rows], lengths[rows])).loss
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), request["clip"])
            optimizer.step()
            schedule.step()
        losses.append(token_mean(model, *held_out, request["batch"]))
    ms = (time.perf_counter() - start) * 1000
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"ms": ms, "values": losses, "rss_mb": rss}


def main() -> None:
    """Answer every line until the input ends."""
    folder, threads = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(threads)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line) | {"threads": threads}
        print(json.dumps(run(folder, request)), flush=True)


if __name__ == "__main__":
    main()
