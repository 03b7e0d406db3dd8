"""Texts that people type, as the values that `KnowledgeGraph` takes.

The command line and the forms of the dashboard read their fields with these functions.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from tosg.export.selection import Selection
    from tosg.kg.cells.obs.mapping import CellMapping

#: Fields of a selection that say something about its cells.
_OF_CELLS = ("target", "split", "balance", "sample", "normalize")


def read_mapping(
    maps: Sequence[str] = (), sets: Sequence[str] = (), keep: Sequence[str] = ()
) -> CellMapping:
    """Read which column of a file of cells holds which field.

    Parameters
    ----------
    maps : sequence of str
        YAML files and ``FIELD=COLUMN``, which wins over files.
    sets : sequence of str
        ``FIELD=VALUE``: one value for every cell.
    keep : sequence of str
        Further columns to copy.

    Returns
    -------
    CellMapping
        For `tosg.KnowledgeGraph.attach_cells`.

    Raises
    ------
    ConfigError
        A file is missing or does not parse, a field is unknown, or ``=`` is missing.
    """
    from tosg.kg.cells.obs.mapping import CellMapping

    return CellMapping.read(maps, sets, keep)


def read_params(pairs: Sequence[str], query: str) -> dict[str, Any]:
    """Read ``KEY=VALUE`` by the type that the query declares, else as JSON, else as text.

    Parameters
    ----------
    pairs : sequence of str
        ``KEY=VALUE`` each.
    query : str
        Name of a statement, ``@file``, or Cypher.

    Returns
    -------
    dict
        For ``params`` of `tosg.KnowledgeGraph.query`.

    Raises
    ------
    ConfigError
        ``=`` is missing, or a value is not of the declared type.
    """
    from tosg.kg.query.parameters import parse_params
    from tosg.kg.query.statements import find_statement

    return parse_params(pairs, find_statement(query))


def read_selection(
    given: Mapping[str, Any],
    params: Sequence[str] = (),
    *,
    spec: str | os.PathLike[str] | None = None,
    manifest: str | os.PathLike[str] | None = None,
    where: str = "the selection",
) -> Selection:
    """Read a selection from a manifest, a spec file and fields, each over the one before.

    Parameters
    ----------
    given : mapping
        Fields of `Selection`; ``cells`` False leaves the cells out, with what a file says of them.
    params : sequence of str
        ``KEY=VALUE`` pairs of the queries.
    spec : path, optional
        A YAML file with the fields of a selection.
    manifest : path, optional
        An earlier training set, or its manifest.
    where : str
        Where `given` comes from, for errors.

    Returns
    -------
    Selection
        For `tosg.KnowledgeGraph.export`.

    Raises
    ------
    ConfigError
        A file cannot be read, a field is unknown or has a wrong value.
    """
    from tosg.export.selection import (
        Selection,
        list_parameters,
        load_manifest,
        load_spec,
        parse_selection_params,
    )

    document: dict[str, Any] = {}
    place = where
    if manifest is not None:
        document, place = load_manifest(Path(manifest)), str(manifest)
    if spec is not None:
        document, place = document | load_spec(Path(spec)), str(spec)
    base = Selection.from_dict(document, where=place)
    if given.get("cells") is False:
        plain: dict[str, Any] = {f.name: f.default for f in dataclasses.fields(Selection)}
        base = dataclasses.replace(base, cells=False, **{name: plain[name] for name in _OF_CELLS})
    selection = Selection.from_dict({**base.as_dict(), **given}, where=where)
    kept = dict(selection.params)
    if not {"nodes", "edges", "cells"}.isdisjoint(given):
        # A query of the file that was replaced leaves its values behind.
        kept = {name: kept[name] for name in list_parameters(selection) & kept.keys()}
    return dataclasses.replace(
        selection, params={**kept, **parse_selection_params(params, selection)}
    )


def read_each(pairs: Sequence[str], selection: Selection) -> dict[str, Selection]:
    """Make one selection for each value of a parameter.

    Parameters
    ----------
    pairs : sequence of str
        ``KEY=VALUE`` each, of one parameter; ``KEY=@FILE`` takes a value from each line of a file.
    selection : Selection
        What they have in common.

    Returns
    -------
    dict
        Name of a folder, made of the value, to selection, in the order given.

    Raises
    ------
    ConfigError
        ``=`` is missing, the pairs are of several parameters, a file cannot be read or has no
        value, or two values make the same name.
    """
    from tosg.errors import ConfigError
    from tosg.export.selection import name_folder, parse_selection_params

    values: list[str] = []
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (equals and value.startswith("@")):
            values.append(pair)
            continue
        path = Path(value[1:])
        try:
            lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                "the file of values cannot be read", where=path, found=error
            ) from error
        if not any(lines):
            raise ConfigError("the file of values has none", where=path, expected="one a line")
        values += [f"{key}={line}" for line in lines if line]
    keys = sorted({value.partition("=")[0] for value in values})
    if len(keys) > 1:
        raise ConfigError(
            "the training sets differ in several parameters",
            where="each",
            found=", ".join(keys),
            expected="values of one parameter",
        )
    each: dict[str, Selection] = {}
    for value in values:
        name = name_folder(value.partition("=")[2])
        if name in each:
            raise ConfigError("two values make the same folder", where="each", found=value)
        params = {**selection.params, **parse_selection_params([value], selection)}
        each[name] = dataclasses.replace(selection, params=params)
    return each
