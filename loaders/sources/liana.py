"""LIANA: ligands and receptors of one of its resources, by UniProt accession.

The table holds many resources; one is chosen by the option ``resource`` (consensus). A resource
of another species is refused: its accessions are not human.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow.compute as pc

from tosg.kg.claims.log import BAD_ID
from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.columns import keep
from tosg.loaders.formats.tables import Layout, choose_layout, read_table
from tosg.loaders.options import Option
from tosg.loaders.reference.ligands import LigandPairs, pair_types
from tosg.loaders.reference.participants import protein_ref

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import SourceLog

_COLUMNS = ("source", "target", "resource")
_LAYOUTS = {
    "quoted": Layout(_COLUMNS, delimiter=",", quoted=True),
    "tab": Layout(_COLUMNS),
}
RESOURCE = Option("resource", "which of LIANA's resources is loaded", "consensus")


class Liana(Loader):
    """See the module."""

    name = "liana"
    title = "LIANA: consensus of ligands and receptors"
    homepage = "https://github.com/saezlab/liana-py"
    license = "GPL-3.0"
    nodes = ("Complex",)
    relationships = pair_types("Protein")
    signs = "0: a ligand acts on its receptor, in which direction is not said"
    options = (RESOURCE,)
    quirks = (
        "mouseconsensus is in the same table; only the chosen resource is loaded.",
        "A complex is written as accessions joined by _, also with COMPLEX: before them.",
    )
    tested_on = "the whole table of liana 1.10.0 (2026) and the consensus of 2022"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "pairs",
            ("omni_resource.csv", "Human-2022-Dimitrov-LR-pairs.csv", "liana*.csv"),
            "ligands and receptors of all resources",
            url=(
                "https://raw.githubusercontent.com/saezlab/liana-py/main/liana/resource/"
                "omni_resource.csv"
            ),
            whole_bytes=150_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["pairs"]
        file, origin = log.file(path), self.origin(path, release)
        wanted, pairs = self.value(RESOURCE), LigandPairs()
        for raw in read_table(path, _LAYOUTS[choose_layout(path, _LAYOUTS)], file):
            ours = pc.equal(raw.column("resource"), wanted)
            batch = keep(raw, ours, file, f"another resource than {wanted}", ("resource",))
            for row in batch.to_pylist():
                sides = [
                    [protein_ref(part) for part in row[end].removeprefix("COMPLEX:").split("_")]
                    for end in ("source", "target")
                ]
                ligand, receptor = ([m for m in side if m is not None] for side in sides)
                if len(ligand) + len(receptor) < sum(map(len, sides)):
                    file.reject(BAD_ID, row["line"], f"{row['source']} {row['target']}")
                    continue
                file.parsed()
                pairs.add(ligand, receptor, row["line"], evidence_json({"resource": wanted}))
        yield from pairs.claims(origin)
