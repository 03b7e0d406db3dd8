"""Counts of what one write changed, per type."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Changes:
    """What became of the nodes of one label or the relationships of one type.

    Attributes
    ----------
    made : int
        New ones.
    changed : int
        Those that were there and got other properties.
    unchanged : int
        Those that were looked at and stay as they are.
    removed : int
        Those that nobody claims any more, and nodes that were merged into others.
    """

    made: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0

    def as_dict(self) -> dict[str, int]:
        """Plain values for JSON."""
        return {
            "made": self.made,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "removed": self.removed,
        }


@dataclass(slots=True)
class WriteCounts:
    """What one load did, per label and relationship type.

    Attributes
    ----------
    nodes, relationships : dict
        Label or type to its `Changes`.
    revision : int
        Revision of the graph afterwards.
    extra_labels : int
        Type labels given to nodes that were there, less those that went with nodes of several.
    """

    nodes: dict[str, Changes] = field(default_factory=dict)
    relationships: dict[str, Changes] = field(default_factory=dict)
    revision: int = 0
    extra_labels: int = 0

    @property
    def anything(self) -> bool:
        """Whether the graph is another one than before."""
        return any(
            c.made or c.changed or c.removed
            for c in (*self.nodes.values(), *self.relationships.values())
        )

    def total(self, kind: str) -> Changes:
        """Sum over labels (``kind`` "nodes") or types ("relationships")."""
        parts: dict[str, Changes] = getattr(self, kind)
        return Changes(
            sum(c.made for c in parts.values()),
            sum(c.changed for c in parts.values()),
            sum(c.unchanged for c in parts.values()),
            sum(c.removed for c in parts.values()),
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "revision": self.revision,
            "nodes": {k: self.nodes[k].as_dict() for k in sorted(self.nodes)},
            "relationships": {
                k: self.relationships[k].as_dict() for k in sorted(self.relationships)
            },
        }
