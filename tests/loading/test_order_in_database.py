"""All sources, loaded into a real database in any order: the same graph, and nothing new again."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from support.loads import held, wiped
from support.sources import FIXTURES, source_of, write_source

from tosg.loaders import registry
from tosg.loaders.pipeline.load import SourceInput, load

if TYPE_CHECKING:
    from pathlib import Path

    from support.graphs import Content

    from tosg.settings import Settings

pytestmark = pytest.mark.neo4j

#: One fixture of each source, in its present layout.
NAMES = sorted({source_of(name): name for name in sorted(FIXTURES, reverse=True)}.values())
#: Sources that meet each other in every type of entity, by links, names and members.
FEW = [n for n in NAMES if source_of(n) in ("hgnc", "mondo", "omnipath", "signor", "ttd", "chembl")]


def graph_of(
    empty: Settings, data: Path, names: list[str], order: int
) -> tuple[Content, list[SourceInput]]:
    """What the graph holds after loads of these sources in a random order and grouping."""
    draw = random.Random(order)  # noqa: S311
    given = []
    for name in draw.sample(names, len(names)):
        write_source(name, data / name)
        options = {**FIXTURES[name].options, "excerpt": "false"}
        loader = registry.make(source_of(name), options)
        given.append(SourceInput.locate(loader, [data / name]))
    wiped(empty)
    cuts = sorted(draw.sample(range(1, len(given)), 2))
    for start, end in zip([0, *cuts], [*cuts, len(given)], strict=True):
        load(empty, given[start:end], way="bolt")
    return held(empty), given


def check(empty: Settings, data: Path, names: list[str], orders: list[int]) -> None:
    first, _ = graph_of(empty, data, names, orders[0])
    assert first["nodes"]
    assert first["relationships"]
    for order in orders[1:]:
        found, given = graph_of(empty, data, names, order)
        assert found == first, f"order {order}"
    again = load(empty, given, way="bolt")
    assert not again.changed
    assert held(empty) == first


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_few_sources_give_the_same_graph_in_any_order(empty: Settings, tmp_path: Path) -> None:
    assert len(FEW) == 6
    check(empty, tmp_path, FEW, [1, 2])


@pytest.mark.slow
@pytest.mark.timeout(5400)
def test_all_sources_give_the_same_graph_in_any_order(empty: Settings, tmp_path: Path) -> None:
    assert {source_of(name) for name in NAMES} == set(registry.names())
    check(empty, tmp_path, NAMES, [3, 4, 5])
