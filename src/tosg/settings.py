"""Settings: from flag, then environment, then ``tosg.toml``, then the managed server.

One frozen record says which graph a command talks to and how. Nothing here opens a connection.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import platformdirs

from tosg.errors import ConfigError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from urllib.parse import SplitResult

TOML_NAME = "tosg.toml"

SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")

#: What names the managed graph that has no name of its own.
DEFAULT_GRAPH = "default"

#: A name that is a folder's too, on every system, and no version of Neo4j.
_GRAPH_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")

#: Folders of tosg in the home folder that are no graphs.
_OWN_FOLDERS = ("reports", "training-sets")

#: setting -> environment variable
ENVIRONMENT = {
    "uri": "NEO4J_URI",
    "username": "NEO4J_USERNAME",
    "password": "NEO4J_PASSWORD",
    "database": "NEO4J_DATABASE",
    "graph": "TOSG_GRAPH",
    "home": "TOSG_HOME",
    "cache": "TOSG_CACHE",
    "neo4j_version": "TOSG_NEO4J_VERSION",
    "memory": "TOSG_NEO4J_MEMORY",
    "jvm": "TOSG_NEO4J_JVM",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Which graph, and where tosg keeps its own things.

    Attributes
    ----------
    uri, username, password, database : str or None
        The Neo4j to talk to. Without ``uri`` the managed server is meant.
    graph : str or None
        Name of one of several managed graphs; None for the one without a name.
    home : Path
        Folder of the managed server's data, settings and password. A named graph has a folder of
        its own in that of the unnamed one.
    cache : Path
        Folder of what can be downloaded again: the server's jars. Shared by all homes.
    neo4j_version : str
        Version of the managed server: ``2026.09.0`` or ``5.26.28``.
    memory : str or None
        Upper bound on the managed server's heap and page cache together, as ``2g`` or ``1500m``;
        by default sized from the memory this process may use.
    jvm : str or None
        Further options of the managed server's Java, as on a command line.
    """

    uri: str | None = None
    username: str | None = None
    password: str | None = None
    database: str | None = None
    graph: str | None = None
    home: Path = field(default_factory=lambda: default_home())
    cache: Path = field(default_factory=lambda: default_cache())
    neo4j_version: str = "2026.09.0"
    memory: str | None = None
    jvm: str | None = None

    @property
    def managed(self) -> bool:
        """Whether the managed server is meant (no ``uri`` was set anywhere)."""
        return self.uri is None

    @property
    def common_home(self) -> Path:
        """Folder of the graph without a name, in which the named ones have theirs."""
        return self.home if self.graph is None else self.home.parent

    def named(self, graph: str | None) -> Settings:
        """Settings of another managed graph, by its name; `DEFAULT_GRAPH` is the one without.

        Raises
        ------
        ConfigError
            It cannot be the name of a graph.
        """
        home = self.common_home
        if graph == DEFAULT_GRAPH:
            graph = None
        if graph is not None:
            home = home / check_graph_name(graph)
        return replace(self, uri=None, database=None, graph=graph, home=home)

    def __repr__(self) -> str:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        if self.password:
            values["password"] = "***"  # noqa: S105
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in values.items())})"


def check_graph_name(name: str) -> str:
    """Return a name that a graph can have.

    Raises
    ------
    ConfigError
        It is no name for a folder, or that of a folder of tosg's own.
    """
    if not _GRAPH_NAME.fullmatch(name) or name in _OWN_FOLDERS:
        raise ConfigError(
            "a graph cannot have this name",
            where="setting graph (flag --graph, environment TOSG_GRAPH or tosg.toml)",
            found=name,
            expected="letters, digits, - and _, a letter first; not " + " or ".join(_OWN_FOLDERS),
        )
    return name


def default_home() -> Path:
    """Folder for tosg's own data where ``TOSG_HOME`` is not set."""
    return _users_folder(platformdirs.user_data_dir, "TOSG_HOME")


def default_cache() -> Path:
    """Folder for downloads where ``TOSG_CACHE`` is not set."""
    return _users_folder(platformdirs.user_cache_dir, "TOSG_CACHE")


def _users_folder(folder: Callable[..., str], variable: str) -> Path:
    try:
        return Path(folder("tosg", appauthor=False))
    except RuntimeError as error:  # no HOME, and the user is in no password file
        raise ConfigError(
            "the user has no home folder",
            where="environment HOME",
            found=error,
            hint=f"set HOME or {variable}",
        ) from error


def load_settings(
    flags: Mapping[str, Any] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """Collect the settings: flag, then environment, then ``tosg.toml``, then defaults.

    Parameters
    ----------
    flags : mapping, optional
        Settings given by hand; None values count as not given.
    environ : mapping, optional
        The environment, by default that of this process.
    folder : Path, optional
        Folder in which ``tosg.toml`` is looked for, by default the current one.

    Raises
    ------
    ConfigError
        An unknown key, a ``tosg.toml`` that does not parse, a URI that cannot be one, a user,
        password or database where no server is named.
    """
    environ = os.environ if environ is None else environ
    names = {f.name for f in fields(Settings)}
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    for key in flags or {}:
        if key not in names:
            raise unknown("setting", key, names)
    values: dict[str, Any] = {}
    for place, found in (
        (TOML_NAME, _from_toml((folder or Path.cwd()) / TOML_NAME, names)),
        ("the environment", {k: environ[v] for k, v in ENVIRONMENT.items() if environ.get(v)}),
        ("flags", given),
    ):
        values = {**_without_rivals(values, found, place), **found}
    for folder_name in ("home", "cache"):
        if folder_name in values:
            values[folder_name] = Path(values[folder_name]).expanduser().absolute()
    _check_uri(values.get("uri"))
    _check_managed(values, flags or {})
    graph = values.pop("graph", None)
    settings = Settings(**values)
    return settings if graph is None else settings.named(graph)


def _without_rivals(
    lower: Mapping[str, Any], higher: Mapping[str, Any], place: str
) -> dict[str, Any]:
    """Drop the server that a lower place names where a higher one names a managed graph.

    Likewise the graph, where the higher one names a server.
    """
    if "graph" in higher and "uri" in higher:
        raise ConfigError(
            "both a database URI and a managed graph are given",
            where=place,
            found=f"uri {higher['uri']}, graph {higher['graph']}",
            expected="one of them",
        )
    rivals = {"uri", "database"} if "graph" in higher else {"graph"} if "uri" in higher else set()
    return {key: value for key, value in lower.items() if key not in rivals}


def _from_toml(path: Path, names: set[str]) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # editors add a mark
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("the settings file does not parse", where=path, found=error) from error
    for key, value in document.items():
        if key not in names:
            raise unknown("setting", key, names, where=path)
        if not isinstance(value, str):
            raise ConfigError(
                "a setting is not a string",
                where=f"{path}: {key}",
                found=repr(value),
                expected="a quoted string",
            )
    return document


def _check_uri(uri: str | None) -> None:
    if uri is None:
        return
    parts = urlsplit(uri)
    problem = None
    if parts.scheme not in SCHEMES or not uri.startswith(f"{parts.scheme}://"):
        problem = "has no scheme that Neo4j knows"
    elif parts.username is not None:
        problem = "holds a user name"
        uri = uri.replace(parts.netloc, f"***@{parts.netloc.rpartition('@')[2]}")
    elif not parts.hostname:
        problem = "names no host"
    elif not _has_good_port(parts):
        problem = "has a port that is no number from 1 to 65535"
    if problem:
        raise ConfigError(
            f"the database URI {problem}",
            where=f"setting uri (flag --uri, environment NEO4J_URI or {TOML_NAME})",
            found=uri,
            expected=f"as bolt://HOST:7687; the schemes are {', '.join(SCHEMES)}",
            hint="user and password are settings of their own: NEO4J_USERNAME, NEO4J_PASSWORD"
            if parts.username is not None
            else None,
        )


def _has_good_port(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port > 0
    except ValueError:  # no number, or too large
        return False


def _check_managed(values: Mapping[str, Any], flags: Mapping[str, Any]) -> None:
    """Refuse what only makes sense for a server of the user's own, where there is none.

    User and password may stand in the environment for other programs; as flags they are meant.
    """
    if values.get("uri") is not None:
        return
    meant = [name for name in ("username", "password") if flags.get(name) is not None]
    if values.get("database", "neo4j") != "neo4j":
        meant.append("database")
    if meant:
        raise ConfigError(
            "the managed server has one user and one database of its own",
            where=", ".join(f"setting {name}" for name in meant),
            found="no uri",
            expected="a uri beside it",
            hint=f"set --uri, NEO4J_URI or uri in {TOML_NAME}; or leave it out",
        )
