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
