"""Shared by the reference scripts: loading, metrics, patching with TransformerLens, output.

TransformerLens is used without any weight processing: no folding of LayerNorm, no centring
of writing weights or of the unembedding, no folding of value biases.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import torch
from transformer_lens import HookedTransformer, HookedTransformerConfig
from transformer_lens.pretrained.weight_conversions.gpt2 import convert_gpt2_weights
from transformers import GPT2LMHeadModel

EPSILON = 1e-6
"""A pair whose |gap| is below this has no recovery (``null``)."""

METRICS = ("logit_diff", "logit_diff_sum", "prob", "kl")

RESIDUAL_HOOKS = ("hook_resid_pre", "hook_resid_mid", "hook_resid_post")
POSITION_HOOKS = (
    *RESIDUAL_HOOKS,
    "hook_attn_out",
    "hook_mlp_out",
    "mlp.hook_pre",
    "mlp.hook_post",
)
HEAD_HOOKS = (
    "attn.hook_q",
    "attn.hook_k",
    "attn.hook_v",
    "attn.hook_z",
    "attn.hook_pattern",
    "attn.hook_attn_scores",
)
SQUARE_HOOKS = ("attn.hook_pattern", "attn.hook_attn_scores")
"""Hooks of shape [batch, head, query, key]; the others are [batch, position, ...]."""
SHARED_HOOKS = ("attn.hook_k", "attn.hook_v")
"""Hooks with one head for every key/value head; the other head hooks have all heads."""
NORM_HOOKS = (
    "ln1.hook_scale",
    "ln1.hook_normalized",
    "ln2.hook_scale",
    "ln2.hook_normalized",
)
END_HOOKS = (
    "hook_embed",
    "hook_pos_embed",
    "ln_final.hook_scale",
    "ln_final.hook_normalized",
)
"""Hooks that belong to no block."""


# --- models -----------------------------------------------------------------------------


def load_hf(folder: Path, dtype: torch.dtype = torch.float32) -> GPT2LMHeadModel:
    """Load the folder with transformers, eager attention, evaluation mode."""
    model = GPT2LMHeadModel.from_pretrained(
        folder, attn_implementation="eager", dtype=dtype
    )
    return model.eval()


def to_transformer_lens(hf: GPT2LMHeadModel) -> HookedTransformer:
    """Build an unprocessed HookedTransformer with the weights of ``hf``."""
    config = hf.config
    cfg = HookedTransformerConfig(
        n_layers=config.n_layer,
        d_model=config.n_embd,
        n_ctx=config.n_positions,
        d_head=config.n_embd // config.n_head,
        n_heads=config.n_head,
        d_mlp=config.n_inner or 4 * config.n_embd,
        d_vocab=config.vocab_size,
        act_fn=config.activation_function,
        eps=config.layer_norm_epsilon,
        normalization_type="LN",
        positional_embedding_type="standard",
        attention_dir="causal",
        use_attn_scale=True,
        default_prepend_bos=False,
        dtype=hf.dtype,
        device="cpu",
        seed=0,
    )
    model = HookedTransformer(cfg)
    state = {
        name: tensor.detach().clone()
        for name, tensor in convert_gpt2_weights(hf, cfg).items()
    }
    state["unembed.b_U"] = torch.zeros(cfg.d_vocab, dtype=hf.dtype)
    missing, unexpected = model.load_state_dict(state, strict=False)
    left = [name for name in missing if not name.endswith(("attn.mask", "attn.IGNORE"))]
    if left or unexpected:
        raise RuntimeError(
            f"state dict does not fit: missing {left}, unexpected {unexpected}"
        )
    return model.eval()


# --- pairs ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """One prompt pair: ids of equal length, answer and wrong-answer ids."""

    id: str
    clean: list[int]
    corrupted: list[int]
    answer: list[int]
    wrong: list[int]

    @property
    def length(self) -> int:
        """Tokens in either prompt."""
        return len(self.clean)

    def to_json(self) -> dict:
        """One line of ``PAIRS.jsonl``; every answer is an alternative of one id."""
        return {
            "id": self.id,
            "clean": {"ids": self.clean},
            "corrupted": {"ids": self.corrupted},
            "answer": [[token] for token in self.answer],
            "wrong": [[token] for token in self.wrong],
        }


def write_pairs(path: Path, pairs: Iterable[Pair]) -> None:
    """Write ``PAIRS.jsonl``."""
    path.write_text("".join(json.dumps(pair.to_json()) + "\n" for pair in pairs))


def random_pair(
    name: str,
    length: int,
    differ: list[int],
    n_answer: int,
    n_wrong: int,
    last_logits: Callable[[list[int]], torch.Tensor],
    accept: Callable[[Pair], bool],
    *,
    vocab: int,
    seed: int,
    swap: bool = False,
) -> Pair:
    """Draw random ids until ``accept`` likes the pair.

    The answer is the top ids after the clean prompt, the wrong answer the top ids after the
    corrupted prompt (disjoint); ``swap`` exchanges the two, which makes the gap negative.
    """
    generator = torch.Generator().manual_seed(seed)
    for _ in range(1000):
        clean = torch.randint(0, vocab, (length,), generator=generator).tolist()
        corrupted = list(clean)
        for position in differ:
            shift = int(torch.randint(1, vocab, (1,), generator=generator))
            corrupted[position] = (clean[position] + shift) % vocab
        answer = last_logits(clean).topk(n_answer).indices.tolist()
        wrong = last_logits(corrupted).topk(n_wrong).indices.tolist()
        if set(answer) & set(wrong):
            continue
        if swap:
            answer, wrong = wrong, answer
        pair = Pair(name, clean, corrupted, answer, wrong)
        if accept(pair):
            return pair
    raise RuntimeError(f"no acceptable pair for {name}")


# --- metrics ----------------------------------------------------------------------------


def logit_diff(logits: torch.Tensor, pair: Pair) -> torch.Tensor:
    """Mean logit over the answer set minus mean logit over the wrong set (differentiable)."""
    return logits[..., pair.answer].mean(-1) - logits[..., pair.wrong].mean(-1)


def metrics(
    logits: torch.Tensor, pair: Pair, clean_logits: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Every metric at the read position, in double precision from the given logits.

    ``kl`` is minus KL(P_clean || P): 0 on the clean run, negative elsewhere.
    """
    logits = logits.double()
    log_p = logits.log_softmax(-1)
    log_clean = clean_logits.double().log_softmax(-1)
    return {
        "logit_diff": logit_diff(logits, pair),
        "logit_diff_sum": logits[..., pair.answer].sum(-1)
        - logits[..., pair.wrong].sum(-1),
        "prob": log_p[..., pair.answer].exp().sum(-1),
        "kl": -(log_clean.exp() * (log_clean - log_p)).sum(-1),
    }


# --- running ----------------------------------------------------------------------------


@dataclass
class Run:
    """One unpatched prompt: all hooked activations and the last position's logits."""

    ids: list[int]
    cache: dict[str, torch.Tensor]
    logits: torch.Tensor


def full_name(layer: int | None, hook: str) -> str:
    """Name of a hook point in TransformerLens, for example ``blocks.0.attn.hook_z``."""
    return hook if layer is None else f"blocks.{layer}.{hook}"


def run_prompt(model: HookedTransformer, ids: list[int]) -> Run:
    """Run a prompt and cache every activation this module patches."""
    wanted = {
        full_name(layer, hook)
        for layer in range(model.cfg.n_layers)
        for hook in (*POSITION_HOOKS, *HEAD_HOOKS, *NORM_HOOKS, "attn.hook_result")
    } | set(END_HOOKS)
    with torch.no_grad():
        logits, cache = model.run_with_cache(
            torch.tensor([ids]),
            names_filter=lambda name: name in wanted,
            return_type="logits",
        )
    return Run(ids, dict(cache.items()), logits[0, -1])


@dataclass(frozen=True)
class Site:
    """What is pasted: a hook at a layer, at one head or all, at one position or all."""

    hook: str
    layer: int | None
    head: int | None = None
    position: int | None = None

    def index(self) -> tuple:
        """Index into one row of the activation (without the batch axis)."""
        whole = slice(None)
        if self.hook in SQUARE_HOOKS:
            return (self.head,)
        index: tuple = (whole if self.position is None else self.position,)
        return index if self.head is None else (*index, self.head)


@contextmanager
def patched_batch(
    model: HookedTransformer, sites: list[Site], source: Run
) -> Iterator[None]:
    """Paste site i into row i of a batch, every value taken from ``source``."""
    name = full_name(sites[0].layer, sites[0].hook)
    value = source.cache[name][0]

    def paste(activation: torch.Tensor, hook: object) -> torch.Tensor:
        activation = activation.clone()
        for row, site in enumerate(sites):
            index = site.index()
            activation[(row, *index)] = value[index]
        return activation

    with model.hooks(fwd_hooks=[(name, paste)]):
        yield


def patched_logits(
    model: HookedTransformer,
    base: Run,
    source: Run,
    sites: list[Site],
    *,
    chunk: int,
    suffix: bool,
) -> torch.Tensor:
    """Last-position logits of one patched run per site (all of one hook and layer).

    With ``suffix`` the run starts at the patched layer from the base run's residual stream,
    which is the same computation with the unchanged layers left out.
    """
    out = []
    with torch.no_grad():
        for start in range(0, len(sites), chunk):
            part = sites[start : start + chunk]
            with patched_batch(model, part, source):
                if suffix:
                    layer = part[0].layer
                    stream = base.cache[full_name(layer, "hook_resid_pre")]
                    stream = stream.expand(len(part), -1, -1)
                    tokens = torch.tensor([base.ids]).expand(len(part), -1)
                    resid = model(
                        stream,
                        tokens=tokens,
                        start_at_layer=layer,
                        stop_at_layer=model.cfg.n_layers,
                    )
                    out.append(model.unembed(model.ln_final(resid[:, -1:]))[:, 0])
                else:
                    tokens = torch.tensor([base.ids]).expand(len(part), -1)
                    out.append(model(tokens, return_type="logits")[:, -1])
    return torch.cat(out)


def is_structural_zero(base: Run, source: Run, site: Site) -> bool:
    """Whether the pasted values equal the base run's bit for bit."""
    name = full_name(site.layer, site.hook)
    index = site.index()
    return torch.equal(base.cache[name][0][index], source.cache[name][0][index])


# --- grids and the result format ----------------------------------------------------------


@dataclass(frozen=True)
class Grid:
    """One ``effects`` entry per metric: a hook over layers, and over heads and positions or not."""

    hook: str
    heads: bool
    positions: bool

    @property
    def layers(self) -> bool:
        """Whether the hook belongs to a block."""
        return self.hook not in END_HOOKS

    def head_count(self, model: HookedTransformer) -> int:
        """Number of heads at the hook."""
        shared = model.cfg.n_key_value_heads
        if shared is not None and self.hook in SHARED_HOOKS:
            return shared
        return model.cfg.n_heads

    def axes(self) -> list[str]:
        """Axes without the pair axis."""
        return [
            *(["layer"] if self.layers else []),
            *(["head"] if self.heads else []),
            *(["position"] if self.positions else []),
        ]

    def shape(self, model: HookedTransformer, length: int) -> list[int]:
        """Shape without the pair axis."""
        return [
            *([model.cfg.n_layers] if self.layers else []),
            *([self.head_count(model)] if self.heads else []),
            *([length] if self.positions else []),
        ]

    def sites(self, model: HookedTransformer, length: int) -> list[Site]:
        """Every site, row-major over the axes."""
        return [
            Site(self.hook, layer, head, position)
            for layer, head, position in product(
                range(model.cfg.n_layers) if self.layers else [None],
                range(self.head_count(model)) if self.heads else [None],
                range(length) if self.positions else [None],
            )
        ]

    @property
    def trivial(self) -> bool:
        """All positions of the residual stream: full recovery by construction."""
        return self.hook in RESIDUAL_HOOKS and not self.positions


GRIDS = (
    *(Grid(hook, heads=False, positions=True) for hook in POSITION_HOOKS),
    Grid("attn.hook_z", heads=True, positions=True),
    *(Grid(hook, heads=False, positions=False) for hook in POSITION_HOOKS),
    *(Grid(hook, heads=True, positions=False) for hook in HEAD_HOOKS),
)


def number(value: float | None) -> float | None:
    """Round to 9 significant digits for the file; ``None`` where there is no finite value."""
    if value is None or not math.isfinite(value):
        return None
    rounded = float(f"{value:.9g}")
    return 0 if rounded == 0 else rounded


def recovery(
    raw: float, clean: float, corrupted: float, direction: str
) -> float | None:
    """Per-pair recovery: 0 corrupted, 1 clean (denoising); 0 intact, -1 broken (noising)."""
    gap = clean - corrupted
    if abs(gap) < EPSILON:
        return None
    return (raw - (corrupted if direction == "denoising" else clean)) / gap


def pad(
    values: list, inner: list[int], length: int, longest: int, positions: bool
) -> list:
    """Spread a pair's values over the longest pair's positions, ``None`` beyond its length."""
    if not positions or length == longest:
        return list(values)
    rows = 1
    for size in inner[:-1]:
        rows *= size
    out: list = []
    for row in range(rows):
        out += values[row * length : (row + 1) * length] + [None] * (longest - length)
    return out


def summarise(
    raw: list[list], baselines: list[dict[str, float]], direction: str
) -> list[float | None]:
    """Ratio of means at every site, over the pairs that have a value there.

    mean(m_patched - m_base) / |mean(m_clean) - mean(m_corrupted)|, both over the same pairs.
    """
    out: list[float | None] = []
    for column in zip(*raw, strict=True):
        kept = [(m, b) for m, b in zip(column, baselines, strict=True) if m is not None]
        if not kept:
            out.append(None)
            continue
        base = "corrupted" if direction == "denoising" else "clean"
        effect = sum(m - b[base] for m, b in kept) / len(kept)
        gap = abs(sum(b["clean"] - b["corrupted"] for _, b in kept) / len(kept))
        out.append(None if gap < EPSILON else effect / gap)
    return out


def baseline_metrics(
    pair: Pair, clean: Run, corrupted: Run
) -> dict[str, dict[str, float]]:
    """Metric values of both unpatched runs."""
    on_clean = metrics(clean.logits, pair, clean.logits)
    on_corrupted = metrics(corrupted.logits, pair, clean.logits)
    return {
        name: {"clean": on_clean[name].item(), "corrupted": on_corrupted[name].item()}
        for name in METRICS
    }


def result_header(
    model_name: str, direction: str, method: str, pairs: list[Pair]
) -> dict:
    """Every key of a result before ``baselines`` (without ``timing``, which would not repeat)."""
    return {
        "engine": f"transformer_lens {importlib.metadata.version('transformer-lens')}",
        "model": model_name,
        "provider": "cpu",
        "direction": direction,
        "method": method,
        "corruption": "str",
        "bos": False,
        "epsilon": EPSILON,
        "pairs": [
            {"id": pair.id, "clean_ids": pair.clean, "corrupted_ids": pair.corrupted}
            for pair in pairs
        ],
    }


def entries(
    model: HookedTransformer,
    grid: Grid,
    metric: str,
    pairs: list[Pair],
    per_pair: list[list[float]],
    zeros: list[list[bool]] | None,
    baselines: list[dict[str, dict[str, float]]],
    direction: str,
) -> tuple[dict, dict]:
    """Build the ``effects`` and the ``summary`` entry of one grid and metric."""
    longest = max(pair.length for pair in pairs)
    inner = grid.shape(model, longest)
    hook = "blocks.{layer}." + grid.hook if grid.layers else grid.hook
    raw = [
        pad(values, inner, pair.length, longest, grid.positions)
        for pair, values in zip(pairs, per_pair, strict=True)
    ]
    base = [baseline[metric] for baseline in baselines]
    normalized = [
        [
            None if m is None else recovery(m, b["clean"], b["corrupted"], direction)
            for m in row
        ]
        for row, b in zip(raw, base, strict=True)
    ]
    effect = {
        "hook": hook,
        "metric": metric,
        "axes": ["pair", *grid.axes()],
        "shape": [len(pairs), *inner],
        "raw": [number(value) for row in raw for value in row],
        "normalized": [number(value) for row in normalized for value in row],
    }
    if zeros is not None:
        effect["structural_zero"] = [
            value
            for pair, row in zip(pairs, zeros, strict=True)
            for value in pad(row, inner, pair.length, longest, grid.positions)
        ]
    if grid.trivial:
        effect["trivial"] = True
    summary = {
        "hook": hook,
        "metric": metric,
        "axes": grid.axes(),
        "shape": inner,
        "recovery": [number(value) for value in summarise(raw, base, direction)],
    }
    return effect, summary


def baseline_entries(
    pairs: list[Pair], baselines: list[dict], names: Iterable[str]
) -> list[dict]:
    """Build the ``baselines`` list."""
    return [
        {
            "metric": metric,
            "pair": pair.id,
            "clean": number(baseline[metric]["clean"]),
            "corrupted": number(baseline[metric]["corrupted"]),
        }
        for metric in names
        for pair, baseline in zip(pairs, baselines, strict=True)
    ]


def exact_result(
    model: HookedTransformer,
    model_name: str,
    pairs: list[Pair],
    direction: str,
    *,
    names: tuple[str, ...] = METRICS,
    grids: tuple[Grid, ...] = GRIDS,
    chunk: int = 1,
    suffix: bool = False,
    progress: bool = False,
) -> dict:
    """Patch every site of every grid for every pair; return one result object."""
    runs = [
        (run_prompt(model, pair.clean), run_prompt(model, pair.corrupted))
        for pair in pairs
    ]
    baselines = [
        baseline_metrics(pair, clean, corrupted)
        for pair, (clean, corrupted) in zip(pairs, runs, strict=True)
    ]
    result = result_header(model_name, direction, "exact", pairs)
    result["baselines"] = baseline_entries(pairs, baselines, names)
    effects, summary = [], []
    for grid in grids:
        raw: dict[str, list[list[float]]] = {metric: [] for metric in names}
        zeros: list[list[bool]] = []
        for pair, (clean, corrupted) in zip(pairs, runs, strict=True):
            base, source = (
                (corrupted, clean) if direction == "denoising" else (clean, corrupted)
            )
            sites = grid.sites(model, pair.length)
            flags = [is_structural_zero(base, source, site) for site in sites]
            logits = torch.empty(
                len(sites), base.logits.shape[-1], dtype=base.logits.dtype
            )
            logits[:] = base.logits
            for layer in range(model.cfg.n_layers) if grid.layers else [None]:
                rows = [
                    i
                    for i, site in enumerate(sites)
                    if site.layer == layer and not flags[i]
                ]
                if rows:
                    logits[rows] = patched_logits(
                        model,
                        base,
                        source,
                        [sites[i] for i in rows],
                        chunk=chunk,
                        suffix=suffix,
                    )
            values = metrics(logits, pair, clean.logits)
            for metric in names:
                raw[metric].append(values[metric].tolist())
            zeros.append(flags)
        for metric in names:
            shown = zeros if metric == names[0] else None
            effect, line = entries(
                model, grid, metric, pairs, raw[metric], shown, baselines, direction
            )
            effects.append(effect)
            summary.append(line)
        if progress:
            print(f"{direction}: {grid.hook} {grid.axes()}", flush=True)
    result["effects"] = effects
    result["summary"] = summary
    return result


def write_json(path: Path, value: object) -> None:
    """Write compact JSON with a final newline."""
    path.write_text(json.dumps(value, separators=(",", ":"), allow_nan=False) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


def versions(*packages: str) -> dict[str, str]:
    """Installed versions, for the record."""
    return {package: importlib.metadata.version(package) for package in packages}
