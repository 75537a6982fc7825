"""Peer of the training benchmark: one AdamW step of a GPT-2 folder with transformers, per request line.

The gradient norm in the answer is summed in double precision, outside the time taken: the norm that PyTorch clips by
is a float32 sum of squares, which for a matrix of 38 million values is off by some thousandths.

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


def exact_norm(model: torch.nn.Module) -> float:
    """L2 norm of all gradients together, in double precision and in pieces that take no memory to speak of."""
    total = 0.0
    for parameter in model.parameters():
        if parameter.grad is not None:
            for part in parameter.grad.reshape(-1).split(2**18):
                total += part.double().square().sum().item()
    return total**0.5


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
        taken = time.perf_counter() - start
        norm = exact_norm(model)
        start = time.perf_counter()
        torch.nn.utils.clip_grad_norm_(model.parameters(), request["clip"])
        optimizer.step()
        ms = (taken + time.perf_counter() - start) * 1000
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"ms": ms, "values": [loss.item(), norm], "rss_mb": rss}), flush=True)


if __name__ == "__main__":
    main()
