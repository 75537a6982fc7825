"""Reference ids of the bundled sample's tokenizer on the abstracts of ``tokenizer_reference.py``.

Writes ``sample-tokenizer-ids.json`` in the same format, from ``tokenizers``, checked against the
class that ``transformers`` chooses for the folder.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
from pathlib import Path

from tokenizers import Tokenizer
from transformers import AutoTokenizer

from tokenizer_reference import COUNT, DATA, HERE, STRINGS

FOLDER = HERE.parents[1] / "resources" / "sample" / "tokenizer"


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--shared",
        type=Path,
        default=HERE.parents[1] / ".." / "shared",
        help="folder with data/ (default: ../shared beside the repository)",
    )
    parser.add_argument("--out", type=Path, default=HERE)
    args = parser.parse_args()

    tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    other = AutoTokenizer.from_pretrained(FOLDER)

    def encode(text: str) -> list[int]:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        if ids != other.encode(text, add_special_tokens=False):
            raise RuntimeError(f"tokenizers and transformers disagree on {text[:80]!r}")
        return ids

    rows = []
    with (args.shared / DATA).open(encoding="utf-8") as lines:
        for _, line in zip(range(COUNT), lines, strict=False):
            record = json.loads(line)
            ids = encode(record["abstract"])
            digest = hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest()
            rows.append([record["pmid"], len(ids), digest[:16]])
    strings = [
        {
            "text": text,
            "ids": ids,
            "decoded": tokenizer.decode(ids, skip_special_tokens=False),
        }
        for text in STRINGS
        for ids in [encode(text)]
    ]
    vocabulary = (FOLDER / "tokenizer.json").read_bytes()
    value = {
        "packages": {
            name: importlib.metadata.version(name)
            for name in ("tokenizers", "transformers")
        },
        "data": DATA,
        "tokenizer_sha256": hashlib.sha256(vocabulary).hexdigest(),
        "columns": [
            "pmid",
            "count",
            "sha256 of the comma-joined ids, first 16 hex digits",
        ],
        "abstracts": rows,
        "strings": strings,
    }
    path = args.out / "sample-tokenizer-ids.json"
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n")
    print(
        f"{path.name}: {path.stat().st_size} bytes, {sum(row[1] for row in rows)} tokens"
    )


if __name__ == "__main__":
    main()
