"""What the annotations of genomes share: a GTF file, and UniProt's mapping of their proteins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.loaders.base import Loader
from tosg.loaders.formats.gtf import Coding, gtf_claims, translated_claims
from tosg.loaders.reference.proteins import ensembl_accessions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import SourceLog


class GenomeAnnotation(Loader):
    """Genes and transcripts of a GTF file; proteins where UniProt's mapping is there."""

    nodes = ("Gene", "Transcript")
    relationships = (
        ("Gene", "TRANSCRIBED_TO", "Transcript"),
        ("Transcript", "TRANSLATED_TO", "Protein"),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["annotation"]
        file, origin = log.file(path), self.origin(path, release)
        coding = Coding()
        yield from gtf_claims(path, file, origin, coding)
        if "id_mapping" in files:
            mapping = files["id_mapping"]
            accessions = ensembl_accessions(mapping, log.file(mapping))
            yield translated_claims(coding, accessions, file, origin)
        elif coding.proteins:
            file.note("coding transcript without UniProt's mapping", len(coding.proteins))
