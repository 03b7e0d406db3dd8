"""WikiPathways: members of human pathways by NCBI gene number, from the GMT file.

Smaller than the drawings of ``wikipathways``, and without their wiring: a set's name is
``NAME%WikiPathways_DATE%WP123%Homo sapiens``, its members are NCBI's numbers of genes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import curie
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.formats.gmt import read_gmt
from tosg.loaders.reference.facts import FACTS_AT_ONCE, Fact, fact_claims

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import SourceLog

_HUMAN = "Homo sapiens"


class WikiPathwaysGmt(Loader):
    """See the module."""

    name = "wikipathways_gmt"
    title = "WikiPathways: members of pathways (GMT)"
    homepage = "https://www.wikipathways.org"
    license = "CC0 1.0"
    nodes = ("Pathway",)
    relationships = (("Gene", "PARTICIPATES_IN", "Pathway"),)
    quirks = (
        "A name has four parts between % signs; a line with others is rejected.",
        "Sets of other species are rejected and counted.",
        "The release is the date in the names; that of the file's name may differ.",
    )
    tested_on = "the human file of 2022-06 (746 sets)"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "sets",
            ("wikipathways-*-gmt-Homo_sapiens.gmt",),
            "members of human pathways (GMT)",
            url="https://data.wikipathways.org/current/gmt/",
            whole_bytes=200_000,
        ),
    )

    def _release(self, files: Mapping[str, Path]) -> str:
        for found in read_gmt(files["sets"]):
            date = re.search(r"%WikiPathways_(\d{8})%", found.name)
            return date.group(1) if date else ""
        return ""

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["sets"]
        file, origin = log.file(path), self.origin(path, release)
        sets: list[tuple[int, str, str]] = []
        facts: list[Fact] = []
        for line, title, _, members in read_gmt(path):
            if len(facts) >= FACTS_AT_ONCE:
                yield from fact_claims(facts, origin)
                facts = []
            file.read()
            name, *parts = title.rsplit("%", 3)
            id_ = curie(parts[1], "wikipathways") if len(parts) == 3 else None
            if id_ is None:
                file.reject(BAD_ID, line, title)
                continue
            if parts[2] != _HUMAN:
                file.reject("other species", line, title)
                continue
            file.parsed()
            sets.append((line, id_, name))
            for member in members:
                gene = curie(member, "ncbigene")
                if gene is None:
                    file.note("member with a bad identifier, left out", 1, f"{title}: {member}")
                else:
                    facts.append(Fact("PARTICIPATES_IN", ("Gene", gene), ("Pathway", id_), line))
        yield origin.entities(
            len(sets),
            [line for line, _, _ in sets],
            type="Pathway",
            id=[id_ for _, id_, _ in sets],
            name=[name for _, _, name in sets],
        )
        yield from fact_claims(facts, origin)
