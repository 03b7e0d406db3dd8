"""The Cell Ontology: cell types, and the terms of other ontologies that define them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tosg.loaders.base import FileSpec
from tosg.loaders.reference.ontology import Ontology

if TYPE_CHECKING:
    from collections.abc import Mapping

_CELL_ONTOLOGY = (
    "https://raw.githubusercontent.com/obophenotype/cell-ontology/"
    "fd61b954f3eba08f5780f2c86eba72913d35b5d4/src/ontology/subsets"
)


class CellOntology(Ontology):
    """Cell types, and the terms of other ontologies that define them."""

    name = "cl"
    title = "Cell Ontology: cell types with definitions"
    homepage = "https://obophenotype.github.io/cell-ontology"
    license = "CC BY 4.0"
    nodes = ("Anatomy", "BiologicalProcess", "CellType")
    relationships = (
        ("CellType", "IS_A", "CellType"),
        ("CellType", "PART_OF", "Anatomy"),
    )
    prefix = "cl"
    type = "CellType"
    others: ClassVar[Mapping[str, str]] = {"uberon": "Anatomy", "go": ""}
    tested_on = "the whole term table, two slims, and the module of CL that MONDO imports"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "terms",
            (
                "cl-basic.obo",
                "cl-basic*.obo",
                "cl-basic*.obo.gz",
                "cl.obo",
                "cl.json",
                "cl.min.tsv.gz",
                "cl.min.tsv",
            ),
            "terms (OBO, OBO graph JSON, or the Single Cell Portal's table)",
            url="http://purl.obolibrary.org/obo/cl/cl-basic.obo",
            known={
                "491b0ac380d5db52a5850e4ae7ea492e9906656dd098d7fc47c71d6b7876bcce": "2025-12-01"
            },
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
        FileSpec(
            "module",
            ("cl_import.obo", "cl_import.obo.gz"),
            "definitions of a part of the terms (OBO)",
            required=False,
            url=(
                "https://raw.githubusercontent.com/monarch-initiative/mondo/master/src/ontology/"
                "imports/cl_import.obo"
            ),
        ),
    )
