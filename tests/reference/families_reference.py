"""Small random folders of every model family, their logits and their patching values.

Writes ``tiny-llama/`` and the other folders of ``FOLDERS`` (transformers' own ``save_pretrained``),
``families.json`` (logits by transformers), ``tiny-llama-pairs.jsonl``, ``tiny-llama-patch.json``,
``tiny-neox-pairs.jsonl``, ``tiny-neox-patch.json`` (exact patching by TransformerLens) and
``tiny-gpt2-patch-more.json`` (the hooks that ``tiny-gpt2-patch.json`` leaves out).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from transformer_lens import HookedTransformer, HookedTransformerConfig
from transformer_lens.pretrained.weight_conversions.llama import convert_llama_weights
from transformer_lens.pretrained.weight_conversions.neox import convert_neox_weights
from transformers import (
    AutoModelForCausalLM,
    GPTJConfig,
    GPTNeoXConfig,
    LlamaConfig,
    PretrainedConfig,
    PreTrainedModel,
    Qwen2Config,
)

from patch_reference import DIRECTIONS, PACKAGES
from reference_common import (
    END_HOOKS,
    GRIDS,
    NORM_HOOKS,
    Grid,
    Pair,
    baseline_metrics,
    exact_result,
    load_hf,
    number,
    random_pair,
    run_prompt,
    to_transformer_lens,
    versions,
    write_json,
    write_pairs,
)

HERE = Path(__file__).resolve().parent
VOCABULARY = 211
SMALL_VOCABULARY = 97
LENGTH = 12

LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}

SPECIAL = {"bos_token_id": 1, "eos_token_id": 2}

FOLDERS: dict[str, PretrainedConfig] = {
    # Grouped heads, untied head.
    "tiny-llama": LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=80,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        rms_norm_eps=1e-5,
        tie_word_embeddings=False,
        **SPECIAL,
    ),
    # Every bias, heads wider than width / heads, frequencies scaled as in Llama 3.1, tied head.
    "tiny-llama-scaled": LlamaConfig(
        vocab_size=SMALL_VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=12,
        max_position_embeddings=64,
        attention_bias=True,
        mlp_bias=True,
        rope_parameters=LLAMA3,
        tie_word_embeddings=True,
        **SPECIAL,
    ),
    "tiny-qwen2": Qwen2Config(
        vocab_size=SMALL_VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4},
        tie_word_embeddings=True,
        **SPECIAL,
    ),
    # Parallel blocks, a quarter of each head turns.
    "tiny-neox": GPTNeoXConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
        hidden_act="gelu",
        rope_parameters={
            "rope_type": "default",
            "rope_theta": 1e4,
            "partial_rotary_factor": 0.25,
        },
        use_parallel_residual=True,
        attention_dropout=0.0,
        hidden_dropout=0.0,
        **SPECIAL,
    ),
    # One sub-layer after the other, no attention biases.
    "tiny-neox-serial": GPTNeoXConfig(
        vocab_size=SMALL_VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
        hidden_act="gelu",
        rope_parameters={
            "rope_type": "default",
            "rope_theta": 1e4,
            "partial_rotary_factor": 0.5,
        },
        use_parallel_residual=False,
        attention_bias=False,
        attention_dropout=0.0,
        hidden_dropout=0.0,
        **SPECIAL,
    ),
    "tiny-gptj": GPTJConfig(
        vocab_size=SMALL_VOCABULARY,
        n_positions=64,
        n_embd=32,
        n_layer=2,
        n_head=2,
        rotary_dim=8,
        n_inner=48,
        activation_function="gelu_new",
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        tie_word_embeddings=False,
        **SPECIAL,
    ),
}


def draw_weights(model: PreTrainedModel, seed: int) -> None:
    """Redraw every parameter so that activations are not tiny (see ``make_tiny_gpt2.py``)."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            values = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 1 and name.endswith("weight"):
                parameter.copy_(1 + 0.15 * values)
            elif parameter.dim() == 1:
                parameter.copy_(0.15 * values)
            elif "embed" in name or "wte" in name:
                parameter.copy_(0.5 * values)
            else:
                parameter.copy_(0.26 * values)


def make_folder(folder: Path, config: PretrainedConfig, seed: int) -> None:
    """Write a random model; the order of parameters decides the draws."""
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    draw_weights(model, seed)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)


def load(folder: Path, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    """Load a folder with eager attention, evaluation mode."""
    model = AutoModelForCausalLM.from_pretrained(
        folder, attn_implementation="eager", dtype=dtype
    )
    return model.eval()


def logits_entry(folder: Path, seed: int) -> dict:
    """Logits at every position of one prompt, and how far float64 is from them."""
    generator = torch.Generator().manual_seed(seed)
    config = FOLDERS[folder.name]
    ids = torch.randint(0, config.vocab_size, (1, LENGTH), generator=generator)
    with torch.no_grad():
        logits = load(folder)(ids).logits[0]
        double = load(folder, torch.float64)(ids).logits[0]
    size = (folder / "model.safetensors").stat().st_size
    worst = (logits - double).abs().max().item()
    print(f"{folder.name}: {size} bytes, max |logit| {logits.abs().max():.3g}")
    return {
        "ids": ids[0].tolist(),
        "float64_max_abs_diff": number(float(f"{worst:.3g}")),
        "logits": [[number(x) for x in row] for row in logits.tolist()],
    }


def gradients_entry(folder: Path, seed: int) -> dict:
    """Loss of two sequences in float64, and of every gradient its norm and one projection."""
    generator = torch.Generator().manual_seed(seed)
    config = FOLDERS[folder.name]
    ids = torch.randint(0, config.vocab_size, (2, LENGTH), generator=generator)
    model = load(folder, torch.float64)
    loss = model(ids, labels=ids).loss
    loss.backward()
    parameters = {}
    for name, parameter in model.named_parameters():
        flat = parameter.grad.flatten()
        pattern = torch.cos(torch.arange(flat.numel(), dtype=torch.float64))
        parameters[name] = [
            number(flat.norm().item()),
            number((flat * pattern).sum().item()),
        ]
    return {"ids": ids.tolist(), "loss": number(loss.item()), "parameters": parameters}


def hooked_llama(hf: PreTrainedModel) -> HookedTransformer:
    """An unprocessed HookedTransformer with the weights of a Llama without biases."""
    config = hf.config
    cfg = HookedTransformerConfig(
        n_layers=config.num_hidden_layers,
        d_model=config.hidden_size,
        n_ctx=config.max_position_embeddings,
        d_head=config.head_dim,
        n_heads=config.num_attention_heads,
        n_key_value_heads=config.num_key_value_heads,
        d_mlp=config.intermediate_size,
        d_vocab=config.vocab_size,
        act_fn=config.hidden_act,
        eps=config.rms_norm_eps,
        normalization_type="RMS",
        final_rms=True,
        gated_mlp=True,
        positional_embedding_type="rotary",
        rotary_adjacent_pairs=False,
        rotary_dim=config.head_dim,
        rotary_base=int(config.rope_parameters["rope_theta"]),
        attention_dir="causal",
        use_attn_scale=True,
        default_prepend_bos=False,
        dtype=hf.dtype,
        device="cpu",
        seed=0,
    )
    return filled(cfg, convert_llama_weights(hf, cfg))


def hooked_neox(hf: PreTrainedModel) -> HookedTransformer:
    """An unprocessed HookedTransformer with the weights of a GPT-NeoX with parallel blocks."""
    config = hf.config
    width = config.hidden_size // config.num_attention_heads
    cfg = HookedTransformerConfig(
        n_layers=config.num_hidden_layers,
        d_model=config.hidden_size,
        n_ctx=config.max_position_embeddings,
        d_head=width,
        n_heads=config.num_attention_heads,
        d_mlp=config.intermediate_size,
        d_vocab=config.vocab_size,
        act_fn=config.hidden_act,
        eps=config.layer_norm_eps,
        normalization_type="LN",
        parallel_attn_mlp=True,
        positional_embedding_type="rotary",
        rotary_adjacent_pairs=False,
        rotary_dim=int(width * config.rope_parameters["partial_rotary_factor"]),
        attention_dir="causal",
        use_attn_scale=True,
        default_prepend_bos=False,
        dtype=hf.dtype,
        device="cpu",
        seed=0,
    )
    return filled(cfg, convert_neox_weights(hf, cfg))


def filled(cfg: HookedTransformerConfig, state: dict) -> HookedTransformer:
    """A model with these weights and no other."""
    model = HookedTransformer(cfg)
    state = {name: tensor.detach().clone() for name, tensor in state.items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    buffers = ("attn.mask", "attn.IGNORE", "rotary_sin", "rotary_cos")
    left = [name for name in missing if not name.endswith(buffers)]
    if left or unexpected:
        raise RuntimeError(
            f"weights do not fit: missing {left}, unexpected {unexpected}"
        )
    return model.eval()


def check_logits(name: str, hf: PreTrainedModel, model: HookedTransformer) -> float:
    """TransformerLens and transformers must be the same function."""
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(0, model.cfg.d_vocab, (4, model.cfg.n_ctx), generator=generator)
    with torch.no_grad():
        worst = (model(ids) - hf(ids).logits).abs().max().item()
    print(f"{name}: TransformerLens against transformers {worst:.2g}")
    if worst > 5e-5:
        raise RuntimeError("TransformerLens and transformers disagree")
    return worst


@dataclass(frozen=True)
class Plan:
    """Which pairs and metrics a patching file has."""

    hooked: object
    pairs: tuple[tuple[str, int, list[int], int, int, bool], ...]
    metrics: tuple[str, ...]
    grids: tuple[Grid, ...]


NORM_GRIDS = tuple(Grid(hook, heads=False, positions=True) for hook in NORM_HOOKS)
FINAL_GRIDS = tuple(
    Grid(hook, heads=False, positions=True)
    for hook in END_HOOKS
    if hook != "hook_pos_embed"
)

PLANS = {
    "tiny-llama": Plan(
        hooked_llama,
        (
            ("position-1", 12, [1], 1, 1, False),
            ("middle", 12, [6], 3, 2, False),
            ("short", 9, [3, 5], 1, 3, False),
            ("negative-gap", 12, [8], 2, 2, True),
        ),
        ("logit_diff", "prob", "kl"),
        (*GRIDS, *NORM_GRIDS, *FINAL_GRIDS),
    ),
    "tiny-neox": Plan(
        hooked_neox,
        (
            ("position-1", 10, [1], 1, 1, False),
            ("middle", 10, [5], 2, 2, False),
        ),
        ("logit_diff",),
        (
            *(grid for grid in GRIDS if grid.hook != "hook_resid_mid"),
            *NORM_GRIDS,
            *FINAL_GRIDS,
        ),
    ),
}

MORE_GRIDS = (
    *NORM_GRIDS,
    *(Grid(hook, heads=False, positions=True) for hook in END_HOOKS),
    Grid("attn.hook_result", heads=False, positions=True),
    Grid("attn.hook_result", heads=True, positions=False),
    *(
        Grid(hook, heads=False, positions=False)
        for hook in (*NORM_HOOKS, "attn.hook_result")
    ),
)


def make_pairs(model: HookedTransformer, plan: Plan) -> list[Pair]:
    """Draw the pairs; every metric has a gap that is large against rounding."""
    least = {"logit_diff": 0.5, "prob": 0.02, "kl": 0.05}

    def accept(pair: Pair) -> bool:
        base = baseline_metrics(
            pair, run_prompt(model, pair.clean), run_prompt(model, pair.corrupted)
        )
        return all(
            abs(base[name]["clean"] - base[name]["corrupted"]) >= least[name]
            for name in plan.metrics
        )

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
            seed=300 + index,
            swap=swap,
        )
        for index, (name, length, differ, n_answer, n_wrong, swap) in enumerate(
            plan.pairs
        )
    ]


def patch_file(out: Path, name: str, plan: Plan) -> None:
    """Pairs and exact patching of a folder."""
    hf = load(out / name)
    model = plan.hooked(hf)
    agree = check_logits(name, hf, model)
    pairs = make_pairs(model, plan)
    write_pairs(out / f"{name}-pairs.jsonl", pairs)
    results = {
        direction: exact_result(
            model, name, pairs, direction, names=plan.metrics, grids=plan.grids
        )
        for direction in DIRECTIONS
    }
    write_json(
        out / f"{name}-patch.json",
        {
            "packages": versions(*PACKAGES),
            "transformers_max_abs_diff": {"logits": number(float(f"{agree:.3g}"))},
            **results,
        },
    )


def more_file(out: Path) -> None:
    """The remaining hooks of ``tiny-gpt2``, with the pairs of ``tiny-gpt2-pairs.jsonl``."""
    model = to_transformer_lens(load_hf(out / "tiny-gpt2"))
    model.set_use_attn_result(True)
    lines = (out / "tiny-gpt2-pairs.jsonl").read_text().splitlines()
    read = [json.loads(line) for line in lines]
    pairs = [
        Pair(
            entry["id"],
            entry["clean"]["ids"],
            entry["corrupted"]["ids"],
            [alternative[0] for alternative in entry["answer"]],
            [alternative[0] for alternative in entry["wrong"]],
        )
        for entry in read
        if entry["id"] in ("position-1", "middle", "short", "negative-gap")
    ]
    write_json(
        out / "tiny-gpt2-patch-more.json",
        {
            "packages": versions(*PACKAGES),
            **{
                direction: exact_result(
                    model,
                    "tiny-gpt2",
                    pairs,
                    direction,
                    names=("logit_diff", "kl"),
                    grids=MORE_GRIDS,
                )
                for direction in DIRECTIONS
            },
        },
    )


def main() -> None:
    """Write everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE)
    args = parser.parse_args()
    torch.set_num_threads(1)
    for index, (name, config) in enumerate(FOLDERS.items()):
        make_folder(args.out / name, config, seed=2000 + index)
    write_json(
        args.out / "families.json",
        {
            "packages": versions("torch", "transformers"),
            "folders": {
                name: logits_entry(args.out / name, seed=3000 + index)
                for index, name in enumerate(FOLDERS)
            },
            "gradients": {
                name: gradients_entry(args.out / name, seed=4000 + index)
                for index, name in enumerate(FOLDERS)
            },
        },
    )
    for name, plan in PLANS.items():
        patch_file(args.out, name, plan)
    more_file(args.out)


if __name__ == "__main__":
    main()
