"""A GPT-2 124M-shaped random model with patching results, for parity and speed at real size.

Nothing here is committed. Into the given folder it writes:

- ``model/``: config.json, model.safetensors (about 500 MB) and GPT-2's tokenizer files,
- ``pairs.jsonl``: prompt pairs as ids of length 16, |logit-difference gap| >= 0.3,
- ``transformers-logits.json``: last-position logits of every prompt from transformers,
- ``patch-denoising.json`` and ``patch-noising.json``: TransformerLens results in the format
  of the ``patch`` command, metric ``logit_diff``, the same hooks and axes as
  ``tiny-gpt2-patch.json``.

The weights are random, seeded, and scaled so that the activations are of the size of a
trained model's; a check stops the script where the residual stream explodes or a gap is small.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path

import torch

from make_tiny_gpt2 import CONFIG, make_weights, write_folder
from reference_common import (
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

SEED = 124
LENGTH = 16
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
TOKENIZER_PARTS = ("vocab.json", "merges.txt")

LARGE_CONFIG = CONFIG | {
    "attn_pdrop": 0.1,
    "bos_token_id": 50256,
    "embd_pdrop": 0.1,
    "eos_token_id": 50256,
    "n_ctx": 1024,
    "n_embd": 768,
    "n_head": 12,
    "n_layer": 12,
    "n_positions": 1024,
    "resid_pdrop": 0.1,
    "vocab_size": 50257,
}

# id, differing positions, answers, wrong answers
PLAN = (
    ("position-1", [1], 1, 1),
    ("middle", [8], 3, 2),
    ("two-positions", [5, 11], 2, 2),
    ("late", [12], 1, 3),
)


def make_folder(folder: Path, tokenizer: Path) -> None:
    """Write the model folder unless its weights exist already."""
    if not (folder / "model.safetensors").exists():
        weights = make_weights(
            LARGE_CONFIG,
            SEED,
            weight_std=0.06,
            embedding_std=0.06,
            bias_std=0.05,
            gain_std=0.1,
        )
        write_folder(folder, LARGE_CONFIG, weights)
    for name in (*TOKENIZER_FILES, *TOKENIZER_PARTS):
        shutil.copyfile(tokenizer / name, folder / name)


def main() -> None:
    """Make the folder, the pairs and the reference results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder to write into")
    parser.add_argument(
        "--tokenizer",
        type=Path,
        required=True,
        help="folder with GPT-2's tokenizer files",
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--chunk", type=int, default=16, help="patched runs per batch")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)

    folder = args.out / "model"
    make_folder(folder, args.tokenizer)
    hf = load_hf(folder)
    model = to_transformer_lens(hf)

    def last_logits(ids: list[int]) -> torch.Tensor:
        with torch.no_grad():
            return hf(torch.tensor([ids])).logits[0, -1]

    def gap(pair: Pair) -> float:
        runs = run_prompt(model, pair.clean), run_prompt(model, pair.corrupted)
        base = baseline_metrics(pair, *runs)["logit_diff"]
        return base["clean"] - base["corrupted"]

    pairs = [
        random_pair(
            name,
            LENGTH,
            differ,
            n_answer,
            n_wrong,
            last_logits,
            lambda pair: abs(gap(pair)) >= 0.3,
            vocab=LARGE_CONFIG["vocab_size"],
            seed=200 + index,
        )
        for index, (name, differ, n_answer, n_wrong) in enumerate(PLAN)
    ]
    write_pairs(args.out / "pairs.jsonl", pairs)

    logits, worst, norm = {}, 0.0, 0.0
    for pair in pairs:
        print(f"{pair.id}: gap {gap(pair):+.4f}")
        logits[pair.id] = {}
        for side in ("clean", "corrupted"):
            ids = getattr(pair, side)
            theirs, run = last_logits(ids), run_prompt(model, ids)
            worst = max(worst, (theirs - run.logits).abs().max().item())
            last = run.cache[f"blocks.{model.cfg.n_layers - 1}.hook_resid_post"]
            norm = max(norm, last.norm(dim=-1).max().item())
            logits[pair.id][side] = [number(x) for x in theirs.tolist()]
    print(
        f"TransformerLens against transformers {worst:.2g}, final residual norm {norm:.4g}"
    )
    if not norm < 3000 or worst > 1e-3:
        raise RuntimeError("the model explodes, or the two implementations disagree")
    write_json(
        args.out / "transformers-logits.json",
        {
            "packages": versions("torch", "transformers", "transformer-lens"),
            "transformer_lens_max_abs_diff": worst,
            "logits": logits,
        },
    )
    for direction in ("denoising", "noising"):
        start = time.perf_counter()
        result = exact_result(
            model,
            "gpt2-124m-random",
            pairs,
            direction,
            names=("logit_diff",),
            chunk=args.chunk,
            suffix=True,
            progress=True,
        )
        write_json(args.out / f"patch-{direction}.json", result)
        print(f"{direction}: {time.perf_counter() - start:.0f} s")
    print(json.dumps({"out": sorted(path.name for path in args.out.iterdir())}))


if __name__ == "__main__":
    main()
