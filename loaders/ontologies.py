"""MONDO, the Cell Ontology and UBERON as small tables (id, label, synonyms), and OBO slims.

The tables are those of the Single Cell Portal: no header, ids with an underscore, synonyms joined
by ``||``. They give every term a node, so that cells labelled with it find the graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.curies import curies
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.obo import open_obo, read_terms
from tosg.loaders.rows import blank_to_null, keep, note_duplicates, split
from tosg.loaders.tables import Layout, read_table
from tosg.loaders.terms import claims_of_terms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.source_log import SourceLog

_LAYOUT = Layout(("id", "label", "synonyms"), header=False)
_PORTAL = (
    "https://raw.githubusercontent.com/broadinstitute/scp-ingest-pipeline/"
    "33577a276502bc63e8e8e8d55b2165154f46586d/ingest/validation/ontologies"
)
_CELL_ONTOLOGY = (
    "https://raw.githubusercontent.com/obophenotype/cell-ontology/"
    "fd61b954f3eba08f5780f2c86eba72913d35b5d4/src/ontology/subsets"
)


class _Ontology(Loader):
    """A table of terms, and OBO files where there are any."""

    prefix: ClassVar[str]
    type: ClassVar[str]
    #: Types of the terms that are taken from OBO files, by prefix.
    obo_types: ClassVar[Mapping[str, str]] = {}

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["terms"]
        file, origin = log.file(path), self.origin(path, release)
        seen: list[pa.Array] = []
        for raw in read_table(path, _LAYOUT, file):
            ids = curies(raw.column("id"), self.prefix)
            batch = raw.append_column("curie", ids)
            batch = keep(batch, ids.is_valid(), file, "bad identifier", ("id", "label"))
            current = pc.invert(pc.match_substring_regex(batch.column("label"), "(?i)^obsolete "))
            batch = keep(batch, current, file, "obsolete", ("id", "label"))
            file.parsed(batch.num_rows)
            seen.append(batch.column("curie"))
            yield origin.entities(
                batch.num_rows,
                batch.column("line"),
                type=self.type,
                id=batch.column("curie"),
                name=blank_to_null(batch.column("label")),
                synonyms=split(batch.column("synonyms"), "||"),
            )
        note_duplicates(pa.concat_arrays(seen), file, "identifier given more than once")
        for spec in self.files[1:]:
            if spec.key in files:
                obo = open_obo(files[spec.key])
                file = log.file(obo.path)
                given = str(self.options.get("release", obo.release))
                origin = self.origin(obo.path, given, part=spec.key)
                terms = read_terms(obo, file)
                yield from claims_of_terms(terms, file, origin, self.obo_types)


class Mondo(_Ontology):
    """Diseases under MONDO's identifiers."""

    name = "mondo"
    title = "MONDO: diseases, as cells are labelled with"
    homepage = "https://mondo.monarchinitiative.org"
    license = "CC BY 4.0"
    prefix = "mondo"
    type = "Disease"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "terms",
            ("mondo.min.tsv.gz", "mondo*.tsv.gz", "mondo*.tsv"),
            "terms (id, label, synonyms)",
            url=f"{_PORTAL}/mondo.min.tsv.gz",
            sha256="cf5ff04adc331cb4de188e819b6d7880fa24488743d75b0043b117f1c1236384",
            release="2025-12-08",
        ),
    )


class CellOntology(_Ontology):
    """Cell types, and the terms of other ontologies that define them."""

    name = "cl"
    title = "Cell Ontology: cell types with definitions"
    homepage = "https://obophenotype.github.io/cell-ontology"
    license = "CC BY 4.0"
    prefix = "cl"
    type = "CellType"
    obo_types: ClassVar[Mapping[str, str]] = {"cl": "CellType", "uberon": "Anatomy", "go": ""}
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "terms",
            ("cl.min.tsv.gz", "cl.min.tsv"),
            "terms (id, label, synonyms)",
            url=f"{_PORTAL}/cl.min.tsv.gz",
            sha256="491b0ac380d5db52a5850e4ae7ea492e9906656dd098d7fc47c71d6b7876bcce",
            release="2025-12-01",
        ),
        FileSpec(
            "general_slim",
            ("general_cell_types_upper_slim.obo",),
            "general cell types with definitions (OBO)",
            required=False,
            url=f"{_CELL_ONTOLOGY}/general_cell_types_upper_slim.obo",
            sha256="c1da852f27157742be4b2324ef1067277d15aafd96b627030768ef6edddcfc80",
        ),
        FileSpec(
            "immune_slim",
            ("blood_and_immune_upper_slim.obo",),
            "blood and immune cells with definitions (OBO)",
            required=False,
            url=f"{_CELL_ONTOLOGY}/blood_and_immune_upper_slim.obo",
            sha256="62e111627577a451b83884bb229b027572cb54d2e5886850a587d4f9375f6002",
        ),
    )


class Uberon(_Ontology):
    """Organs and tissues."""

    name = "uberon"
    title = "UBERON: organs, tissues and other parts of the body"
    homepage = "https://obophenotype.github.io/uberon"
    license = "CC BY 3.0"
    prefix = "uberon"
    type = "Anatomy"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "terms",
            ("uberon.min.tsv.gz", "uberon.min.tsv"),
            "terms (id, label, synonyms)",
            url=f"{_PORTAL}/uberon.min.tsv.gz",
            sha256="9558ea7e1add0de76e28e934dc2b05c5ff92f402c2f10100fbd713e55a6b1be7",
            release="2025-12-08",
        ),
    )
