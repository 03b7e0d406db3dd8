"""UBERON: organs, tissues and other parts of the body."""

from __future__ import annotations

from typing import ClassVar

from tosg.loaders.base import FileSpec
from tosg.loaders.formats.term_tables import PORTAL, TermTable


class Uberon(TermTable):
    """Organs and tissues."""

    name = "uberon"
    title = "UBERON: organs, tissues and other parts of the body"
    homepage = "https://obophenotype.github.io/uberon"
    license = "CC BY 3.0"
    nodes = ("Anatomy",)
    prefix = "uberon"
    type = "Anatomy"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "terms",
            ("uberon.min.tsv.gz", "uberon.min.tsv"),
            "terms (id, label, synonyms)",
            url=f"{PORTAL}/uberon.min.tsv.gz",
            sha256="9558ea7e1add0de76e28e934dc2b05c5ff92f402c2f10100fbd713e55a6b1be7",
            release="2025-12-08",
        ),
    )
