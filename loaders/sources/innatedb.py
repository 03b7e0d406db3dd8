"""InnateDB: interactions of the genes of innate immunity (PSI-MI TAB 2.7).

The columns are IntAct's under other captions. An interactor is InnateDB's own number, with the
Ensembl gene among its other identifiers: the genes are what interacts here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.reference.binary import DATABASES, GENETIC, BinarySource, read_binary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import SourceLog


class InnateDB(Loader):
    """See the module."""

    name = "innatedb"
    title = "InnateDB: interactions of human genes of innate immunity"
    homepage = "https://www.innatedb.com"
    license = "LicenseRef-Design-Science-License"
    relationships = (("Gene", "INTERACTS_WITH", "Gene"),)
    options = (GENETIC,)
    quirks = (
        "An interactor is known by its Ensembl gene; one without a gene is rejected.",
        "lpr, hpr and np count publications on a scale without end: they are evidence, no score.",
        "Interactions between a human and a mouse gene are left out as other species.",
    )
    tested_on = "made-up rows in the layout of all.mitab"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "interactions",
            ("innatedb_ppi.mitab.gz", "innatedb*.mitab*", "all.mitab*"),
            "interactions (PSI-MI TAB 2.7)",
            url="https://www.innatedb.com/download/interactions/innatedb_ppi.mitab.gz",
            whole_bytes=200_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["interactions"]
        source = BinarySource(
            {"ensembl": DATABASES["ensembl"]}, "innatedb", ids="alt", genetic=self.value(GENETIC)
        )
        yield from read_binary(path, log.file(path), self.origin(path, release), source)
