"""Split reference: scikit-learn's ``train_test_split`` and NumPy's ``RandomState``.

Writes ``split.json``. The index lists are stored whole for n <= 333 and as the SHA-256 of the
indices joined by commas (no spaces) beyond.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent
SIZES = (5, 10, 333, 997, 1000)
TEST_SIZE, SEED = 0.2, 42
WHOLE_UP_TO = 333
PERMUTATIONS = (
    (0, 1),
    (0, 10),
    (1, 10),
    (42, 10),
    (42, 17),
    (12345, 20),
    (2**32 - 1, 20),
)


def digest(values: list[int]) -> str:
    """SHA-256 of the comma-joined numbers."""
    return hashlib.sha256(",".join(map(str, values)).encode()).hexdigest()


def split(n: int) -> dict:
    """One split of ``range(n)``; the order within each part counts."""
    train, test = train_test_split(range(n), test_size=TEST_SIZE, random_state=SEED)
    out = {
        "n": n,
        "train_count": len(train),
        "test_count": len(test),
        "train_sha256": digest(train),
        "test_sha256": digest(test),
    }
    if n <= WHOLE_UP_TO:
        out |= {"train": list(train), "test": list(test)}
    permutation = np.random.RandomState(SEED).permutation(n).tolist()
    if permutation[: len(test)] != list(test) or permutation[len(test) :] != list(
        train
    ):
        raise RuntimeError("the split is not the head and the tail of one permutation")
    return out


def generator_examples(seed: int) -> dict:
    """First raw draws of MT19937 as RandomState gives them."""
    state = np.random.RandomState
    return {
        "seed": seed,
        "uint32": state(seed).randint(0, 2**32, 5, dtype=np.uint32).tolist(),
        "random_sample": state(seed).random_sample(5).tolist(),
        "standard_normal": state(seed).standard_normal(5).tolist(),
    }


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE)
    args = parser.parse_args()
    packages = ("numpy", "scikit-learn")
    value = {
        "packages": {name: importlib.metadata.version(name) for name in packages},
        "test_size": TEST_SIZE,
        "random_state": SEED,
        "splits": [split(n) for n in SIZES],
        "permutations": [
            {
                "seed": seed,
                "n": n,
                "permutation": np.random.RandomState(seed).permutation(n).tolist(),
            }
            for seed, n in PERMUTATIONS
        ],
        "random_state_draws": [generator_examples(seed) for seed in (0, 42, 2**32 - 1)],
    }
    path = args.out / "split.json"
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
