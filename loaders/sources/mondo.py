"""MONDO: diseases under its identifiers, and their equivalents in other vocabularies."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tosg.loaders.base import FileSpec
from tosg.loaders.reference.ontology import Ontology

if TYPE_CHECKING:
    from collections.abc import Mapping


_MAPPINGS = (
    "https://raw.githubusercontent.com/monarch-initiative/mondo/master/src/ontology/mappings"
)


def _mapping(key: str, help_: str) -> FileSpec:
    name = f"mondo_exactmatch_{key}.sssom.tsv"
    return FileSpec(
        f"mapping_{key}",
        (name, f"{name}.gz"),
        f"equivalents in {help_} (SSSOM)",
        required=False,
        url=f"{_MAPPINGS}/{name}",
        license="CC0 1.0",
    )


class Mondo(Ontology):
    """See the module."""

    name = "mondo"
    title = "MONDO: diseases, as cells are labelled with, and their equivalents"
    homepage = "https://mondo.monarchinitiative.org"
    license = "CC BY 4.0"
    prefix = "mondo"
    type = "Disease"
    nodes = ("Disease",)
    relationships = (("Disease", "IS_A", "Disease"),)
    left_out: ClassVar[Mapping[str, str]] = {"mondo:0005583": "disease of another species"}
    left_out_rows: ClassVar[Mapping[str, str]] = {
        # Identifiers from 1010000 on are those of OMIA's diseases, as "hemophilia B, dog".
        r"non-human|^mondo:101\d{4} .*, ": "disease of another species"
    }
    quirks = (
        "Diseases of animals are left out.",
        "OMIM's and Orphanet's join by the mappings; the report names mappings that are absent.",
        "Only exact matches of the mappings join diseases.",
        "Subjects of mappings that are obsolete are left out.",
    )
    tested_on = "the term table of 2025-12-08 and five mapping files of 2026-08-04, all whole"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "terms",
            (
                "mondo.obo",
                "mondo*.obo",
                "mondo*.obo.gz",
                "mondo*.json",
                "mondo*.json.gz",
                "mondo.min.tsv.gz",
                "mondo.min.tsv",
            ),
            "terms (OBO, OBO graph JSON, or the Single Cell Portal's table)",
            url="http://purl.obolibrary.org/obo/mondo.obo",
            known={
                "cf5ff04adc331cb4de188e819b6d7880fa24488743d75b0043b117f1c1236384": "2025-12-08"
            },
        ),
        _mapping("doid", "the Disease Ontology"),
        _mapping("omim", "OMIM"),
        _mapping("orphanet", "Orphanet"),
        _mapping("mesh", "MeSH"),
        _mapping("umls", "UMLS"),
        _mapping("efo", "EFO"),
    )
