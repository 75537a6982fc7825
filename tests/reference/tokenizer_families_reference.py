"""Reference ids of the tokenizers of other model families, on awkward strings.

Writes ``tokenizer-families.json``: for each case the parts of tokenizer.json that differ from the
bundled sample's (``resources/sample/tokenizer``), and the ids of every string by ``tokenizers``. The
pre-tokenisation patterns are those that Llama 3 and Qwen2 were published with. With ``--shared`` also
the real SentencePiece-style tokenizer of ``models/stories260K-hf``.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
from pathlib import Path

from tokenizers import Tokenizer

from tokenizer_reference import STRINGS

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parents[1] / "resources" / "sample" / "tokenizer" / "tokenizer.json"
STORIES = "models/stories260K-hf/tokenizer.json"

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}


def split_by(pattern: str) -> dict:
    """A pattern, then bytes."""
    return {
        "type": "Sequence",
        "pretokenizers": [
            {
                "type": "Split",
                "pattern": {"Regex": pattern},
                "behavior": "Isolated",
                "invert": False,
            },
            {**BYTE_LEVEL, "use_regex": False},
        ],
    }


CASES = {
    "as Llama 3": {
        "pre_tokenizer": split_by(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
            r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        )
    },
    "as Qwen2": {
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": split_by(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
            r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        ),
    },
    "as SmolLM2": {
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Digits", "individual_digits": True},
                {**BYTE_LEVEL, "use_regex": True},
            ],
        }
    },
    "as GPT-NeoX": {
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {**BYTE_LEVEL, "use_regex": True},
    },
}


def strings_of(tokenizer: Tokenizer) -> list[dict]:
    """Ids and the text they decode to, nothing added around."""
    return [
        {
            "text": text,
            "ids": ids,
            "decoded": tokenizer.decode(ids, skip_special_tokens=False),
        }
        for text in STRINGS
        for ids in [tokenizer.encode(text, add_special_tokens=False).ids]
    ]


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--shared",
        type=Path,
        default=HERE.parents[1] / ".." / "shared",
        help="folder with models/ (default: ../shared beside the repository)",
    )
    parser.add_argument("--out", type=Path, default=HERE)
    args = parser.parse_args()
    sample = json.loads(SAMPLE.read_text(encoding="utf-8"))
    cases = {
        name: {
            "parts": parts,
            "strings": strings_of(Tokenizer.from_str(json.dumps({**sample, **parts}))),
        }
        for name, parts in CASES.items()
    }
    stories = Tokenizer.from_file(str(args.shared / STORIES))
    path = args.out / "tokenizer-families.json"
    value = {
        "packages": {"tokenizers": importlib.metadata.version("tokenizers")},
        "cases": cases,
        "stories": strings_of(stories),
    }
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
