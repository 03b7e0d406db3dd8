"""PrimeKG: a graph of diseases, drugs, genes and their annotation (kg.csv, 8.1 million rows).

Each pair stands in both directions; the direction that the schema has is taken. A disease of the
source MONDO_grouped is several of MONDO's; it is rejected, since which one is meant is not said.
``disease_phenotype_negative`` and ``anatomy_protein_absent`` say that something is not so.

Columns: https://doi.org/10.7910/DVN/IXA7BM (Chandak and others, 2023).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import evidence, keep, keep_identified, not_negated
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.graph_tables import NO_TYPE
from tosg.loaders.reference.primekg import (
    A_GROUP,
    GROUP_SOURCE,
    PRIMEKG_TYPES,
    primekg_curies,
    translate,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog

_COLUMNS = (
    "relation", "display_relation", "x_id", "x_type", "x_name", "x_source", "y_id", "y_type",
    "y_name", "y_source",
)  # fmt: skip
_LAYOUT = Layout(_COLUMNS, delimiter=",", quoted=True)

#: Relation -> (relationship, start type, end type), as the schema directs it.
_RELATIONS: dict[str, tuple[str, str, str]] = {
    "protein_protein": ("INTERACTS_WITH", "Gene", "Gene"),
    "drug_protein": ("TARGETS", "Drug", "Gene"),
    "indication": ("TREATS", "Drug", "Disease"),
    "disease_protein": ("ASSOCIATED_WITH", "Gene", "Disease"),
    "phenotype_protein": ("ASSOCIATED_WITH", "Gene", "Phenotype"),
    "disease_phenotype_positive": ("HAS_PHENOTYPE", "Disease", "Phenotype"),
    "drug_effect": ("CAUSES", "Drug", "Phenotype"),
    "bioprocess_protein": ("PARTICIPATES_IN", "Gene", "BiologicalProcess"),
    "pathway_protein": ("PARTICIPATES_IN", "Gene", "Pathway"),
    "molfunc_protein": ("HAS_FUNCTION", "Gene", "MolecularFunction"),
    "cellcomp_protein": ("LOCATED_IN", "Gene", "CellularComponent"),
    "anatomy_protein_present": ("EXPRESSED_IN", "Gene", "Anatomy"),
}
_NEGATED = ("disease_phenotype_negative", "anatomy_protein_absent", "contraindication")


class PrimeKG(Loader):
    """See the module."""

    name = "primekg"
    title = "PrimeKG: diseases, drugs, genes and their annotation"
    homepage = "https://zitniklab.hms.harvard.edu/projects/PrimeKG"
    license = "CC BY 4.0"
    nodes = tuple(PRIMEKG_TYPES.values())
    relationships = tuple((a, kind, b) for kind, a, b in _RELATIONS.values())
    quirks = (
        "Hierarchies (disease_disease, ...) have no direction in the table; they are left out.",
        "Contraindications and negative findings never become relationships.",
    )
    tested_on = "made-up rows in the layout of kg.csv"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "graph",
            ("kg.csv", "kg.csv.gz", "primekg*.csv*"),
            "the whole graph",
            url="https://dataverse.harvard.edu/api/access/datafile/6180620",
            whole_bytes=50_000_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["graph"]
        file, origin = log.file(path), self.origin(path, release)
        for raw in read_table(path, _LAYOUT, file):
            batch = _usable(raw, file)
            file.parsed(batch.num_rows)
            for end in "xy":
                yield origin.entities(
                    batch.num_rows,
                    batch.column("line"),
                    type=translate(batch.column(f"{end}_type"), PRIMEKG_TYPES),
                    id=batch.column(f"{end}_curie"),
                    name=batch.column(f"{end}_name"),
                )
            names = list(_RELATIONS)
            code = pc.index_in(batch.column("relation"), pa.array(names))
            kinds, starts, ends = (
                pa.array([_RELATIONS[n][i] for n in names]).take(code) for i in range(3)
            )
            action = pc.if_else(
                pc.equal(kinds, "TARGETS"),
                batch.column("display_relation"),
                pa.scalar(None, pa.string()),
            )
            yield origin.relationships(
                batch.num_rows,
                batch.column("line"),
                type=kinds,
                start_type=starts,
                start=batch.column("x_curie"),
                end_type=ends,
                end=batch.column("y_curie"),
                action=action,
                evidence=evidence(batch, lists={"relations": ("display_relation", "|")}),
            )


def _usable(raw: pa.RecordBatch, file: FileLog) -> pa.RecordBatch:
    """Rows of known relations, in the schema's direction, with both CURIEs."""
    shown = ("relation", "x_name", "y_name")
    negated = pc.is_in(raw.column("relation"), pa.array(_NEGATED))
    batch = not_negated(raw, negated, file, shown)
    known = pc.is_in(batch.column("relation"), pa.array(list(_RELATIONS)))
    batch = keep(batch, known, file, NO_TYPE, shown)
    starts = {name: a for name, (_, a, _) in _RELATIONS.items()}
    wanted = pc.equal(
        translate(batch.column("x_type"), PRIMEKG_TYPES),
        translate(batch.column("relation"), starts),
    )
    # Where both ends are of one type, the copy with the smaller identifier first is taken.
    same = pc.equal(batch.column("x_type"), batch.column("y_type"))
    first = pc.or_(pc.invert(same), pc.less_equal(batch.column("x_id"), batch.column("y_id")))
    once = pc.and_(pc.fill_null(wanted, False), first)
    batch = keep(batch, once, file, "pair in the other direction", shown)
    for end in "xy":
        grouped = pc.equal(batch.column(f"{end}_source"), GROUP_SOURCE)
        batch = keep(batch, pc.invert(grouped), file, A_GROUP, (f"{end}_name",))
        batch = batch.append_column(
            f"{end}_curie", primekg_curies(batch.column(f"{end}_id"), batch.column(f"{end}_source"))
        )
        batch = keep_identified(batch, f"{end}_curie", f"{end}_id", file, (f"{end}_id", *shown))
    return batch
