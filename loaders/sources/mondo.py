"""MONDO: diseases under its identifiers."""

from __future__ import annotations

from typing import ClassVar

from tosg.loaders.base import FileSpec
from tosg.loaders.formats.term_tables import PORTAL, TermTable


class Mondo(TermTable):
    """Diseases under MONDO's identifiers."""

    name = "mondo"
    title = "MONDO: diseases, as cells are labelled with"
    homepage = "https://mondo.monarchinitiative.org"
    license = "CC BY 4.0"
    nodes = ("Disease",)
    prefix = "mondo"
    type = "Disease"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "terms",
            ("mondo.min.tsv.gz", "mondo*.tsv.gz", "mondo*.tsv"),
            "terms (id, label, synonyms)",
            url=f"{PORTAL}/mondo.min.tsv.gz",
            sha256="cf5ff04adc331cb4de188e819b6d7880fa24488743d75b0043b117f1c1236384",
            release="2025-12-08",
        ),
    )
