"""Training reference: 50 AdamW steps on ``tiny-gpt2`` with PyTorch.

Writes ``tiny-gpt2-train.json`` (settings, batches, per-step losses, gradient norms and
learning rates) and ``tiny-gpt2-train.safetensors`` (final parameters).

What transformers' Trainer does is done here by hand, with its own helpers where it has them:
decoupled weight decay on everything but biases and LayerNorm (embeddings are decayed), linear
warm-up and linear decay with a first rate of 0, token-weighted accumulation (the sum of the
token losses of all micro-batches of a step over the number of their targets), the gradient
norm clipped after accumulation.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import (
    GPT2LMHeadModel,
    Trainer,
    get_linear_schedule_with_warmup,
)

from reference_common import load_hf, number, versions, write_json

HERE = Path(__file__).resolve().parent
IGNORE = -100
SETTINGS = {
    "optimizer_steps": 50,
    "accumulation": 2,
    "batch": 4,
    "length": 16,
    "optimizer": "adamw",
    "beta1": 0.9,
    "beta2": 0.999,
    "eps": 1e-8,
    "learning_rate": 1e-3,
    "weight_decay": 0.1,
    "schedule": "linear-decay",
    "warmup_steps": 10,
    "grad_clip": 1.0,
    "dropout": 0.0,
    "accumulation_weighting": "tokens",
    "seed": 77,
}


def make_batches(vocab: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw ids [step, micro-batch, row, position] and the counted length of every row.

    Labels at positions >= the length are -100, as for padding. The ids come from a small
    pool with repetitions, so that there is something to learn.
    """
    generator = torch.Generator().manual_seed(SETTINGS["seed"])
    shape = (
        SETTINGS["optimizer_steps"],
        SETTINGS["accumulation"],
        SETTINGS["batch"],
    )
    pool = torch.randint(0, vocab, (8, SETTINGS["length"]), generator=generator)
    rows = torch.randint(0, len(pool), shape, generator=generator)
    ids = pool[rows]
    noise = torch.randint(0, vocab, ids.shape, generator=generator)
    keep = torch.rand(ids.shape, generator=generator) < 0.8
    ids = torch.where(keep, ids, noise)
    lengths = torch.randint(4, SETTINGS["length"] + 1, shape, generator=generator)
    return ids, lengths


def train(model: GPT2LMHeadModel, ids: torch.Tensor, lengths: torch.Tensor) -> dict:
    """Train in place; return the per-step series."""
    model.train()
    # The tied head is listed under a second name, which named_parameters() leaves out.
    decayed = set(Trainer.get_decay_parameter_names(None, model)) - {"lm_head.weight"}
    by_rank = {name for name, p in model.named_parameters() if p.ndim >= 2}
    if decayed != by_rank:
        raise RuntimeError("weight decay grouping is not 'every matrix and embedding'")
    groups = [
        {
            "params": [p for n, p in model.named_parameters() if n in decayed],
            "weight_decay": SETTINGS["weight_decay"],
        },
        {
            "params": [p for n, p in model.named_parameters() if n not in decayed],
            "weight_decay": 0.0,
        },
    ]
    optimizer = torch.optim.AdamW(
        groups,
        lr=SETTINGS["learning_rate"],
        betas=(SETTINGS["beta1"], SETTINGS["beta2"]),
        eps=SETTINGS["eps"],
        foreach=False,
    )
    schedule = get_linear_schedule_with_warmup(
        optimizer, SETTINGS["warmup_steps"], SETTINGS["optimizer_steps"]
    )
    positions = torch.arange(SETTINGS["length"])
    series: dict[str, list] = {
        "loss": [],
        "micro_loss": [],
        "targets": [],
        "grad_norm": [],
        "learning_rate": [],
    }
    for step_ids, step_lengths in zip(ids, lengths, strict=True):
        counted = positions < step_lengths[..., None]
        labels = torch.where(counted, step_ids, IGNORE)
        targets = (labels[..., 1:] != IGNORE).sum((1, 2))
        total = 0.0
        micro_losses = []
        optimizer.zero_grad(set_to_none=True)
        for micro_ids, micro_labels, count in zip(
            step_ids, labels, targets, strict=True
        ):
            logits = model(micro_ids).logits[:, :-1]
            summed = torch.nn.functional.cross_entropy(
                logits.reshape(-1, logits.shape[-1]),
                micro_labels[:, 1:].reshape(-1),
                ignore_index=IGNORE,
                reduction="sum",
            )
            loss = summed / targets.sum()
            loss.backward()
            total += loss.item()
            micro_losses.append(number(summed.item() / count.item()))
        norm = torch.nn.utils.clip_grad_norm_(
            model.parameters(), SETTINGS["grad_clip"], foreach=False
        )
        series["loss"].append(number(total))
        series["micro_loss"].append(micro_losses)
        series["targets"].append(targets.tolist())
        series["grad_norm"].append(number(norm.item()))
        series["learning_rate"].append(number(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        schedule.step()
    return series


def is_key_bias(name: str) -> bool:
    """Whether a parameter holds the key bias, whose gradient is 0 but for rounding."""
    return name.endswith("attn.c_attn.bias")


def main() -> None:
    """Train in float64 and float32 and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=HERE / "tiny-gpt2")
    parser.add_argument("--out", type=Path, default=HERE)
    args = parser.parse_args()
    torch.set_num_threads(1)

    single = load_hf(args.model)
    double = load_hf(args.model, torch.float64)
    ids, lengths = make_batches(single.config.vocab_size)
    series = train(single, ids, lengths)
    check = train(double, ids, lengths)

    final = dict(single.named_parameters())
    d_model = single.config.n_embd
    distance, key_bias = 0.0, 0.0
    for name, parameter in double.named_parameters():
        error = (final[name].double() - parameter).abs().detach()
        if is_key_bias(name):
            key_bias = max(key_bias, error[d_model : 2 * d_model].max().item())
            error[d_model : 2 * d_model] = 0
        distance = max(distance, error.max().item())
    distances = {
        key: max(abs(a - b) for a, b in zip(series[key], check[key], strict=True))
        for key in ("loss", "grad_norm", "learning_rate")
    }
    save_file(
        {name: p.detach().contiguous() for name, p in final.items()},
        args.out / "tiny-gpt2-train.safetensors",
    )
    write_json(
        args.out / "tiny-gpt2-train.json",
        {
            "packages": versions("torch", "transformers", "safetensors"),
            "settings": SETTINGS,
            "float64_max_abs_diff": {
                **{key: float(f"{value:.3g}") for key, value in distances.items()},
                "parameters_without_key_bias": float(f"{distance:.3g}"),
                "key_bias": float(f"{key_bias:.3g}"),
            },
            "series": series,
            "lengths": lengths.tolist(),
            "ids": ids.tolist(),
        },
    )
    print(f"loss {series['loss'][0]} -> {series['loss'][-1]}")
    print(f"gradient norms {min(series['grad_norm'])} to {max(series['grad_norm'])}")
    print(f"float32 against float64: {distances}")
    print(f"parameters {distance:.3g}, key bias {key_bias:.3g}")


if __name__ == "__main__":
    main()
