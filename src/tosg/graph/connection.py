"""A graph's settings and its connection, which every call of the facade gets."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from tosg.closing import Closing

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
