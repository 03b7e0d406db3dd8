"""The graph worked out by hand, and a small one with real vectors: one server for both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.fixture_graph import opened

from tosg.graph import KnowledgeGraph

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.kg import server as managed
    from tosg.kg.database.connection import Database
    from tosg.settings import Settings


@pytest.fixture(scope="module")
def graph(server_settings: Settings, server: managed.ServerInfo) -> Iterator[Database]:
    """The graph of `support.fixture_graph`."""
    with opened(server_settings) as db:
        yield db


@pytest.fixture
def connected(graph: Database, server_settings: Settings) -> Iterator[KnowledgeGraph]:
    """The facade on that graph."""
    with KnowledgeGraph(server_settings) as found:
        yield found
