"""The map of anyone's own graph: what its labels, types and properties are in the schema.

The source `neo4j_csv` reads a folder by it; its keys are in ``docs/own-data.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tosg.errors import DataError
from tosg.loaders.reference.map_reader import (
    LIST_KEYS,
    SEPARATORS,
    TEXT_KEYS,
    VALUE_KEYS,
    Described,
    LinkValues,
    MapReader,
    open_map,
)

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class LabelMap:
    """What nodes of one label are.

    Attributes
    ----------
    label, type : str
        Label of the folder, type of the schema.
    id : str
        Property with the identifier; ``:ID`` is that by which relationships name the node.
    prefix : str
        Of its identifiers; "" where each names its own.
    texts, lists : dict
        Name, symbol, description, synonyms, xrefs -> property.
    """

    label: str
    type: str
    id: str = ":ID"
    prefix: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LinkMap:
    """What relationships of one type are; ``type`` is the folder's, ``becomes`` the schema's."""

    type: str
    becomes: str
    turned: bool | None
    values: LinkValues


@dataclass(frozen=True, slots=True)
class GraphMap:
    """What a map says; see the module."""

    about: Described
    style: dict[str, str]
    nodes: dict[str, LabelMap]
    links: dict[str, LinkMap]


def read_graph_map(path: Path) -> GraphMap:
    """Read and check a map; see `tosg.loaders.reference.map_reader.open_map`."""
    return open_map(path, lambda where, document: _Reader(where).graph(document))


class _Reader(MapReader):
    def graph(self, document: object) -> GraphMap:
        keys = (
            "source", "license", "release", "delimiter", "array", "quote", "nodes",
            "relationships",
        )  # fmt: skip
        found = self.mapping(document, "the map", keys)
        self.need(found, "the map", "source", "nodes")
        style = {k: str(found.get(k) or "") for k in ("delimiter", "array", "quote")}
        nodes = [self.node(n) for n in found["nodes"]]
        links = [self.link(n) for n in found.get("relationships") or ()]
        return GraphMap(
            self.about(found),
            {k: SEPARATORS.get(v, v) for k, v in style.items()},
            {n.label: n for n in nodes},
            {n.type: n for n in links},
        )

    def node(self, value: object) -> LabelMap:
        keys = ("label", "type", "id", "prefix", *TEXT_KEYS, *LIST_KEYS)
        found = self.mapping(value, "a node", keys)
        self.need(found, "a node", "label", "type")
        return LabelMap(
            str(found["label"]),
            self.entity_type(found["type"]),
            str(found.get("id") or ":ID"),
            self.prefix(found),
            self.texts(found),
            {k: str(found[k]) for k in LIST_KEYS if found.get(k)},
        )

    def link(self, value: object) -> LinkMap:
        found = self.mapping(value, "a relationship", ("type", "becomes", "turned", *VALUE_KEYS))
        self.need(found, "a relationship", "type", "becomes")
        kind = self.relationship_type(found["becomes"])
        turned = found.get("turned", False)
        if turned not in (True, False, "any"):
            raise DataError(
                "turned has an unknown value",
                where=self.where,
                found=repr(turned),
                expected="true, false or any",
            )
        way = None if turned == "any" else bool(turned)
        return LinkMap(str(found["type"]), kind.name, way, self.values(found))
