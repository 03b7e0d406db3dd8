"""IntAct: pairs of molecules that were seen to interact, with the MI score.

The file is PSI-MI TAB 2.7, or the older table of identifiers that CellPhoneDB kept, whichever it
is. That one says no species: both ends must be human proteins of UniProt's table, which is read
too. Isoforms (``-2``) and chains (``-PRO_0000045``) count for the protein they belong to; the
original ids stay in the evidence.

Format: https://psicquic.github.io/MITAB27Format.html; the MI score: https://doi.org/10.1093/database/bau131
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tosg.errors import DataError
from tosg.kg.schema.curies import curies
from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.columns import keep, keep_identified
from tosg.loaders.formats.mitab import MITAB
from tosg.loaders.formats.tables import Layout, choose_layout, read_table
from tosg.loaders.reference.binary import DATABASES, GENETIC, BinarySource, read_binary
from tosg.loaders.reference.proteins import UNIPROT_TAB, human_proteins
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog

_LAYOUTS = {"mitab": MITAB, "pairs": Layout(("A", "B"), delimiter=",", quoted=True)}
_ENDS = ("A", "B")
_SCORE = Score(
    '"intact-miscore"',
    numbers=("intact-miscore",),
    help="the MI score as IntAct states it: from methods, types and the number of publications",
)
_KINDS = ("Protein", "Gene", "Complex", "Metabolite")


class IntAct(Loader):
    """See the module."""

    name = "intact"
    title = "IntAct: molecular interactions of human proteins"
    homepage = "https://www.ebi.ac.uk/intact"
    license = "CC BY 4.0"
    relationships = (
        *(
            (a, "INTERACTS_WITH", b)
            for a in _KINDS
            for b in _KINDS
            if (a, b) != ("Metabolite", "Metabolite")
        ),
        ("Protein", "PHOSPHORYLATES", "Protein"),
    )
    scores = (_SCORE,)
    options = (GENETIC,)
    quirks = (
        "The archive has negative results in a file of their own, which is not read.",
        "Rows whose column Negative is true are left out of any file.",
        "Both ends have to be human; small molecules have no species.",
        "Pairs out of a complex of many (spoke expansion) are kept, and their evidence says so.",
        "A phosphorylation between an enzyme and its target is PHOSPHORYLATES as well.",
        "The older table states no species: its proteins are looked up in UniProt's table.",
    )
    tested_on = (
        "made-up rows in the layout of IntAct, 86 rows of FlyBase in MITAB 2.7, and the whole "
        "table of pairs of 2019"
    )
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "interactions",
            (
                "human.zip",
                "human.txt",
                "intact.zip",
                "intact.txt",
                "intact*.txt",
                "IntAct_interaction_raw.csv.xz",
                "IntAct*.csv.xz",
                "IntAct*.csv.gz",
                "IntAct*.csv",
            ),
            "interactions (PSI-MI TAB 2.7), or pairs of interactors",
            url="https://ftp.ebi.ac.uk/pub/databases/intact/current/psimitab/species/human.zip",
            # The day of CellPhoneDB's snapshot.
            known={
                "b52cf61bcdabff0ff360ed341154df86a18e1a5b316d6aeccebc6a9df58dffb4": "2019-06-21"
            },
            whole_bytes=500_000,
        ),
        replace(UNIPROT_TAB, required=False),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["interactions"]
        file, origin = log.file(path), self.origin(path, release)
        if choose_layout(path, _LAYOUTS) == "mitab":
            source = BinarySource(
                DATABASES, "intact", score=_SCORE, score_column="intact-miscore",
                genetic=self.value(GENETIC),
            )  # fmt: skip
            yield from read_binary(path, file, origin, source)
            return
        if "proteins" not in files:
            raise DataError(
                "this table of pairs states no species, and needs UniProt's table beside it",
                where=path,
                expected=" or ".join(UNIPROT_TAB.names[:2]),
                hint=f"get it from {UNIPROT_TAB.url}, or take IntAct's PSI-MI TAB file",
            )
        proteins = files["proteins"]
        known = [b.column("curie") for b in human_proteins(proteins, log.file(proteins))]
        human = pa.concat_arrays(known)
        layout = _LAYOUTS["pairs"]
        batches = [_pairs(raw, human, file) for raw in read_table(path, layout, file)]
        rows = pa.Table.from_batches(batches)
        loops = pc.equal(rows.column("start"), rows.column("end"))
        if count := pc.sum(loops).as_py() or 0:
            file.note("protein that interacts with itself, kept out", count)
        pairs = _grouped(rows.filter(pc.invert(loops)))
        repeated = pc.sum(pc.subtract(pairs.column("rows"), 1)).as_py() or 0
        if repeated:
            file.note("pair given again, counted as evidence", repeated)
        for batch in pairs.to_batches():
            yield origin.relationships_of(
                batch,
                "INTERACTS_WITH",
                ("Protein", "start"),
                ("Protein", "end"),
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
