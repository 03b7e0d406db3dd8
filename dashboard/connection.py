"""The graph that the page shows: one connection for all visitors, opened at first use."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tosg.graph import KnowledgeGraph
from tosg.settings import load_settings

if TYPE_CHECKING:
    from tosg.settings import Settings

_chosen: list[Settings] = []


def use(settings: Settings) -> None:
    """Choose the graph, before the page is served."""
    _chosen[:] = [settings]
    graph.cache_clear()


@cache
def graph() -> KnowledgeGraph:
    """The graph; without a choice, that of the environment and ``tosg.toml``."""
    return KnowledgeGraph(_chosen[0] if _chosen else load_settings({}))
