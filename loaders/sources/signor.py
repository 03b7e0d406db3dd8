"""SIGNOR: causal relationships between signaling entities, with mechanism, sign and score.

A protein family is a node with members, and each of its relationships is one of every member
(the evidence names the family): a path through ERK has to lead through MAPK1 and MAPK3. A complex
stays a node. Phenotypes, stimuli, antibodies, microRNAs and fusion proteins have no type in the
graph; their rows are rejected by kind.

Columns: https://signor.uniroma2.it/documentation/SIGNOR_3_Documentation_Final.docx; the semicolon
layout is that of older downloads, the tab layout that of today's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow.compute as pc

from tosg.kg.schema.curies import curie
from tosg.loaders.base import FileSpec, Loader, Origin, evidence_json
from tosg.loaders.columns import of_species, with_words
from tosg.loaders.formats.tables import Layout, choose_layout, read_table
from tosg.loaders.reference.complexes import ComplexRecord, complex_claims
from tosg.loaders.reference.facts import Fact, Ref, fact_claims
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog, SourceLog

_COLUMNS = (
    "ENTITYA", "TYPEA", "IDA", "DATABASEA", "ENTITYB", "TYPEB", "IDB", "DATABASEB",
    "EFFECT", "MECHANISM", "RESIDUE", "TAX_ID", "PMID", "DIRECT", "SCORE", "SIGNOR_ID",
)  # fmt: skip
_LAYOUTS = {
    "tab": Layout(_COLUMNS, quoted=True),
    "semicolon": Layout(_COLUMNS, delimiter=";", quoted=True),
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
    nodes = ("Complex", "GeneFamily")
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
    )
    scores = (_SCORE,)
    signs = "EFFECT: up-regulates 1, down-regulates -1, unknown 0"
    quirks = (
        "Rows of other species than 9606 are left out; -1 means that no species was stated.",
        "A row of a protein family stands for one of each member; the evidence names the family.",
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
            url="https://signor.uniroma2.it/getData.php?type=causal",
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
        path = files["relations"]
        file, origin = log.file(path), self.origin(path, release)
        for raw in read_table(path, _LAYOUTS[choose_layout(path, _LAYOUTS)], file):
            batch = of_species(raw, "TAX_ID", file, *_HUMAN, shown=("ENTITYA", "ENTITYB", "TAX_ID"))
            batch = with_words(batch, "EFFECT", {e: e for e in _EFFECTS}, file, to="effect")
            batch = _SCORE.add(batch, file)
            facts = [f for row in batch.to_pylist() for f in _facts(row, families, file)]
            yield from fact_claims(facts, origin)


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
                file.reject("bad identifier", line, id_)
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


def _participants(
    row: Mapping[str, str], end: str, families: Mapping[str, tuple[str, tuple[Ref, ...]]]
) -> tuple[list[Ref], str | None]:
    """What an end stands for, and the family's id where it is one; or nothing and why."""
    type_, id_ = row[f"TYPE{end}"].strip().lower(), row[f"ID{end}"].strip()
    if type_ == "proteinfamily":
        members = families.get(f"signor:{id_}")
        if members is None:
            return [], "family whose members are not known"
        return [m for m in members[1] if m[0] == "Protein"], id_
    if type_ == "complex":
        return [("Complex", f"signor:{id_}")] if id_.startswith(
            "SIGNOR-C"
        ) else [], "bad identifier"
    if type_ == "protein":
        found = _ref("Protein", id_.partition("-PRO")[0].partition("_PRO")[0], "uniprot")
        return ([found], None) if found else ([], "bad identifier")
    if type_ in ("chemical", "smallmolecule") and row[f"DATABASE{end}"].strip() == "ChEBI":
        found = _ref("Metabolite", id_, "chebi")
        return ([found], None) if found else ([], "bad identifier")
    return [], f"{type_ or 'end'} without a type in the graph"


def _facts(
    row: dict[str, object],
    families: Mapping[str, tuple[str, tuple[Ref, ...]]],
    file: FileLog,
) -> list[Fact]:
    texts = {k: str(v) for k, v in row.items() if isinstance(v, str)}
    line = int(str(row["line"]))
    starts, why = _participants(texts, "A", families)
    shown = f"{texts['ENTITYA']} {texts['EFFECT']} {texts['ENTITYB']}"
    if not starts:
        file.reject(why or "bad identifier", line, shown)
        return []
    ends, why_end = _participants(texts, "B", families)
    if not ends:
        file.reject(why_end or "bad identifier", line, shown)
        return []
    if len(starts) * len(ends) > _MOST_PAIRS:
        file.reject(f"more than {_MOST_PAIRS} pairs of family members", line, shown)
        return []
    file.parsed()
    score = row["score"] if isinstance(row["score"], float) else None
    evidence = evidence_json(
        {
            "signor_ids": [texts["SIGNOR_ID"]] if texts["SIGNOR_ID"] else [],
            "effect": texts["effect"],
            "mechanism": texts["MECHANISM"],
            "residue": texts["RESIDUE"],
            "pubmed_ids": [texts["PMID"]] if texts["PMID"].isdecimal() else [],
            "direct": texts["DIRECT"],
            "families": sorted({w for w in (why, why_end) if w and w.startswith("SIGNOR-PF")}),
        }
    )
    word = texts["effect"].partition(" ")[0]
    found: list[Fact] = []
    for start in starts:
        for end in ends:
            if texts["effect"] == _FORMS:
                if end[0] == "Complex" and start[0] in ("Protein", "Complex", "Metabolite"):
                    found.append(Fact("MEMBER_OF", start, end, line, None, score, None, evidence))
                else:
                    file.note("a complex that has no node is formed, left out", 1, shown)
                continue
            sign = _SIGNS[word]
            found.append(Fact("REGULATES", start, end, line, sign, score, None, evidence))
            if texts["MECHANISM"] == "phosphorylation" and start[0] == end[0] == "Protein":
                found.append(Fact("PHOSPHORYLATES", start, end, line, sign, score, None, evidence))
    return found
