"""CellChatDB: ligands and receptors by symbol; complexes are expanded with ``&``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.ligands import LigandPairs, pair_types
from tosg.loaders.reference.symbols import SYMBOLS, SymbolTable, read_symbols

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.reference.facts import Ref

_LAYOUT = Layout(
    ("interaction_name", "pathway_name", "ligand_symbol", "receptor_symbol"),
    delimiter=",",
    quoted=True,
    optional=("evidence", "annotation"),
    renamed={"ligand_symbol": ("ligand.symbol",), "receptor_symbol": ("receptor.symbol",)},
)


class CellChatDB(Loader):
    """See the module."""

    name = "cellchatdb"
    title = "CellChatDB: ligands and receptors with their pathways"
    homepage = "https://github.com/jinworks/CellChat"
    license = "GPL-3.0"
    nodes = ("Complex",)
    relationships = pair_types("Gene")
    signs = "0: a ligand acts on its receptor, in which direction is not said"
    quirks = ("A complex is its members joined by & (version 1) or ', ' (version 2).",)
    tested_on = "the whole table of version 1 (2,005 rows)"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "pairs",
            ("CellChatDB.human.csv", "Human-2020-Jin-LR-pairs.csv", "*CellChatDB*.csv"),
            "ligands and receptors",
            url=(
                "https://raw.githubusercontent.com/LewisLabUCSD/Ligand-Receptor-Pairs/master/"
                "Human/Human-2020-Jin-LR-pairs.csv"
            ),
            whole_bytes=300_000,
        ),
        SYMBOLS,
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        symbols = read_symbols(files["symbols"], log.file(files["symbols"]))
        path = files["pairs"]
        file, origin = log.file(path), self.origin(path, release)
        pairs = LigandPairs()
        for batch in read_table(path, _LAYOUT, file):
            for row in batch.to_pylist():
                ligand = _genes(row["ligand_symbol"], symbols, row, file)
                receptor = ligand and _genes(row["receptor_symbol"], symbols, row, file)
                if not ligand or not receptor:
                    continue
                file.parsed()
                told = {
                    "pathway": row["pathway_name"],
                    "annotation": row["annotation"],
                    "references": [r.strip() for r in row["evidence"].split(";") if r.strip()],
                }
                pairs.add(ligand, receptor, row["line"], evidence_json(told))
        yield from pairs.claims(origin)


def _genes(
    text: str, symbols: SymbolTable, row: Mapping[str, object], file: FileLog
) -> list[Ref] | None:
    """Genes of a side; None, and a rejection, where one of them is not known."""
    found: list[Ref] = []
    for symbol in text.replace(",", "&").split("&"):
        gene, how = symbols.resolve(symbol.strip())
        if gene is None:
            file.reject(f"{how} symbol", int(str(row["line"])), symbol or row["interaction_name"])
            return None
        found.append(("Gene", gene))
    return found
