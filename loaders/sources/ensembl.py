"""Ensembl's annotation of the human genome: genes, their transcripts, and the proteins of these."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from tosg.loaders.base import FileSpec
from tosg.loaders.reference.genome import GenomeAnnotation
from tosg.loaders.reference.proteins import ID_MAPPING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Ensembl(GenomeAnnotation):
    """See the module."""

    name = "ensembl"
    title = "Ensembl: genes, transcripts and their proteins"
    homepage = "https://www.ensembl.org"
    license = "No restriction (EMBL-EBI terms of use)"
    quirks = (
        "Identifiers have no version; it is an attribute of its own.",
        "Attributes come in any order.",
        "A transcript leads to a protein where UniProt's identifier mapping has it.",
    )
    tested_on = "an excerpt of 2,446 rows (84 genes)"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "annotation",
            (
                "Homo_sapiens.GRCh38.*.gtf.gz",
                "Homo_sapiens*.gtf*",
                "ensembl*.gtf.gz",
                "ensembl*.gtf",
            ),
            "annotation (GTF)",
            url="https://ftp.ensembl.org/pub/release-113/gtf/homo_sapiens/Homo_sapiens.GRCh38.113.gtf.gz",
            whole_bytes=20_000_000,
        ),
        ID_MAPPING,
    )

    def _release(self, files: Mapping[str, Path]) -> str:
        found = re.search(r"\.GRCh\d+\.(\d+)\.", files["annotation"].name)
        return found.group(1) if found else ""
