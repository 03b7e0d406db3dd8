"""A graph with groups of cells, and the page on it: one for all tests of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support import signals
from support.browser import chrome, dashboard
from support.servers import wipe

from tosg.kg import server as managed
from tosg.kg.database.connection import Database, Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

    from tosg.settings import Settings

#: Groups as attaching makes them; the mean of gene g in group k is ``g + k / 100``.
GROUPS = """
MATCH (c:Cell)
WITH c.dataset AS dataset, c.cell_type AS cell_type, c.tissue AS tissue, count(*) AS n
ORDER BY dataset, cell_type, tissue WITH collect({dataset: dataset, cell_type: cell_type,
  tissue: tissue, disease: 'normal', sex: 'female', n_cells: n, n_donors: 2}) AS groups
UNWIND range(0, size(groups) - 1) AS k
MATCH (d:Dataset {id: groups[k].dataset})
CREATE (g:CellGroup)-[:FROM]->(d) SET g = groups[k], g.id = 'group ' + toString(k)
WITH g, k MATCH (n:Gene)
CREATE (g)-[:EXPRESSES {mean: toInteger(split(n.id, ':')[1]) + k / 100.0, fraction: 0.5}]->(n)
"""


@pytest.fixture(scope="module")
def graph(server_settings: Settings, server: managed.ServerInfo) -> Iterator[Database]:
    """The graph of `support.signals` with its cells and groups."""
    info = managed.ensure_server(server_settings)
    with Database(Target(info.uri, info.username, info.password)) as database:
        wipe(database)
        signals.write_graph(database)
        signals.write_cells(database)
        database.write(GROUPS)
        yield database


@pytest.fixture(scope="module")
def page(graph: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the page on that graph."""
    with dashboard(graph, tmp_path_factory.mktemp("page")) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    """One browser for the tests of a file."""
    with chrome() as browser:
        yield browser


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of its own."""
    return tmp_path / "home"
