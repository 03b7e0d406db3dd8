"""CellTalkDB: ligands and receptors of human cells, with their references."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import evidence, with_curies
from tosg.loaders.formats.tables import Layout, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import SourceLog

_LAYOUT = Layout(("lr_pair", "ligand_gene_id", "receptor_gene_id", "evidence"))


class CellTalkDB(Loader):
    """See the module."""

    name = "celltalkdb"
    title = "CellTalkDB: ligands and receptors with references"
    homepage = "https://github.com/ZJUFanLab/CellTalkDB"
    license = "GPL-3.0"
    relationships = (("Gene", "REGULATES", "Gene"),)
    signs = "0: a ligand acts on its receptor, in which direction is not said"
    tested_on = "the whole human table of 2020"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "pairs",
            ("human_lr_pair.txt", "Human-2020-Shao-LR-pairs.txt", "*Shao*LR-pairs*.txt"),
            "ligands and receptors",
            url=(
                "https://raw.githubusercontent.com/ZJUFanLab/CellTalkDB/master/database/"
                "human_lr_pair.txt"
            ),
            whole_bytes=200_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["pairs"]
        file, origin = log.file(path), self.origin(path, release)
        for raw in read_table(path, _LAYOUT, file):
            shown = ("lr_pair", "ligand_gene_id", "receptor_gene_id")
            batch = with_curies(raw, "ligand_gene_id", "ncbigene", file, to="a", shown=shown)
            batch = with_curies(batch, "receptor_gene_id", "ncbigene", file, to="b", shown=shown)
            file.parsed(batch.num_rows)
            yield origin.relationships_of(
                batch,
                "REGULATES",
                ("Gene", "a"),
                ("Gene", "b"),
                sign=0,
                evidence=evidence(batch, lists={"pubmed_ids": ("evidence", ",")}),
            )
