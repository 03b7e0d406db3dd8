"""Which nodes and relationships of the graph are no sound claims of a source, and how many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.cypher.quoting import quote_property
from tosg.kg.report.findings import Finding
from tosg.kg.schema import names
from tosg.kg.schema.types import ENTITY, relationship_types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.kg.database.connection import Database
    from tosg.kg.database.counts import GraphCounts


def check_claims(db: Database, counts: GraphCounts) -> Iterator[Finding]:
    """Find nodes and relationships that are no sound claims of a source; reads all of them.

    Parameters
    ----------
    db : Database
        The graph.
    counts : GraphCounts
        Of the graph.
    """
    yield from _unclaimed_nodes(db)
    for name in counts.knowledge:
        yield from _unclaimed_relationships(db, name)
        yield from _copies(db, name)


def _unclaimed_nodes(db: Database) -> Iterator[Finding]:
    """Nodes that no load wrote, or that have lost what sources say of them."""
    rows = db.rows(
        f"CYPHER 5 MATCH (n:{ENTITY}) WHERE NOT coalesce(n.claims IS :: "
        "LIST<STRING NOT NULL> AND size(n.claims) > 0, false) "
        "RETURN n.sources IS NULL AS others, count(*) AS n, min(n.id) AS example"
    )
    for r in rows:
        what = (
            "nodes that no source claims; loads leave them alone"
            if r["others"]
            else "nodes have lost their claims; load their sources again"
        )
        yield Finding("claims", what, r["n"], str(r["example"]))


def _unclaimed_relationships(db: Database, name: str) -> Iterator[Finding]:
    """Relationships that no load wrote, damaged ones, and copies."""
    kind = names.relationship_type(name)
    row = db.rows(
        f"CYPHER 5 MATCH (a:{ENTITY})-[r:{kind}]->(b:{ENTITY}) WITH a, b, r, "
        "CASE WHEN r.sources IS :: LIST<STRING NOT NULL> THEN size(r.sources) END AS k "
        "WITH a, b, r, CASE WHEN r.sources IS NULL THEN 'none' "
        f"WHEN k = {_size('licenses')} AND k = {_size('releases')} "
        f"AND (r.scores IS NULL OR k = {_size('scores')}) "
        f"AND (r.evidence IS NULL OR k = {_size('evidence')}) "
        "THEN 'sound' ELSE 'damaged' END AS state "
        "RETURN count(CASE state WHEN 'none' THEN 1 END) AS none, "
        "count(CASE state WHEN 'damaged' THEN 1 END) AS damaged, "
        "min(CASE WHEN state <> 'sound' THEN coalesce(a.id, '?') + ' -> ' + "
        "coalesce(b.id, '?') END) AS example"
    )[0]
    if row["none"]:
        what = f"{name} without sources; loads leave it alone"
        yield Finding("claims", what, row["none"], row["example"])
    if row["damaged"]:
        what = f"{name} with arrays that are not parallel to its sources"
        hint = "; `tosg repair` makes them so"
        yield Finding("claims", what + hint, row["damaged"], row["example"])


def _size(name: str) -> str:
    """Cypher for the length of a property that should be a list; null where it is no list."""
    return f"CASE WHEN r.{name} IS :: LIST<ANY> THEN size(r.{name}) END"


def _copies(db: Database, name: str) -> Iterator[Finding]:
    keys = "".join(f", r.{quote_property(k)}" for k in relationship_types()[name].keys)
    kind = names.relationship_type(name)
    # Node by node, so that the server never holds the keys of a whole type.
    starts = "|".join(map(names.label, _start_labels(name)))
    row = db.rows(
        f"CYPHER 5 MATCH (a:{starts}) CALL (a) {{ MATCH (a)-[r:{kind}]->(b:{ENTITY}) "
        f"WHERE r.sources IS NOT NULL WITH b, [0{keys}] AS key, count(*) AS n WHERE n > 1 "
        "RETURN sum(n - 1) AS surplus, min(b.id) AS other } "
        "WITH a, surplus, other WHERE surplus > 0 "
        "RETURN sum(surplus) AS n, min(a.id + ' -> ' + other) AS example"
    )[0]
    if row["n"]:
        what = f"{name} stored twice; `tosg repair` makes one of them"
        yield Finding("claims", what, row["n"], str(row["example"]))


def _start_labels(name: str) -> list[str]:
    """Labels at which relationships of a type may start."""
    rtype = relationship_types()[name]
    ends = {start for start, _ in rtype.pairs}
    if not rtype.directed:
        ends |= {end for _, end in rtype.pairs}
    return sorted(ends)
