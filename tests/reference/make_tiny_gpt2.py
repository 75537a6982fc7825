"""Write ``tiny-gpt2/``: a random GPT-2-shaped Hugging Face folder for numerical tests.

The weights are drawn so that activations are *not* tiny: at the usual initialisation
(standard deviation 0.02) every effect of a patch would drown in rounding. There is no
tokenizer, prompts are given as ids. The dropout rates in ``config.json`` are 0, so that
training with the model's own settings is deterministic.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

HERE = Path(__file__).resolve().parent
SEED = 20240917

CONFIG = {
    "activation_function": "gelu_new",
    "architectures": ["GPT2LMHeadModel"],
    "attn_pdrop": 0.0,
    "bos_token_id": 210,
    "embd_pdrop": 0.0,
    "eos_token_id": 210,
    "initializer_range": 0.02,
    "layer_norm_epsilon": 1e-05,
    "model_type": "gpt2",
    "n_ctx": 64,
    "n_embd": 32,
    "n_head": 4,
    "n_inner": None,
    "n_layer": 3,
    "n_positions": 64,
    "resid_pdrop": 0.0,
    "scale_attn_weights": True,
    "tie_word_embeddings": True,
    "torch_dtype": "float32",
    "vocab_size": 211,
}


def make_weights(
    config: dict,
    seed: int,
    *,
    weight_std: float,
    embedding_std: float,
    bias_std: float,
    gain_std: float,
) -> dict[str, torch.Tensor]:
    """Draw every tensor of a GPT-2 with a tied head, under Hugging Face's names."""
    generator = torch.Generator().manual_seed(seed)
    d_model = config["n_embd"]
    d_inner = config["n_inner"] or 4 * d_model

    def normal(*shape: int, std: float, mean: float = 0.0) -> torch.Tensor:
        return mean + std * torch.randn(
            *shape, generator=generator, dtype=torch.float32
        )

    weights = {
        "transformer.wte.weight": normal(
            config["vocab_size"], d_model, std=embedding_std
        ),
        "transformer.wpe.weight": normal(
            config["n_positions"], d_model, std=embedding_std
        ),
    }

    def layer_norm(name: str) -> None:
        weights[f"{name}.weight"] = normal(d_model, mean=1.0, std=gain_std)
        weights[f"{name}.bias"] = normal(d_model, std=bias_std)

    def conv1d(name: str, n_in: int, n_out: int) -> None:
        weights[f"{name}.weight"] = normal(n_in, n_out, std=weight_std)
        weights[f"{name}.bias"] = normal(n_out, std=bias_std)

    for layer in range(config["n_layer"]):
        block = f"transformer.h.{layer}"
        layer_norm(f"{block}.ln_1")
        conv1d(f"{block}.attn.c_attn", d_model, 3 * d_model)
        conv1d(f"{block}.attn.c_proj", d_model, d_model)
        layer_norm(f"{block}.ln_2")
        conv1d(f"{block}.mlp.c_fc", d_model, d_inner)
        conv1d(f"{block}.mlp.c_proj", d_inner, d_model)
    layer_norm("transformer.ln_f")
    return weights


def write_folder(folder: Path, config: dict, weights: dict[str, torch.Tensor]) -> None:
    """Write ``config.json`` and ``model.safetensors``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(
        json.dumps(config, indent=2, sort_keys=True) + "\n"
    )
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "tiny-gpt2")
    args = parser.parse_args()
    weights = make_weights(
        CONFIG, SEED, weight_std=0.26, embedding_std=0.3, bias_std=0.15, gain_std=0.15
    )
    write_folder(args.out, CONFIG, weights)
    size = (args.out / "model.safetensors").stat().st_size
    count = sum(tensor.numel() for tensor in weights.values())
    print(f"{args.out.name}: {count} parameters, {size} bytes")


if __name__ == "__main__":
    main()
