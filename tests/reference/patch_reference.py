"""Activation-patching and attribution-patching reference for ``tiny-gpt2``.

Writes ``tiny-gpt2-pairs.jsonl``, ``tiny-gpt2-patch.json`` and ``tiny-gpt2-atp.json``.
Independent of the workbench: TransformerLens without weight processing, float32, one forward
pass of batch 1 per patched site; metrics in double precision from the float32 logits.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from transformer_lens.utilities.activation_functions import gelu_new as lens_gelu_new
from transformers.activations import ACT2FN

from reference_common import (
    GRIDS,
    METRICS,
    Grid,
    HookedTransformer,
    Pair,
    Run,
    Site,
    baseline_entries,
    baseline_metrics,
    entries,
    exact_result,
    full_name,
    load_hf,
    logit_diff,
    number,
    patched_logits,
    random_pair,
    result_header,
    run_prompt,
    to_transformer_lens,
    versions,
    write_json,
    write_pairs,
)

HERE = Path(__file__).resolve().parent
DIRECTIONS = ("denoising", "noising")
PACKAGES = ("torch", "transformers", "transformer-lens", "numpy", "safetensors")

# id, length, differing positions, answers, wrong answers, swapped (negative gap)
PLAN = (
    ("position-1", 12, [1], 1, 1, False),
    ("middle", 12, [6], 3, 2, False),
    ("two-positions", 12, [4, 9], 1, 1, False),
    ("three-positions", 12, [2, 3, 7], 2, 4, False),
    ("short", 9, [5], 1, 3, False),
    ("negative-gap", 12, [8], 2, 2, True),
)

ATP_GRIDS = tuple(grid for grid in GRIDS if grid.hook != "attn.hook_attn_scores")


def check_model(hf: torch.nn.Module, model: HookedTransformer) -> None:
    """TransformerLens and transformers must be the same function."""
    x = torch.linspace(-12, 12, 4001)
    worst = (lens_gelu_new(x) - ACT2FN["gelu_new"](x)).abs().max().item()
    if worst > 1e-6 or hf.config.activation_function != "gelu_new":
        raise RuntimeError(f"GELU variants differ by {worst}")
    print(f"gelu_new: TransformerLens against transformers {worst:.2g}")
    if model.cfg.act_fn != "gelu_new" or model.cfg.normalization_type != "LN":
        raise RuntimeError("the TransformerLens model is not the unprocessed GPT-2")
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(0, model.cfg.d_vocab, (4, model.cfg.n_ctx), generator=generator)
    with torch.no_grad():
        ours, theirs = model(ids), hf(ids).logits
    worst = (ours - theirs).abs().max().item()
    print(
        f"logits: TransformerLens against transformers {worst:.2g} (max |logit| {theirs.abs().max():.3g})"
    )
    if worst > 5e-5:
        raise RuntimeError("TransformerLens and transformers disagree")


def hf_patched_logits(
    hf: torch.nn.Module, base_ids: list[int], source_ids: list[int], site: Site
) -> torch.Tensor:
    """Patch one site in transformers itself, with plain module hooks."""
    block = hf.transformer.h[site.layer]
    d_model = hf.config.n_embd
    d_head = d_model // hf.config.n_head
    head = 0 if site.head is None else site.head
    columns = slice(None)
    module, on_input = {
        "hook_resid_pre": (block, True),
        "hook_resid_post": (block, False),
        "hook_attn_out": (block.attn, False),
        "hook_mlp_out": (block.mlp, False),
        "mlp.hook_pre": (block.mlp.c_fc, False),
        "mlp.hook_post": (block.mlp.c_proj, True),
        "attn.hook_z": (block.attn.c_proj, True),
        "attn.hook_q": (block.attn.c_attn, False),
        "attn.hook_k": (block.attn.c_attn, False),
        "attn.hook_v": (block.attn.c_attn, False),
    }[site.hook]
    if site.head is not None:
        offset = {"attn.hook_k": d_model, "attn.hook_v": 2 * d_model}.get(site.hook, 0)
        columns = slice(offset + head * d_head, offset + (head + 1) * d_head)
    rows = slice(None) if site.position is None else site.position
    stored: list[torch.Tensor] = []

    def handle(value: tuple | torch.Tensor) -> tuple | torch.Tensor:
        """Record on the source run, paste on the base run."""
        tensor = value[0] if isinstance(value, tuple) else value
        if not stored:
            stored.append(tensor.clone())
            return value
        tensor = tensor.clone()
        tensor[0, rows, columns] = stored[0][0, rows, columns]
        return (tensor, *value[1:]) if isinstance(value, tuple) else tensor

    if on_input:
        hook = module.register_forward_pre_hook(lambda _, inputs: handle(inputs))
    else:
        hook = module.register_forward_hook(lambda _, __, output: handle(output))
    with torch.no_grad():
        hf(torch.tensor([source_ids]))
        logits = hf(torch.tensor([base_ids])).logits[0, -1]
    hook.remove()
    return logits


def check_patches(
    hf: torch.nn.Module, model: HookedTransformer, pairs: list[Pair]
) -> float:
    """Patch with transformers' modules too: largest difference of the patched logits.

    ``hook_resid_mid`` is left out: in transformers it is no module's own input (ln_2's input
    also flows around ln_2).
    """
    skipped = ("hook_resid_mid", "attn.hook_pattern", "attn.hook_attn_scores")
    worst = 0.0
    for pair in pairs:
        base = run_prompt(model, pair.corrupted)
        source = run_prompt(model, pair.clean)
        for grid in GRIDS:
            if grid.hook in skipped:
                continue
            for site in grid.sites(model, pair.length):
                ours = patched_logits(
                    model, base, source, [site], chunk=1, suffix=False
                )[0]
                theirs = hf_patched_logits(hf, base.ids, source.ids, site)
                worst = max(worst, (ours - theirs).abs().max().item())
    print(f"patched logits: TransformerLens against transformers {worst:.2g}")
    if worst > 5e-5:
        raise RuntimeError("patching in TransformerLens and in transformers disagrees")
    return worst


def make_pairs(model: HookedTransformer) -> list[Pair]:
    """Draw the pairs; every metric has a gap that is large against rounding."""

    def accept(pair: Pair) -> bool:
        base = baseline_metrics(
            pair, run_prompt(model, pair.clean), run_prompt(model, pair.corrupted)
        )
        gap = {
            name: abs(base[name]["clean"] - base[name]["corrupted"]) for name in METRICS
        }
        return gap["logit_diff"] >= 0.5 and gap["prob"] >= 0.02 and gap["kl"] >= 0.05

    def last_logits(ids: list[int]) -> torch.Tensor:
        with torch.no_grad():
            return model(torch.tensor([ids]))[0, -1]

    return [
        random_pair(
            name,
            length,
            differ,
            n_answer,
            n_wrong,
            last_logits,
            accept,
            vocab=model.cfg.d_vocab,
            seed=100 + index,
            swap=swap,
        )
        for index, (name, length, differ, n_answer, n_wrong, swap) in enumerate(PLAN)
    ]


def base_gradients(
    model: HookedTransformer, base: Run, pair: Pair, grids: tuple[Grid, ...]
) -> dict[str, torch.Tensor]:
    """Gradient of the logit difference with respect to every hooked activation of ``base``."""
    kept: dict[str, torch.Tensor] = {}

    def keep(activation: torch.Tensor, hook: object) -> torch.Tensor:
        # A copy at the hook point: its gradient is that of everything downstream of the hook.
        activation = activation.clone()
        kept[hook.name] = activation
        return activation

    names = sorted(
        {
            full_name(layer, grid.hook)
            for grid in grids
            for layer in range(model.cfg.n_layers)
        }
    )
    with torch.enable_grad():
        logits = model.run_with_hooks(
            torch.tensor([base.ids]), fwd_hooks=[(name, keep) for name in names]
        )
        value = logit_diff(logits[0, -1], pair)
        gradients = torch.autograd.grad(value, [kept[name] for name in names])
    return dict(zip(names, gradients, strict=True))


def atp_result(
    model: HookedTransformer,
    pairs: list[Pair],
    direction: str,
    grids: tuple[Grid, ...] = ATP_GRIDS,
) -> dict:
    """First-order effects: sum of (a_source - a_base) * d metric / d a, gradient at the base run.

    ``raw`` is the metric of the base run plus the estimate, as if it were a patched run;
    ``estimate`` is the estimated change itself.
    """
    runs = [
        (run_prompt(model, pair.clean), run_prompt(model, pair.corrupted))
        for pair in pairs
    ]
    baselines = [
        baseline_metrics(pair, clean, corrupted)
        for pair, (clean, corrupted) in zip(pairs, runs, strict=True)
    ]
    result = result_header("tiny-gpt2", direction, "atp", pairs)
    result["baselines"] = baseline_entries(pairs, baselines, ["logit_diff"])
    base_name = "corrupted" if direction == "denoising" else "clean"
    products = []
    for pair, (clean, corrupted) in zip(pairs, runs, strict=True):
        base, source = (
            (corrupted, clean) if direction == "denoising" else (clean, corrupted)
        )
        gradients = base_gradients(model, base, pair, grids)
        products.append(
            {
                name: (source.cache[name] - base.cache[name])[0].double()
                * gradient[0].double()
                for name, gradient in gradients.items()
            }
        )
    effects, summary = [], []
    for grid in grids:
        raw = [
            [
                baseline["logit_diff"][base_name]
                + product[full_name(site.layer, site.hook)][site.index()].sum().item()
                for site in grid.sites(model, pair.length)
            ]
            for pair, product, baseline in zip(pairs, products, baselines, strict=True)
        ]
        effect, line = entries(
            model, grid, "logit_diff", pairs, raw, None, baselines, direction
        )
        per_pair = len(effect["raw"]) // len(pairs)
        effect["estimate"] = [
            None
            if value is None
            else number(value - baselines[i // per_pair]["logit_diff"][base_name])
            for i, value in enumerate(effect["raw"])
        ]
        effects.append(effect)
        summary.append(line)
    result["effects"] = effects
    result["summary"] = summary
    return result


def worst_difference(one: dict, other: dict, key: str) -> dict[str, float]:
    """Largest difference of two results, per metric."""
    worst: dict[str, float] = {}
    for a, b in zip(one["effects"], other["effects"], strict=True):
        for x, y in zip(a[key], b[key], strict=True):
            if x is not None:
                worst[a["metric"]] = max(worst.get(a["metric"], 0.0), abs(x - y))
    return {metric: number(float(f"{value:.3g}")) for metric, value in worst.items()}


def main() -> None:
    """Write the pairs and both reference files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=HERE / "tiny-gpt2")
    parser.add_argument("--out", type=Path, default=HERE)
    args = parser.parse_args()
    torch.set_num_threads(1)

    hf = load_hf(args.model)
    model = to_transformer_lens(hf)
    check_model(hf, model)
    pairs = make_pairs(model)
    write_pairs(args.out / "tiny-gpt2-pairs.jsonl", pairs)
    patched_agree = check_patches(hf, model, pairs)
    double = to_transformer_lens(load_hf(args.model, torch.float64))

    exact = {
        direction: exact_result(model, "tiny-gpt2", pairs, direction)
        for direction in DIRECTIONS
    }
    rounding = {}
    for direction in DIRECTIONS:
        check = exact_result(double, "tiny-gpt2", pairs, direction)
        rounding[direction] = {
            key: worst_difference(exact[direction], check, key)
            for key in ("raw", "normalized")
        }
    prompts = {
        pair.id: {side: getattr(pair, side) for side in ("clean", "corrupted")}
        for pair in pairs
    }
    with torch.no_grad():
        logits = {
            name: {
                side: [number(x) for x in model(torch.tensor([ids]))[0, -1].tolist()]
                for side, ids in sides.items()
            }
            for name, sides in prompts.items()
        }
        agree = max(
            (model(torch.tensor([ids]))[0, -1] - hf(torch.tensor([ids])).logits[0, -1])
            .abs()
            .max()
            .item()
            for sides in prompts.values()
            for ids in sides.values()
        )
    write_json(
        args.out / "tiny-gpt2-patch.json",
        {
            "packages": versions(*PACKAGES),
            "transformers_max_abs_diff": {
                "logits": agree,
                "patched_logits": patched_agree,
            },
            "float64_max_abs_diff": rounding,
            "logits": logits,
            **exact,
        },
    )

    atp = {direction: atp_result(model, pairs, direction) for direction in DIRECTIONS}
    rounding = {
        direction: {
            key: worst_difference(
                atp[direction], atp_result(double, pairs, direction), key
            )
            for key in ("estimate", "normalized")
        }
        for direction in DIRECTIONS
    }
    write_json(
        args.out / "tiny-gpt2-atp.json",
        {"packages": versions(*PACKAGES), "float64_max_abs_diff": rounding, **atp},
    )
    for entry in exact["denoising"]["baselines"]:
        print(
            f"{entry['metric']:15} {entry['pair']:16} gap {entry['clean'] - entry['corrupted']:+.4f}"
        )


if __name__ == "__main__":
    main()
