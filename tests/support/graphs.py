"""What a graph holds, in a form that can be compared: by id, row numbers aside."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database

Content = dict[str, Any]

#: Properties of nodes that depend on when and how a graph was made.
_OWN = ("idx",)


def content(db: Database) -> Content:
    """Every knowledge node and relationship with all its properties, and the pending claims."""
    nodes = {}
    for r in db.rows("MATCH (n:Entity) RETURN labels(n) AS labels, properties(n) AS p"):
        kept = {k: _plain(v) for k, v in r["p"].items() if k not in _OWN}
        assert kept["id"] not in nodes
        nodes[kept["id"]] = {"labels": sorted(r["labels"]), **kept}
    ties = Counter(
        json.dumps([r["a"], r["type"], r["b"], _plain(r["p"])], sort_keys=True)
        for r in db.rows(
            "MATCH (a:Entity)-[r]->(b:Entity) "
            "RETURN a.id AS a, type(r) AS type, b.id AS b, properties(r) AS p"
        )
    )
    assert max(ties.values(), default=1) == 1
    pending = [
        _plain(r["p"])
        for r in db.rows(
            "MATCH (p:TosgPending) RETURN properties(p) AS p ORDER BY p.source, p.part"
        )
    ]
    return {"nodes": nodes, "relationships": sorted(ties), "pending": pending}


def digest(db: Database) -> str:
    """Hash of the content."""
    text = json.dumps(content(db), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Turn bytes and NaN into what JSON has; the types of numbers stay apart."""
    if isinstance(value, bytes | bytearray):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in sorted(value.items())}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return {"float": repr(value)}
    return value
