"""The Disease Ontology: terms, definitions, synonyms, cross-references and ``is_a`` links.

The OBO file is required; the two tables of newer releases add definitions and cross-references.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.curies import curie_map
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import blank_to_null, first_rows, known_curies, with_curies
from tosg.loaders.formats.obo import open_obo, parse_terms
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.formats.terms import claims_of_terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.formats.obo import Term

_NEWER = (
    "https://raw.githubusercontent.com/DiseaseOntology/HumanDiseaseOntology/"
    "9fbefd6651b79526165453395d06c8fd4bfe4247"
)
_FACETS = Layout(("?id", "?name", "?definition"), enclosed=True)
_XREFS = Layout(("id", "label", "xref"), enclosed=True)


class DiseaseOntology(Loader):
    """See the module."""

    name = "disease_ontology"
    title = "Disease Ontology: diseases with definitions, synonyms, cross-references"
    homepage = "https://disease-ontology.org"
    license = "CC BY 3.0"
    nodes = ("Disease",)
    relationships = (("Disease", "IS_A", "Disease"),)
    tested_on = (
        "the whole OBO file of 2015-05-14, the whole mapping file and the text facets of 2026"
    )
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "terms",
            ("HumanDO.obo", "doid.obo", "HumanDO.obo.gz", "doid.obo.gz"),
            "terms (OBO)",
            url=(
                "https://raw.githubusercontent.com/dhimmel/disease-ontology/"
                "052ffcc960f5897a0575f5feff904ca84b7d2c1d/download/HumanDO.obo"
            ),
            sha256="220921d830b1b8c71054e5e3fc73f0774ce35e2406f4e33eda18021a50535364",
        ),
        FileSpec(
            "definitions",
            ("facets.tsv.gz", "facets.tsv"),
            "definitions of a newer release",
            required=False,
            url=f"{_NEWER}/src/facets.tsv.gz",
            sha256="54f38b0ee7e3b20c0d3f04652f876a26839189997ed221c33c54e8796a9177e8",
            release="2026",
        ),
        FileSpec(
            "xrefs",
            ("allXREFinDO.tsv", "allXREFinDO.tsv.gz"),
            "cross-references of a newer release",
            required=False,
            url=f"{_NEWER}/DOreports/allXREFinDO.tsv",
            sha256="5cc96c482609e61fe89bb929bc11fd9a4006018b44631b0c22766ea4b09c986c",
            release="2026",
        ),
    )

    #: Licence of the two tables; the old OBO file states its own.
    newer_license: ClassVar[str] = "CC0 1.0"

    def _release(self, files: Mapping[str, Path]) -> str:
        return open_obo(files["terms"]).release

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        tables = {
            key: _rows(files[key], layout, log.file(files[key]))
            for key, layout in (("definitions", _FACETS), ("xrefs", _XREFS))
            if key in files
        }
        obo = open_obo(files["terms"])
        file = log.file(obo.path)
        terms = _of_today(list(parse_terms(obo, file)), tables.values(), file)
        # The definitions come first: they are of a newer release than the terms.
        origin = self.origin(obo.path, release, part="terms")
        yield from claims_of_terms(terms, file, origin, {"doid": "Disease"})
        for key, rows in tables.items():
            path = files[key]
            part = "" if key == "definitions" else key
            origin = self.origin(path, self.file_release(files, key), self.newer_license, part)
            extra: dict[str, pa.Array] = {}
            if key == "definitions":
                rows = rows.take(first_rows(rows.column("curie")))
                extra["description"] = blank_to_null(rows.column("text"))
            else:
                rows, xrefs = _grouped(rows)
                extra["xrefs"] = known_curies(xrefs, log.file(path))
            yield origin.entities(
                rows.num_rows,
                rows.column("line"),
                type="Disease",
                id=rows.column("curie"),
                name=blank_to_null(rows.column("name")),
                **extra,
            )


def _of_today(terms: list[Term], tables: Iterable[pa.RecordBatch], file: FileLog) -> list[Term]:
    """Give the terms their names of today; the former name becomes a synonym.

    Names join diseases of different sources, and a former name may by now be another disease's:
    DOID:1826 was "epilepsy syndrome" and is "epilepsy". So may an alternative id: DOID:2442 was
    one of "paranasal sinus cancer" and is a carcinoma of its own.
    """
    today: dict[str, str] = {}
    for rows in tables:
        names = blank_to_null(rows.column("name")).to_pylist()
        for id_, name in zip(rows.column("curie").to_pylist(), names, strict=True):
            if name is not None:
                today.setdefault(id_, name)
    ids = curie_map(id_ for term in terms for id_ in (term.id, *term.alt_ids))
    for term in terms:
        own = [alt for alt in term.alt_ids if ids.get(alt) in today]
        if own:
            kind = "alternative id that is a term of its own today"
            file.note(kind, len(own), [f"{term.id} | {alt}" for alt in own])
            term.alt_ids = [alt for alt in term.alt_ids if alt not in own]
        name = today.get(ids.get(term.id, ""))
        if name is not None and term.name and name != term.name and not term.obsolete:
            file.note("term that has another name today", 1, f"{term.id} | {term.name} | {name}")
            term.synonyms.append(term.name)
            term.name = name
    return terms


def _rows(path: Path, layout: Layout, file: FileLog) -> pa.RecordBatch:
    """All rows of one of the tables, with columns ``curie, name, text, line``."""
    key, name, text = layout.columns
    batches = []
    for raw in read_table(path, layout, file):
        batch = with_curies(raw, key, "doid", file, shown=(key, name))
        file.parsed(batch.num_rows)
        arrays = [
            batch.column("curie"),
            batch.column(name),
            batch.column(text),
            batch.column("line"),
        ]
        batches.append(pa.record_batch(arrays, names=["curie", "name", "text", "line"]))
    table = pa.Table.from_batches(batches).combine_chunks()
    columns = [column.combine_chunks() for column in table.columns]
    return pa.record_batch(columns, names=table.column_names)


def _grouped(rows: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.ListArray]:
    """One row per disease and the list of its texts."""
    order = pc.sort_indices(rows, sort_keys=[("curie", "ascending"), ("line", "ascending")])
    rows = rows.take(order)
    starts = first_rows(rows.column("curie"))
    offsets = pa.array([*starts.to_pylist(), rows.num_rows], pa.int32())
    return rows.take(starts), pa.ListArray.from_arrays(offsets, rows.column("text"))
