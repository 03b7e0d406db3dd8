"""SIGNOR: causal relationships between signaling entities, with mechanism, sign and score.

A protein family is a node with members, and each of its relationships is one of every member
(the evidence names the family): a path through ERK has to lead through MAPK1 and MAPK3. A complex
stays a node. A chemical of PubChem or DrugBank is a drug, and its effect on a protein or complex
is what it does to its target; others are metabolites. Phenotypes, stimuli, antibodies, microRNAs
and fusion proteins have no type in the graph; their rows are rejected by kind.

Columns: https://signor.uniroma2.it/documentation/SIGNOR_3_Documentation_Final.docx; the semicolon
layout is that of older downloads, the tab layout that of today's; the address of the download
answers with tabs and no header.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tosg.loaders.base import FileSpec, Loader, Origin
from tosg.loaders.columns import evidence, of_species, with_words
from tosg.loaders.formats.tables import Layout, choose_layout, read_table
from tosg.loaders.reference.complexes import complex_claims
from tosg.loaders.reference.signor import (
    EndedRows,
    Participant,
    family_claims,
    read_sets,
    resolve_ends,
)
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.reference.facts import Ref

_COLUMNS = (
    "ENTITYA", "TYPEA", "IDA", "DATABASEA", "ENTITYB", "TYPEB", "IDB", "DATABASEB",
    "EFFECT", "MECHANISM", "RESIDUE", "TAX_ID", "PMID", "DIRECT", "SCORE", "SIGNOR_ID",
)  # fmt: skip
#: What `getData.php` answers: no header, all columns in this order, and a tab at the end.
_ANSWER = (
    "ENTITYA", "TYPEA", "IDA", "DATABASEA", "ENTITYB", "TYPEB", "IDB", "DATABASEB", "EFFECT",
    "MECHANISM", "RESIDUE", "SEQUENCE", "TAX_ID", "CELL_DATA", "TISSUE_DATA",
    "MODULATOR_COMPLEX", "TARGET_COMPLEX", "MODIFICATIONA", "MODASEQ", "MODIFICATIONB", "MODBSEQ",
    "PMID", "DIRECT", "NOTES", "ANNOTATOR", "SENTENCE", "SIGNOR_ID", "SCORE", "end",
)  # fmt: skip
_LAYOUTS = {
    "tab": Layout(_COLUMNS, quoted=True),
    "semicolon": Layout(_COLUMNS, delimiter=";", quoted=True),
    "answer": Layout(_ANSWER, header=False, ragged=28),
}

#: The first word of EFFECT decides the sign.
_SIGNS = {"up-regulates": 1, "down-regulates": -1, "unknown": 0}
_FORMS = "form complex"

_SCORE = Score("SCORE", numbers=("SCORE",), help="SIGNOR's own score of confidence, 0 to 1")

#: Columns that the example of a rejection shows.
_SHOWN = ("ENTITYA", "EFFECT", "ENTITYB")

#: What the sign of a drug's effect is called.
_ACTIONS = {1: "activator", -1: "inhibitor"}

#: Rows of these taxa are human, or say that no species is meant.
_HUMAN = ("9606", "-1", "")

_EFFECTS = (
    "up-regulates", "up-regulates activity", "up-regulates quantity",
    "up-regulates quantity by expression", "up-regulates quantity by stabilization",
    "down-regulates", "down-regulates activity", "down-regulates quantity",
    "down-regulates quantity by destabilization", "down-regulates quantity by repression",
    "unknown", _FORMS,
)  # fmt: skip


class Signor(Loader):
    """See the module."""

    name = "signor"
    title = "SIGNOR: causal signaling relationships with mechanism, sign and score"
    homepage = "https://signor.uniroma2.it"
    license = "CC BY-NC 4.0"
    nodes = ("Complex", "GeneFamily", "Drug")
    relationships = (
        *(
            (a, "REGULATES", b)
            for a in ("Protein", "Complex", "Metabolite")
            for b in ("Protein", "Complex", "Metabolite")
        ),
        ("Protein", "PHOSPHORYLATES", "Protein"),
        ("Protein", "MEMBER_OF", "Complex"),
        ("Complex", "MEMBER_OF", "Complex"),
        ("Metabolite", "MEMBER_OF", "Complex"),
        ("Protein", "MEMBER_OF", "GeneFamily"),
        ("Drug", "TARGETS", "Protein"),
        ("Drug", "TARGETS", "Complex"),
    )
    scores = (_SCORE,)
    signs = "EFFECT: up-regulates 1, down-regulates -1, unknown 0"
    quirks = (
        "The address answers without a header, in 28 columns and a tab at the end.",
        "Rows of other species than 9606 are left out; -1 means that no species was stated.",
        "A row of a protein family stands for one of each member; the evidence names the family.",
        "Chemicals of PubChem and DrugBank are drugs that inhibit or activate their targets.",
        "Phosphorylation is PHOSPHORYLATES and, with its sign, REGULATES.",
        "The licence is stated both as CC BY-SA 4.0 and as CC BY-NC 4.0; the narrower is kept.",
    )
    tested_on = "an excerpt of 20 rows, the complexes of an older release, and made-up rows"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "relations",
            (
                "signor_all_data.tsv",
                "all_data_*.tsv",
                "signor*data*.tsv",
                "signor*data*.csv",
                "human_*.tsv",
            ),
            "causal relationships",
            url="https://signor.uniroma2.it/getData.php?organism=9606",
            whole_bytes=5_000_000,
        ),
        FileSpec(
            "complexes",
            ("SIGNOR_complexes.csv", "SIGNOR-complexes*.csv", "*complexes*.csv"),
            "members of complexes",
            required=False,
            url="https://signor.uniroma2.it/download_complexes.php",
        ),
        FileSpec(
            "families",
            ("SIGNOR_PF.csv", "SIGNOR-PF*.csv", "*protein_families*.csv", "*PF*.csv"),
            "members of protein families",
            required=False,
            url="https://signor.uniroma2.it/download_complexes.php",
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        families: dict[str, tuple[Ref, ...]] = {}
        for key in ("complexes", "families"):
            if key not in files:
                continue
            path = files[key]
            file, origin = log.file(path), self.origin(path, release)
            records = list(read_sets(path, file))
            if key == "complexes":
                yield from complex_claims(records, origin)
            else:
                yield from family_claims(records, origin)
                families = {r.id: r.members for r in records}
        known: dict[str, Participant] = {}
        drugs: dict[str, tuple[int, str]] = {}
        path = files["relations"]
        file, origin = log.file(path), self.origin(path, release)
        for raw in read_table(path, _LAYOUTS[choose_layout(path, _LAYOUTS)], file):
            batch = of_species(raw, "TAX_ID", file, *_HUMAN, shown=("ENTITYA", "ENTITYB", "TAX_ID"))
            batch = with_words(batch, "EFFECT", {e: e for e in _EFFECTS}, file, to="effect")
            batch = _SCORE.add(batch, file)
            rows = resolve_ends(batch, families, known, file, _SHOWN)
            file.parsed(rows.batch.num_rows)
            _name_drugs(rows, drugs)
            yield from _relationships(rows, origin, file)
        yield origin.named_entities(
            "Drug", [(line, id_, name) for id_, (line, name) in drugs.items()]
        )


def _name_drugs(rows: EndedRows, drugs: dict[str, tuple[int, str]]) -> None:
    """Note the drugs that act, with the line and the name of the first row of each."""
    chosen = rows.batch.filter(pa.array(rows.start.are(rows.batch, "Drug")))
    for code, line, name in zip(
        chosen[rows.start.code].to_pylist(),
        chosen["line"].to_pylist(),
        pc.utf8_trim_whitespace(chosen["ENTITYA"]).to_pylist(),
        strict=True,
    ):
        drugs.setdefault(rows.start.participants[code].refs[0][1], (line, name))


def _relationships(rows: EndedRows, origin: Origin, file: FileLog) -> Iterator[pa.RecordBatch]:
    """One relationship for each pair of members."""
    batch, evidences = rows.batch, _evidence(rows)
    starting, ending = rows.start.count(batch), rows.end.count(batch)
    pairs = starting * ending
    row = np.repeat(np.arange(batch.num_rows), pairs)
    within = np.arange(len(row)) - np.repeat(np.cumsum(pairs) - pairs, pairs)
    start_type, start = rows.start.refs(batch, row, within // ending[row])
    end_type, end = rows.end.refs(batch, row, within % ending[row])
    effect = batch["effect"].take(pa.array(row))
    forms = pc.equal(effect, _FORMS)
    member = pc.is_in(start_type, pa.array(("Protein", "Complex", "Metabolite")))
    member = pc.and_(pc.and_(forms, member), pc.equal(end_type, "Complex"))
    lost = pc.and_not(forms, member)
    if count := pc.sum(lost).as_py():
        shown = batch.take(pa.array(row).filter(lost)[:1]).to_pylist()[0]
        example = " ".join(shown[c] for c in _SHOWN)
        file.note("a complex that has no node is formed, left out", count, example)
    proteins = pc.and_(pc.equal(start_type, "Protein"), pc.equal(end_type, "Protein"))
    mechanism = batch["MECHANISM"].take(pa.array(row))
    phosphorylates = pc.and_(pc.equal(mechanism, "phosphorylation"), proteins)
    word = pc.list_element(pc.split_pattern(effect, " ", max_splits=1), 0)
    sign = pa.array(list(_SIGNS.values()), pa.int8()).take(
        pc.index_in(word, pa.array(list(_SIGNS)))
    )
    targets = pc.and_not(pc.equal(start_type, "Drug"), forms)
    action = pa.array(list(_ACTIONS.values())).take(
        pc.index_in(sign, pa.array(list(_ACTIONS), pa.int8()))
    )
    for kind, chosen in (
        ("MEMBER_OF", member),
        ("TARGETS", targets),
        ("REGULATES", pc.and_not(pc.invert(forms), targets)),
        ("PHOSPHORYLATES", pc.and_not(phosphorylates, forms)),
    ):
        of = pa.array(row).filter(chosen)
        yield origin.relationships(
            len(of),
            batch["line"].take(of),
            type=kind,
            start_type=start_type.filter(chosen),
            start=start.filter(chosen),
            end_type=end_type.filter(chosen),
            end=end.filter(chosen),
            sign=None if kind == "TARGETS" else sign.filter(chosen),
            action=action.filter(chosen) if kind == "TARGETS" else None,
            score=batch["score"].take(of),
            evidence=evidences.take(of),
        )


def _evidence(rows: EndedRows) -> pa.Array:
    batch = rows.batch
    a, b = rows.start.families(batch), rows.end.families(batch)
    several = pc.fill_null(pc.not_equal(a, b), False)
    both = pc.binary_join_element_wise(pc.min_element_wise(a, b), pc.max_element_wise(a, b), "|")
    batch = batch.append_column("families", pc.if_else(several, both, pc.coalesce(a, b)))
    is_number = pc.utf8_is_decimal(batch["PMID"])
    batch = batch.append_column("pubmed", pc.if_else(is_number, batch["PMID"], ""))
    return evidence(
        batch,
        texts={
            "effect": "effect",
            "mechanism": "MECHANISM",
            "residue": "RESIDUE",
            "direct": "DIRECT",
        },
        lists={
            "signor_ids": ("SIGNOR_ID", "|"),
            "pubmed_ids": ("pubmed", "|"),
            "families": ("families", "|"),
        },
    )
