"""What the schema says of one type: of an entity, a relationship, a support node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tosg.kg.schema.templates import Template


@dataclass(frozen=True, slots=True)
class EntityType:
    """One type of knowledge node.

    Attributes
    ----------
    label : str
        Neo4j label.
    prefixes : tuple of str
        Bioregistry prefixes whose identifiers name the concept itself, best first: the id of a
        class of equivalents is that of the best prefix; the others become ``xrefs``. A
        cross-reference with any other prefix is kept but never joins two nodes.
    help : str
        What a node of this type is.
    template : Template
        How its text is composed.
    merge_by_name : bool
        Whether unambiguous names and synonyms join nodes of different prefixes.
    by_mapping : tuple of str
        Prefixes whose identifiers join no others by name once a source maps any of them to the
        best prefix: what a curated mapping leaves apart is apart.
    """

    label: str
    prefixes: tuple[str, ...]
    help: str
    template: Template
    merge_by_name: bool = False
    by_mapping: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RelationshipType:
    """One type of relationship between knowledge nodes.

    Attributes
    ----------
    name : str
        Neo4j relationship type, a verb in upper case.
    pairs : tuple of (str, str)
        Labels of start and end that it allows.
    directed : bool
        Undirected relationships are stored once, ends ordered by CURIE.
    keys : tuple of str
        Properties that are part of its key besides type, start and end.
    self_loops : bool
        Whether a node may have it to itself.
    help : str
        How to read it: "start VERB end".
    """

    name: str
    pairs: tuple[tuple[str, str], ...]
    help: str
    directed: bool = True
    keys: tuple[str, ...] = ()
    self_loops: bool = False


@dataclass(frozen=True, slots=True)
class SupportType:
    """A node that is no knowledge: cells, and the graph's own bookkeeping.

    Attributes
    ----------
    label : str
        Neo4j label.
    unique : tuple of str
        Properties with a uniqueness constraint each.
    indexed : tuple of str
        Properties with a range index each.
    help : str
        What a node of this label is.
    """

    label: str
    unique: tuple[str, ...]
    help: str
    indexed: tuple[str, ...] = ()
