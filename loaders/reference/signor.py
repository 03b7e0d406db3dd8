"""SIGNOR's participants: complexes and families with members, and what an end of a row stands for.

An end is a protein, a complex, a chemical, or a protein family, which stands for its members.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import curie
from tosg.loaders.columns import keep
from tosg.loaders.formats.tables import Layout, choose_layout, read_table
from tosg.loaders.reference.complexes import ComplexRecord
from tosg.loaders.reference.facts import Fact, Ref, fact_claims

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tosg.kg.claims.log import FileLog
    from tosg.loaders.origin import Origin

_Longs: TypeAlias = npt.NDArray[np.int64]

#: Members of the families, by CURIE.
Families: TypeAlias = "Mapping[str, tuple[Ref, ...]]"

_SETS = {
    name: Layout(
        ("SIGNOR ID", "NAME", "LIST OF ENTITIES"),
        delimiter=delimiter,
        quoted=True,
        renamed={"NAME": ("COMPLEX NAME", "PROT. FAMILY NAME")},
    )
    for name, delimiter in (("semicolon", ";"), ("tab", "\t"))
}

#: Databases of chemicals that are drugs -> prefix.
_DRUGS = {"pubchem": "pubchem.compound", "drugbank": "drugbank"}

#: Pairs that a row between two families may stand for.
_MOST_PAIRS = 400


def read_sets(path: Path, file: FileLog) -> Iterator[ComplexRecord]:
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


def family_claims(records: Sequence[ComplexRecord], origin: Origin) -> Iterator[pa.RecordBatch]:
    """Claims of the families, then of their members that are proteins."""
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
class Participant:
    """What an end of a row stands for: nodes, or why there are none."""

    refs: tuple[Ref, ...] = ()
    family: str | None = None
    why: str = ""


def _participant(type_: str, id_: str, database: str, families: Families) -> Participant:
    found: Ref | None = None
    if type_ == "proteinfamily":
        members = families.get(f"signor:{id_}")
        if members is None:
            return Participant(why="family whose members are not known")
        proteins = tuple(m for m in members if m[0] == "Protein")
        return Participant(proteins, id_, "" if proteins else BAD_ID)
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
            return Participant(why=f"{type_} of a database that is not read")
    else:
        return Participant(why=f"{type_ or 'end'} without a type in the graph")
    return Participant((found,)) if found else Participant(why=BAD_ID)


@dataclass(frozen=True, slots=True)
class Side:
    """One end of the rows of a batch; its column ``code`` says which participant each is.

    Attributes
    ----------
    code : str
        Column of positions in `participants`.
    participants : tuple of Participant
    """

    code: str
    participants: tuple[Participant, ...]

    def are(self, batch: pa.RecordBatch, type_: str) -> npt.NDArray[np.bool_]:
        """Whether the end of each row is of a type."""
        return self._of_rows(
            batch, np.asarray([bool(p.refs) and p.refs[0][0] == type_ for p in self.participants])
        )

    def fit(self, batch: pa.RecordBatch, why: str) -> npt.NDArray[np.bool_]:
        """Whether the end of each row has not this reason to have no nodes."""
        return self._of_rows(batch, np.asarray([p.why != why for p in self.participants]))

    def count(self, batch: pa.RecordBatch) -> _Longs:
        """Nodes that the end of each row stands for."""
        found: _Longs = self._sizes()[batch[self.code].to_numpy()]
        return found

    def refs(self, batch: pa.RecordBatch, row: _Longs, number: _Longs) -> tuple[pa.Array, pa.Array]:
        """Types and CURIEs of nodes.

        Parameters
        ----------
        batch : RecordBatch
        row, number : (n,) int64
            Row of each, and which of the row's nodes it is.
        """
        sizes = self._sizes()
        first = (np.cumsum(sizes) - sizes)[batch[self.code].to_numpy()]
        place = pa.array(first[row] + number)
        types = pa.array([type_ for p in self.participants for type_, _ in p.refs], pa.string())
        ids = pa.array([id_ for p in self.participants for _, id_ in p.refs], pa.string())
        return types.take(place), ids.take(place)

    def families(self, batch: pa.RecordBatch) -> pa.Array:
        """SIGNOR's identifier of the family that the end of each row is; null elsewhere."""
        names = pa.array([p.family for p in self.participants], pa.string())
        return names.take(batch[self.code])

    def _sizes(self) -> _Longs:
        return np.asarray([len(p.refs) for p in self.participants], np.int64)

    def _of_rows(
        self, batch: pa.RecordBatch, values: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = values.astype(bool)[batch[self.code].to_numpy()]
        return found


@dataclass(frozen=True, slots=True)
class EndedRows:
    """Rows of which both ends stand for nodes."""

    batch: pa.RecordBatch
    start: Side
    end: Side


def resolve_ends(
    batch: pa.RecordBatch,
    families: Families,
    known: dict[str, Participant],
    file: FileLog,
    shown: Sequence[str],
) -> EndedRows:
    """Find what both ends of each row stand for; rows that have none are rejected by kind.

    Parameters
    ----------
    batch : RecordBatch
        With the columns TYPEA, IDA, DATABASEA and those of B.
    families : mapping
    known : dict
        Participants of earlier rows, by type, identifier and database; gets those of these rows.
    file : FileLog
    shown : sequence of str
        Columns that the example of a rejection shows.
    """
    sides: list[Side] = []
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
        side = Side(f"code {end}", tuple(known[key] for key in distinct))
        batch = batch.append_column(side.code, coded.indices)
        for kind in sorted({p.why for p in side.participants} - {""}):
            batch = keep(batch, side.fit(batch, kind), file, kind, shown)
        sides.append(side)
    start, end_ = sides
    drugs, of_drugs = start.are(batch, "Drug"), end_.are(batch, "Drug")
    fine = ~(of_drugs | drugs & end_.are(batch, "Metabolite"))
    batch = keep(batch, fine, file, "effect on a drug, or of a drug on a metabolite", shown)
    few = start.count(batch) * end_.count(batch) <= _MOST_PAIRS
    batch = keep(batch, few, file, f"more than {_MOST_PAIRS} pairs of family members", shown)
    return EndedRows(batch, start, end_)
