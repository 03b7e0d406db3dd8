"""Folders of CSV files as ``neo4j-admin database import`` takes them.

A table is a header and its parts: ``Protein-header.csv`` with ``Protein-part000.csv``, or one file
whose first line is the header. Which files belong together is read from the import script that
BioCypher writes beside them (``neo4j-admin-import-call.sh``), else from their names.

Header fields: ``:ID``, ``id:ID(Protein)``, ``:LABEL``, ``:START_ID(Protein)``, ``:END_ID``,
``:TYPE``, ``name``, ``score:double``, ``tags:string[]``, ``:IGNORE``; see
https://neo4j.com/docs/operations-manual/current/import/ ("CSV header format").
"""

from __future__ import annotations

import csv as python_csv
import re
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tosg.errors import DataError
from tosg.loaders.formats.opening import check_utf8, open_bytes, read_text, strip_bom
from tosg.loaders.formats.tables import Layout, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog

_FIELD = re.compile(r"^(?P<name>[^:]*)(?::(?P<kind>[A-Za-z_]+)?(?P<array>\[\])?(?:[({].*)?)?$")
_SPACE = re.compile(r":(?:ID|START_ID|END_ID)\((?P<space>[^)]*)\)")
_ROLES = ("ID", "LABEL", "START_ID", "END_ID", "TYPE")
_PART = re.compile(r"[-_.]?(?:header|part\d*|\d+)$")
_NAMED = {"TAB": "\t", "\\t": "\t", "'\\t'": "\t"}


@dataclass(frozen=True)
class CsvStyle:
    """How the fields of all tables are written.

    Attributes
    ----------
    delimiter, array, quote : str
        One ASCII character each: between fields, between the items of a list, around a field.
    """

    delimiter: str = ","
    array: str = ";"
    quote: str = '"'


@dataclass(frozen=True)
class CsvHeader:
    """Fields of a table.

    Attributes
    ----------
    columns : tuple of str
        Names in order: ``:ID``, ``:LABEL``, ``:START_ID``, ``:END_ID``, ``:TYPE``, those of the
        properties, and ``:IGNORE n`` for fields that are not read.
    spaces : mapping
        ``:ID``, ``:START_ID``, ``:END_ID`` -> its space of identifiers, "" for the common one.
    arrays : frozenset of str
        Properties that are lists.
    """

    columns: tuple[str, ...]
    spaces: Mapping[str, str]
    arrays: frozenset[str]

    @property
    def is_nodes(self) -> bool:
        """Whether the table is one of nodes, and not of relationships."""
        return ":ID" in self.columns


@dataclass(frozen=True)
class CsvTable:
    """A header and its parts.

    Attributes
    ----------
    header : CsvHeader
    parts : tuple of Path
    in_file : bool
        Whether each part begins with the header.
    label : str
        Label or type of all rows, where the import script says it; "" elsewhere.
    name : str
        Common name of its files: ``Protein`` of ``Protein-part000.csv``.
    """

    header: CsvHeader
    parts: tuple[Path, ...]
    in_file: bool
    label: str
    name: str

    def batches(self, part: Path, style: CsvStyle, file: FileLog) -> Iterator[pa.RecordBatch]:
        """Rows of one part as text; see `tosg.loaders.formats.tables.read_table`."""
        layout = Layout(
            self.header.columns,
            delimiter=style.delimiter,
            quoted=True,
            quote=style.quote,
            header=self.in_file,
            parse_header=lambda line: list(_parse(line, style, part).columns),
        )
        read = tuple(c for c in self.header.columns if not c.startswith(":IGNORE"))
        if self.in_file:
            layout = replace(layout, columns=read)
        for batch in read_table(part, layout, file):
            yield batch.select([*read, "line"])


def read_style(script: Path | None, given: Mapping[str, str]) -> CsvStyle:
    """How fields are written: as given, else as the import script says, else Neo4j's defaults."""
    options = _options(script) if script else {}
    names = {"delimiter": "delimiter", "array": "array-delimiter", "quote": "quote"}
    found = {k: given.get(k) or options.get(name, [""])[0] for k, name in names.items()}
    style = CsvStyle(**{k: _NAMED.get(v, v) for k, v in found.items() if v})
    for what, sign in vars(style).items():
        if len(sign) != 1 or not sign.isascii():
            raise DataError(
                f"the {what} is not one ASCII character",
                where=script,
                found=repr(sign),
                hint="give it in the map",
            )
    return style


def find_tables(paths: Sequence[Path], script: Path | None, style: CsvStyle) -> list[CsvTable]:
    """Which files belong together.

    Raises
    ------
    DataError
        A header has no part, a part no header, or the script names files that are not there.
    """
    if script is not None:
        found = list(_from_script(script, paths, style))
        if not found:
            raise DataError(
                "the import script names no tables",
                where=script,
                expected="--nodes=... and --relationships=...",
                hint="is this BioCypher's neo4j-admin-import-call.sh?",
            )
        return found
    groups: dict[str, list[Path]] = {}
    for path in paths:
        groups.setdefault(_stem(path), []).append(path)
    return [_by_name(name, found, style) for name, found in sorted(groups.items())]


def _stem(path: Path) -> str:
    """Common name of a table's files."""
    name = path.name.split(".csv")[0].split(".tsv")[0]
    return _PART.sub("", name) or name


def _by_name(name: str, paths: Sequence[Path], style: CsvStyle) -> CsvTable:
    headers = [p for p in paths if "header" in p.name]
    parts = tuple(sorted(p for p in paths if p not in headers))
    if len(headers) > 1 or (headers and not parts):
        raise DataError(
            "a header has no table, or a table several headers",
            where=headers[0],
            found=", ".join(p.name for p in paths),
            expected=f"one {name}-header.csv and {name}-part000.csv",
        )
    if headers:
        return CsvTable(
            _header_of(headers[0], style, alone=True), parts, in_file=False, label="", name=name
        )
    return CsvTable(
        _header_of(parts[0], style, alone=False), parts, in_file=True, label="", name=name
    )


def _from_script(script: Path, paths: Sequence[Path], style: CsvStyle) -> Iterator[CsvTable]:
    options = _options(script)
    for option in ("nodes", "relationships"):
        for value in dict.fromkeys(options.get(option, ())):
            label, _, listed = value.rpartition("=")
            names = [part.rpartition("/")[2] for part in listed.split(",")]
            header = [p for p in paths if p.name == names[0]]
            fitting = [
                p
                for p in paths
                for name in names[1:] or names
                if p.name == name or _fits(name, p.name, script)
            ]
            if not header or not fitting:
                raise DataError(
                    "the import script names files that are not there",
                    where=script,
                    found=listed,
                    hint="give the whole folder",
                )
            parts = tuple(sorted(set(fitting)))
            in_file = len(names) == 1
            found = _header_of(header[0], style, alone=not in_file)
            yield CsvTable(found, parts, in_file, label.replace(":", "|"), _stem(header[0]))


def _fits(expression: str, name: str, script: Path) -> bool:
    try:
        return re.fullmatch(expression, name) is not None
    except re.error as error:
        raise DataError(
            "an expression of the import script cannot be used",
            where=script,
            found=f"{expression}: {error}",
        ) from error


def _options(script: Path) -> dict[str, list[str]]:
    """Options of the import call: ``--nodes="Label=header.csv,part.*"``."""
    found: dict[str, list[str]] = {}
    text = read_text(script).replace("\\\n", " ")
    try:
        words = shlex.split(text, comments=True)
    except ValueError as error:
        raise DataError("the import script cannot be read", where=script, found=error) from error
    for number, word in enumerate(words):
        if not word.startswith("--"):
            continue
        name, equals, value = word[2:].partition("=")
        following = words[number + 1] if number + 1 < len(words) else ""
        found.setdefault(name, []).append(value if equals else following)
    return found


def _header_of(path: Path, style: CsvStyle, *, alone: bool) -> CsvHeader:
    """Header of a file: its first line, and where it stands ``alone``, its only one."""
    if alone:
        line, *more = read_text(path).rstrip("\n").split("\n")
        if more:
            raise DataError(
                "the file of a header has more than one line",
                where=f"{path}, line 2",
                found=more[0][:200],
                expected="the names of the fields alone",
            )
        return _parse(line, style, path)
    with open_bytes(path) as stream:
        data = strip_bom(stream.readline(1 << 20), path)
    check_utf8(data, path, first_line=1)
    return _parse(data.decode("utf-8"), style, path)


def _parse(line: str, style: CsvStyle, path: Path) -> CsvHeader:
    fields = next(
        python_csv.reader([line.rstrip("\r\n")], delimiter=style.delimiter, quotechar=style.quote),
        [],
    )
    columns: list[str] = []
    spaces: dict[str, str] = {}
    arrays: set[str] = set()
    for number, field in enumerate(fields):
        told = _FIELD.match(field.strip())
        name, kind = (told["name"], told["kind"] or "") if told else (field, "")
        if kind in _ROLES:
            column = f":{kind}"
            space = _SPACE.search(field)
            if kind not in ("LABEL", "TYPE"):
                spaces[column] = space["space"] if space else ""
        elif kind == "IGNORE" or not name:
            column = f":IGNORE {number}"
        else:
            column = name
            if told and told["array"]:
                arrays.add(name)
        columns.append(column)
    roles = set(columns)
    if not (":ID" in roles or {":START_ID", ":END_ID"} <= roles) or len(roles) != len(columns):
        raise DataError(
            "the line is not a header of neo4j-admin",
            where=f"{path}, line 1",
            found=line[:200],
            expected=":ID for nodes, :START_ID and :END_ID for relationships, each name once",
            hint="is the delimiter right? give it in the map",
        )
    return CsvHeader(tuple(columns), spaces, frozenset(arrays))
