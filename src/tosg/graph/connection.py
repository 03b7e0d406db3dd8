"""A graph's settings and its connection, which every call of the facade gets."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from tosg.closing import Closing
from tosg.errors import TosgError
from tosg.html_text import facts_html
from tosg.settings import DEFAULT_GRAPH

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database
    from tosg.settings import Settings


class GraphConnection(Closing):
    """The connection to one graph. A context manager; pickles as its settings.

    Parameters
    ----------
    settings : Settings
        Which graph.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.settings,))

    def _repr_html_(self) -> str:
        """What it holds, where the connection is open; showing it opens none."""
        s = self.settings
        where = s.uri or f"managed graph {s.graph or DEFAULT_GRAPH} in {s.home}"
        if "db" not in self.__dict__:
            return facts_html("KnowledgeGraph", [("where", where)], ["not connected yet"])
        from tosg.kg.database import counts

        try:
            found = counts.count(self.db)
        except TosgError as error:
            return facts_html("KnowledgeGraph", [("where", where)], [error.what])
        rows: list[tuple[str, object]] = [("where", where), *found.entities.items()]
        cells = {k: found.nodes[k] for k in ("Cell", "Dataset") if k in found.nodes}
        rows += [("relationships", sum(found.knowledge.values())), *cells.items()]
        return facts_html("KnowledgeGraph", rows)

    def close(self) -> None:
        """Close the connection; the next call opens it again."""
        if "db" in self.__dict__:
            self.db.close()
            del self.db

    @cached_property
    def db(self) -> Database:
        """The connection, opened at first use."""
        from tosg.kg.server.connect import connect

        return connect(self.settings)
