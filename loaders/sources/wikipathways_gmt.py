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
from tosg.loaders.reference.gene_sets import gene_set_claims

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
        yield from gene_set_claims(path, file, origin, _identify, _resolve)


def _identify(title: str) -> tuple[str | None, str]:
    name, *parts = title.rsplit("%", 3)
    id_ = curie(parts[1], "wikipathways") if len(parts) == 3 else None
    if id_ is None:
        return None, BAD_ID
    if parts[2] != _HUMAN:
        return None, "other species"
    return id_, name


def _resolve(member: str) -> tuple[str | None, str]:
    return curie(member, "ncbigene"), "a bad identifier"
