"""Orphanet: genes of rare diseases (en_product6.xml), by OrphaCode and HGNC's identifier.

Identifiers of disorders change between releases; OrphaCodes do not. Only assessed associations
count; a gene without a reference to HGNC is left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import curie
from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.formats.opening import read_bytes
from tosg.loaders.formats.xml import XmlFormat, parse_xml
from tosg.loaders.reference.facts import Fact, fact_claims
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog, SourceLog

_FORMAT = XmlFormat(
    "the file", "Orphanet's XML of disorders with genes", "JDBOR", "en_product6.xml of Orphanet"
)

#: Kind of association -> score; a cause is surer than a role in the phenotype.
_KINDS = {
    "Disease-causing germline mutation(s) in": 1.0,
    "Disease-causing germline mutation(s) (loss of function) in": 1.0,
    "Disease-causing germline mutation(s) (gain of function) in": 1.0,
    "Disease-causing somatic mutation(s) in": 0.9,
    "Part of a fusion gene in": 0.8,
    "Major susceptibility factor in": 0.7,
    "Modifying germline mutation in": 0.5,
    "Role in the phenotype of": 0.5,
    "Biomarker tested in": 0.4,
    "Candidate gene tested in": 0.3,
}


class Orphanet(Loader):
    """See the module."""

    name = "orphanet"
    title = "Orphanet: genes of rare diseases"
    homepage = "https://www.orphadata.com"
    license = "CC BY 4.0"
    nodes = ("Disease",)
    relationships = (("Gene", "ASSOCIATED_WITH", "Disease"),)
    scores = (Score("by the kind of association", help="a disease-causing mutation is sure"),)
    quirks = ("The attribute count is that of the whole file, also in an excerpt.",)
    tested_on = "two excerpts, of 2022 and 2023"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "genes",
            ("en_product6.xml", "en_product6*.xml", "orphanet*.xml"),
            "genes of diseases (XML)",
            url="https://www.orphadata.com/data/xml/en_product6.xml",
            whole_bytes=5_000_000,
            states_rows="the attribute count of its list of disorders",
        ),
    )

    def _release(self, files: Mapping[str, Path]) -> str:
        head = read_bytes(files["genes"])[:600].decode("latin-1")
        found = re.search(r'<JDBOR[^>]*date="(\d{4}-\d{2}-\d{2})', head)
        return found.group(1) if found else ""

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["genes"]
        file, origin = log.file(path), self.origin(path, release)
        found: list[tuple[int, str, str]] = []
        facts: list[Fact] = []
        stated, disorders = _disorders(path)
        file.rows_stated = stated
        for number, disorder in enumerate(disorders, 1):
            file.read()
            code = disorder.findtext("OrphaCode", "").strip()
            id_ = curie(code, "orpha")
            if id_ is None:
                file.reject(BAD_ID, number, code)
                continue
            file.parsed()
            found.append((number, id_, disorder.findtext("Name", "").strip()))
            facts += _facts(disorder, id_, number, file)
        yield origin.named_entities("Disease", found)
        yield from fact_claims(facts, origin)


def _disorders(path: Path) -> tuple[int | None, list[ET.Element]]:
    """The disorders of a file, and how many it says that it has.

    Raises
    ------
    DataError
        It is no XML of Orphanet, or has no disorder with genes.
    """
    root = parse_xml(read_bytes(path), path, _FORMAT)
    found = [d for d in root.iter("Disorder") if d.find("DisorderGeneAssociationList") is not None]
    if not found:
        raise _FORMAT.wrong_root(root, path)
    whole = root.find(".//DisorderList")
    stated = "" if whole is None else whole.get("count", "")
    return int(stated) if stated.isdecimal() else None, found


def _facts(disorder: ET.Element, disease: str, record: int, file: FileLog) -> Iterator[Fact]:
    for link in disorder.iter("DisorderGeneAssociation"):
        symbol = link.findtext("Gene/Symbol", "")
        status = link.findtext("DisorderGeneAssociationStatus/Name", "").strip()
        if status != "Assessed":
            file.note("association that is not assessed, left out", 1, f"{disease} {symbol}")
            continue
        numbers = [
            reference.findtext("Reference", "")
            for reference in link.iter("ExternalReference")
            if reference.findtext("Source") == "HGNC"
        ]
        gene = curie(numbers[0], "hgnc") if numbers else None
        if gene is None:
            file.note("gene without a reference to HGNC, left out", 1, f"{disease} {symbol}")
            continue
        kind = link.findtext("DisorderGeneAssociationType/Name", "").strip()
        validated = link.findtext("SourceOfValidation") or ""
        told = {"kinds": [kind], "pubmed_ids": sorted(set(re.findall(r"(\d+)\[PMID\]", validated)))}
        yield Fact(
            "ASSOCIATED_WITH",
            ("Gene", gene),
            ("Disease", disease),
            record,
            score=_KINDS.get(kind),
            evidence=evidence_json(told),
        )
