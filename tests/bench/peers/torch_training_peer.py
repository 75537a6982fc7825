"""Peer of the training benchmark: one AdamW step of a GPT-2 folder with transformers, per request line.

Request: {"ids": [...], "lengths": [...], "width": n, "rate": x, "decay": x, "clip": x}. Answer: the
step's milliseconds, and as values the loss and the gradient norm before clipping.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import torch
from transformers import GPT2LMHeadModel


def main() -> None:
    """Answer every line until the input ends."""
    folder, threads = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(threads)
    model = GPT2LMHeadModel.from_pretrained(folder)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    model.train()
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2]},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-3)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        ids = torch.tensor(request["ids"]).reshape(-1, request["width"])
        lengths = torch.tensor(request["lengths"])
        optimizer.param_groups[0]["weight_decay"] = request["decay"]
        for group in optimizer.param_groups:
            group["lr"] = request["rate"]
        start = time.perf_counter()
        counted = torch.arange(ids.shape[1]) < lengths[:, None]
        labels = torch.where(counted, ids, -100)
        loss = model(ids, attention_mask=counted.long(), labels=labels).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), request["clip"])
        optimizer.step()
        ms = (time.perf_counter() - start) * 1000
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"ms": ms, "values": [loss.item(), norm.item()], "rss_mb": rss}), flush=True)


if __name__ == "__main__":
    main()
