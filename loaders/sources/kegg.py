"""KEGG: the wiring of its human maps (KGML), with direction, sign and kind.

A box with several genes stands for one of them, whichever is there: its relations are taken for
each, and their evidence says of how many. A group is a complex of its members where each of them is
one gene; otherwise it stands for its members.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from tosg.kg.schema.curies import curie
from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.formats.archives import read_members
from tosg.loaders.formats.kgml import (
    KGML_CONTACT,
    KGML_MISSING,
    KGML_SIGNS,
    KgmlPathway,
    KgmlRelation,
    parse_kgml,
)
from tosg.loaders.options import Option
from tosg.loaders.reference.complexes import complex_claims
from tosg.loaders.reference.facts import Fact, Ref, fact_claims
from tosg.loaders.reference.participants import NamedByMembers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog, SourceLog

#: KEGG's code of people, whose genes have NCBI's numbers.
_HUMAN = "hsa"

#: Pairs that one relation between two boxes may stand for.
_MOST_PAIRS = 60

_FAMILIES = Option("families", "whether a box of several genes is taken for each of them", True)

#: Relations that are no signaling, and why.
_LEFT_OUT = {
    "ECrel": "enzymes of successive reactions, no signaling",
    "maplink": "link to another map",
}

#: Database of a name -> (type, prefix).
_NAMES = {f"{_HUMAN}:": ("Gene", "ncbigene"), "cpd:": ("Metabolite", "kegg.compound")}
_ACTORS = ("Gene", "Complex", "Metabolite")


@dataclass(frozen=True, slots=True)
class _End:
    """What an end of a relation stands for, and how that was found."""

    refs: tuple[Ref, ...]
    how: str


@dataclass
class _Map:
    """One map while it is read."""

    pathway: KgmlPathway
    record: int
    file: FileLog
    complexes: NamedByMembers
    ends: dict[str, _End] = field(default_factory=dict)

    def end(self, entry_id: str) -> _End:
        """What an entry stands for."""
        if entry_id not in self.ends:
            self.ends[entry_id] = self._end(entry_id)
        return self.ends[entry_id]

    def _end(self, entry_id: str) -> _End:
        entry = self.pathway.entries.get(entry_id)
        if entry is None:
            return _End((), "no such entry")
        if entry.components:
            parts = [self.end(c) for c in entry.components if c != entry_id]
            refs = tuple(dict.fromkeys(ref for part in parts for ref in part.refs))
            if not all(part.refs for part in parts):
                return _End((), "group with an unknown member")
            if all(len(part.refs) == 1 for part in parts):
                one = self.complexes.ref(list(refs), self.record, entry.label or None)
                return _End((one,), "complex")
            return _End(refs, f"group of {len(refs)} genes")
        refs = tuple(self._refs(entry.names))
        several = f"box of {len(refs)}" if len(refs) > 1 else "box"
        return _End(refs, several if refs else f"{entry.type} without a type in the graph")

    def _refs(self, names: Sequence[str]) -> Iterator[Ref]:
        for name in names:
            head = name.partition(":")[0] + ":"
            if head in _NAMES:
                type_, prefix = _NAMES[head]
                id_ = curie(name.removeprefix(head), prefix)
                if id_ is None:
                    self.file.note("bad identifier in a box, left out", 1, name)
                else:
                    yield type_, id_


class Kegg(Loader):
    """See the module."""

    name = "kegg"
    title = "KEGG: human pathway maps with their wiring (KGML)"
    homepage = "https://www.kegg.jp/kegg/pathway.html"
    license = "LicenseRef-KEGG-academic"
    nodes = ("Complex", "Pathway")
    relationships = (
        *(
            (a, kind, b)
            for kind in ("REGULATES", "INTERACTS_WITH")
            for a in _ACTORS
            for b in _ACTORS
            if (a, b) != ("Metabolite", "Metabolite")
        ),
        ("Gene", "PHOSPHORYLATES", "Gene"),
        ("Gene", "MEMBER_OF", "Complex"),
        ("Metabolite", "MEMBER_OF", "Complex"),
        ("Gene", "PARTICIPATES_IN", "Pathway"),
        ("Metabolite", "PARTICIPATES_IN", "Pathway"),
    )
    options = (_FAMILIES,)
    signs = "activation and expression 1, inhibition and repression -1; others, and both, 0"
    quirks = (
        "Maps of other organisms, and reference maps (ko, ec, rn), are left out.",
        "Relations that a mutation has removed (missing interaction) never become relationships.",
        "A box of several genes is taken for each of them, and its evidence says so.",
        "Successive enzymes (ECrel) and links to other maps are counted and left out.",
        "KEGG's licence allows academic use of its service; the files may not be passed on.",
    )
    tested_on = "made-up maps in KGML 0.7.2; KEGG's own may not be kept"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "maps",
            ("kgml.tar.gz", "*kgml*.tar.gz", "*kgml*.zip", "hsa.tar.gz", "hsa*.xml", "*.kgml"),
            "human maps (KGML in a zip or tar archive, or one map)",
            whole_bytes=1_000_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["maps"]
        file, origin = log.file(path), self.origin(path, release)
        complexes = NamedByMembers()
        named: list[tuple[int, str, str]] = []
        facts: list[Fact] = []
        for record, (name, data) in enumerate(_members(path), 1):
            pathway = parse_kgml(data, f"{path}: {name}")
            file.read()
            id_ = curie(pathway.id, "kegg.pathway")
            if pathway.organism != _HUMAN:
                file.reject("other species", record, f"{name}: {pathway.organism}")
                continue
            if id_ is None:
                file.reject("bad identifier", record, f"{name}: {pathway.id}")
                continue
            file.parsed()
            named.append((record, id_, pathway.title))
            drawn = _Map(pathway, record, file, complexes)
            facts += _participants(drawn, id_)
            for relation in pathway.relations:
                file.read()
                facts += _wiring(drawn, relation, families=self.value(_FAMILIES))
        yield origin.named_entities("Pathway", named)
        if complexes.records:
            yield from complex_claims(list(complexes.records.values()), origin)
        yield from fact_claims(facts, origin)


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    pattern = "*.kgml" if path.suffix == ".kgml" else "*.xml"
    return read_members(path, pattern)


def _participants(drawn: _Map, pathway: str) -> list[Fact]:
    """Genes and compounds of the boxes, and how many boxes have another kind of content."""
    found: dict[Ref, None] = {}
    for entry in drawn.pathway.entries.values():
        if entry.components:
            continue
        refs = drawn.end(entry.id).refs
        if not refs:
            drawn.file.note(f"{entry.type} without a type in the graph, left out", 1, entry.label)
        found.update(dict.fromkeys(refs))
    end = ("Pathway", pathway)
    return [Fact("PARTICIPATES_IN", ref, end, drawn.record) for ref in sorted(found)]


def _wiring(drawn: _Map, relation: KgmlRelation, *, families: bool) -> list[Fact]:
    """The relationships that a relation stands for; it is parsed or rejected here."""
    file, record = drawn.file, drawn.record
    where = f"{drawn.pathway.id} {relation.start}-{relation.end}"
    start, end = drawn.end(relation.start), drawn.end(relation.end)
    why = _LEFT_OUT.get(relation.type)
    if KGML_MISSING in relation.kinds:
        why = "negated, says that it is not so"
    elif why is None and not (start.refs and end.refs):
        why = f"relation without a reading: {end.how if start.refs else start.how}"
    elif why is None and not families and len(start.refs) * len(end.refs) > 1:
        why = "relation of a box of several genes"
    elif why is None and len(start.refs) * len(end.refs) > _MOST_PAIRS:
        why = f"relation without a reading: more than {_MOST_PAIRS} pairs of genes"
    if why is not None:
        file.reject(why, record, where)
        return []
    file.parsed()
    if len(start.refs) * len(end.refs) > 1:
        file.note("relation of boxes of several genes, taken for each; its evidence says so", 1)
    signs = {KGML_SIGNS[kind] for kind in relation.kinds if kind in KGML_SIGNS}
    if len(signs) > 1:
        file.note("relation that both raises and lowers: sign 0", 1, where)
    compounds = [
        ref[1] for c in relation.compounds for ref in drawn.end(c).refs if ref[0] == "Metabolite"
    ]
    evidence = evidence_json(
        {
            "pathways": [drawn.pathway.id],
            "relations": [relation.type],
            "kinds": list(relation.kinds) or ["none stated"],
            "resolved": sorted({e.how for e in (start, end)} - {"box"}),
            "compounds": sorted(set(compounds)),
        }
    )
    sign = signs.pop() if len(signs) == 1 else 0
    contact = not relation.kinds or set(relation.kinds) <= KGML_CONTACT
    facts: list[Fact] = []
    for a, b in itertools.product(start.refs, end.refs):
        if a[0] == b[0] == "Metabolite":
            file.note("relation between two compounds, which is no signaling", 1, where)
        elif contact and a == b:
            file.note("gene that interacts with itself, kept out", 1, where)
        elif contact:
            facts.append(Fact("INTERACTS_WITH", a, b, record, evidence=evidence))
        else:
            facts.append(Fact("REGULATES", a, b, record, sign, evidence=evidence))
            if "phosphorylation" in relation.kinds and a[0] == b[0] == "Gene":
                facts.append(Fact("PHOSPHORYLATES", a, b, record, sign, evidence=evidence))
    return facts
