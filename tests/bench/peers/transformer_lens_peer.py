"""TransformerLens as a peer of the patching benchmark.

Usage: transformer_lens_peer.py MODEL_FOLDER THREADS. Answers JSON lines on stdin with
{"ms": milliseconds, "values": [...], "rss_mb": peak memory}, without gradients:
- {"hook": "resid_pre" | "attn_out" | "mlp_out", "layers": [...], "positions": [...], "pairs": [...]}: TransformerLens's
  generic patching function over these layers and positions (what its get_act_patch_... functions call for all layers);
- {"hook": "z", "pairs": [...]}: its sweep over all heads at all positions, pair by pair;
- {"hook": "logits", "prompts": [ids, ...]}: logits of a batch of prompts, last position.
A pair is {"clean": ids, "corrupted": ids, "answer": id, "wrong": id}; values are raw logit differences, flat.
"""

import json
import resource
import sys
import time
from pathlib import Path

import pandas as pd
import torch
from transformer_lens import patching

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "reference"))
from reference_common import load_hf, to_transformer_lens  # noqa: E402

SETTERS = {
    name: (patching.layer_pos_patch_setter, name) for name in ("resid_pre", "attn_out", "mlp_out")
}


def metric_of(pair: dict):
    def metric(logits: torch.Tensor) -> torch.Tensor:
        return logits[0, -1, pair["answer"]] - logits[0, -1, pair["wrong"]]

    return metric


def sweep(model, request: dict) -> list[float]:
    values: list[float] = []
    for pair in request["pairs"]:
        clean = torch.tensor([pair["clean"]])
        corrupted = torch.tensor([pair["corrupted"]])
        _, cache = model.run_with_cache(clean)
        if request["hook"] == "z":
            table = patching.get_act_patch_attn_head_out_all_pos(model, corrupted, cache, metric_of(pair))
        else:
            setter, name = SETTERS[request["hook"]]
            index = pd.DataFrame(
                [(layer, pos) for layer in request["layers"] for pos in request["positions"]],
                columns=["layer", "pos"],
            )
            table = patching.generic_activation_patch(
                model, corrupted, cache, metric_of(pair), setter, name, index_df=index
            )
        values.extend(torch.as_tensor(table).flatten().tolist())
    return values


def logits(model, request: dict) -> list[float]:
    out = model(torch.tensor(request["prompts"]))[:, -1]
    return out[:, :8].flatten().tolist()


def main() -> None:
    folder, threads = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    model = to_transformer_lens(load_hf(Path(folder)))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        start = time.perf_counter()
        values = logits(model, request) if request["hook"] == "logits" else sweep(model, request)
        ms = (time.perf_counter() - start) * 1000
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"ms": ms, "values": values, "rss_mb": peak}), flush=True)


if __name__ == "__main__":
    main()
