"""The map of anyone's own graph: what its labels, types and properties are in the schema.

A map is a YAML file; ``docs/own-data.md`` has the whole of it. It is checked before a row is read:
unknown keys, types and prefixes are errors that name the nearest known ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tosg.errors import DataError, TosgError, unknown
from tosg.kg.schema.curies import known_prefix
from tosg.kg.schema.types import entity_types, relationship_types
from tosg.loaders.reference.table_map import MappedField, MapReader, read_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.loaders.scores import Score

_TEXTS = ("name", "symbol", "description")
_LISTS = ("synonyms", "xrefs")


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
    turned: bool | None = False
    sign: str = ""
    signs: dict[str, int] = field(default_factory=dict)
    score: Score | None = None
    action: str = ""
    evidence: dict[str, MappedField] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GraphMap:
    """What a map says; see the module."""

    source: str
    license: str
    release: str
    style: dict[str, str]
    nodes: dict[str, LabelMap]
    links: dict[str, LinkMap]


def read_graph_map(path: Path) -> GraphMap:
    """Read and check a map.

    Raises
    ------
    DataError
        It is no YAML mapping, lacks a key, or has one that is not known.
    """
    document = read_yaml(path)
    try:
        return _Reader(str(path)).graph(document)
    except DataError:
        raise
    except (TosgError, ValueError) as error:
        raise DataError("the map is wrong", where=path, found=error) from error


class _Reader(MapReader):
    def graph(self, document: object) -> GraphMap:
        keys = (
            "source", "license", "release", "delimiter", "array", "quote", "nodes",
            "relationships",
        )  # fmt: skip
        found = self.mapping(document, "the map", keys)
        self.need(found, "the map", "source", "nodes")
        named = {"tab": "\t", "comma": ",", "semicolon": ";", "bar": "|"}
        style = {k: str(found.get(k) or "") for k in ("delimiter", "array", "quote")}
        nodes = [self.node(n) for n in found["nodes"]]
        links = [self.link(n) for n in found.get("relationships") or ()]
        return GraphMap(
            str(found["source"]),
            str(found.get("license") or ""),
            str(found.get("release") or ""),
            {k: named.get(v, v) for k, v in style.items()},
            {n.label: n for n in nodes},
            {n.type: n for n in links},
        )

    def node(self, value: object) -> LabelMap:
        keys = ("label", "type", "id", "prefix", *_TEXTS, *_LISTS)
        found = self.mapping(value, "a node", keys)
        self.need(found, "a node", "label", "type")
        if found["type"] not in entity_types():
            raise unknown("type of entity", str(found["type"]), entity_types(), where=self.where)
        return LabelMap(
            str(found["label"]),
            found["type"],
            str(found.get("id") or ":ID"),
            known_prefix(str(found["prefix"])) if found.get("prefix") else "",
            {k: str(found[k]) for k in _TEXTS if found.get(k)},
            {k: str(found[k]) for k in _LISTS if found.get(k)},
        )

    def link(self, value: object) -> LinkMap:
        keys = ("type", "becomes", "turned", "sign", "score", "action", "evidence")
        found = self.mapping(value, "a relationship", keys)
        self.need(found, "a relationship", "type", "becomes")
        kinds = relationship_types()
        if found["becomes"] not in kinds:
            raise unknown("type of relationship", str(found["becomes"]), kinds, where=self.where)
        turned = found.get("turned", False)
        if turned not in (True, False, "any"):
            raise DataError(
                "turned is not known",
                where=self.where,
                found=repr(turned),
                expected="true, false or any",
            )
        column, words = self.sign(found.get("sign"))
        return LinkMap(
            str(found["type"]),
            str(found["becomes"]),
            None if turned == "any" else bool(turned),
            column,
            words,
            self.score(found.get("score")),
            str(found.get("action") or ""),
            self.evidence(found.get("evidence")),
        )
