"""ChEBI: small molecules of biology with definitions and synonyms."""

from __future__ import annotations

from typing import ClassVar

from tosg.loaders.base import FileSpec
from tosg.loaders.reference.ontology import Ontology


class Chebi(Ontology):
    """See the module."""

    name = "chebi"
    title = "ChEBI: small molecules with definitions, synonyms and their classes"
    homepage = "https://www.ebi.ac.uk/chebi"
    license = "CC BY 4.0"
    prefix = "chebi"
    type = "Metabolite"
    nodes = ("Metabolite",)
    relationships = (("Metabolite", "IS_A", "Metabolite"),)
    quirks = ("Subatomic particles and roles are terms of ChEBI too: only molecules are read.",)
    roots = ("chebi:24431",)
    tested_on = "the module of ChEBI that MONDO imports (1,085 terms)"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "terms",
            ("chebi.obo.gz", "chebi*.obo.gz", "chebi*.obo", "chebi*.json", "chebi*.json.gz"),
            "terms (OBO or OBO graph JSON)",
            url="https://ftp.ebi.ac.uk/pub/databases/chebi/ontology/chebi.obo.gz",
            whole_bytes=10_000_000,
        ),
    )
