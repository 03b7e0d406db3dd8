"""Reactome's functional interactions: pairs of genes with direction, sign and score.

The arrow in ``Direction`` is read from Gene1 to Gene2: ``->`` raises, ``-|`` lowers, ``-`` is
contact; ``<-`` and ``|-`` are turned round, and arrows at both ends are two relationships. Pairs
whose annotation says that they were predicted have the score of the prediction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.columns import keep
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.facts import Fact, fact_claims
from tosg.loaders.reference.symbols import SYMBOLS, read_symbols, with_genes
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import SourceLog

_LAYOUT = Layout(("Gene1", "Gene2", "Annotation", "Direction", "Score"))
_SCORE = Score("Score", numbers=("Score",), help="Reactome's own; 1 for what is annotated")

#: Direction -> signs of (Gene1 on Gene2, Gene2 on Gene1); None where there is no arrow.
_DIRECTIONS: dict[str, tuple[int | None, int | None]] = {
    "->": (1, None), "<-": (None, 1), "-|": (-1, None), "|-": (None, -1),
    "<->": (1, 1), "|-|": (-1, -1), "|->": (1, -1), "<-|": (-1, 1), "-": (None, None),
}  # fmt: skip


class ReactomeFi(Loader):
    """See the module."""

    name = "reactome_fi"
    title = "Reactome functional interactions: pairs of genes with direction and sign"
    homepage = "https://reactome.org/tools/reactome-fiviz"
    license = "CC BY 4.0"
    relationships = (("Gene", "REGULATES", "Gene"), ("Gene", "INTERACTS_WITH", "Gene"))
    scores = (_SCORE,)
    signs = "Direction: an arrow 1, a bar -1"
    tested_on = "made-up rows in the layout of FIsInGene_with_annotations"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "pairs",
            ("FIsInGene_070323_with_annotations.txt", "FIsInGene_*annotations.txt*"),
            "functional interactions",
            url="https://reactome.org/download/tools/ReatomeFIs/FIsInGene_070323_with_annotations.txt.zip",
            whole_bytes=2_000_000,
        ),
        SYMBOLS,
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        symbols = read_symbols(files["symbols"], log.file(files["symbols"]))
        path = files["pairs"]
        file, origin = log.file(path), self.origin(path, release)
        for raw in read_table(path, _LAYOUT, file):
            known = pa.array([d in _DIRECTIONS for d in raw.column("Direction").to_pylist()])
            batch = keep(raw, known, file, "unknown Direction", ("Gene1", "Direction", "Gene2"))
            batch = with_genes(batch, "Gene1", symbols, file, to="a")
            batch = with_genes(batch, "Gene2", symbols, file, to="b")
            batch = _SCORE.add(batch, file)
            file.parsed(batch.num_rows)
            facts = [f for row in batch.to_pylist() for f in _facts(row)]
            yield from fact_claims([f for f in facts if f.start != f.end], origin)


def _facts(row: dict[str, object]) -> Iterator[Fact]:
    a, b = ("Gene", str(row["a"])), ("Gene", str(row["b"]))
    line = int(str(row["line"]))
    score = row["score"] if isinstance(row["score"], float) else None
    told = evidence_json({"annotations": [p for p in str(row["Annotation"]).split("; ") if p]})
    forth, back = _DIRECTIONS[str(row["Direction"])]
    if forth is None and back is None:
        yield Fact("INTERACTS_WITH", a, b, line, None, score, None, told)
    if forth is not None:
        yield Fact("REGULATES", a, b, line, forth, score, None, told)
    if back is not None:
        yield Fact("REGULATES", b, a, line, back, score, None, told)
