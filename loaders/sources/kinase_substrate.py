"""Kinases and the sites that they phosphorylate, in PhosphoSitePlus's layout.

The file begins with lines of text (date, licence), then the table. It is for non-commercial use
and may not be passed on: everybody downloads it for themselves.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from tosg.errors import DataError
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import evidence, of_species, with_curies
from tosg.loaders.formats.opening import read_start
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.participants import without_parts
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import SourceLog

_COLUMNS = (
    "GENE", "KINASE", "KIN_ACC_ID", "KIN_ORGANISM", "SUBSTRATE", "SUB_ACC_ID", "SUB_ORGANISM",
    "SUB_MOD_RSD", "IN_VIVO_RXN", "IN_VITRO_RXN",
)  # fmt: skip
_SCORE = Score(
    "CASE WHEN IN_VIVO_RXN LIKE '%X%' AND IN_VITRO_RXN LIKE '%X%' THEN 1.0 "
    "WHEN IN_VIVO_RXN LIKE '%X%' THEN 0.8 WHEN IN_VITRO_RXN LIKE '%X%' THEN 0.6 END",
    texts=("IN_VIVO_RXN", "IN_VITRO_RXN"),
    help="seen in cells and with the purified kinase; seen in cells; with the kinase alone",
)


class KinaseSubstrate(Loader):
    """See the module."""

    name = "kinase_substrate"
    title = "PhosphoSitePlus: kinases and their substrates"
    homepage = "https://www.phosphosite.org"
    license = "CC BY-NC-SA 3.0"
    relationships = (("Protein", "PHOSPHORYLATES", "Protein"),)
    scores = (_SCORE,)
    quirks = ("Lines of text stand before the table; isoforms count for their protein.",)
    tested_on = "made-up rows in the layout of Kinase_Substrate_Dataset"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "sites",
            ("Kinase_Substrate_Dataset", "Kinase_Substrate_Dataset*", "*kinase_substrate*.tsv"),
            "kinases, substrates and sites",
            url="https://www.phosphosite.org/staticDownloads",
            whole_bytes=500_000,
        ),
    )

    def _release(self, files: Mapping[str, Path]) -> str:
        head = read_start(files["sites"])[:400]
        found = re.search(r"\b(\d{6})\b", head)
        return f"20{found[1][4:]}-{found[1][:2]}-{found[1][2:4]}" if found else ""

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["sites"]
        file, origin = log.file(path), self.origin(path, release)
        shown = ("GENE", "SUBSTRATE", "KIN_ORGANISM", "SUB_ORGANISM")
        for raw in read_table(path, Layout(_COLUMNS, skip=_preamble(path)), file):
            batch = of_species(raw, "KIN_ORGANISM", file, "human", shown=shown)
            batch = of_species(batch, "SUB_ORGANISM", file, "human", shown=shown)
            for column, to in (("KIN_ACC_ID", "kinase"), ("SUB_ACC_ID", "substrate")):
                batch = batch.append_column(f"{to}_whole", without_parts(batch.column(column)))
                batch = with_curies(batch, f"{to}_whole", "uniprot", file, to=to, shown=shown)
            batch = _SCORE.add(batch, file)
            file.parsed(batch.num_rows)
            yield origin.relationships_of(
                batch,
                "PHOSPHORYLATES",
                ("Protein", "kinase"),
                ("Protein", "substrate"),
                score=batch.column("score"),
                evidence=evidence(batch, lists={"residues": ("SUB_MOD_RSD", ";")}),
            )


def _preamble(path: Path) -> int:
    """Lines before the header.

    Raises
    ------
    DataError
        There is no header of this table.
    """
    for number, line in enumerate(read_start(path).split("\n", 40)[:40]):
        if {"KINASE", "SUB_MOD_RSD"} <= {name.strip() for name in line.split("\t")}:
            return number
    raise DataError(
        "the file has other columns than this source's",
        where=path,
        expected=", ".join(_COLUMNS),
        hint="is this the right file? see `tosg sources`",
    )
