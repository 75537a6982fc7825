"""TransformerLens as a peer of the patching benchmark.

Usage: transformer_lens_peer.py MODEL_FOLDER THREADS. Answers JSON lines on stdin:
{"hook": "resid_pre" | "attn_out" | "mlp_out" | "z", "clean": ids, "corrupted": ids, "answer": id, "wrong": id}
with {"ms": milliseconds of the sweep, "values": raw logit differences, flat, "rss_mb": peak memory}.
The sweeps are TransformerLens's own patching functions (denoising), without gradients.
"""

import json
import resource
import sys
import time

from pathlib import Path

import torch
from transformer_lens import patching

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "reference"))
from reference_common import load_hf, to_transformer_lens  # noqa: E402

SWEEPS = {
    "resid_pre": patching.get_act_patch_resid_pre,
    "attn_out": patching.get_act_patch_attn_out,
    "mlp_out": patching.get_act_patch_mlp_out,
    "z": patching.get_act_patch_attn_head_out_all_pos,
}


def main() -> None:
    folder, threads = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    model = to_transformer_lens(load_hf(Path(folder)))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        clean = torch.tensor([request["clean"]])
        corrupted = torch.tensor([request["corrupted"]])

        def metric(logits: torch.Tensor, r: dict = request) -> torch.Tensor:
            return logits[0, -1, r["answer"]] - logits[0, -1, r["wrong"]]

        start = time.perf_counter()
        _, cache = model.run_with_cache(clean)
        table = SWEEPS[request["hook"]](model, corrupted, cache, metric)
        ms = (time.perf_counter() - start) * 1000
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"ms": ms, "values": table.flatten().tolist(), "rss_mb": peak}), flush=True)


if __name__ == "__main__":
    main()
