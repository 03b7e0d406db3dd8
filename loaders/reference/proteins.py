"""The protein table of UniProt, which several sources read to know the human proteins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc

from tosg.loaders.base import FileSpec
from tosg.loaders.columns import keep, with_curies
from tosg.loaders.formats.tables import Layout, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog

UNIPROT_LAYOUT = Layout(
    ("Entry", "Entry name", "Status", "Protein names", "Gene names", "Organism")
)

UNIPROT_TAB = FileSpec(
    "proteins",
    ("uniprot.tab", "uniprot*.tab", "uniprot*.tsv", "uniprot*.tab.gz", "uniprot*.tsv.gz"),
    "protein table of UniProt",
    url=(
        "https://raw.githubusercontent.com/ventolab/cellphonedb-data/"
        "71ffa8a163389913907d40993bec2821a111f64d/data/sources/uniprot.tab"
    ),
    sha256="29cb01d5f5cea889d0ca1722edc3f149d681ff83d73316beab706a1da9cf7904",
    release="2019-06-20",  # day of CellPhoneDB's snapshot
)


def human_proteins(path: Path, file: FileLog) -> Iterator[pa.RecordBatch]:
    """Rows of human proteins with their ``curie``; the others are rejected by kind."""
    for raw in read_table(path, UNIPROT_LAYOUT, file):
        human = pc.starts_with(raw.column("Organism"), "Homo sapiens")
        batch = keep(raw, human, file, "other species", ("Entry", "Organism"))
        batch = with_curies(batch, "Entry", "uniprot", file, shown=("Entry", "Entry name"))
        file.parsed(batch.num_rows)
        yield batch
