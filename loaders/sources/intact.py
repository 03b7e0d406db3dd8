"""IntAct: pairs of proteins that were seen to interact.

Both ends must be human proteins of UniProt's table, which is read too. Isoforms (``-2``) and
chains (``-PRO_0000045``) count for the protein they belong to; the original ids stay in the
evidence. The same pair in either order, or again, is one claim with the number of its rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.curies import curies
from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.columns import keep, keep_identified
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.proteins import UNIPROT_TAB, human_proteins

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog

_LAYOUT = Layout(("A", "B"), delimiter=",", quoted=True)
_ENDS = ("A", "B")


class IntAct(Loader):
    """See the module."""

    name = "intact"
    title = "IntAct: molecular interactions of human proteins"
    homepage = "https://www.ebi.ac.uk/intact"
    license = "CC BY 4.0"
    relationships = (("Protein", "INTERACTS_WITH", "Protein"),)
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "interactions",
            ("IntAct_interaction_raw.csv.xz", "IntAct*.csv.xz", "IntAct*.csv.gz", "IntAct*.csv"),
            "pairs of interactors",
            url=(
                "https://raw.githubusercontent.com/Teichlab/cellphonedb/"
                "dca1c26555b012df30af0f2521cd4df317cf4600/cellphonedb/src/core/data/sources/"
                "IntAct_interaction_raw.csv.xz"
            ),
            sha256="b52cf61bcdabff0ff360ed341154df86a18e1a5b316d6aeccebc6a9df58dffb4",
            release="2019-06-21",  # day of CellPhoneDB's snapshot
        ),
        UNIPROT_TAB,
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        proteins = files["proteins"]
        known = [b.column("curie") for b in human_proteins(proteins, log.file(proteins))]
        human = pa.concat_arrays(known)
        path = files["interactions"]
        file, origin = log.file(path), self.origin(path, release)
        batches = [_pairs(raw, human, file) for raw in read_table(path, _LAYOUT, file)]
        rows = pa.Table.from_batches(batches)
        loops = pc.equal(rows.column("start"), rows.column("end"))
        if count := pc.sum(loops).as_py() or 0:
            file.note("protein that interacts with itself, kept out", count)
        pairs = _grouped(rows.filter(pc.invert(loops)))
        repeated = pc.sum(pc.subtract(pairs.column("rows"), 1)).as_py() or 0
        if repeated:
            file.note("pair given again, counted as evidence", repeated)
        for batch in pairs.to_batches():
            yield origin.relationships(
                batch.num_rows,
                batch.column("line"),
                type="INTERACTS_WITH",
                start_type="Protein",
                start=batch.column("start"),
                end_type="Protein",
                end=batch.column("end"),
                evidence=batch.column("evidence"),
            )


def _pairs(batch: pa.RecordBatch, human: pa.Array, file: FileLog) -> pa.RecordBatch:
    """Ordered pairs of CURIEs, the ids that were more than an accession, and the line."""
    for end in _ENDS:
        there = pc.not_equal(pc.utf8_trim_whitespace(batch.column(end)), "")
        batch = keep(batch, there, file, "interactor missing", _ENDS)
    for end in _ENDS:
        protein = pc.match_substring_regex(batch.column(end), r"^uniprotkb:")
        batch = keep(batch, protein, file, "interactor that is no UniProt protein", _ENDS)
    for end in _ENDS:
        text = pc.utf8_trim_whitespace(batch.column(end))
        plain = pc.replace_substring_regex(text, r"-(?:\d+|PRO_\d+)$", "")
        batch = batch.append_column(f"{end}_id", curies(plain, "uniprot"))
        more = pc.if_else(pc.equal(text, plain), pa.scalar(None, pa.string()), text)
        batch = batch.append_column(f"{end}_more", pc.replace_substring(more, "uniprotkb:", ""))
    for end in _ENDS:
        batch = keep_identified(batch, f"{end}_id", end, file, _ENDS)
    for end in _ENDS:
        found = pc.is_in(batch.column(f"{end}_id"), human)
        batch = keep(batch, found, file, "protein that is not in the human table", _ENDS)
    file.parsed(batch.num_rows)
    first, second = batch.column("A_id"), batch.column("B_id")
    in_order = pc.less_equal(first, second)
    return pa.record_batch(
        {
            "start": pc.if_else(in_order, first, second),
            "end": pc.if_else(in_order, second, first),
            "a_more": batch.column("A_more"),
            "b_more": batch.column("B_more"),
            "line": batch.column("line"),
        }
    )


def _grouped(rows: pa.Table) -> pa.Table:
    """One row per pair: first line, number of rows, evidence."""
    order = [("start", "ascending"), ("end", "ascending"), ("line", "ascending")]
    rows = rows.sort_by(order).combine_chunks()
    start, end = rows.column("start").to_numpy(), rows.column("end").to_numpy()
    new = np.ones(len(start), bool)
    new[1:] = (start[1:] != start[:-1]) | (end[1:] != end[:-1])
    firsts = np.flatnonzero(new)
    counts = np.diff(np.append(firsts, len(start)))
    evidence = pa.array([f'{{"evidence_count":{n}}}' for n in counts.tolist()], pa.string())
    pairs = rows.take(pa.array(firsts)).append_column("rows", pa.array(counts))
    more = _more(rows, np.cumsum(new) - 1)
    texts = [evidence_json({"evidence_count": int(counts[p]), "isoforms": ids}) for p, ids in more]
    mask = np.zeros(len(firsts), bool)
    mask[[p for p, _ in more]] = True
    evidence = pc.replace_with_mask(evidence, pa.array(mask), pa.array(texts, pa.string()))
    return pairs.append_column("evidence", evidence)


def _more(
    rows: pa.Table, pair: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> list[tuple[int, list[str]]]:
    """Pairs with isoforms or chains, in order, and the ids of these."""
    found: dict[int, set[str]] = {}
    for column in ("a_more", "b_more"):
        values = rows.column(column).combine_chunks()
        there = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
        for position, id_ in zip(there.tolist(), values.drop_null().to_pylist(), strict=True):
            found.setdefault(int(pair[position]), set()).add(id_)
    return [(position, sorted(found[position])) for position in sorted(found)]
