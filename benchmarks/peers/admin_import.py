"""``neo4j-admin database import full`` alone, on CSV files that lie ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.kg import server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.settings import Settings


def run(settings: Settings, arguments: Sequence[str]) -> tuple[float, int, int]:
    """Import; returns the tool's own seconds, and the nodes and relationships it stored."""
    result = server.import_full(settings, arguments)
    return result.import_seconds, result.nodes, result.relationships
