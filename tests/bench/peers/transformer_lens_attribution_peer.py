"""TransformerLens as a peer of the attribution benchmark.

Usage: transformer_lens_attribution_peer.py MODEL_FOLDER THREADS. Answers JSON lines on stdin:
{"clean": [ids], "corrupted": [ids], "answer": id, "wrong": id, "weights": bool} with {"ms": milliseconds,
"values": estimates, flat: prompt, hook, layer, position or head x position, "rss_mb": peak memory}.
Attribution patching by TransformerLens's own caching hooks (denoising: gradient at the corrupted run).
`weights`: parameters ask for gradients too, as they do after from_pretrained; without, activations alone do.
"""

import json
import resource
import sys
import time

from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "reference"))
from reference_common import load_hf, to_transformer_lens  # noqa: E402

ROWS = ["hook_resid_pre", "hook_resid_mid", "hook_attn_out", "hook_mlp_out", "mlp.hook_pre", "mlp.hook_post"]
HEADS = ["attn.hook_q", "attn.hook_k", "attn.hook_v", "attn.hook_z"]


def main() -> None:
    folder, threads = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(threads)
    model = to_transformer_lens(load_hf(Path(folder)))
    model.cfg.use_attn_result = False
    layers = range(model.cfg.n_layers)
    names = {f"blocks.{layer}.{hook}" for hook in ROWS + HEADS for layer in layers}
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        clean = torch.tensor(request["clean"])
        corrupted = torch.tensor(request["corrupted"])
        model.requires_grad_(request["weights"])
        model.zero_grad(set_to_none=True)

        start = time.perf_counter()
        with torch.no_grad():
            _, source = model.run_with_cache(clean, names_filter=lambda name: name in names)
        base, slopes = {}, {}

        def forward(value, hook):
            base[hook.name] = value.detach()

        def backward(value, hook):
            slopes[hook.name] = value.detach()

        def wanted(name):
            return name in names

        model.reset_hooks()
        if not request["weights"]:
            model.add_hook("hook_embed", lambda value, hook: value.detach().requires_grad_(True))
        model.add_hook(wanted, forward, "fwd")
        model.add_hook(wanted, backward, "bwd")
        with torch.enable_grad():
            logits = model(corrupted)[:, -1]
            (logits[:, request["answer"]] - logits[:, request["wrong"]]).sum().backward()
        model.reset_hooks()
        estimates = [
            torch.stack([
                ((source[name] - base[name]) * slopes[name]).sum(-1)
                for name in (f"blocks.{layer}.{hook}" for layer in layers)
            ], dim=1)
            for hook in ROWS + HEADS
        ]
        ms = (time.perf_counter() - start) * 1000
        values = [
            value
            for prompt in range(len(clean))
            for hook, table in zip(ROWS + HEADS, estimates, strict=True)
            for value in (table[prompt].transpose(1, 2) if hook in HEADS else table[prompt]).flatten().tolist()
        ]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"ms": ms, "values": values, "rss_mb": peak}), flush=True)


if __name__ == "__main__":
    main()
