"""Tokenizer reference: GPT-2 ids of real abstracts, hashed, and of awkward strings, whole.

Writes ``gpt2-tokenizer-ids.json``. Needs the shared folder (``--shared``) with
``models/gpt2-tokenizer`` and ``data/general_5000.jsonl``. Nothing is added or stripped, no
special token is put around a text.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
from pathlib import Path

from tokenizers import Tokenizer
from transformers import GPT2Tokenizer

HERE = Path(__file__).resolve().parent
COUNT = 1000
DATA = "data/general_5000.jsonl"
STRINGS = (
    "",
    " ",
    "  two  spaces  ",
    "trailing\n\n\nnewlines\n",
    "\ttab\r\nCRLF \u00a0nbsp\u2009thin",
    "It's they'll I'd we've you're I'm SHE'S can't",
    "HbA1c 7.5% (p<0.001), n=1,234; 95% CI 0.76\u20131.02",
    "na\u00efve caf\u00e9 M\u00fcller \u0141\u00f3d\u017a",
    "cafe\u0301 (decomposed)",
    "\u03b2-blocker, \u00b5g, \u2265 3 \u00d7 10\u2076/L, 37\u00b0C",
    "\u766b\u75eb\u306e\u8133\u6ce2 \u0430\u043d\u0430\u043b\u0438\u0437 \u062a\u062d\u0644\u064a\u0644",
    "\U0001f9e0\U0001f468\u200d\u2695\ufe0f\U0001f1e9\U0001f1ea",
    "before<|endoftext|>after",
    "<|endoftext|>",
    "zero\u200bwidth\ufeffbom",
    "\u0001control\u007f",
    "\u0661\u0662\u0663 \u00bd \u2163 \u33a5",
    "The Eiffel Tower is in",
    " Cognitive",
)


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--shared",
        type=Path,
        default=HERE.parents[1] / ".." / "shared",
        help="folder with models/ and data/ (default: ../shared beside the repository)",
    )
    parser.add_argument("--out", type=Path, default=HERE)
    args = parser.parse_args()

    folder = args.shared / "models" / "gpt2-tokenizer"
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    other = GPT2Tokenizer.from_pretrained(folder)

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
    packages = ("tokenizers", "transformers")
    value = {
        "packages": {name: importlib.metadata.version(name) for name in packages},
        "data": DATA,
        "columns": [
            "pmid",
            "count",
            "sha256 of the comma-joined ids, first 16 hex digits",
        ],
        "abstracts": rows,
        "strings": strings,
    }
    path = args.out / "gpt2-tokenizer-ids.json"
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n")
    print(
        f"{path.name}: {path.stat().st_size} bytes, {sum(row[1] for row in rows)} tokens"
    )


if __name__ == "__main__":
    main()
