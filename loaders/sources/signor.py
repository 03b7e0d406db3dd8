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

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import curie
from tosg.loaders.base import FileSpec, Loader, Origin
from tosg.loaders.columns import evidence, keep, of_species, with_words
from tosg.loaders.formats.tables import Layout, choose_layout, read_table
from tosg.loaders.reference.complexes import ComplexRecord, complex_claims
from tosg.loaders.reference.facts import Fact, Ref, fact_claims
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog

_Longs: TypeAlias = npt.NDArray[np.int64]

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
_SETS = {
    "semicolon": Layout(("SIGNOR ID", "NAME", "LIST OF ENTITIES"), delimiter=";", quoted=True,
        renamed={"NAME": ("COMPLEX NAME", "PROT. FAMILY NAME")}),
    "tab": Layout(("SIGNOR ID", "NAME", "LIST OF ENTITIES"), quoted=True,
        renamed={"NAME": ("COMPLEX NAME", "PROT. FAMILY NAME")}),
}  # fmt: skip

#: The first word of EFFECT decides the sign.
_SIGNS = {"up-regulates": 1, "down-regulates": -1, "unknown": 0}
_FORMS = "form complex"

_SCORE = Score("SCORE", numbers=("SCORE",), help="SIGNOR's own score of confidence, 0 to 1")

#: Columns that the example of a rejection shows.
_SHOWN = ("ENTITYA", "EFFECT", "ENTITYB")

#: Databases of chemicals that are drugs -> prefix; what the sign of an effect on one is called.
_DRUGS = {"pubchem": "pubchem.compound", "drugbank": "drugbank"}
_ACTIONS = {1: "activator", -1: "inhibitor"}

#: Rows of these taxa are human, or say that no species is meant.
_HUMAN = ("9606", "-1", "")

#: Pairs that a row between two families may stand for.
_MOST_PAIRS = 400

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
        families: dict[str, tuple[str, tuple[Ref, ...]]] = {}
        for key in ("complexes", "families"):
            if key not in files:
                continue
            path = files[key]
            file, origin = log.file(path), self.origin(path, release)
            records = list(_sets(path, file))
            if key == "complexes":
                yield from complex_claims(records, origin)
            else:
                yield from _family_claims(records, origin)
                families = {r.id: (r.name or r.id, r.members) for r in records}
        known: dict[str, _Participant] = {}
        drugs: dict[str, tuple[int, str]] = {}
        path = files["relations"]
        file, origin = log.file(path), self.origin(path, release)
        for raw in read_table(path, _LAYOUTS[choose_layout(path, _LAYOUTS)], file):
            batch = of_species(raw, "TAX_ID", file, *_HUMAN, shown=("ENTITYA", "ENTITYB", "TAX_ID"))
            batch = with_words(batch, "EFFECT", {e: e for e in _EFFECTS}, file, to="effect")
            batch = _SCORE.add(batch, file)
            batch, starts, ends = _with_participants(batch, families, known, file)
            file.parsed(batch.num_rows)
            _name_drugs(batch, starts, drugs)
            yield from _relationships(batch, starts, ends, origin, file)
        yield origin.entities(
            len(drugs),
            [line for line, _ in drugs.values()],
            type="Drug",
            id=list(drugs),
            name=[name for _, name in drugs.values()],
        )


def _sets(path: Path, file: FileLog) -> Iterator[ComplexRecord]:
    """Complexes or families with their members."""
    for batch in read_table(path, _SETS[choose_layout(path, _SETS)], file):
        for id_, name, members, line in zip(
            batch.column("SIGNOR ID").to_pylist(),
            batch.column("NAME").to_pylist(),
            pc.split_pattern(batch.column("LIST OF ENTITIES"), ",").to_pylist(),
            batch.column("line").to_pylist(),
            strict=True,
        ):
            own = curie(id_.strip(), "signor")
            if own is None:
                file.reject(BAD_ID, line, id_)
                continue
            found = [(m.strip(), _member(m.strip())) for m in members if m.strip()]
            for text, ref in found:
                if ref is None:
                    file.note("member without a type in the graph, left out", 1, f"{id_}: {text}")
            file.parsed()
            refs = tuple(dict.fromkeys(ref for _, ref in found if ref is not None))
            yield ComplexRecord(own, line, refs, name=name.strip() or None)


def _member(text: str) -> Ref | None:
    if text.startswith("SIGNOR-C"):
        return "Complex", f"signor:{text}"
    if text.upper().startswith("CHEBI:"):
        return _ref("Metabolite", text, "chebi")
    return _ref("Protein", text.partition("-PRO")[0], "uniprot")


def _ref(type_: str, text: str, prefix: str) -> Ref | None:
    found = curie(text, prefix)
    return None if found is None else (type_, found)


def _family_claims(records: list[ComplexRecord], origin: Origin) -> Iterator[pa.RecordBatch]:
    yield origin.entities(
        len(records),
        [r.line for r in records],
        type="GeneFamily",
        id=[r.id for r in records],
        name=[r.name for r in records],
    )
    members = [
        Fact("MEMBER_OF", member, ("GeneFamily", r.id), r.line)
        for r in records
        for member in r.members
        if member[0] == "Protein"
    ]
    yield from fact_claims(members, origin)


@dataclass(frozen=True, slots=True)
class _Participant:
    """What an end of a row stands for: nodes, or why there are none."""

    refs: tuple[Ref, ...] = ()
    family: str | None = None
    why: str = ""


def _participant(
    type_: str, id_: str, database: str, families: Mapping[str, tuple[str, tuple[Ref, ...]]]
) -> _Participant:
    found: Ref | None = None
    if type_ == "proteinfamily":
        members = families.get(f"signor:{id_}")
        if members is None:
            return _Participant(why="family whose members are not known")
        proteins = tuple(m for m in members[1] if m[0] == "Protein")
        return _Participant(proteins, id_, "" if proteins else BAD_ID)
    if type_ == "complex":
        found = ("Complex", f"signor:{id_}") if id_.startswith("SIGNOR-C") else None
    elif type_ == "protein":
        found = _ref("Protein", id_.partition("-PRO")[0].partition("_PRO")[0], "uniprot")
    elif type_ in ("chemical", "smallmolecule"):
        if database == "ChEBI":
            found = _ref("Metabolite", id_, "chebi")
        elif prefix := _DRUGS.get(database.lower()):
            found = _ref("Drug", id_.removeprefix("CID:"), prefix)
        else:
            return _Participant(why=f"{type_} of a database that is not read")
    else:
        return _Participant(why=f"{type_ or 'end'} without a type in the graph")
    return _Participant((found,)) if found else _Participant(why=BAD_ID)


def _with_participants(
    batch: pa.RecordBatch,
    families: Mapping[str, tuple[str, tuple[Ref, ...]]],
    known: dict[str, _Participant],
    file: FileLog,
) -> tuple[pa.RecordBatch, list[_Participant], list[_Participant]]:
    """Rows of which both ends stand for nodes, with the numbers of their participants.

    ``known`` has those of earlier rows, by type, identifier and database. Adds the columns
    ``code A`` and ``code B``: positions in the two lists that are returned.
    """
    sides: list[list[_Participant]] = []
    for end in "AB":
        texts = (pc.utf8_trim_whitespace(batch[f"{c}{end}"]) for c in ("TYPE", "ID", "DATABASE"))
        type_, id_, database = texts
        keys = pc.binary_join_element_wise(pc.utf8_lower(type_), id_, database, "\0")
        coded = keys.dictionary_encode()
        distinct = coded.dictionary.to_pylist()
        for key in distinct:
            if key not in known:
                kind, name, source = key.split("\0")
                known[key] = _participant(kind, name, source, families)
        side = [known[key] for key in distinct]
        batch = batch.append_column(f"code {end}", coded.indices)
        for kind in sorted({p.why for p in side} - {""}):
            fine = np.asarray([p.why != kind for p in side])[batch[f"code {end}"].to_numpy()]
            batch = keep(batch, fine, file, kind, _SHOWN)
        sides.append(side)
    drugs, of_drugs = _are(batch, "A", sides[0], "Drug"), _are(batch, "B", sides[1], "Drug")
    fine = ~(of_drugs | drugs & _are(batch, "B", sides[1], "Metabolite"))
    batch = keep(batch, fine, file, "effect on a drug, or of a drug on a metabolite", _SHOWN)
    pairs = _counts(batch, "A", sides[0]) * _counts(batch, "B", sides[1])
    few = pairs <= _MOST_PAIRS
    batch = keep(batch, few, file, f"more than {_MOST_PAIRS} pairs of family members", _SHOWN)
    return batch, *sides


def _are(
    batch: pa.RecordBatch, end: str, side: list[_Participant], type_: str
) -> npt.NDArray[np.bool_]:
    """Whether the end of each row is of a type."""
    of = np.asarray([bool(p.refs) and p.refs[0][0] == type_ for p in side], np.bool_)
    found: npt.NDArray[np.bool_] = of[batch[f"code {end}"].to_numpy()]
    return found


def _name_drugs(
    batch: pa.RecordBatch, starts: list[_Participant], drugs: dict[str, tuple[int, str]]
) -> None:
    """Note the drugs that act, with the line and the name of the first row of each."""
    chosen = batch.filter(pa.array(_are(batch, "A", starts, "Drug")))
    for code, line, name in zip(
        chosen["code A"].to_pylist(),
        chosen["line"].to_pylist(),
        pc.utf8_trim_whitespace(chosen["ENTITYA"]).to_pylist(),
        strict=True,
    ):
        drugs.setdefault(starts[code].refs[0][1], (line, name))


def _counts(batch: pa.RecordBatch, end: str, side: list[_Participant]) -> _Longs:
    """Nodes that the end of each row stands for."""
    sizes = np.asarray([len(p.refs) for p in side], np.int64)
    found: _Longs = sizes[batch[f"code {end}"].to_numpy()]
    return found


def _relationships(
    batch: pa.RecordBatch,
    starts: list[_Participant],
    ends: list[_Participant],
    origin: Origin,
    file: FileLog,
) -> Iterator[pa.RecordBatch]:
    """One relationship for each pair of members."""
    evidences = _evidence(batch, starts, ends)
    starting, ending = _counts(batch, "A", starts), _counts(batch, "B", ends)
    pairs = starting * ending
    row = np.repeat(np.arange(batch.num_rows), pairs)
    within = np.arange(len(row)) - np.repeat(np.cumsum(pairs) - pairs, pairs)
    start_type, start = _refs(batch, "A", starts, row, within // ending[row])
    end_type, end = _refs(batch, "B", ends, row, within % ending[row])
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


def _refs(
    batch: pa.RecordBatch, end: str, side: list[_Participant], row: _Longs, number: _Longs
) -> tuple[pa.Array, pa.Array]:
    """Types and CURIEs of the nodes at one end of the pairs."""
    sizes = np.asarray([len(p.refs) for p in side], np.int64)
    first = (np.cumsum(sizes) - sizes)[batch[f"code {end}"].to_numpy()]
    place = pa.array(first[row] + number)
    types = pa.array([type_ for p in side for type_, _ in p.refs], pa.string())
    ids = pa.array([id_ for p in side for _, id_ in p.refs], pa.string())
    return types.take(place), ids.take(place)


def _evidence(
    batch: pa.RecordBatch, starts: list[_Participant], ends: list[_Participant]
) -> pa.Array:
    sides = [
        pa.array([p.family for p in side], pa.string()).take(batch[f"code {end}"])
        for end, side in (("A", starts), ("B", ends))
    ]
    a, b = sides
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
