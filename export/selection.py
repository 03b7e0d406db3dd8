"""What to export: one frozen record, from options, a spec file or the manifest of an export.

A selection says nothing about where the graph is or how the work is done; the same selection of
the same graph gives the same bytes.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Self

from tosg.errors import ConfigError, unknown
from tosg.kg.schema.types import relationship_types

LEVELS = ("as-stored", "gene", "protein")
NORMALIZE = ("none", "log1p_cp10k")
TEXT_DTYPES = ("float32", "float16")

#: Other spellings of keys in a spec file.
_ALIASES = {"edge_type": "edge_types", "param": "params", "all_cells": "primary_only"}


@dataclass(frozen=True, slots=True)
class Selection:
    """What to export.

    Attributes
    ----------
    nodes : str or None
        Cypher (or ``@file``, or the name of a statement) that returns nodes, relationships, paths
        or lists of them; None is the whole graph.
    edges : str or None
        Cypher that returns the edges; None takes those that `nodes` returned, else the induced.
    edge_types : tuple of str or None
        Keep only these relationship types.
    cells : str, None or False
        Cypher that returns cells; None is every cell, False none.
    params : mapping
        Parameters of the three queries.
    level : str
        ``as-stored``, ``gene`` or ``protein``: where abundance and interactions meet.
    target : str or None
        Property of cells to learn.
    split : str
        ``none``, ``donor``, ``cell``, or a property of cells whose values stay whole.
    fractions : (float, float, float)
        Parts of train, val and test; they add up to 1.
    seed : int
        Seed of the split, the sample and the order of cells.
    balance : tuple of str or None
        Properties of cells within whose combinations the training classes are made equal.
    sample : int or None
        Keep this many cells, drawn with the seed.
    primary_only : bool
        Leave out cells with ``is_primary_data`` false.
    normalize : str
        ``none`` or ``log1p_cp10k``: what the reader of the training set applies.
    text_dtype : str
        ``float32`` or ``float16``.
    shard_size : int
        Cells per shard.
    """

    nodes: str | None = None
    edges: str | None = None
    edge_types: tuple[str, ...] | None = None
    cells: str | Literal[False] | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    level: str = "as-stored"
    target: str | None = None
    split: str = "none"
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1)
    seed: int = 0
    balance: tuple[str, ...] | None = None
    sample: int | None = None
    primary_only: bool = True
    normalize: str = "none"
    text_dtype: str = "float32"
    shard_size: int = 8192

    def __post_init__(self) -> None:
        _check_choice("level", self.level, LEVELS)
        _check_choice("normalize", self.normalize, NORMALIZE)
        _check_choice("text_dtype", self.text_dtype, TEXT_DTYPES)
        for name in self.edge_types or ():
            if name not in relationship_types():
                raise unknown("relationship type", name, relationship_types(), where="edge_types")
        _check_number("shard_size", self.shard_size, 1)
        if self.sample is not None:
            _check_number("sample", self.sample, 1)
        _check_fractions(self.fractions)
        _check_params(self.params)
        if self.balance is not None and self.target is None:
            raise ConfigError(
                "balancing needs a target whose classes are made equal",
                where="balance",
                hint="add --target FIELD",
            )

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON values, complete enough to repeat the export."""
        document = dataclasses.asdict(self)
        for name in ("edge_types", "balance", "fractions"):
            if document[name] is not None:
                document[name] = list(document[name])
        return document

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], *, where: str | Path) -> Self:
        """Build a selection from JSON or YAML values.

        Raises
        ------
        ConfigError
            An unknown key, or a value of the wrong type.
        """
        known = {f.name for f in fields(cls)}
        values: dict[str, Any] = {}
        for key, value in document.items():
            name = str(key).replace("-", "_")
            if name == "all_cells" and isinstance(value, bool):
                value = not value
            name = _ALIASES.get(name, name)
            if name not in known:
                raise unknown("key of a selection", key, known, where=where)
            values[name] = _coerce(name, value, where)
        return cls(**values)


def resolve_selection(selection: Selection) -> Selection:
    """Replace file names and names of statements by their Cypher, so that it can be repeated.

    Raises
    ------
    UsageError
        A value is of no parameter of the queries.
    """
    from tosg.kg.query.statements import find_statement

    known = list_parameters(selection)
    for name in sorted(set(selection.params) - known):
        raise unknown("parameter", name, known, where="params")
    changes: dict[str, Any] = {
        name: find_statement(query).text
        for name in ("nodes", "edges", "cells")
        if isinstance(query := getattr(selection, name), str)
    }
    return dataclasses.replace(selection, **changes)


def list_parameters(selection: Selection) -> set[str]:
    """Names of the parameters that some query of the selection has."""
    from tosg.kg.query.statements import find_statement

    queries = (selection.nodes, selection.edges, selection.cells)
    return {
        p.name for query in queries if isinstance(query, str) for p in find_statement(query).params
    }


def parse_selection_params(pairs: Sequence[str], selection: Selection) -> dict[str, Any]:
    """Read ``KEY=VALUE`` by the types that the queries of the selection declare."""
    from tosg.kg.query.parameters import parse_params as parse
    from tosg.kg.query.statements import find_statement

    queries = (selection.nodes, selection.edges, selection.cells)
    return parse(pairs, *(find_statement(query) for query in queries if isinstance(query, str)))


def load_spec(path: str | Path) -> dict[str, Any]:
    """Read a spec file: YAML with the keys of `Selection`.

    Raises
    ------
    ConfigError
        The file is not there or does not parse.
    """
    import yaml

    path = Path(path)
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError("the spec file cannot be read", where=path, found=error) from error
    if not isinstance(document, dict):
        raise ConfigError(
            "the spec file is not a mapping",
            where=path,
            found=type(document).__name__,
            expected="keys of a selection: " + ", ".join(f.name for f in fields(Selection)),
        )
    return document


def load_manifest(path: str | Path) -> dict[str, Any]:
    """Read the selection of an earlier export, from its folder or manifest."""
    from tosg.export.format.manifest import read_manifest

    selection = read_manifest(path).content["selection"]
    return dict(selection)


def compare_selections(
    ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """Keys in which two selections differ, with both values."""
    keys = sorted({*ours, *theirs})
    return {k: (ours.get(k), theirs.get(k)) for k in keys if ours.get(k) != theirs.get(k)}


def name_folder(value: str) -> str:
    """Name a folder by a value: letters, digits and hyphens.

    >>> name_folder("B cell receptor (BCR) signaling")
    'b-cell-receptor-bcr-signaling'
    """
    return re.sub(r"[^\w]+", "-", value.casefold()).strip("-") or "_"


def _coerce(name: str, value: Any, where: str | Path) -> Any:
    expected = _TYPES[name]
    if name in ("edge_types", "balance") and isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if name == "fractions" and isinstance(value, Sequence) and not isinstance(value, str):
        value = [float(v) if _is_number(v) else v for v in value]
    if isinstance(value, list):
        value = tuple(value)
    if not _fits(value, expected):
        raise ConfigError(
            "a value of the selection is of the wrong type",
            where=f"{where}: {name}",
            found=repr(value),
            expected=expected,
        )
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES = {
    "nodes": "text or null",
    "edges": "text or null",
    "edge_types": "a list of texts or null",
    "cells": "text, null or false",
    "params": "a mapping",
    "level": "text",
    "target": "text or null",
    "split": "text",
    "fractions": "three numbers",
    "seed": "a whole number",
    "balance": "a list of texts or null",
    "sample": "a whole number or null",
    "primary_only": "true or false",
    "normalize": "text",
    "text_dtype": "text",
    "shard_size": "a whole number",
}


def _fits(value: object, expected: str) -> bool:
    if value is None:
        return "null" in expected
    if isinstance(value, bool):
        return expected == "true or false" or (value is False and "or false" in expected)
    if expected.startswith("text"):
        return isinstance(value, str)
    if expected.startswith("a list"):
        return isinstance(value, tuple) and all(isinstance(v, str) for v in value)
    if expected == "three numbers":
        return isinstance(value, tuple) and len(value) == 3 and all(map(_is_number, value))
    if expected.startswith("a whole number"):
        return isinstance(value, int)
    return expected == "a mapping" and isinstance(value, Mapping)


def _check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise unknown(name.replace("_", " "), value, choices, where=name)


def _check_number(name: str, value: int, least: int) -> None:
    if value < least:
        raise ConfigError(
            "a number is too small", where=name, found=value, expected=f"{least} or more"
        )


def _check_fractions(fractions: Sequence[float]) -> None:
    right = len(fractions) == 3 and all(0 <= f <= 1 for f in fractions)
    if not right or abs(sum(fractions) - 1) > 1e-6 or fractions[0] == 0:
        raise ConfigError(
            "the fractions do not make a split",
            where="fractions",
            found=", ".join(map(str, fractions)),
            expected="train, val, test between 0 and 1 that add up to 1, train above 0",
        )


def _check_params(params: Mapping[str, Any]) -> None:
    try:
        same = json.loads(json.dumps(dict(params), allow_nan=False)) == dict(params)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            "a parameter cannot be stored in the manifest",
            where="params",
            found=error,
            expected="numbers, texts, booleans, lists and mappings of these",
        ) from error
    if not same:
        raise ConfigError("a parameter cannot be stored in the manifest", where="params")
