"""Peer of the import benchmark: reads PubMed XML with Biopython or pubmed_parser, per request line.

Request: {"path": "...", "parser": "biopython" | "pubmed_parser"}; pubmed_parser reads gzip only. Answer: the
milliseconds, the number of articles as the only value, and the peak memory so far.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import pubmed_parser
from Bio import Entrez


def biopython(path: str) -> int:
    """Articles of a set; Entrez.parse does not take one that also holds deletions or books."""
    with open(path, "rb") as file:
        return len(Entrez.read(file, validate=False)["PubmedArticle"])


def by_pubmed_parser(path: str) -> int:
    """Articles, each dropped as it comes."""
    return sum(1 for _ in pubmed_parser.parse_medline_xml(path))


def main() -> None:
    """Answer every line until the input ends."""
    parsers = {"biopython": biopython, "pubmed_parser": by_pubmed_parser}
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        begun = time.perf_counter()
        articles = parsers[request["parser"]](request["path"])
        ms = (time.perf_counter() - begun) * 1000
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"ms": ms, "values": [articles], "rss_mb": rss}), flush=True)


if __name__ == "__main__":
    main()
