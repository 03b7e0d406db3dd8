"""Terms of an ontology as claims: entities by the prefix of their ids, and links between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import curie_map
from tosg.kg.schema.types import relationship_types
from tosg.loaders.columns import known_curies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tosg.kg.claims.log import FileLog
    from tosg.loaders.base import Origin
    from tosg.loaders.formats.obo import Term

#: Namespaces of the Gene Ontology -> type.
GO_NAMESPACES = {
    "biological_process": "BiologicalProcess",
    "molecular_function": "MolecularFunction",
    "cellular_component": "CellularComponent",
}

_PART_OF = ("part_of", "BFO:0000050")


def claims_of_terms(
    terms: Iterable[Term], file: FileLog, origin: Origin, types: Mapping[str, str]
) -> Iterator[pa.RecordBatch]:
    """Entity claims of the terms, then claims of ``IS_A`` and ``PART_OF`` between them.

    Parameters
    ----------
    terms : iterable of Term
        Counted as read; here each is parsed or rejected.
    file : FileLog
        Is told.
    origin : Origin
        Provenance of the claims.
    types : mapping
        Prefix -> label; for ``go`` the label is taken from the namespace whatever is given.
        Terms of other prefixes are rejected as "of another ontology".

    Notes
    -----
    An obsolete term makes no entity. Where it names exactly one replacement, the claim of the
    living term at the end of the chain of replacements says so (``replaces``), as it does for its
    alternative ids. Cross-references that are called equivalent are ``same_as``.
    """
    listed = list(terms)
    ids = curie_map(
        i for t in listed for i in (t.id, *t.is_a, *t.alt_ids, *t.replaced_by, *_parts(t))
    )
    used: dict[str, Term] = {}
    labels: dict[str, str] = {}
    obsolete: list[Term] = []
    for term in listed:
        id_ = ids.get(term.id)
        label = _label(id_, term, types)
        if id_ is None:
            file.reject(BAD_ID, term.line, term.id)
        elif label is None:
            file.reject("of another ontology", term.line, f"{term.id} | {term.name}")
        elif term.obsolete:
            obsolete.append(term)
        elif not term.name:
            file.reject("no name", term.line, term.id)
        elif id_ in used:
            file.reject("identifier given before", term.line, f"{term.id} | {term.name}")
        else:
            file.parsed()
            used[id_], labels[id_] = term, label
    replaced = _replacements(obsolete, used, ids, file)
    for id_, term in used.items():
        others = {ids[a] for a in term.alt_ids if a in ids and ids[a] not in used}
        replaced.setdefault(id_, set()).update(others)
    yield _entities(used, labels, replaced, origin, file)
    yield _links(used, labels, ids, types, origin, file)


def _label(id_: str | None, term: Term, types: Mapping[str, str]) -> str | None:
    prefix = (id_ or "").partition(":")[0]
    if prefix == "go" and prefix in types:
        return GO_NAMESPACES.get(term.namespace or "")
    return types.get(prefix)


def _replacements(
    obsolete: Iterable[Term], used: Mapping[str, Term], ids: Mapping[str, str], file: FileLog
) -> dict[str, set[str]]:
    """Living terms and the obsolete ones that they replace; every obsolete term is rejected."""
    newer = {ids[alt]: id_ for id_, term in used.items() for alt in term.alt_ids if alt in ids}
    terms = {ids[term.id]: term for term in obsolete}
    for id_, term in terms.items():
        targets = {ids[r] for r in term.replaced_by if r in ids}
        if len(targets) == 1:
            newer[id_] = targets.pop()
    replaced: dict[str, set[str]] = {}
    for id_, term in terms.items():
        living = _follow(id_, newer)
        if living in used:
            replaced.setdefault(living, set()).add(id_)
            file.reject("obsolete, replaced", term.line, f"{term.id} by {living}")
        elif term.replaced_by:
            shown = f"{term.id} by {', '.join(term.replaced_by)}"
            file.reject("obsolete, replaced by no one living term of this file", term.line, shown)
        else:
            file.reject("obsolete", term.line, f"{term.id} | {term.name}")
    return replaced


def _follow(id_: str, newer: Mapping[str, str]) -> str:
    """End of a chain of replacements; where it goes in a circle, one of its ids."""
    seen: set[str] = set()
    while id_ in newer and id_ not in seen:
        seen.add(id_)
        id_ = newer[id_]
    return id_


def _entities(
    used: Mapping[str, Term],
    labels: Mapping[str, str],
    replaced: Mapping[str, set[str]],
    origin: Origin,
    file: FileLog,
) -> pa.RecordBatch:
    terms = list(used.values())
    xrefs = pa.array([sorted(set(term.xrefs)) for term in terms], pa.list_(pa.string()))
    exact = curie_map(x for term in terms for x in term.exact)  # what is unknown is noted as xref
    return origin.entities(
        len(terms),
        pa.array([term.line for term in terms], pa.int64()),
        type=pa.array(list(labels.values()), pa.string()),
        id=pa.array(list(used), pa.string()),
        name=pa.array([one_line(term.name) for term in terms], pa.string()),
        description=pa.array([one_line(term.definition) for term in terms], pa.string()),
        synonyms=[sorted({s for s in map(one_line, t.synonyms) if s}) for t in terms],
        xrefs=known_curies(xrefs, file),
        same_as=[sorted({exact[x] for x in t.exact if x in exact}) for t in terms],
        replaces=[sorted(replaced.get(id_, ())) for id_ in used],
    )


def one_line(text: str | None) -> str | None:
    """Text with every run of white space as one blank; None for nothing."""
    return " ".join(text.split()) or None if text else None


def _parts(term: Term) -> list[str]:
    return [end for kind, end in term.relationships if kind in _PART_OF]


def _links(
    used: Mapping[str, Term],
    labels: Mapping[str, str],
    ids: Mapping[str, str],
    types: Mapping[str, str],
    origin: Origin,
    file: FileLog,
) -> pa.RecordBatch:
    """Links whose end types the schema pairs; the end may be a term that only other files have."""
    for term in used.values():
        for kind, end in term.relationships:
            if kind not in _PART_OF:
                lost = f"relationship {kind}, which the schema does not have"
                file.note(lost, 1, f"{term.id} {end}")
    pairs = {name: set(relationship_types()[name].pairs) for name in ("IS_A", "PART_OF")}
    rows: list[tuple[str, str, str, str, str, int]] = []
    for start, term in used.items():
        for type_, ends in (("IS_A", term.is_a), ("PART_OF", _parts(term))):
            for given in ends:
                end = ids.get(given, "")
                label = labels.get(end) or (
                    types.get(end.partition(":")[0]) if not end.startswith("go:") else labels[start]
                )
                if label is not None and (labels[start], label) in pairs[type_]:
                    rows.append((type_, labels[start], start, label, end, term.line))
                else:
                    file.note(
                        "link that the schema has no place for", 1, f"{term.id} {type_} {given}"
                    )
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    return origin.relationships(
        len(rows),
        pa.array(columns[5], pa.int64()),
        type=pa.array(columns[0], pa.string()),
        start_type=pa.array(columns[1], pa.string()),
        start=pa.array(columns[2], pa.string()),
        end_type=pa.array(columns[3], pa.string()),
        end=pa.array(columns[4], pa.string()),
    )
