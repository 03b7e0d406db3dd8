"""Facts of known biology in `tests/biology/facts.yaml`, and how a graph is asked for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tosg.errors import UsageError
from tosg.kg.database.counts import by_source
from tosg.kg.query.lookup import find_entities
from tosg.kg.query.run import run_query

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database

TABLE = Path(__file__).parents[1] / "biology" / "facts.yaml"

_EDGE = """CYPHER 5
MATCH (:Entity {id: $start})-[:ENCODES*0..1]->(x), (:Entity {id: $end})-[:ENCODES*0..1]->(y)
MATCH (x)-[r]->(y) WHERE type(r) IN $types
  AND ($sign IS NULL OR r.sign = $sign) AND ($action IS NULL OR r.action = $action)
RETURN count(r) AS n"""

#: Paths that are looked through for one with the sign of the fact.
_PATHS = 200


class _NotThereError(Exception):
    """An end of the fact is not in the graph."""


@dataclass(frozen=True)
class Fact:
    """One fact; see the head of the table for its fields.

    Attributes
    ----------
    name, says, source : str
    needs : tuple of str
        Sources of tosg of which any gives it.
    kind : str
        ``path``, ``edge``, ``node`` or ``name``.
    what : dict or str
        What is asked.
    absent : bool
        Whether it must not be there.
    """

    name: str
    says: str
    source: str
    needs: tuple[str, ...]
    kind: str
    what: Any
    absent: bool = False


@dataclass
class AskedGraph:
    """A graph, and which sources it was made from."""

    db: Database
    sources: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.sources = set(by_source(self.db))

    def ask(self, fact: Fact) -> tuple[bool | None, str]:
        """Whether the graph says what it has to say of a fact; None where it cannot, and why."""
        needs = f"needs source {' or '.join(fact.needs)}"
        try:
            if self._there(fact):
                return not fact.absent, "it is there"
        except _NotThereError as error:
            return None, f"{error}; {needs}"
        if not self.sources & set(fact.needs):
            return None, needs
        return fact.absent, "it is not there"

    def _there(self, fact: Fact) -> bool:
        what = fact.what
        if fact.kind == "node":
            rows = self.db.rows("MATCH (n:Entity {id: $id}) RETURN count(n) AS n", id=what)
            return bool(rows[0]["n"])
        if fact.kind == "name":
            return find_entities(self.db, what["type"], [what["given"]]).ids == {
                what["given"]: what["id"]
            }
        if fact.kind == "edge":
            return self._edge(what)
        try:
            asked = {k: v for k, v in what.items() if k != "sign"}
            rows = run_query(
                self.db, "signed_paths", {**asked, "limit": _PATHS}, timeout=300
            ).to_pylist()
        except UsageError as error:
            raise _NotThereError(str(error)) from error
        return any("sign" not in what or row["sign"] == what["sign"] for row in rows)

    def _edge(self, what: dict[str, Any]) -> bool:
        start, end = (self._id(what[side], what["types"]) for side in ("start", "end"))
        rows = self.db.rows(
            _EDGE,
            start=start,
            end=end,
            types=what["types"],
            sign=what.get("sign"),
            action=what.get("action"),
        )
        return bool(rows[0]["n"])

    def _id(self, name: str, types: list[str]) -> str:
        label = "Gene"
        if ":" in name:
            label = "Entity"
        elif types == ["TARGETS"] and name.islower():
            label = "Drug"
        found = find_entities(self.db, label, [name]).ids.get(name)
        if found is None:
            raise _NotThereError(f"{name} is not in the graph")
        return found


def facts() -> list[Fact]:
    """The facts of the table; a field that is unknown, missing or given twice is an error."""
    found = []
    for row in yaml.safe_load(TABLE.read_text(encoding="utf-8")):
        given = dict(row)
        (kind,) = {"path", "edge", "node", "name"} & set(given)
        found.append(
            Fact(
                given.pop("fact"),
                given.pop("says"),
                given.pop("source"),
                tuple(given.pop("needs")),
                kind,
                given.pop(kind),
                given.pop("absent", False),
            )
        )
        if given:
            raise ValueError(f"{found[-1].name}: unknown fields {sorted(given)}")
    return found
