"""First-order estimates by PyTorch's own gradients, for three model families.

Writes ``attribution.json``: attribution patching (AtP), integrated gradients along the input embeddings
(EAP-IG), AtP*'s QK-fix and GradDrop, all from TransformerLens in float64. Needs the folders and pairs of
``make_tiny_gpt2.py``, ``patch_reference.py`` and ``families_reference.py``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from transformer_lens import HookedTransformer

from families_reference import hooked_llama, hooked_neox, load
from patch_reference import DIRECTIONS, PACKAGES
from reference_common import load_hf, number, to_transformer_lens, versions, write_json

HERE = Path(__file__).resolve().parent
STEPS = 5
PAIRS = ("position-1", "middle")
METRICS = ("logit_diff", "prob", "log_prob", "kl")

# Hook, and whether its heads are kept apart (positions always are).
ROWS = (
    "hook_resid_pre",
    "hook_attn_out",
    "hook_mlp_out",
    "mlp.hook_post",
    "ln1.hook_normalized",
    "ln2.hook_scale",
)
HEADS = ("attn.hook_q", "attn.hook_k", "attn.hook_v", "attn.hook_z")
SQUARES = ("attn.hook_attn_scores", "attn.hook_pattern")
WRITES = ("hook_attn_out", "hook_mlp_out")


def metric(name: str, logits: torch.Tensor, pair: dict, clean: torch.Tensor) -> torch.Tensor:
    """A metric of one row of logits; ``clean`` are the clean run's, a constant."""
    log_p = logits.log_softmax(-1)
    answer = [token[0] for token in pair["answer"]]
    wrong = [token[0] for token in pair["wrong"]]
    log_clean = clean.log_softmax(-1).detach()
    return {
        "logit_diff": lambda: logits[answer].mean() - logits[wrong].mean(),
        "prob": lambda: log_p[answer].exp().sum(),
        "log_prob": lambda: log_p[answer].logsumexp(0),
        "kl": lambda: -(log_clean.exp() * (log_clean - log_p)).sum(),
    }[name]()


class Case:
    """One pair in one direction: base and source runs of one model."""

    def __init__(self, model: HookedTransformer, pair: dict, direction: str):
        clean, corrupted = pair["clean"]["ids"], pair["corrupted"]["ids"]
        self.model, self.pair = model, pair
        base, source = (corrupted, clean) if direction == "denoising" else (clean, corrupted)
        self.base_ids = torch.tensor([base])
        with torch.no_grad():
            self.clean_logits = model(torch.tensor([clean]))[0, -1]
            _, self.base = model.run_with_cache(self.base_ids)
            _, self.source = model.run_with_cache(torch.tensor([source]))

    def names(self, hooks: tuple[str, ...]) -> list[str]:
        """Every layer's name of some hooks."""
        return [f"blocks.{layer}.{hook}" for hook in hooks for layer in range(self.model.cfg.n_layers)]

    def gradients(
        self, name: str, hooks: tuple[str, ...], alpha: float | None = None, dropped: int | None = None
    ) -> dict[str, torch.Tensor]:
        """Metric gradients at hooks; on the line of embeddings at ``alpha``, or with a layer's writes cut."""
        kept: dict[str, list[torch.Tensor]] = {}  # a norm before attention is called for q, k and v

        def line(activation: torch.Tensor, hook: object) -> torch.Tensor:
            mixed = self.base[hook.name] + alpha * (self.source[hook.name] - self.base[hook.name])
            return mixed.requires_grad_(True)

        def keep(activation: torch.Tensor, hook: object) -> torch.Tensor:
            kept.setdefault(hook.name, []).append(activation.clone())
            return kept[hook.name][-1]

        def cut(activation: torch.Tensor, hook: object) -> torch.Tensor:
            return activation.detach()

        fwd = [("hook_embed", line)] if alpha is not None else []
        fwd += [(full, keep) for full in self.names(hooks)]
        if dropped is not None:
            fwd += [(f"blocks.{dropped}.{hook}", cut) for hook in WRITES]
        with torch.enable_grad():
            logits = self.model.run_with_hooks(self.base_ids, fwd_hooks=fwd)[0, -1]
            value = metric(name, logits, self.pair, self.clean_logits)
            flat = [(name, tensor) for name, tensors in kept.items() for tensor in tensors]
            found = torch.autograd.grad(value, [tensor for _, tensor in flat], allow_unused=True)
        sums = {name: torch.zeros_like(tensors[0]) for name, tensors in kept.items()}
        for (name, _), gradient in zip(flat, found, strict=True):
            sums[name] += 0 if gradient is None else gradient
        return sums

    def product(self, full: str, gradient: torch.Tensor) -> torch.Tensor:
        """(a_source - a_base) * gradient, summed over the last axis: [T], [H, T] for heads and squares."""
        difference = (self.source[full] - self.base[full])[0]
        difference = torch.where(difference.isfinite(), difference, 0)  # masked scores are -inf
        summed = (difference * gradient[0]).sum(-1)
        return summed.T if full.endswith(("hook_q", "hook_k", "hook_v", "hook_z")) else summed

    def estimates(self, hook: str, gradients: dict[str, torch.Tensor]) -> torch.Tensor:
        """Layer x (head x) position."""
        return torch.stack([self.product(n, gradients[n]) for n in self.names((hook,))])

    def patched_scores(self, layer: int, hook: str) -> torch.Tensor:
        """Scores of the base run with the source's queries or keys, [H, T, T]."""
        seen = {}

        def swap(activation: torch.Tensor, hook: object) -> torch.Tensor:
            return self.source[hook.name]

        def keep(activation: torch.Tensor, hook: object) -> None:
            seen["scores"] = activation[0]

        scores = f"blocks.{layer}.attn.hook_attn_scores"
        with torch.no_grad():
            self.model.run_with_hooks(
                self.base_ids, fwd_hooks=[(f"blocks.{layer}.{hook}", swap), (scores, keep)]
            )
        return seen["scores"]

    def qk_fix(self, hook: str, gradients: dict[str, torch.Tensor]) -> torch.Tensor:
        """AtP*: one query row or one key column replaced at a time, its softmax done again."""
        layers = []
        for layer in range(self.model.cfg.n_layers):
            scores = self.base[f"blocks.{layer}.attn.hook_attn_scores"][0]
            pattern = self.base[f"blocks.{layer}.attn.hook_pattern"][0]
            slope = gradients[f"blocks.{layer}.attn.hook_pattern"][0]
            moved = self.patched_scores(layer, hook)
            n_heads, length, _ = scores.shape
            fixed = torch.zeros(n_heads, length, dtype=scores.dtype)
            for t in range(length):
                one = scores.clone()
                if hook == "attn.hook_q":
                    one[:, t, :] = moved[:, t, :]
                else:
                    one[:, :, t] = moved[:, :, t]
                change = one.softmax(-1) - pattern
                fixed[:, t] = (change * slope).sum((1, 2))
            shared = self.model.cfg.n_key_value_heads or n_heads
            if hook == "attn.hook_k" and shared != n_heads:
                fixed = fixed.reshape(shared, n_heads // shared, length).sum(1)
            layers.append(fixed)
        return torch.stack(layers)


def entries(case: Case, head: dict) -> list[dict]:
    """Everything of one pair in one direction."""
    out = []

    def add(method: str, name: str, hook: str, values: torch.Tensor) -> None:
        flat = [number(float(f"{x:.7g}")) for x in values.flatten().tolist()]
        out.append({**head, "method": method, "metric": name, "hook": hook, "values": flat})

    everything = (*ROWS, *HEADS, *SQUARES)
    layers = case.model.cfg.n_layers
    for name in METRICS:
        hooks = everything if name == "logit_diff" else ("hook_attn_out", "attn.hook_v")
        if not (name == "kl" and head["direction"] == "noising"):
            found = case.gradients(name, hooks)
            for hook in hooks:
                add("atp", name, hook, case.estimates(hook, found))
        steps = [case.gradients(name, hooks, alpha=k / STEPS) for k in range(1, STEPS + 1)]
        for hook in ("hook_attn_out", "attn.hook_v"):
            add("ig", name, hook, torch.stack([case.estimates(hook, g) for g in steps]).mean(0))
    found = case.gradients("logit_diff", ("attn.hook_pattern",))
    for hook in ("attn.hook_q", "attn.hook_k"):
        add("qk-fix", "logit_diff", hook, case.qk_fix(hook, found))
    drops = [case.gradients("logit_diff", (*ROWS, "attn.hook_z"), dropped=layer) for layer in range(layers)]
    for hook in ("hook_resid_pre", "hook_mlp_out", "attn.hook_z"):
        each = torch.stack([case.estimates(hook, g) for g in drops])
        add("grad-drop", "logit_diff", hook, each.abs().sum(0) / (layers - 1))
    return out


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    double = torch.float64
    models = {
        "tiny-gpt2": to_transformer_lens(load_hf(out / "tiny-gpt2", double)),
        "tiny-llama": hooked_llama(load(out / "tiny-llama", double)),
        "tiny-neox": hooked_neox(load(out / "tiny-neox", double)),
    }
    estimates = []
    for name, model in models.items():
        lines = (out / f"{name}-pairs.jsonl").read_text().splitlines()
        pairs = [pair for pair in map(json.loads, lines) if pair["id"] in PAIRS]
        for pair in pairs if name == "tiny-llama" else pairs[-1:]:
            for direction in DIRECTIONS:
                head = {"model": name, "pair": pair["id"], "direction": direction}
                estimates += entries(Case(model, pair, direction), head)
    write_json(out / "attribution.json", {"packages": versions(*PACKAGES), "steps": STEPS, "estimates": estimates})


if __name__ == "__main__":
    main()
