"""A small annotation of the human genome in GTF, as Ensembl and GENCODE write it."""

from __future__ import annotations

GENE, FIRST, SECOND = "ENSG00000141510", "ENST00000269305", "ENST00000269306"


def annotation(*, contig: str, version: str, kind: str) -> str:
    """Rows of a gene with two transcripts, of which one is translated; the last row is wrong.

    Parameters
    ----------
    contig : str
        The chromosome.
    version : str
        What follows an identifier, as ``.5``.
    kind : str
        What ends the names of types: ``biotype`` or ``type``.
    """

    def row(feature: str, **attributes: str) -> str:
        said = " ".join(f'{name} "{value}";' for name, value in attributes.items())
        rest = ("1", "9", ".", "-", ".", f'{said} level 2; tag "basic";')
        return "\t".join((contig, "havana", feature, *rest)) + "\n"

    gene, first, second = (f"{id_}{version}" for id_ in (GENE, FIRST, SECOND))
    of_transcript = f"transcript_{kind}"
    coding, retained = {of_transcript: "protein_coding"}, {of_transcript: "retained_intron"}
    return (
        row("gene", gene_id=gene, **{f"gene_{kind}": "protein_coding"}, gene_name="TP53")
        + row("transcript", gene_id=gene, transcript_id=first, **coding)
        + row("CDS", gene_id=gene, transcript_id=first, protein_id=f"ENSP00000269305{version}")
        + row("transcript", gene_id=gene, transcript_id=second, **retained)
        + row("exon", gene_id="bad", transcript_id=second)
    )
