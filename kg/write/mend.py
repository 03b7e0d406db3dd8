"""Mending a stored graph that a load cannot work on; each step changes only what is damaged.

The steps come before the indexes, since texts that are too long or identifiers given twice keep
these from being filled. What follows from the claims is left to the load that comes after.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tosg.cypher.quoting import quote, quote_property
from tosg.kg.database import bookkeeping
from tosg.kg.database import indexes as ddl
from tosg.kg.merge.entities import ENTITY_COLUMNS
from tosg.kg.merge.pending import is_readable
from tosg.kg.reader.columns import type_predicate
from tosg.kg.schema import names
from tosg.kg.schema.indexes import ENTITY_INDEXED, LONGEST_INDEXED_BYTES, definitions
from tosg.kg.schema.relationships import RELATIONSHIP_PROPERTIES
from tosg.kg.schema.types import ENTITY
from tosg.kg.write.digests import drop_digests
from tosg.kg.write.stored import UNSTATED

if TYPE_CHECKING:
    from collections.abc import Iterable

    import neo4j

    from tosg.kg.database.connection import Database
    from tosg.kg.database.lease import Lease

    Transaction = neo4j.ManagedTransaction | neo4j.Transaction

#: A text of more characters may be too long for an index: one has up to four bytes.
_LONG_CHARACTERS = LONGEST_INDEXED_BYTES // 4


def mend(db: Database, lease: Lease, relationship_types: list[str]) -> dict[str, int]:
    """Mend what keeps loads from working, and fill the indexes.

    Parameters
    ----------
    db : Database
        The graph.
    lease : Lease
        The right to write.
    relationship_types : list of str
        Types of which there are relationships.

    Returns
    -------
    dict of str to int
        What was mended, in words, with its number; only what there was.
    """
    with lease.transaction() as tx:
        drop_digests(tx)
    done = {
        "values of another type than the schema's removed": remove_wrong_types(
            db, lease, relationship_types
        ),
        "texts too long for an index moved to the description": shorten_texts(db, lease),
        "nodes with the id of another merged into it": merge_shared_ids(db, lease),
        "nodes with the number of another numbered again": renumber(db, lease),
        "relationships given arrays parallel to their sources": make_parallel(
            lease, relationship_types
        ),
        "parts of waiting claims, or reports, that cannot be read removed": remove_unreadable(
            db, lease
        ),
        "indexes and constraints made again": remake_indexes(db),
    }
    return {what: n for what, n in done.items() if n}


def remove_wrong_types(db: Database, lease: Lease, relationship_types: list[str]) -> int:
    """Remove values of claimed nodes and relationships that are not of the schema's type.

    One text where a list of texts belongs becomes a list.
    """
    match = f"MATCH (x:{ENTITY}) WHERE x.claims IS NOT NULL OR x.sources IS NOT NULL"
    changed = _remove_wrong(db, lease, match, ["idx", *ENTITY_COLUMNS])
    for name in relationship_types:
        match = f"MATCH (:{ENTITY})-[x:{names.relationship_type(name)}]->(:{ENTITY})"
        changed += _remove_wrong(
            db, lease, f"{match} WHERE x.sources IS NOT NULL", RELATIONSHIP_PROPERTIES
        )
    return changed


def _remove_wrong(db: Database, lease: Lease, match: str, properties: Iterable[str]) -> int:
    wrong = {
        name: f"x.{quote_property(name)} IS NOT NULL AND "
        f"NOT x.{quote_property(name)} IS :: {predicate}"
        for name in properties
        if (predicate := type_predicate(name)) is not None
    }
    columns = ", ".join(
        f"count(CASE WHEN {condition} THEN 1 END) AS n{i}"
        for i, condition in enumerate(wrong.values())
    )
    counts = list(db.rows(f"CYPHER 5 {match} RETURN {columns}")[0].values())
    for (name, condition), n in zip(wrong.items(), counts, strict=True):
        if n:
            with lease.transaction() as tx:
                key = f"x.{quote_property(name)}"
                as_list = f"CASE WHEN {key} IS :: STRING THEN [{key}] END"
                value = as_list if type_predicate(name) == "LIST<STRING NOT NULL>" else "null"
                query = f"CYPHER 5 {match} WITH x WHERE {condition} SET {key} = {value}"
                tx.run(query).consume()
    return sum(counts)


def remove_unreadable(db: Database, lease: Lease) -> int:
    """Remove parts of waiting claims and reports of loads that cannot be read.

    Loading the sources again brings the claims.
    """
    rows = db.rows("CYPHER 5 MATCH (p:TosgPending) RETURN elementId(p) AS element, p.rows AS rows")
    lost = [row["element"] for row in rows if not is_readable(row)]
    rows = db.rows("CYPHER 5 MATCH (r:TosgReport) RETURN elementId(r) AS element, r.json AS json")
    lost += [row["element"] for row in rows if not _is_json(row["json"])]
    if lost:
        with lease.transaction() as tx:
            tx.run(
                "CYPHER 5 MATCH (n:TosgPending|TosgReport) WHERE elementId(n) IN $lost DELETE n",
                lost=lost,
            ).consume()
    return len(lost)


def _is_json(text: object) -> bool:
    try:
        return isinstance(json.loads(str(text)), dict)
    except ValueError:
        return False


def shorten_texts(db: Database, lease: Lease) -> int:
    """Move names that are too long for an index to the description, in the claims too.

    A node whose identifier is too long is removed: nothing can refer to it.
    """
    long = " OR ".join(f"size(n.{p}) > $most" for p in ("id", *ENTITY_INDEXED))
    rows = db.rows(
        f"CYPHER 5 MATCH (n:{ENTITY}) WHERE {long} "
        "RETURN elementId(n) AS element, n {.id, .name, .symbol, .description} AS texts, "
        "n.claims AS claims",
        most=_LONG_CHARACTERS,
    )
    rows = [row for row in rows if any(_too_long(row["texts"][p]) for p in ("id", *ENTITY_INDEXED))]
    for row in rows:
        with lease.transaction() as tx:
            _shorten(tx, row)
    return len(rows)


def _shorten(tx: Transaction, row: dict[str, Any]) -> None:
    match = "CYPHER 5 MATCH (n) WHERE elementId(n) = $element "
    if _too_long(row["texts"]["id"]):
        tx.run(match + "DETACH DELETE n", element=row["element"]).consume()
        return
    texts = _without_long(row["texts"])
    claims = [shorten_claim(text) for text in row["claims"] or []]
    tx.run(
        match + "SET n += $texts, n.claims = $claims",
        element=row["element"],
        texts=texts,
        claims=claims or None,
    ).consume()


def shorten_claim(text: str) -> str:
    """Shorten one stored claim; the JSON stays in the order and form in which it is stored."""
    claim = json.loads(text)
    short = {k: v for k, v in _without_long(claim).items() if v is not None}
    order = ["id", *ENTITY_INDEXED, "description"]
    keys = [*(k for k in order if k in short), *(k for k in short if k not in order)]
    return json.dumps({k: short[k] for k in keys}, ensure_ascii=False, separators=(",", ":"))


def _without_long(texts: dict[str, Any]) -> dict[str, Any]:
    kept = dict(texts)
    for name in ENTITY_INDEXED:
        if _too_long(kept.get(name)):
            both = (kept[name], kept.get("description"))  # as for new claims: nothing is lost
            kept["description"] = "\n".join(text for text in both if text)
            kept[name] = None
    return kept


def _too_long(text: str | None) -> bool:
    return isinstance(text, str) and len(text.encode()) > LONGEST_INDEXED_BYTES


def merge_shared_ids(db: Database, lease: Lease) -> int:
    """Merge nodes that share an id into the one that has claims and the lowest number.

    Its relationships then end at the node that stays; properties that this one lacks are kept.
    """
    if not _lacks(db, "entity_id"):
        return 0
    rows = db.rows(
        f"CYPHER 5 MATCH (n:{ENTITY}) WHERE n.id IS NOT NULL "
        "WITH n ORDER BY n.claims IS NULL, n.idx, elementId(n) "
        "WITH n.id AS id, collect(elementId(n)) AS elements WHERE size(elements) > 1 "
        "RETURN elements[0] AS kept, elements[1..] AS others"
    )
    for row in rows:
        for other in row["others"]:
            with lease.transaction() as tx:
                _merge_node(tx, other, row["kept"])
    return sum(len(row["others"]) for row in rows)


def _merge_node(tx: Transaction, gone: str, kept: str) -> None:
    match = "CYPHER 5 MATCH (n), (m) WHERE elementId(n) = $gone AND elementId(m) = $kept "
    ends = {"gone": gone, "kept": kept}
    found = tx.run(match + "MATCH (n)-[r]-() RETURN collect(DISTINCT type(r)) AS types", ends)
    types = found.single(strict=True)["types"]
    for name in types:
        kind = quote(name, types, "relationship type")
        for old, new in (
            (f"(n)-[r:{kind}]->(x)", f"(m)-[s:{kind}]->(x)"),
            (f"(x)-[r:{kind}]->(n)", f"(x)-[s:{kind}]->(m)"),
        ):
            tx.run(match + f"MATCH {old} CREATE {new} SET s = properties(r) DELETE r", ends)
    tx.run(
        match + "WITH n, m, properties(m) AS own SET m += properties(n) SET m += own DELETE n", ends
    ).consume()


def renumber(db: Database, lease: Lease) -> int:
    """Give nodes that share an ``idx`` numbers of their own; the first of them keeps it."""
    if not _lacks(db, "entity_idx"):
        return 0
    rows = db.rows(
        f"CYPHER 5 MATCH (n:{ENTITY}) WHERE n.idx IS NOT NULL WITH n ORDER BY n.id, elementId(n) "
        "WITH n.idx AS idx, collect(elementId(n)) AS elements WHERE size(elements) > 1 "
        "RETURN elements[1..] AS others"
    )
    others = [element for row in rows for element in row["others"]]
    with lease.transaction() as tx:
        found = tx.run(f"CYPHER 5 MATCH (n:{ENTITY}) RETURN max(n.idx) AS idx")
        bookkeeping.raise_next_idx(tx, (found.single(strict=True)["idx"] or 0) + 1)
        first = bookkeeping.reserve_idx(tx, len(others))
        tx.run(
            "CYPHER 5 UNWIND range(0, size($others) - 1) AS i MATCH (n) "
            "WHERE elementId(n) = $others[i] SET n.idx = $first + i",
            others=others,
            first=first,
        ).consume()
    return len(others)


def make_parallel(lease: Lease, relationship_types: list[str]) -> int:
    """Fill up the arrays of relationships that are shorter or longer than their sources.

    What is lost is unstated: the licence, the release, the score, the evidence.
    """
    changed = 0
    for name in relationship_types:
        with lease.transaction() as tx:
            counters = tx.run(
                f"CYPHER 5 MATCH (:{ENTITY})-[r:{names.relationship_type(name)}]->(:{ENTITY}) "
                "WITH r, size(r.sources) AS k WHERE k > 0 AND NOT coalesce(k = size(r.licenses) "
                "AND k = size(r.releases) AND coalesce(size(r.scores), k) = k "
                "AND coalesce(size(r.evidence), k) = k, false) "
                "WITH r, range(0, k - 1) AS places SET "
                "r.licenses = [i IN places | coalesce(r.licenses[i], $unstated)], "
                "r.releases = [i IN places | coalesce(r.releases[i], $unstated)], "
                "r.scores = CASE WHEN r.scores IS NOT NULL "
                "THEN [i IN places | coalesce(r.scores[i], 0.0 / 0.0)] END, "
                "r.evidence = CASE WHEN r.evidence IS NOT NULL "
                "THEN [i IN places | coalesce(r.evidence[i], '')] END "
                "RETURN count(r) AS n",
                unstated=UNSTATED,
            ).single(strict=True)
            changed += counters["n"]
    return changed


def remake_indexes(db: Database) -> int:
    """Drop indexes that failed, make those that are missing, and wait until all are online."""
    ours = {d.name for d in definitions()}
    failed = [f for f in ddl.found(db) if f.name in ours and f.state == "FAILED"]
    for index in failed:
        ddl.drop_index(db, index)
    return len(ddl.ensure_schema(db))


def _lacks(db: Database, name: str) -> bool:
    """Whether a constraint of ours is missing or has failed."""
    return not any(f.name == name and f.state == "ONLINE" and f.owner for f in ddl.found(db))
