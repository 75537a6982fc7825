"""MEDLINE text as Bio.Medline reads it: medline-fields.json, from records that were invented for this (medline.nbib).

    python medline_reference.py
"""

import json
import pathlib
import re

import Bio
from Bio import Medline

HERE = pathlib.Path(__file__).parent
KEYS = ["PMID", "TI", "TT", "AB", "AD", "AU", "FAU", "CN", "OT", "MH", "PT", "LA", "JT", "DP", "VI", "IP", "PG", "LR"]


def main():
    with (HERE / "medline.nbib").open(encoding="utf-8") as file:
        records = [{key: record[key] for key in KEYS if key in record} for record in Medline.parse(file)]
    for record in records:
        for key, value in record.items():
            values = value if isinstance(value, list) else [value]
            record[key] = [re.sub(r"\s+", " ", text).strip() for text in values]
    result = {"packages": {"biopython": Bio.__version__}, "records": records}
    (HERE / "medline-fields.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    print(len(records))


if __name__ == "__main__":
    main()
