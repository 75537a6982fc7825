"""PubMed articles as Biopython reads them, one hash for each field: pubmed-fields.json.

    python pubmed_reference.py --shared ../../../shared

The articles themselves belong to their publishers and are not part of this repository; neither is their text.
Each field is put into one canonical form (see `plain`) and only the first 16 hex digits of its SHA-256 are
written. Which element stands for a field where several could is said in docs/pubmed-import.md; how its text is
read is Biopython's alone.
"""

import argparse
import hashlib
import json
import pathlib
import re
import unicodedata

import Bio
from Bio import Entrez

NO_TITLE = re.compile(r"^\[?(?:not available|in process citation)\]?\.?$", re.I)
NO_LABEL = {"", "UNLABELLED", "UNLABELED", "UNASSIGNED"}


def plain(text):
    """Tags of inline markup out, compatibility forms in, white space collapsed."""
    text = re.sub(r"</?[A-Za-z][\w:]*(?:\s[^<>]*)?/?>", "", str(text))
    text = unicodedata.normalize("NFKD", text).replace("\u2212", "-")
    return re.sub(r"\s+", " ", text).strip()


def year_of(date, electronic):
    candidates = [date.get("Year"), date.get("Season"), date.get("MedlineDate")]
    candidates += [d.get("Year") for d in electronic]
    for candidate in candidates:
        found = re.search(r"\d{4}", str(candidate or ""))
        if found:
            return found.group()
    return ""


def author_name(author):
    given = author.get("Initials") or author.get("ForeName") or ""
    parts = [author.get("LastName", ""), given, author.get("Suffix", "")]
    name = " ".join(plain(part) for part in parts if plain(part))
    return name or plain(author.get("CollectiveName", ""))


def label_of(text, name):
    value = re.sub(r"\s*:$", "", text.attributes.get(name, "").strip())
    return "" if value.upper() in NO_LABEL else value


def fields_of(article):
    citation = article["MedlineCitation"]
    body = citation["Article"]
    journal = body["Journal"]
    issue = journal["JournalIssue"]
    date = issue["PubDate"]
    ids = article.get("PubmedData", {}).get("ArticleIdList", [])
    dois = [plain(i) for i in ids if i.attributes["IdType"] == "doi"]
    dois += [
        plain(e)
        for e in body.get("ELocationID", [])
        if e.attributes["EIdType"] == "doi" and e.attributes.get("ValidYN", "Y") != "N"
    ]
    title = plain(body["ArticleTitle"])
    if not title or NO_TITLE.match(title):
        title = plain(body.get("VernacularTitle", ""))
    sections = body.get("Abstract", {}).get("AbstractText", [])
    sections = [s for s in sections if plain(s)]
    authors = [a for a in body.get("AuthorList", []) if a.attributes.get("ValidYN", "Y") != "N"]
    names = [author_name(a) for a in authors]
    affiliations = [plain(i["Affiliation"]) for a in body.get("AuthorList", []) for i in a.get("AffiliationInfo", [])]
    pagination = body.get("Pagination", {})
    printed = plain(pagination.get("MedlinePgn", ""))
    pages = printed or "-".join(
        plain(pagination[k]) for k in ("StartPage", "EndPage") if plain(pagination.get(k, ""))
    )
    pmc = [plain(i) for i in ids if i.attributes["IdType"] == "pmc"]
    revised = citation.get("DateRevised", {})
    comments = citation.get("CommentsCorrectionsList", [])
    return {
        "pmid": [str(citation["PMID"])],
        "version": [citation["PMID"].attributes.get("Version", "1")],
        "title": [title],
        "sections": [x for s in sections for x in (label_of(s, "Label"), label_of(s, "NlmCategory"), plain(s))],
        "otherAbstracts": [
            x
            for other in citation.get("OtherAbstract", [])
            for x in (
                other.attributes.get("Type", ""),
                other.attributes.get("Language", ""),
                " ".join(plain(t) for t in other["AbstractText"]),
            )
        ],
        "journal": [plain(journal.get("Title", "") or journal.get("ISOAbbreviation", ""))],
        "year": [year_of(date, body.get("ArticleDate", []))],
        "doi": dois[:1],
        "authors": [n for n in names if n],
        "affiliations": list(dict.fromkeys(a for a in affiliations if a)),
        "keywords": list(dict.fromkeys(plain(k) for group in citation.get("KeywordList", []) for k in group if plain(k))),
        "mesh": [
            x
            for heading in citation.get("MeshHeadingList", [])
            for x in [plain(heading["DescriptorName"]), heading["DescriptorName"].attributes["MajorTopicYN"]]
            + [y for q in heading["QualifierName"] for y in (plain(q), q.attributes["MajorTopicYN"])]
        ],
        "publicationTypes": [plain(t) for t in body.get("PublicationTypeList", [])],
        "language": [plain(t) for t in body.get("Language", [])],
        "volume": [plain(issue.get("Volume", ""))],
        "issue": [plain(issue.get("Issue", ""))],
        "pages": [pages],
        "issn": [plain(journal.get("ISSN", ""))],
        "pmcid": pmc[:1],
        "revised": ["-".join(str(revised[k]).zfill(2) for k in ("Year", "Month", "Day"))] if revised else [],
        "links": sorted({c.attributes["RefType"] for c in comments}),
    }


def digest(values):
    return hashlib.sha256("\x1f".join(values).encode()).hexdigest()[:16]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shared", type=pathlib.Path, required=True)
    folder = parser.parse_args().shared / "data" / "fixtures"
    articles, unread = {}, {}
    for path in sorted(folder.glob("*/*.xml")):
        name = f"{path.parent.name}/{path.name}"
        try:
            with path.open("rb") as file:
                found = Entrez.read(file, validate=False)
            if not isinstance(found, dict) or "PubmedArticle" not in found:
                unread[name] = type(found).__name__
                continue
        except Exception as error:  # noqa: BLE001: whatever Biopython raises is what it says of the file
            unread[name] = type(error).__name__
            continue
        articles[name] = [
            {field: digest(values) for field, values in fields_of(article).items()}
            for article in found["PubmedArticle"]
        ]
    result = {"packages": {"biopython": Bio.__version__}, "unread": unread, "articles": articles}
    out = pathlib.Path(__file__).with_name("pubmed-fields.json")
    out.write_text(json.dumps(result, indent=0, sort_keys=True) + "\n")
    print(f"{len(articles)} files, {len(unread)} not read: {unread}")


if __name__ == "__main__":
    main()
