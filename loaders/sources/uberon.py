"""UBERON: organs, tissues and other parts of the body."""

from __future__ import annotations

from typing import ClassVar

from tosg.loaders.base import FileSpec
from tosg.loaders.reference.ontology import Ontology


class Uberon(Ontology):
    """See the module."""

    name = "uberon"
    title = "UBERON: anatomy, as cells are labelled with"
    homepage = "https://obophenotype.github.io/uberon"
    license = "CC BY 3.0"
    prefix = "uberon"
    type = "Anatomy"
    nodes = ("Anatomy",)
    relationships = (("Anatomy", "IS_A", "Anatomy"), ("Anatomy", "PART_OF", "Anatomy"))
    tested_on = "the whole term table, and the module of UBERON that MONDO imports (4,871 terms)"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "terms",
            (
                "uberon-basic.obo",
                "uberon-basic*.obo",
                "uberon-basic*.obo.gz",
                "uberon.obo",
                "uberon-basic.json",
                "uberon.json",
                "uberon.min.tsv.gz",
                "uberon.min.tsv",
            ),
            "terms (OBO, OBO graph JSON, or the Single Cell Portal's table)",
            url="http://purl.obolibrary.org/obo/uberon/basic.obo",
            known={
                "9558ea7e1add0de76e28e934dc2b05c5ff92f402c2f10100fbd713e55a6b1be7": "2025-12-08"
            },
        ),
        FileSpec(
            "module",
            ("uberon_import.obo", "uberon_import.obo.gz"),
            "definitions of a part of the terms (OBO)",
            required=False,
            url="https://raw.githubusercontent.com/monarch-initiative/mondo/master/src/ontology/imports/uberon_import.obo",
        ),
    )
