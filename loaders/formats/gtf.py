"""Reading GTF: genes, transcripts and proteins of a genome, as Ensembl and GENCODE publish them.

The format: https://www.ensembl.org/info/website/upload/gff.html. Attributes come in any order,
some without quotes, some more than once. Identifiers may carry a version, which is cut off.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import curies
from tosg.loaders.columns import blank_to_null, keep, keep_identified
from tosg.loaders.formats.tables import Layout, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tosg.kg.claims.log import FileLog
    from tosg.loaders.base import Origin

_LAYOUT = Layout(
    (
        "seqname",
        "source",
        "feature",
        "start",
        "end",
        "score",
        "strand",
        "frame",
        "attribute",
    ),
    header=False,
    comment="#",
)


@dataclass
class Coding:
    """Which protein (ENSP) each transcript (ENST) is translated to, as the CDS rows say."""

    proteins: dict[str, tuple[str, int]] = field(default_factory=dict)


def gtf_claims(
    path: Path, file: FileLog, origin: Origin, coding: Coding
) -> Iterator[pa.RecordBatch]:
    """Claims of genes, of transcripts and of ``TRANSCRIBED_TO``; fills `coding` from CDS rows.

    Other rows (exons, codons, untranslated regions) are counted as read and used.
    """
    for batch in read_table(path, _LAYOUT, file):
        shown = ("feature", "attribute")
        rows = _identified(batch, "gene_id", "gene", file, shown)
        transcript = pc.not_equal(rows.column("feature"), "gene")
        with_id = pc.or_(pc.invert(transcript), _is_ensembl(_attribute(rows, "transcript_id")))
        rows = keep(rows, with_id, file, BAD_ID, shown)
        file.parsed(rows.num_rows)
        yield _genes(rows.filter(pc.equal(rows.column("feature"), "gene")), origin)
        yield from _transcripts(rows.filter(pc.equal(rows["feature"], "transcript")), origin)
        _note_proteins(rows.filter(pc.equal(rows.column("feature"), "CDS")), coding)


def translated_claims(
    coding: Coding, accessions: dict[str, str], file: FileLog, origin: Origin
) -> pa.RecordBatch:
    """Claims of ``TRANSLATED_TO`` for the transcripts whose protein UniProt has.

    Parameters
    ----------
    coding : Coding
        As `gtf_claims` fills it.
    accessions : dict
        ENST or ENSP -> UniProt CURIE.
    file : FileLog
        Counts those that have none.
    origin : Origin
    """
    rows = []
    for transcript, (protein, line) in coding.proteins.items():
        found = accessions.get(transcript) or accessions.get(protein)
        if found is not None:
            rows.append((transcript, found, line))
    if missing := len(coding.proteins) - len(rows):
        file.note("coding transcript without a UniProt entry", missing)
    return origin.relationships(
        len(rows),
        pa.array([line for _, _, line in rows], pa.int64()),
        type="TRANSLATED_TO",
        start_type="Transcript",
        start=pa.array([f"ensembl:{t}" for t, _, _ in rows], pa.string()),
        end_type="Protein",
        end=pa.array([p for _, p, _ in rows], pa.string()),
    )


def _attribute(batch: pa.RecordBatch, name: str) -> pa.Array:
    """Value of an attribute, quoted or not; null where it is not there."""
    pattern = rf'(?:^|; ?){name} "?(?P<value>[^";]*)'
    return blank_to_null(
        pc.struct_field(pc.extract_regex(batch.column("attribute"), pattern), "value")
    )


def _stable(ids: pa.Array) -> pa.Array:
    """Identifiers without version; that of the copy on chromosome Y is a part of the identifier."""
    return pc.replace_substring_regex(ids, r"\.\d+(?:_PAR_Y)?$", "")


def _is_ensembl(ids: pa.Array) -> pa.Array:
    return pc.fill_null(pc.match_substring_regex(_stable(ids), r"^ENST\d{11}$"), False)


def _identified(
    batch: pa.RecordBatch, attribute: str, to: str, file: FileLog, shown: tuple[str, str]
) -> pa.RecordBatch:
    stable = _stable(_attribute(batch, attribute))
    human = pc.fill_null(pc.match_substring_regex(stable, r"^ENSG\d{11}$"), False)
    ids = pc.if_else(human, curies(stable, "ensembl"), pa.scalar(None, pa.string()))
    batch = batch.append_column(to, ids).append_column("stable", stable)
    other = pc.match_substring_regex(stable, r"^ENS[A-Z]+G\d{11}$")
    foreign = pc.and_(pc.fill_null(other, False), pc.invert(human))
    batch = keep(batch, pc.invert(foreign), file, "other species", shown)
    return keep_identified(batch, to, "stable", file, shown).drop_columns(["stable"])


def _genes(batch: pa.RecordBatch, origin: Origin) -> pa.RecordBatch:
    symbol = _attribute(batch, "gene_name")
    return origin.entities(
        batch.num_rows,
        batch.column("line"),
        type="Gene",
        id=batch.column("gene"),
        symbol=symbol,
        name=pc.coalesce(symbol, _stable(_attribute(batch, "gene_id"))),
    )


def _transcripts(batch: pa.RecordBatch, origin: Origin) -> Iterator[pa.RecordBatch]:
    ids = curies(_stable(_attribute(batch, "transcript_id")), "ensembl")
    kind = pc.coalesce(
        _attribute(batch, "transcript_biotype"), _attribute(batch, "transcript_type"), ""
    )
    yield origin.entities(
        batch.num_rows,
        batch.column("line"),
        type="Transcript",
        id=ids,
        name=pc.coalesce(
            _attribute(batch, "transcript_name"), _stable(_attribute(batch, "transcript_id"))
        ),
        description=blank_to_null(pc.replace_substring(kind, "_", " ")),
    )
    yield origin.relationships(
        batch.num_rows,
        batch.column("line"),
        type="TRANSCRIBED_TO",
        start_type="Gene",
        start=batch.column("gene"),
        end_type="Transcript",
        end=ids,
    )


def _note_proteins(batch: pa.RecordBatch, coding: Coding) -> None:
    columns = (_stable(_attribute(batch, name)) for name in ("transcript_id", "protein_id"))
    lists = (column.to_pylist() for column in (*columns, batch.column("line")))
    for transcript, protein, line in zip(*lists, strict=True):
        if transcript and protein:
            coding.proteins.setdefault(transcript, (protein, line))
