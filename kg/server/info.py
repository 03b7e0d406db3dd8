"""What is known of a managed server that runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class ServerInfo:
    """A managed server that runs, and how to get in.

    Attributes
    ----------
    uri, http_uri : str
        Bolt and HTTP, on 127.0.0.1.
    username, password : str
        The password is not shown by ``repr``.
    version : str
        Of Neo4j.
    pid : int
        Its process.
    data, log : Path
        The folder of the data in use, and the server's main log.
    password_file : Path
        Where the password is kept, readable by its owner alone.
    memory : str or None
        Upper bound on heap and page cache that it was started with, as ``4g``.
    """

    uri: str
    http_uri: str
    username: str
    password: str = field(repr=False)
    version: str
    pid: int
    data: Path
    log: Path
    password_file: Path
    memory: str | None = None
