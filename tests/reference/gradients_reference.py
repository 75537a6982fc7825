"""Gradient reference for ``tiny-gpt2``: next-token loss and the gradient of every parameter.

Writes ``tiny-gpt2-grads.json`` (ids, labels, losses, tolerances) and
``tiny-gpt2-grads.safetensors`` (keys ``full/<parameter>`` and ``masked/<parameter>``, under
transformers' names; the tied embedding holds the sum of both uses).

The gradients are computed by transformers in float64 and stored as float32, so that the
reference itself adds no rounding worth speaking of; the float32 gradients' distance from them
is recorded.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import GPT2LMHeadModel

from reference_common import load_hf, number, versions, write_json

HERE = Path(__file__).resolve().parent
BATCH, LENGTH, SEED = 2, 12, 31
IGNORE = -100


def next_token_loss(
    model: GPT2LMHeadModel, ids: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """Mean cross-entropy of labels[t + 1] under the logits at t, over labels that count."""
    logits = model(ids).logits[:, :-1]
    return torch.nn.functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]),
        labels[:, 1:].reshape(-1),
        ignore_index=IGNORE,
    )


def loss_and_gradients(
    model: GPT2LMHeadModel, ids: torch.Tensor, labels: torch.Tensor
) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradients; the loss must equal the one that transformers computes itself."""
    model.zero_grad(set_to_none=True)
    loss = next_token_loss(model, ids, labels)
    theirs = model(ids, labels=labels).loss.item()
    if abs(loss.item() - theirs) > 1e-5:
        raise RuntimeError(f"loss {loss.item()} but transformers computes {theirs}")
    loss.backward()
    gradients = {
        name: parameter.grad.clone() for name, parameter in model.named_parameters()
    }
    return loss.item(), gradients


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=HERE / "tiny-gpt2")
    parser.add_argument("--out", type=Path, default=HERE)
    args = parser.parse_args()
    torch.set_num_threads(1)

    single = load_hf(args.model)
    double = load_hf(args.model, torch.float64)
    generator = torch.Generator().manual_seed(SEED)
    ids = torch.randint(
        0, single.config.vocab_size, (BATCH, LENGTH), generator=generator
    )
    masked = ids.clone()
    masked[0, :4] = IGNORE  # a prompt that is not learnt
    masked[0, 7] = IGNORE  # a hole
    masked[1, 9:] = IGNORE  # padding

    variants, tensors = {}, {}
    for variant, labels in (("full", ids), ("masked", masked)):
        loss, gradients = loss_and_gradients(double, ids, labels)
        loss32, gradients32 = loss_and_gradients(single, ids, labels)
        worst = 0.0
        for name, gradient in gradients.items():
            scale = gradient.abs().max().item()
            error = (gradients32[name].double() - gradient).abs().max().item()
            worst = max(worst, error / scale)
            tensors[f"{variant}/{name}"] = gradient.float().contiguous()
        variants[variant] = {
            "labels": labels.tolist(),
            "targets": int((labels[:, 1:] != IGNORE).sum()),
            "loss": number(loss),
            "loss_float32": number(loss32),
            "grad_norm": number(
                torch.stack([g.norm() for g in gradients.values()]).norm().item()
            ),
            "float32_max_error_over_tensor_max": number(float(f"{worst:.3g}")),
        }
        # A bias added to every key moves all scores of a query alike: no gradient.
        d_model = double.config.n_embd
        key_bias = max(
            gradients[f"transformer.h.{layer}.attn.c_attn.bias"][d_model : 2 * d_model]
            .abs()
            .max()
            .item()
            for layer in range(double.config.n_layer)
        )
        variants[variant]["key_bias_max_abs"] = float(f"{key_bias:.3g}")
    save_file(tensors, args.out / "tiny-gpt2-grads.safetensors")
    write_json(
        args.out / "tiny-gpt2-grads.json",
        {
            "packages": versions("torch", "transformers", "safetensors"),
            "ids": ids.tolist(),
            "ignore_index": IGNORE,
            "reduction": "mean over the labels that count, labels[t + 1] against logits[t]",
            "variants": variants,
        },
    )
    print(variants)


if __name__ == "__main__":
    main()
