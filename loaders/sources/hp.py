"""The Human Phenotype Ontology: symptoms and other abnormalities of people."""

from __future__ import annotations

from typing import ClassVar

from tosg.loaders.base import FileSpec
from tosg.loaders.reference.ontology import Ontology


class HumanPhenotypes(Ontology):
    """See the module."""

    name = "hp"
    title = "Human Phenotype Ontology: symptoms with definitions and synonyms"
    homepage = "https://hpo.jax.org"
    license = "HPO licence"
    prefix = "hp"
    type = "Phenotype"
    nodes = ("Phenotype",)
    relationships = (("Phenotype", "IS_A", "Phenotype"),)
    roots = ("hp:0000118",)
    quirks = (
        "Only what is below 'Phenotypic abnormality' is read: not modes of inheritance and onset.",
    )
    tested_on = "the whole hp.obo of 2025-01-16"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "terms",
            ("hp.obo", "hp.obo.gz", "hp.json", "hp.json.gz"),
            "terms (OBO or OBO graph JSON)",
            url="http://purl.obolibrary.org/obo/hp.obo",
            whole_bytes=1_500_000,
        ),
    )
