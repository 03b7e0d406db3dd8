"""GENCODE's annotation of the human genome: genes, their transcripts, the proteins of these."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from tosg.loaders.base import FileSpec
from tosg.loaders.formats.opening import read_preamble
from tosg.loaders.reference.genome import GenomeAnnotation
from tosg.loaders.reference.proteins import ID_MAPPING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Gencode(GenomeAnnotation):
    """See the module."""

    name = "gencode"
    title = "GENCODE: genes, transcripts and their proteins"
    homepage = "https://www.gencodegenes.org/human"
    license = "No restriction (EMBL-EBI terms of use)"
    quirks = (
        "Identifiers carry a version, which is cut off.",
        "A gene of the pseudoautosomal regions is one gene on X and Y.",
        "A transcript leads to a protein where UniProt's identifier mapping has it.",
    )
    tested_on = "an excerpt of 4,995 rows (119 genes) of release 29"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "annotation",
            ("gencode.v*.annotation.gtf.gz", "gencode*.gtf.gz", "gencode*.gtf"),
            "annotation (GTF)",
            url=(
                "https://ftp.ebi.ac.uk/pub/databases/gencode/Gencode_human/release_47/"
                "gencode.v47.annotation.gtf.gz"
            ),
            whole_bytes=20_000_000,
        ),
        ID_MAPPING,
    )

    def _release(self, files: Mapping[str, Path]) -> str:
        said = " ".join(read_preamble(files["annotation"]))
        found = re.search(r"version (\d+)", said)
        return found.group(1) if found else ""
