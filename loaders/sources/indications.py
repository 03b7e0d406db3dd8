"""Curated drug-disease pairs: disease-modifying, easing symptoms, or explicitly no indication.

The file names its drugs and diseases, which are claimed too: so the pairs have their ends where
a source that has them under another licence is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.loaders.base import FileSpec, Loader, Origin, evidence_json
from tosg.loaders.columns import blank_to_null, first_rows, keep, note_duplicates, with_curies
from tosg.loaders.formats.tables import Layout, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import SourceLog

_LAYOUT = Layout(
    ("doid_id", "drugbank_id", "disease", "drug", "category", "n_curators", "n_resources")
)

#: Category -> relationship type; NOT says that the drug is no indication, so it makes no edge.
_VERBS = {"DM": "TREATS", "SYM": "PALLIATES"}


class Indications(Loader):
    """See the module."""

    name = "indications"
    title = "Curated indications: which drug treats or eases which disease"
    homepage = "https://github.com/dhimmel/indications"
    license = "CC0 1.0"
    nodes = ("Disease", "Drug")
    relationships = (
        ("Drug", "PALLIATES", "Disease"),
        ("Drug", "TREATS", "Disease"),
    )
    tested_on = "the whole table"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "indications",
            ("indications.tsv", "indications.tsv.gz"),
            "drug-disease pairs with category",
            url=(
                "https://raw.githubusercontent.com/dhimmel/indications/"
                "11d535ba0884ee56c3cd5756fdfb4985f313bd80/catalog/indications.tsv"
            ),
            sha256="bc956b0092fab88975a07932b89382a0ed593d3d21df23395440cfd9a067a917",
            release="1.0",
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["indications"]
        file, origin = log.file(path), self.origin(path, release)
        shown = ("drugbank_id", "category", "doid_id")
        for raw in read_table(path, _LAYOUT, file):
            category = raw.column("category")
            batch = keep(raw, pc.not_equal(category, "NOT"), file, "not an indication", shown)
            known = pc.is_in(batch.column("category"), pa.array(list(_VERBS)))
            batch = keep(batch, known, file, "unknown category", shown)
            batch = with_curies(batch, "drugbank_id", "drugbank", file, to="start", shown=shown)
            batch = with_curies(batch, "doid_id", "doid", file, to="end", shown=shown)
            drugs, diseases = batch.column("start"), batch.column("end")
            file.parsed(batch.num_rows)
            yield _named(origin, batch, "Drug", drugs, "drug")
            yield _named(origin, batch, "Disease", diseases, "disease")
            verb = pa.array(list(_VERBS.values())).take(
                pc.index_in(batch.column("category"), pa.array(list(_VERBS)))
            )
            key = pc.binary_join_element_wise(drugs, verb, diseases, " ")
            note_duplicates(key, file, "pair given more than once")
            numbers = ("n_curators", "n_resources")
            evidence = [
                evidence_json({k: int(v) for k, v in row.items() if v.isdecimal()})
                for row in batch.select(numbers).to_pylist()
            ]
            yield origin.relationships(
                batch.num_rows,
                batch.column("line"),
                type=verb,
                start_type="Drug",
                start=drugs,
                end_type="Disease",
                end=diseases,
                evidence=evidence,
            )


def _named(
    origin: Origin, batch: pa.RecordBatch, type_: str, ids: pa.Array, name: str
) -> pa.RecordBatch:
    """Claims of the entities of one end, each where it is first named."""
    rows = first_rows(ids)
    return origin.entities(
        len(rows),
        batch.column("line").take(rows),
        type=type_,
        id=ids.take(rows),
        name=blank_to_null(batch.column(name).take(rows)),
    )
