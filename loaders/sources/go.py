"""The Gene Ontology: processes, functions and components with definitions."""

from __future__ import annotations

from typing import ClassVar

from tosg.loaders.base import FileSpec
from tosg.loaders.reference.ontology import Ontology


class GeneOntology(Ontology):
    """See the module."""

    name = "go"
    title = "Gene Ontology: processes, functions and cellular components with definitions"
    homepage = "https://geneontology.org"
    license = "CC BY 4.0"
    prefix = "go"
    type = ""
    nodes = ("BiologicalProcess", "CellularComponent", "MolecularFunction")
    relationships = (
        ("BiologicalProcess", "IS_A", "BiologicalProcess"),
        ("BiologicalProcess", "PART_OF", "BiologicalProcess"),
        ("CellularComponent", "IS_A", "CellularComponent"),
        ("CellularComponent", "PART_OF", "CellularComponent"),
        ("MolecularFunction", "IS_A", "MolecularFunction"),
        ("MolecularFunction", "PART_OF", "BiologicalProcess"),
    )
    quirks = (
        "Terms have their type from their namespace.",
        "Alternative identifiers and those of replaced terms lead to the present term.",
    )
    tested_on = "the whole go-basic.obo of 2021-12-15, and goslim_generic as OBO graph JSON"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "terms",
            (
                "go-basic.obo",
                "go-basic*.obo",
                "go-basic*.obo.gz",
                "go*.obo",
                "go*.obo.gz",
                "go*.json",
            ),
            "terms (OBO or OBO graph JSON)",
            url="http://purl.obolibrary.org/obo/go/go-basic.obo",
            whole_bytes=4_000_000,
        ),
    )
