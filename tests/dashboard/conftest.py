"""A graph with groups of cells, and the page on it: one for all tests of a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support import signals
from support.browser import chrome, dashboard
from support.servers import give

from tosg.kg import server as managed
from tosg.kg.cells.report import AttachReport
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
        give(database, "signals, cells, groups and reports", write)
        yield database


def write(database: Database) -> None:
    signals.write_all(database)
    database.write(GROUPS)
    write_reports(database)


def write_reports(database: Database) -> None:
    """Reports of the data sets, as attaching keeps them: here of the donors alone."""
    counted = database.rows(
        "MATCH (c:Cell) WHERE c.donor_id IS NOT NULL "
        "RETURN c.dataset AS dataset, c.donor_id AS donor, count(*) AS n ORDER BY dataset, donor"
    )
    for dataset in {row["dataset"] for row in counted}:
        labels = [
            {"label": row["donor"], "cells": row["n"], "kind": "text", "name": None}
            for row in counted
            if row["dataset"] == dataset
        ]
        report = AttachReport(dataset, "attached", fields={"donor_id": {"labels": labels}})
        database.write(
            "MATCH (d:Dataset {id: $id}) SET d.report = $report",
            id=dataset,
            report=json.dumps(report.as_dict()),
        )


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
