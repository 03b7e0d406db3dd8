"""Columns of cells turned into targets, splits, strata and donors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tosg.errors import ExportError
from tosg.export.cells import splits
from tosg.export.cells.splits import Classes
from tosg.export.format.manifest import SPLITS
from tosg.kg.cells.obs.donors import is_no_person

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tosg.export.selection import Selection

_Int64s = NDArray[np.int64]

#: Names that a message lists before it counts the rest.
_SHOWN = 5


def has_value(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Mask of rows with a value; an empty text and NaN count as missing."""
    plain = decode_column(column)
    valid = plain.is_valid()
    if pa.types.is_string(plain.type):
        valid = pc.and_(valid, pc.fill_null(pc.not_equal(plain, ""), False))
    if pa.types.is_floating(plain.type):
        valid = pc.and_(valid, pc.fill_null(pc.is_finite(plain), False))
    return valid


def decode_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Decode a dictionary-encoded column."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def encode_column(column: pa.ChunkedArray, option: str, hint: str) -> tuple[_Int64s, list[str]]:
    """Codes of a column over its sorted distinct values as text; no value may be missing."""
    text = pc.cast(decode_column(column), pa.string())
    missing = len(text) - int(pc.sum(has_value(column)).as_py() or 0)
    if missing:
        raise ExportError(
            f"cells lack what the {option.split()[0]} needs",
            where=option,
            found=f"{missing:,} of {len(text):,} cells without a value",
            expected="a value for every cell",
            hint=hint,
        )
    names, inverse = np.unique(text.to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    return inverse.astype(np.int64), names.tolist()


def read_target(
    table: pa.Table, selection: Selection
) -> tuple[NDArray[Any] | None, Classes | None]:
    """Target of each row: class codes with their classes, or values, or nothing."""
    if selection.target is None:
        return None, None
    column = table.column(selection.target)
    kind = decode_column(column).type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return column.cast(pa.float64()).to_numpy(), None
    if not (pa.types.is_string(kind) or pa.types.is_boolean(kind)):
        raise ExportError(
            "the target is neither text, true/false nor a number",
            where=f"target {selection.target}",
            found=str(kind),
        )
    codes, names = encode_column(column, "target", "")
    return codes, Classes(codes, names, selection.target)


def assign_splits(
    table: pa.Table,
    selection: Selection,
    strata: Classes,
    hashed: NDArray[np.uint64],
    spaces: Mapping[str, str],
    no_person: NDArray[np.bool_],
    warnings: list[str],
) -> tuple[_Int64s, bool]:
    """Split of each row, and whether no donor can be in two splits.

    `spaces` are `splits.find_donor_spaces`; cells with `no_person` may be of any donor.
    """
    if selection.split == "none":
        return np.zeros(table.num_rows, dtype=np.int64), False
    if selection.split == "cell":
        warnings.append("--split cell is not donor-safe: cells of one donor are in several splits")
        return splits.split_cells(hashed, strata, selection.fractions), False
    if selection.split == "donor":
        donors = Donors.of(table, spaces)
        split = splits.split_groups(
            donors.codes, donors.names, strata, selection.fractions, selection.seed
        )
        warnings.extend(donors.namesakes(split))
        return split, True
    hint = "name another field, or leave those cells out in --cells"
    groups, names = encode_column(table.column(selection.split), f"split {selection.split}", hint)
    ready = splits.read_split_names(names)
    split = (
        ready[groups]
        if ready is not None
        else splits.split_groups(groups, names, strata, selection.fractions, selection.seed)
    )
    known = bool(pc.all(has_value(table.column("donor_id"))).as_py()) and not no_person.any()
    whole = Donors.of(table, spaces) if known else None
    if whole is not None and whole.are_whole(split):
        warnings.extend(whole.namesakes(split))
        return split, True
    warnings.append(f"--split {selection.split} is not donor-safe: see splits in the manifest")
    return split, False


def name_groups(table: pa.Table, selection: Selection, spaces: Mapping[str, str]) -> list[str]:
    """Name what stays whole of each cell: its donor, its value of the field, or the cell itself."""
    if selection.split == "donor":
        donors = Donors.of(table, spaces)
        names = donors.names
        return [names[code] for code in donors.codes.tolist()]
    if selection.split in ("cell", "none"):
        return [str(id_) for id_ in table.column("id").to_pylist()]
    codes, names = encode_column(
        table.column(selection.split),
        f"split {selection.split}",
        "name another field, or leave those cells out in --cells",
    )
    return [names[code] for code in codes.tolist()]


@dataclass(frozen=True)
class Donors:
    """The donors of cells.

    Attributes
    ----------
    codes : (M,) int64
        Donor of each cell.
    pairs : list of (str, str)
        Space and ``donor_id`` of each donor; the same name in two spaces is two donors.
    """

    codes: _Int64s
    pairs: list[tuple[str, str]]

    @classmethod
    def of(cls, table: pa.Table, spaces: Mapping[str, str]) -> Donors:
        """Tell the donors of cells apart.

        Raises
        ------
        ExportError
            A cell has no donor.
        """
        hint = (
            "attach the cells with --map donor_id=COLUMN, leave those cells out in --cells, "
            "or use --split cell (not donor-safe) or --split FIELD"
        )
        donors, names = encode_column(table.column("donor_id"), "split donor", hint)
        sets, set_names = encode_column(table.column("dataset"), "split donor", hint)
        roots, space = np.unique([spaces.get(s, s) for s in set_names], return_inverse=True)
        distinct, codes = np.unique(space[sets] * len(names) + donors, return_inverse=True)
        pairs = [(str(roots[d // len(names)]), names[d % len(names)]) for d in distinct]
        return cls(codes.astype(np.int64), pairs)

    @property
    def names(self) -> list[str]:
        """One name per donor, as it is hashed."""
        return ["\0".join(pair) for pair in self.pairs]

    def are_whole(self, split: _Int64s) -> bool:
        """Whether no donor has cells in two splits."""
        return len(np.unique(self.codes * len(SPLITS) + split)) == len(self.pairs)

    def namesakes(self, split: _Int64s) -> Iterator[str]:
        """Warn of donors of one name that are in several splits; each donor is in one."""
        part = np.zeros(len(self.pairs), np.int64)
        part[self.codes] = split
        parts: dict[str, dict[str, str]] = {}
        for (space, name), p in zip(self.pairs, part, strict=True):
            parts.setdefault(name, {})[space] = SPLITS[p]
        found = [
            f"{name} ({', '.join(f'{space}: {p}' for space, p in sorted(where.items()))})"
            for name, where in sorted(parts.items())
            if len(set(where.values())) > 1
        ]
        if found:
            more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
            yield (
                f"donors of one name in several data sets are in several splits: "
                f"{'; '.join(found[:_SHOWN])}{more}; they count as different people, "
                "--split donor_id keeps them together"
            )


def combine_fields(table: pa.Table, selection: Selection) -> _Int64s:
    """One code per combination of the fields to balance by, the target left aside."""
    codes = np.zeros(table.num_rows, dtype=np.int64)
    for name in sorted(set(selection.balance or ()) - {selection.target}):
        text = pc.fill_null(pc.cast(decode_column(table.column(name)), pa.string()), "\0")
        names, inverse = np.unique(
            text.to_numpy(zero_copy_only=False).astype(str), return_inverse=True
        )
        codes = np.unique(codes * len(names) + inverse, return_inverse=True)[1].astype(np.int64)
    return codes


def describe_target(selection: Selection, classes: Classes | None) -> dict[str, Any] | None:
    """What the manifest says of the target."""
    if selection.target is None:
        return None
    if classes is None:
        return {"field": selection.target, "kind": "value"}
    return {"field": selection.target, "kind": "class", "classes": list(classes.names)}


def list_donors(table: pa.Table) -> list[list[str]]:
    """Sorted distinct (dataset, donor) of the rows where the donor is known."""
    pairs = table.select(["dataset", "donor_id"])
    pairs = pa.table([decode_column(c) for c in pairs.columns], names=pairs.column_names)
    known = pairs.filter(has_value(pairs.column("donor_id")).combine_chunks())
    distinct = known.group_by(["dataset", "donor_id"]).aggregate([])
    donors = ([r["dataset"], r["donor_id"]] for r in distinct.to_pylist())
    return sorted(pair for pair in donors if not is_no_person(str(pair[1])))


def describe_splits(
    table: pa.Table,
    selection: Selection,
    split: _Int64s,
    target: NDArray[Any] | None,
    classes: Classes | None,
    donor_safe: bool,
) -> dict[str, Any]:
    """What the manifest says of the splits; rows are in the order of the training set."""
    info: dict[str, Any] = {"by": selection.split, "donor_safe": donor_safe}
    known = table.column("donor_id").null_count < table.num_rows
    for s, name in enumerate(SPLITS):
        start, stop = (int(np.searchsorted(split, s + i)) for i in (0, 1))
        targets = None
        if classes is not None and target is not None:
            counts = np.bincount(target[start:stop], minlength=len(classes.names))
            targets = counts.tolist()
        info[name] = {
            "start": start,
            "stop": stop,
            "cells": stop - start,
            "targets": targets,
            "donors": list_donors(table.slice(start, stop - start)) if known else None,
        }
    return info
