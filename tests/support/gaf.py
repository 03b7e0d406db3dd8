"""Rows of GAF, GPAD and GPI."""

from __future__ import annotations

from support.reference_tables import tsv

GAF = "!gaf-version: 2.2\n!\n!generated-by: GOC\n!date-generated: 2023-04-02T12:17\n"


def gaf_row(
    subject: str, relation: str, term: str, aspect: str, *, taxon: str = "taxon:9606",
    code: str = "IDA", more: str = " ;  ", reference: str = "PMID:12|GO_REF:0000043",
) -> str:  # fmt: skip
    """One row; ``more`` are the columns 16 and 17, which may be cut off."""
    db, _, local = subject.partition(":")
    row = (
        f"{db} ; {local} ; AAA1 ; {relation} ; {term} ; {reference} ; {code} ; with:1 ; {aspect}"
        f" ; a name ; SYN|SYN2 ; protein ; {taxon} ; 20230306 ; UniProt ; {more}"
    )
    return tsv(row)
