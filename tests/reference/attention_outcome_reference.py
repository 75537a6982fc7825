"""Attention as the outcome of joint patches: the reference of TransformerLens.

Writes ``attention-outcome.json`` for ``tiny-gpt2`` and ``tiny-llama`` (grouped heads) over their pairs:
several sites are patched in one run, and the pattern of other heads is read in the clean, the corrupted
and the patched run. Run after ``families_reference.py``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from transformer_lens import HookedTransformer

from families_reference import hooked_llama, load
from patch_reference import DIRECTIONS, PACKAGES
from reference_common import (
    Pair,
    Run,
    full_name,
    load_hf,
    logit_diff,
    number,
    run_prompt,
    to_transformer_lens,
    versions,
    write_json,
)

HERE = Path(__file__).resolve().parent

# Sites as `engram patch --joint` writes them: (hook, layer, head or None, position or None).
JOINT = {
    "heads": [
        ("attn.hook_z", 0, 1, None),
        ("attn.hook_z", 0, 3, None),
        ("attn.hook_z", 1, 2, None),
    ],
    "values and queries": [
        ("attn.hook_v", 1, 0, None),
        ("attn.hook_v", 1, 1, None),
        ("attn.hook_q", 1, 3, -1),
    ],
    "mlp and stream": [
        ("hook_mlp_out", 0, None, None),
        ("hook_resid_post", 1, None, -1),
    ],
}
WATCH = [(1, 1), (2, 0), (2, 3)]
LOOKS = [(-1, 0), (-1, 1), (-1, 5), (-1, 6), (7, 5)]


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of a ``PAIRS.jsonl`` whose answers are single ids."""
    pairs = []
    for line in path.read_text().splitlines():
        row = json.loads(line)
        pairs.append(
            Pair(
                row["id"],
                row["clean"]["ids"],
                row["corrupted"]["ids"],
                [ids[0] for ids in row["answer"]],
                [ids[0] for ids in row["wrong"]],
            )
        )
    return pairs


def attention_of(cache: dict[str, torch.Tensor]) -> list[float]:
    """Watched heads × looks."""
    return [
        number(
            cache[full_name(layer, "attn.hook_pattern")][
                0, head, look_from, look_to
            ].item()
        )
        for layer, head in WATCH
        for look_from, look_to in LOOKS
    ]


def patched_run(model: HookedTransformer, base: Run, source: Run, sites: list) -> Run:
    """All sites pasted from ``source`` in one run of ``base``'s prompt."""
    patterns: dict[str, torch.Tensor] = {}

    def paste(hook: str, layer: int, head: int | None, position: int | None):
        name = full_name(layer, hook)

        def edit(activation: torch.Tensor, hook: object) -> torch.Tensor:
            activation = activation.clone()
            rows = slice(None) if position is None else position
            index = (0, rows) if head is None else (0, rows, head)
            activation[index] = source.cache[name][index]
            return activation

        return name, edit

    def keep(activation: torch.Tensor, hook: object) -> None:
        patterns[hook.name] = activation.clone()

    names = {full_name(layer, "attn.hook_pattern") for layer, _ in WATCH}
    with torch.no_grad():
        logits = model.run_with_hooks(
            torch.tensor([base.ids]),
            fwd_hooks=[paste(*site) for site in sites]
            + [(name, keep) for name in sorted(names)],
        )
    return Run(base.ids, patterns, logits[0, -1])


def outcome(
    model: HookedTransformer, pair: Pair, direction: str, sites: list
) -> dict:
    """Attention and logit difference of the three runs."""
    clean, corrupted = run_prompt(model, pair.clean), run_prompt(model, pair.corrupted)
    base, source = (
        (corrupted, clean) if direction == "denoising" else (clean, corrupted)
    )
    patched = patched_run(model, base, source, sites)
    runs = {"clean": clean, "corrupted": corrupted, "patched": patched}
    return {
        "pair": pair.id,
        **{name: attention_of(run.cache) for name, run in runs.items()},
        "logit_diff": {
            name: number(logit_diff(run.logits.double(), pair).item())
            for name, run in runs.items()
        },
    }


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE)
    args = parser.parse_args()
    torch.set_num_threads(1)
    models = {
        "tiny-gpt2": to_transformer_lens(load_hf(HERE / "tiny-gpt2")),
        "tiny-llama": hooked_llama(load(HERE / "tiny-llama")),
    }
    result = {
        "packages": versions(*PACKAGES),
        "watch": [f"{layer}.{head}" for layer, head in WATCH],
        "looks": [{"from": a, "to": b} for a, b in LOOKS],
        "models": {},
    }
    for name, model in models.items():
        pairs = [
            pair
            for pair in read_pairs(HERE / f"{name}-pairs.jsonl")
            if pair.length == 12
        ][:2]
        result["models"][name] = [
            {
                "joint": [
                    {"hook": h, "layer": layer, "head": head, "position": position}
                    for h, layer, head, position in sites
                ],
                "direction": direction,
                "pairs": [outcome(model, pair, direction, sites) for pair in pairs],
            }
            for sites in JOINT.values()
            for direction in DIRECTIONS
        ]
    write_json(args.out / "attention-outcome.json", result)


if __name__ == "__main__":
    main()
