"""Reading UniProt's flat files (Swiss-Prot and TrEMBL), entry by entry.

The format: https://web.expasy.org/docs/userman.html. A line has a code of two letters and text from
column 6 on; ``//`` ends an entry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tosg.errors import DataError
from tosg.loaders.formats.opening import check_utf8, open_bytes, strip_bom

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CODES = ("ID", "AC", "DE", "GN", "OX", "CC", "DR")


@dataclass(slots=True)
class Entry:
    """One entry.

    Attributes
    ----------
    line : int
        Of its ``ID``.
    entry_name : str
        As ``P53_HUMAN``.
    reviewed : bool
    accessions : list of str
        The first is the present one, the others were merged into it.
    tax_id : str
    name : str
        Recommended (or submitted) full name.
    alternatives : list of str
        Other full and short names.
    genes : list of str
        Names of the gene, the first first.
    comments : dict
        Topic, as ``FUNCTION``, to its text.
    references : list of (str, ...)
        Fields of each ``DR`` line, the database first.
    """

    line: int
    entry_name: str
    reviewed: bool
    accessions: list[str] = field(default_factory=list)
    tax_id: str = ""
    name: str = ""
    alternatives: list[str] = field(default_factory=list)
    genes: list[str] = field(default_factory=list)
    comments: dict[str, str] = field(default_factory=dict)
    references: list[tuple[str, ...]] = field(default_factory=list)


def read_entries(path: Path) -> Iterator[Entry]:
    """Read the entries of a flat file.

    Raises
    ------
    DataError
        The file is no flat file, or ends within an entry.
    """
    lines: dict[str, list[str]] = {}
    start, rest = 0, b""
    with open_bytes(path) as stream:
        for number, raw in enumerate(stream, 1):
            raw = strip_bom(raw, path) if number == 1 else raw
            check_utf8(raw, path, first_line=number)
            text = raw.decode("utf-8").rstrip("\r\n")
            if number == 1 and not re.match(r"ID {3}\S+ +(Reviewed|Unreviewed);", text):
                raise DataError(
                    "this is not a flat file of UniProt",
                    where=f"{path}, line 1",
                    found=text[:80],
                    expected="ID   NAME_HUMAN   Reviewed;   393 AA.",
                    hint="is this the right file? see `tosg sources`",
                )
            if text == "//":
                yield _entry(start, lines)
                lines, start = {}, 0
                continue
            start = start or number
            rest = raw
            if text[:2] in _CODES:
                lines.setdefault(text[:2], []).append(text[5:])
    if start:
        raise DataError(
            "the file is cut off within an entry",
            where=f"{path}, line {start}",
            found=rest[:80].decode("utf-8", "replace").strip(),
            expected="// at the end of each entry",
            hint="download it again",
        )


def _entry(start: int, lines: dict[str, list[str]]) -> Entry:
    head = "".join(lines.get("ID", [""])).split()
    entry = Entry(start, head[0] if head else "", "Reviewed;" in head)
    entry.accessions = re.findall(r"[^;\s]+", " ".join(lines.get("AC", [])))
    if tax := re.search(r"NCBI_TaxID=(\d+)", " ".join(lines.get("OX", []))):
        entry.tax_id = tax.group(1)
    _names(entry, lines.get("DE", []))
    genes = without_evidence(" ".join(lines.get("GN", [])))
    for said in re.findall(r"(?:Name|Synonyms|ORFNames)=([^;]+);", genes):
        entry.genes += [word.strip() for word in said.split(",") if word.strip()]
    entry.comments = _comments(lines.get("CC", []))
    entry.references = [
        tuple(part.strip() for part in line.rstrip(".").split(";")) for line in lines.get("DR", [])
    ]
    return entry


def _names(entry: Entry, lines: list[str]) -> None:
    for line in lines:
        if re.match(r"(Contains|Includes):", line):
            break  # names of what the protein is cut into
        for said in re.findall(r"(?:Full|Short)=([^;]+);", line):
            name = without_evidence(said).strip()
            if not entry.name:
                entry.name = name
            elif name != entry.name:
                entry.alternatives.append(name)


def _comments(lines: list[str]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    topic = ""
    for line in lines:
        if line.startswith("-----"):
            break  # the copyright
        if start := re.match(r"-!- ([A-Z ]+):\s*(.*)", line):
            topic = start.group(1)
            found.setdefault(topic, []).append(start.group(2))
        elif topic:
            found[topic].append(line.strip())
    return {topic: " ".join(parts).strip() for topic, parts in found.items()}


def without_evidence(text: str) -> str:
    """Drop UniProt's evidence: ``{ECO:...}``, and references as ``(PubMed:123, PubMed:456)``.

    >>> without_evidence("Binds DNA (PubMed:1, PubMed:2). Acts late {ECO:0000269|PubMed:3}.")
    'Binds DNA. Acts late.'
    """
    text = re.sub(r"\s*\{ECO:[^}]*\}", "", text)
    text = re.sub(r"\s*\((?:(?:PubMed:\d+|Ref\.\d+|By similarity|Probable)(?:, )?)+\)", "", text)
    text = re.sub(r"\s+([.,;])", r"\1", " ".join(text.split()))
    return re.sub(r"\.\.+", ".", text)  # the sentence ended before its evidence
