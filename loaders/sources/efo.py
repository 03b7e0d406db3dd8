"""EFO: diseases of the Experimental Factor Ontology, as GWAS and Open Targets name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tosg.loaders.base import FileSpec
from tosg.loaders.reference.ontology import Ontology

if TYPE_CHECKING:
    from collections.abc import Mapping


class ExperimentalFactors(Ontology):
    """See the module."""

    name = "efo"
    title = "Experimental Factor Ontology: its diseases, with mappings to MONDO"
    homepage = "https://www.ebi.ac.uk/efo"
    license = "Apache-2.0"
    prefix = "efo"
    type = "Disease"
    nodes = ("Disease",)
    relationships = (("Disease", "IS_A", "Disease"),)
    others: ClassVar[Mapping[str, str]] = {"mondo": "Disease", "doid": "Disease"}
    roots = ("efo:0000408", "mondo:0000001")
    quirks = (
        "Only what is below 'disease' is read: measurements, cell lines and assays are left out.",
        "Terms of MONDO in the file keep MONDO's identifiers.",
    )
    tested_on = "a small file in the layout of efo.obo; no whole file could be had"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "terms",
            ("efo.obo", "efo.obo.gz", "efo.json", "efo.json.gz"),
            "terms (OBO or OBO graph JSON)",
            url="http://www.ebi.ac.uk/efo/efo.obo",
            whole_bytes=5_000_000,
        ),
    )
