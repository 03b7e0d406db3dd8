"""Loads of small sources in the original formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.graphs import content
from support.servers import wipe
from support.sources import FIRST
from tosg.kg.server.connect import connect
from tosg.loaders import registry
from tosg.loaders.pipeline.load import SourceInput

if TYPE_CHECKING:
    from pathlib import Path

    from support.graphs import Content
    from tosg.settings import Settings

SOURCES = FIRST

#: Those of the small recipe, in its order.
RECIPE = ["hetionet", "ncbi_gene", "uniprot", "trrust", "goa"]


def inputs(data: Path, names: list[str] = SOURCES) -> list[SourceInput]:
    """The named sources with their files."""
    return [SourceInput.locate(registry.make(n, {"excerpt": "false"}), [data / n]) for n in names]


def held(settings: Settings) -> Content:
    """What the graph holds, in a form that can be compared."""
    with connect(settings) as db:
        return content(db)


def wiped(settings: Settings, *, schema: bool = True) -> Settings:
    """The same server without nodes, and without indexes where `schema` is False."""
    with connect(settings) as db:
        wipe(db, schema=schema)
    return settings
