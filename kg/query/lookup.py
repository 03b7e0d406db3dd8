"""Find entities by what people call them: id, other id, symbol, name or synonym."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tosg.errors import AmbiguousNameError, Candidate, UsageError
from tosg.kg.schema import names
from tosg.kg.schema.curies import curie
from tosg.kg.schema.types import ENTITY, entity_types
from tosg.kg.search.named import find_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.kg.database.connection import Database
    from tosg.kg.search.named import Named

_LOWERED = (
    "MATCH (n:{{label}}) UNWIND {values} AS v WITH n, toLower(v) AS v "
    "WHERE v IN $lowered WITH DISTINCT n, v"
)

#: How a value is looked for, surest first: pattern, and what is compared with the lowered value.
_STAGES = (
    "MATCH (n:Entity:{label}) WHERE n.id IN $given WITH n, n.id AS v",
    "MATCH (n:{label}) WHERE n.symbol IN $given WITH n, n.symbol AS v",
    "MATCH (n:{label}) WHERE n.name IN $given WITH n, n.name AS v",
    _LOWERED.format(values="[n.id, n.symbol, n.name]"),
    # A name of before, or of another source, stands before what others only call a thing.
    _LOWERED.format(values="coalesce(n.previous, [])"),
    _LOWERED.format(values="coalesce(n.xrefs, []) + coalesce(n.synonyms, [])"),
)


#: A value as the id or another id of an entity, in lower case.
_ANY_ID = _LOWERED.format(values="[n.id] + coalesce(n.xrefs, [])")

_LIKE_A_CURIE = re.compile(r"\S+[:_]\S+")


@dataclass(frozen=True, slots=True)
class Found:
    """What a list of values stands for.

    Attributes
    ----------
    ids : dict of str
        Value to id.
    ambiguous : dict
        Value to the ids of all entities that have the name.
    missing : list of str
        Values that no entity has as a name.
    notes : list of str
        How values were read that could also be read otherwise.
    """

    ids: dict[str, str]
    ambiguous: dict[str, list[str]]
    missing: list[str]
    notes: list[str]


def find_entities(db: Database, label: str, values: Sequence[str]) -> Found:
    """Find the entities of one label that values stand for.

    Id comes before symbol, symbol before name, exact spelling before upper and lower case, then
    previous names, then synonyms and other ids, then names but for accents, then identifiers
    without their prefix. Among several of one symbol a gene wins over its products.

    Parameters
    ----------
    db : Database
    label : str
        ``Entity`` or an entity type.
    values : sequence of str
        What the user wrote; space around it does not count.
    """
    quoted = names.label(label)
    left = [v for v in dict.fromkeys(values) if v.strip()]
    found = Found({}, {}, [v for v in values if not v.strip()], [])
    for stage in _STAGES:
        if not left:
            return found
        spelled = {v: _spellings(v) for v in left}
        given = sorted({s for of in spelled.values() for s in of})
        hits = _hits(db, stage.format(label=quoted), given)
        left = [v for v in left if not _take(found, v, spelled[v], hits)]
    left = _but_for_accents(db, found, label, left)
    left = _without_prefix(db, found, label, left)
    found.missing.extend(left)
    return found


def _hits(db: Database, stage: str, given: Sequence[str]) -> dict[str, list[dict[str, object]]]:
    rows = db.rows(
        f"CYPHER 5 {stage} RETURN v, collect({{id: n.id, gene: n:Gene}}) AS hits",
        given=given,
        lowered=[v.lower() for v in given],
    )
    return {row["v"]: row["hits"] for row in rows}


def _spellings(value: str) -> list[str]:
    """A value as it stands, and as a CURIE of the graph where it is one of another spelling."""
    plain = value.strip()
    as_curie = curie(plain) if _LIKE_A_CURIE.fullmatch(plain) else None
    return [plain] if as_curie in (None, plain) else [plain, as_curie]


def _but_for_accents(db: Database, found: Found, label: str, left: list[str]) -> list[str]:
    """Take names that differ in accents, in the way Greek letters or punctuation are written."""
    if not left:
        return left
    named = find_named(db, left, None if label == ENTITY else [label])
    return [v for v in left if not _settle(found, v, named.get(v, []))]


def _settle(found: Found, value: str, hits: Sequence[Named]) -> bool:
    best = min((hit.rank for hit in hits), default=None)
    chosen = [hit for hit in hits if hit.rank == best and hit.is_same]
    genes = [hit for hit in chosen if hit.type == "Gene"]
    ids = sorted({hit.id for hit in (genes if len(genes) == 1 else chosen)})
    if len(ids) == 1:
        found.ids[value] = ids[0]
    elif ids:
        found.ambiguous[value] = ids
    return bool(ids)


def _without_prefix(db: Database, found: Found, label: str, left: list[str]) -> list[str]:
    """Take identifiers without their prefix: that of the type's first prefix which has the value.

    Where another prefix has it for another entity, a note says so.
    """
    known = entity_types()
    prefixes = known[label].prefixes if label in known else ()
    spelled = {v: [c for p in prefixes if (c := curie(v.strip(), p)) is not None] for v in left}
    given = sorted({s for of in spelled.values() for s in of})
    if not given:
        return left
    hits = _hits(db, _ANY_ID.format(label=names.label(label)), given)
    return [v for v in left if not _take_id(db, found, v, spelled[v], hits)]


def _take_id(
    db: Database,
    found: Found,
    value: str,
    spelled: Sequence[str],
    hits: dict[str, list[dict[str, object]]],
) -> bool:
    by_curie = {
        s: sorted({str(h["id"]) for h in hits[s.lower()]}) for s in spelled if s.lower() in hits
    }
    if not by_curie:
        return False
    (chosen, ids), *others = by_curie.items()
    if len(ids) > 1:
        found.ambiguous[value] = ids
        return True
    found.ids[value] = ids[0]
    rest = {other: of for other, of in others if of != ids}
    if rest:
        described = {
            c.id: c for c in candidates(db, [*ids, *(i for of in rest.values() for i in of)])
        }
        found.notes.append(
            f"{value} was read as {chosen}, {described[ids[0]]}; with its prefix it could be "
            + "; ".join(f"{other}, {described[of[0]]}" for other, of in rest.items())
        )
    return True


def _take(
    found: Found,
    value: str,
    spelled: Sequence[str],
    hits: dict[str, list[dict[str, object]]],
) -> bool:
    several = [h for s in spelled for h in (hits.get(s) or hits.get(s.lower()) or [])]
    genes = [h for h in several if h["gene"]]
    chosen = genes if len(several) > 1 and len(genes) == 1 else several
    ids = sorted({str(c["id"]) for c in chosen})
    if len(ids) == 1:
        found.ids[value] = ids[0]
    elif ids:
        found.ambiguous[value] = ids
    return bool(ids)


def find_entity(db: Database, label: str, value: str, where: str) -> str:
    """Find the one entity that a value stands for.

    Raises
    ------
    AmbiguousNameError
        Several entities have the name.
    UsageError
        No entity has it; the nearest names are listed.
    """
    return one_entity(db, find_entities(db, label, [value]), label, value, where)


def one_entity(db: Database, found: Found, label: str, value: str, where: str) -> str:
    """Return the entity of a value that was looked for; raises as `find_entity` does."""
    if value in found.ids:
        return found.ids[value]
    kind = "entity" if label == ENTITY else label
    if value in found.ambiguous:
        raise AmbiguousNameError(
            f"the name of a {kind} is ambiguous",
            candidates=candidates(db, found.ambiguous[value]),
            where=where,
            found=value,
            hint="give the id, or take the first with --first (in Python first=True)",
        )
    near = suggest_names(db, label, value)
    raise UsageError(
        f"the graph has no such {kind}",
        where=where,
        found=value,
        expected="an id, symbol, name or synonym" + _example_ids(label),
        hint=f"did you mean {' or '.join(near)}?" if near else "try `tosg search`",
    )


def _example_ids(label: str) -> str:
    if label not in entity_types():
        return ""
    return f" (ids as {', '.join(f'{p}:...' for p in entity_types()[label].prefixes[:3])})"


def candidates(db: Database, ids: Sequence[str]) -> list[Candidate]:
    """Describe entities by name, type and relationships; those with most of these first."""
    rows = db.rows(
        "CYPHER 5 MATCH (n:Entity) WHERE n.id IN $ids "
        "RETURN n.id AS id, [l IN labels(n) WHERE l <> 'Entity'][0] AS type, "
        "coalesce(n.symbol, n.name) AS name, COUNT { (n)--() } AS relationships",
        ids=list(ids),
    )
    found = [Candidate(**row) for row in rows]
    return sorted(found, key=lambda c: (-c.relationships, c.id))


def suggest_names(db: Database, label: str, value: str, n: int = 3) -> list[str]:
    """List the symbols and names that look most like a value."""
    start = value.strip().lower()[:3]
    rows = db.rows(
        f"CYPHER 5 MATCH (n:{names.label(label)}) UNWIND [n.symbol, n.name] AS v "
        "WITH DISTINCT v WHERE toLower(v) CONTAINS $start RETURN v ORDER BY v LIMIT 5000",
        start=start,
    )
    known = {row["v"].lower(): row["v"] for row in rows}
    near = difflib.get_close_matches(value.strip().lower(), known, n=n, cutoff=0.5)
    return [known[k] for k in near]
