"""Find entities by what people call them: id, other id, symbol, name or synonym."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tosg.errors import UsageError
from tosg.kg.schema import names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.kg.database.connection import Database

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
    _LOWERED.format(values="coalesce(n.xrefs, []) + coalesce(n.synonyms, [])"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a list of values stands for.

    Attributes
    ----------
    ids : dict of str
        Value to id.
    ambiguous : dict
        Value to the ids of all entities that are called so.
    missing : list of str
        Values that nothing is called.
    """

    ids: dict[str, str]
    ambiguous: dict[str, list[str]]
    missing: list[str]


def find_entities(db: Database, label: str, values: Sequence[str]) -> Found:
    """Find the entities of one label that values stand for.

    Id comes before symbol, symbol before name, exact spelling before upper and lower case, and
    synonyms and other ids last. Among several of one symbol a gene wins over its products.

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
    found = Found({}, {}, [v for v in values if not v.strip()])
    for stage in _STAGES:
        if not left:
            break
        given = [v.strip() for v in left]
        rows = db.rows(
            f"CYPHER 5 {stage.format(label=quoted)} "
            "RETURN v, collect({id: n.id, gene: n:Gene}) AS hits",
            given=given,
            lowered=[v.lower() for v in given],
        )
        hits = {row["v"]: row["hits"] for row in rows}
        left = [v for v in left if not _take(found, v, hits)]
    found.missing.extend(left)
    return found


def _take(found: Found, value: str, hits: dict[str, list[dict[str, object]]]) -> bool:
    candidates = hits.get(value.strip()) or hits.get(value.strip().lower()) or []
    genes = [c for c in candidates if c["gene"]]
    chosen = genes if len(candidates) > 1 and len(genes) == 1 else candidates
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
    UsageError
        Nothing is called so (the nearest names are listed), or more than one entity is.
    """
    found = find_entities(db, label, [value])
    if value in found.ids:
        return found.ids[value]
    kind = "entity" if label == "Entity" else label
    if value in found.ambiguous:
        raise UsageError(
            f"more than one {kind} is called so",
            where=where,
            found=value,
            expected="one of the ids " + ", ".join(found.ambiguous[value][:10]),
            hint="give the id",
        )
    near = suggest_names(db, label, value)
    raise UsageError(
        f"the graph has no such {kind}",
        where=where,
        found=value,
        expected="an id, symbol, name or synonym",
        hint=f"did you mean {' or '.join(near)}?" if near else "try `tosg search`",
    )


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
