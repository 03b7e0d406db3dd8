"""Look inside a server that has just started: a damaged graph does not keep it from starting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.errors import DatabaseError, ServerError, TosgError
from tosg.kg.database.connection import Database, Target
from tosg.kg.server.failure import DAMAGED, explain

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.deadline import Deadline
    from tosg.kg.server.info import ServerInfo
    from tosg.kg.server.layout import ServerLayout

STATUS = "SHOW DATABASE neo4j YIELD currentStatus, statusMessage"
PASSING = ("starting", "initial", "unknown")


def check_online(info: ServerInfo, layout: ServerLayout, deadline: Deadline) -> None:
    """Wait until the database is online.

    Parameters
    ----------
    info : ServerInfo
        The server, which takes connections.
    layout : ServerLayout
        Where its logs are.
    deadline : Deadline
        Until when.

    Raises
    ------
    ServerError
        It refuses our password, or the database cannot be opened.
    """
    target = Target(info.uri, info.username, info.password, database="system")
    try:
        with Database(target) as system:
            while True:
                row = system.rows(STATUS)[0]
                if row["currentStatus"] == "online":
                    return
                if row["currentStatus"] not in PASSING or deadline.passed:
                    raise explain(
                        layout,
                        f"cannot open its database ({row['currentStatus']})",
                        words=row["statusMessage"],
                        otherwise=DAMAGED,
                    )
                deadline.sleep(0.1)
    except ServerError:
        raise
    except DatabaseError as error:
        raise _refused(info.password_file, error) from error


def _refused(password_file: Path, error: TosgError) -> ServerError:
    return ServerError(
        "the managed server started but rejects the password that tosg has",
        where=password_file,
        found=error.found or error,
        hint="if the password was changed by hand, write the new one into the file above",
    )
