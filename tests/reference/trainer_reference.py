"""Fine-tuning runs of transformers' own Trainer: what the workbench's whole runs are compared with.

Writes ``tiny-gpt2-trainer.json`` (data, settings, loss curves) and ``tiny-gpt2-trainer.safetensors``
(parameters after 50 steps). Every run trains ``tiny-gpt2`` in float32 on one thread; the order of the
sequences is the workbench's documented one: ``numpy.random.RandomState(seed + epoch).permutation(n)``.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from reference_common import number, versions, write_json
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import (
    DataCollatorForLanguageModeling,
    EarlyStoppingCallback,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

HERE = Path(__file__).parent
EOS = 210
LENGTH = 48
N_TRAIN, N_VALIDATION = 150, 21
SEED = 42
#: Steps after which parameters are stored.
STEPS = 50

#: Names as in the workbench's TrainingConfig. I and II are the study's, but for dropout, which is random.
COMMON = {
    "schedule": "linear-decay",
    "clip": 1.0,
    "warmupSteps": 500,
    "dropout": 0.0,
    "accumulation": 4,
    "batchSize": 8,
    "evalBatchSize": 2,
    "seed": SEED,
}
CASES = {
    "I": COMMON
    | {
        "epochs": 30,
        "patience": 3,
        "learningRate": 5e-5,
        "weightDecay": 0.01,
        "padding": "counted",
    },
    "II": COMMON
    | {
        "epochs": 10,
        "patience": 5,
        "learningRate": 2e-5,
        "weightDecay": 0.1,
        "padding": "masked",
    },
    # Rates at which the model overfits, so that stopping, schedule, clipping and decay all show.
    "early": COMMON
    | {
        "epochs": 40,
        "patience": 2,
        "learningRate": 5e-3,
        "weightDecay": 0.1,
        "padding": "masked",
        "warmupSteps": 7,
        "clip": 0.5,
        "schedule": "constant-after-warmup",
    },
    # Masks from the workbench's own counter, so that dropout itself is compared.
    "dropout": COMMON
    | {
        "epochs": 4,
        "patience": 0,
        "learningRate": 1e-3,
        "weightDecay": 0.01,
        "padding": "counted",
        "warmupSteps": 5,
        "dropout": 0.1,
        "accumulation": 1,
        "batchSize": 32,
    },
}
SCHEDULERS = {"linear-decay": "linear", "constant-after-warmup": "constant_with_warmup"}


def make_block(count: int, rng: np.random.RandomState) -> tuple[list, list]:
    """Sequences in which a token follows from the one before, with noise, and an end of text within some."""
    rows, lengths = [], []
    for i in range(count):
        length = LENGTH if i % 7 == 0 else int(rng.randint(8, LENGTH))
        start, step = rng.randint(0, 101), rng.choice([3, 17, 29])
        row = [(start + t * step) % 101 for t in range(length)]
        for at in rng.randint(0, length, size=3):
            row[at] = int(rng.randint(101, EOS))
        if i % 5 == 0:
            row[length // 2] = EOS
        rows.append([int(v) for v in row] + [EOS] * (LENGTH - length))
        lengths.append(length)
    return rows, lengths


class Sequences(torch.utils.data.Dataset):
    """Padded rows as a tokenizer with padding="max_length" gives them, labels beside where padding counts."""

    def __init__(self, rows: list, lengths: list, counted: bool):
        self.rows, self.lengths, self.counted = rows, lengths, counted

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> dict:
        row, length = self.rows[i], self.lengths[i]
        mask = [1] * length + [0] * (LENGTH - length)
        item = {"input_ids": row, "attention_mask": mask}
        return item | {"labels": list(row)} if self.counted else item


class EpochOrder(torch.utils.data.Sampler):
    """The workbench's order of sequences."""

    def __init__(self, count: int, within: int):
        self.count, self.within, self.epoch = count, within, 0

    def __len__(self) -> int:
        return self.count

    def __iter__(self):
        order = np.random.RandomState(SEED + self.epoch).permutation(self.count)
        self.epoch += 1
        if self.within == 1:
            # One batch a step: its members in the order in which the workbench's graph holds them.
            step = CASES["dropout"]["batchSize"]
            parts = [sorted(order[i : i + step]) for i in range(0, self.count, step)]
            order = np.concatenate(parts)
        return iter(order.tolist())


class OrderedTrainer(Trainer):
    """The Trainer with the order of sequences given."""

    def _get_train_sampler(self, train_dataset=None):
        return EpochOrder(
            len(self.train_dataset), self.args.gradient_accumulation_steps
        )

    def prediction_step(self, model, inputs, *args, **kwargs):
        """Plain batch means, as before version 5 (which divides by the first labels, too)."""
        accepts, self.model_accepts_loss_kwargs = self.model_accepts_loss_kwargs, False
        try:
            return super().prediction_step(model, inputs, *args, **kwargs)
        finally:
            self.model_accepts_loss_kwargs = accepts


class KeepParameters(TrainerCallback):
    """Copies the parameters after some step."""

    def __init__(self):
        self.kept = {}

    def on_step_end(self, args, state, control, model=None, **kwargs):
        if state.global_step == STEPS:
            self.kept = {
                name.removeprefix("transformer."): p.detach().clone()
                for name, p in model.named_parameters()
            }


def mix(h: np.ndarray) -> np.ndarray:
    """MurmurHash3's finaliser on 32-bit counters."""
    h = h.astype(np.uint32)
    h = (h ^ (h >> 16)) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> 13)) * np.uint32(0xC2B2AE35)
    return h ^ (h >> 16)


def seeded_mask(key: list[int], size: int, p: float) -> np.ndarray:
    """The workbench's dropout mask for (seed, step, batch, site): True keeps."""
    limit = round(p * 65536)
    state = np.array([0x9E3779B9], np.uint32)
    for part in key:
        state = mix(state * np.uint32(31) + np.uint32(part))
    i = np.arange(0, size, 2, dtype=np.uint32)
    h = mix(i * np.uint32(0x9E3779B1) + state)
    pair = np.stack([h >> 16 >= limit, (h & 0xFFFF) >= limit], axis=1)
    return pair.reshape(-1)[:size]


class SeededDropout:
    """Stands in for ``torch.nn.functional.dropout``: the n-th call of a step is the n-th place in the model."""

    def __init__(self, sites: int):
        self.sites, self.calls = sites, 0

    def __call__(self, x, p=0.5, training=True, inplace=False):
        if not training or p == 0:
            return x
        step, site = divmod(self.calls, self.sites)
        self.calls += 1
        mask = seeded_mask([SEED, step, 0, site], x.numel(), p)
        return torch.where(torch.from_numpy(mask).reshape(x.shape), x / (1 - p), 0.0)


def run(
    folder: Path, case: dict, data: dict
) -> tuple[dict, dict[str, torch.Tensor]]:
    """Train one case; return its curves and the parameters after 50 steps."""
    counted = case["padding"] == "counted"
    words = WordLevel({str(i): i for i in range(EOS + 1)}, unk_token="0")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(words), eos_token=str(EOS), pad_token=str(EOS)
    )
    model = GPT2LMHeadModel.from_pretrained(folder, attn_implementation="eager")
    for name in ("attn_pdrop", "embd_pdrop", "resid_pdrop"):
        setattr(model.config, name, case["dropout"])
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = case["dropout"]
    keep = KeepParameters()
    stop = (
        [EarlyStoppingCallback(case["patience"])] if case["patience"] > 0 else []
    )
    original = torch.nn.functional.dropout
    torch.nn.functional.dropout = SeededDropout(1 + 3 * model.config.n_layer)
    with tempfile.TemporaryDirectory() as out:
        trainer = OrderedTrainer(
            model=model,
            args=TrainingArguments(
                output_dir=out,
                num_train_epochs=case["epochs"],
                per_device_train_batch_size=case["batchSize"],
                per_device_eval_batch_size=case["evalBatchSize"],
                gradient_accumulation_steps=case["accumulation"],
                learning_rate=case["learningRate"],
                weight_decay=case["weightDecay"],
                warmup_steps=case["warmupSteps"],
                lr_scheduler_type=SCHEDULERS[case["schedule"]],
                max_grad_norm=case["clip"],
                eval_strategy="epoch",
                save_strategy="epoch",
                save_total_limit=2,
                load_best_model_at_end=True,
                metric_for_best_model="eval_loss",
                greater_is_better=False,
                logging_strategy="steps",
                logging_steps=1,
                logging_first_step=True,
                seed=SEED,
                use_cpu=True,
                report_to=[],
                disable_tqdm=True,
            ),
            data_collator=(
                None
                if counted
                else DataCollatorForLanguageModeling(tokenizer, mlm=False)
            ),
            train_dataset=Sequences(*data["train"], counted),
            eval_dataset=Sequences(*data["validation"], counted),
            callbacks=[keep, *stop],
        )
        trainer.train()
    torch.nn.functional.dropout = original
    logs = trainer.state.log_history
    steps = [log for log in logs if "loss" in log]
    evals = [log for log in logs if "eval_loss" in log]
    curves = {
        "loss": [number(log["loss"]) for log in steps],
        "gradientNorm": [number(float(log["grad_norm"])) for log in steps],
        "learningRate": [number(log["learning_rate"]) for log in steps],
        "validationLoss": [number(log["eval_loss"]) for log in evals],
        "epochs": len(evals),
        "totalSteps": trainer.state.max_steps,
        "bestStep": trainer.state.best_global_step,
    }
    return curves, keep.kept


def main() -> None:
    """Run every case and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=HERE / "tiny-gpt2")
    parser.add_argument("--out", type=Path, default=HERE)
    args = parser.parse_args()
    torch.set_num_threads(1)

    rng = np.random.RandomState(1)
    data = {"train": make_block(N_TRAIN, rng), "validation": make_block(N_VALIDATION, rng)}
    results, tensors = {}, {}
    for name, case in CASES.items():
        curves, kept = run(args.model, case, data)
        results[name] = {"settings": case, "curves": curves}
        if name in ("I", "II"):
            tensors |= {f"{name}/{key}": value for key, value in kept.items()}
        ends = curves["loss"][0], curves["loss"][-1]
        print(name, len(curves["loss"]), curves["epochs"], curves["bestStep"], *ends)
    save_file(tensors, args.out / "tiny-gpt2-trainer.safetensors")
    write_json(
        args.out / "tiny-gpt2-trainer.json",
        {
            "packages": versions("torch", "transformers", "accelerate", "numpy"),
            "steps": STEPS,
            "length": LENGTH,
            "eos": EOS,
            "data": {
                part: {"ids": rows, "lengths": lengths}
                for part, (rows, lengths) in data.items()
            },
            "cases": results,
        },
    )


if __name__ == "__main__":
    main()
