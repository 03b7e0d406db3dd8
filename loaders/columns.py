"""Small column operations that the loaders share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import curies, parse_curies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tosg.kg.claims.log import FileLog

Mask: TypeAlias = pa.Array | npt.NDArray[np.bool_]


def keep(
    batch: pa.RecordBatch, mask: Mask, log: FileLog, kind: str, example: Sequence[str]
) -> pa.RecordBatch:
    """Keep the rows where the mask is true; the others are rejected.

    Parameters
    ----------
    batch : RecordBatch
        With a ``line`` column.
    mask : array of bool
        Null counts as false.
    log : FileLog
        Counts the rows that are left out, with the first of them.
    kind : str
        Why.
    example : sequence of str
        Columns whose values are shown.
    """
    chosen = np.asarray(
        mask if isinstance(mask, np.ndarray) else pc.fill_null(mask, False).to_numpy(False)
    ).astype(bool)
    gone = np.flatnonzero(~chosen)
    if not len(gone):
        return batch
    first = int(gone[0])
    shown = " | ".join(str(batch.column(name)[first].as_py()) for name in example)
    log.reject(kind, batch.column("line")[first].as_py(), shown, len(gone))
    return batch.filter(pa.array(chosen))


#: Kind of note about an identifier of several records.
REPEATED = "identifier given more than once"

#: What spreadsheets make of identifiers and symbols: 1956.0, 2.31E+13, 1-Mar, Sep-02, 3/1/2020.
_SPREADSHEET = (
    r"^(?:[^|]*:)?(?:\d+\.0+|\d+(?:\.\d+)?[eE]\+\d+|\d{1,2}-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct"
    r"|Nov|Dec)|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-\d{2}|\d{1,2}/\d{1,2}/\d{2,4}"
    r"|\d{4}-\d{2}-\d{2}(?: 00:00:00)?)$"
)


def from_spreadsheet(values: pa.Array) -> pa.Array:
    """Which values look as a spreadsheet leaves them: ``1956.0``, ``2.31E+13``, ``1-Mar``."""
    return pc.match_substring_regex(pc.utf8_trim_whitespace(values), _SPREADSHEET)


def with_curies(
    batch: pa.RecordBatch,
    column: str,
    prefix: str,
    file: FileLog,
    *,
    to: str = "curie",
    shown: Sequence[str] = (),
) -> pa.RecordBatch:
    """Add a column of normalised CURIEs; rows whose identifier is not valid are rejected.

    Parameters
    ----------
    batch : RecordBatch
        With a ``line`` column.
    column : str
        Identifiers, see `tosg.kg.schema.curies.curies`.
    prefix : str
        Any spelling of a known prefix; "" where each identifier names its own.
    file : FileLog
        Counts rejected rows: BAD_ID, or "identifier changed by a spreadsheet".
    to : str
        Name of the new column; an existing one of that name is replaced.
    shown : sequence of str
        Columns that the example of a rejection shows; by default the column itself.
    """
    given = batch.column(column)
    ids = curies(given, prefix) if prefix else parse_curies(given)
    position = batch.schema.get_field_index(to)
    if position < 0:
        batch = batch.append_column(to, ids)
        return keep_identified(batch, to, column, file, shown or (column,))
    whole = batch.append_column("given", given).set_column(position, to, ids)
    return keep_identified(whole, to, "given", file, shown or ("given",)).drop_columns(["given"])


def keep_identified(
    batch: pa.RecordBatch, to: str, column: str, file: FileLog, shown: Sequence[str]
) -> pa.RecordBatch:
    """Keep the rows that have a CURIE in column ``to``, made from ``column``; see `with_curies`."""
    valid = batch.column(to).is_valid()
    if not pc.all(valid).as_py():
        damaged = pc.fill_null(from_spreadsheet(batch.column(column)), False)
        fine = pc.or_(valid, pc.invert(damaged))
        batch = keep(batch, fine, file, "identifier changed by a spreadsheet", shown)
    return keep(batch, batch.column(to).is_valid(), file, BAD_ID, shown)


def noting_repeats(
    batches: Iterable[pa.RecordBatch],
    column: str,
    file: FileLog,
    kind: str = REPEATED,
    *blanks: str,
) -> Iterator[pa.RecordBatch]:
    """Pass batches on; at the end, note the values of a column that came more than once.

    Nulls, empty values and ``blanks`` do not count.
    """
    seen: list[pa.Array] = []
    for batch in batches:
        seen.append(batch.column(column))
        yield batch
    if seen:
        note_duplicates(blank_to_null(pa.concat_arrays(seen), *blanks), file, kind)


def blank_to_null(values: pa.Array, *blanks: str) -> pa.Array:
    """Trimmed values; "" and the given signs for "nothing" become null."""
    text = pc.utf8_trim_whitespace(values)
    missing = pc.is_in(text, pa.array(["", *blanks], pa.string()))
    return pc.if_else(missing, pa.scalar(None, pa.string()), text)


def split(values: pa.Array, separator: str, *blanks: str) -> pa.ListArray:
    """Split each value into a list of trimmed, non-empty strings; null gives an empty list."""
    lists = pc.split_pattern(pc.fill_null(values, ""), separator)
    flat = blank_to_null(lists.flatten(), *blanks)
    return filter_lists(lists, flat, pc.is_valid(flat))


def filter_lists(lists: pa.ListArray, flat: pa.Array, mask: pa.Array) -> pa.ListArray:
    """Lists of the same grouping with other values, of which only some stay.

    Parameters
    ----------
    lists : ListArray
        Gives the grouping; has no null.
    flat : Array
        One value per element of ``lists.flatten()``.
    mask : BooleanArray
        Which elements stay.
    """
    chosen = np.asarray(mask.to_numpy(zero_copy_only=False)).astype(bool)
    offsets = lists.offsets.to_numpy()
    total = np.concatenate((np.zeros(1, np.int64), np.cumsum(chosen)))
    start = offsets - offsets[0]
    kept = flat.filter(pa.array(chosen))
    return pa.ListArray.from_arrays(pa.array(total[start].astype(np.int32)), kept)


def known_curies(lists: pa.ListArray, file: FileLog) -> pa.ListArray:
    """Lists of normalised CURIEs; unknown ones are left out and noted."""
    flat = lists.flatten()
    known = parse_curies(flat)
    lost = flat.filter(known.is_null())
    if len(lost):
        shown = lost.slice(0, 5).to_pylist()
        file.note("cross-reference of an unknown kind, left out", len(lost), shown)
    return filter_lists(lists, known, known.is_valid())


def parents(lists: pa.ListArray) -> npt.NDArray[np.int64]:
    """Row of each element of ``lists.flatten()``."""
    return np.asarray(pc.list_parent_indices(lists).to_numpy(zero_copy_only=False), np.int64)


def first_rows(values: pa.Array) -> pa.Array:
    """Row at which each value occurs first, ascending."""
    _, first = np.unique(values.dictionary_encode().indices.to_numpy(), return_index=True)
    return pa.array(np.sort(first))


def note_duplicates(values: pa.Array, log: FileLog, kind: str) -> None:
    """Note values that occur more than once (nulls aside): how many, and the first few."""
    counted = pc.value_counts(values.drop_null())
    often = counted.filter(pc.greater(counted.field("counts"), 1))
    if len(often):
        names = often.field("values")
        first = names.take(pc.sort_indices(names)[:5]).to_pylist()
        log.note(kind, len(often), first)


def listed_ids(
    batch: pa.RecordBatch, column: str, separator: str, prefix: str, file: FileLog
) -> pa.ListArray:
    """Lists of CURIEs from a column of joined identifiers; bad ones are left out and noted."""
    lists = split(batch.column(column), separator)
    flat = lists.flatten()
    ids = curies(flat, prefix)
    bad = flat.filter(ids.is_null())
    if len(bad):
        file.note(f"bad identifier in {column}, left out", len(bad), bad.slice(0, 5).to_pylist())
    return filter_lists(lists, ids, ids.is_valid())


def of_species(
    batch: pa.RecordBatch, column: str, file: FileLog, *species: str, shown: Sequence[str] = ()
) -> pa.RecordBatch:
    """Keep the rows of some species, as their column writes them; others are rejected.

    The spellings of the column have to be given: ``9606``, ``taxon:9606``, ``Homo sapiens``.
    """
    ours = pc.is_in(pc.utf8_trim_whitespace(batch.column(column)), pa.array(species, pa.string()))
    return keep(batch, ours, file, "other species", shown or (column,))


def not_negated(
    batch: pa.RecordBatch, negated: Mask, file: FileLog, shown: Sequence[str]
) -> pa.RecordBatch:
    """Leave out rows that say that something is not so."""
    if not isinstance(negated, np.ndarray):
        negated = pc.fill_null(negated, False).to_numpy(zero_copy_only=False)
    return keep(batch, ~negated.astype(bool), file, "negated, says that it is not so", shown)


def with_words(
    batch: pa.RecordBatch,
    column: str,
    words: Mapping[str, object],
    file: FileLog,
    *,
    to: str,
    type_: pa.DataType | None = None,
    others: Literal["reject", "null"] = "reject",
) -> pa.RecordBatch:
    """Add a column that translates the words of another, as signs or types of relationships.

    Parameters
    ----------
    batch : RecordBatch
    column : str
        Its words; case matters, white space around them does not.
    words : mapping
        Word -> value.
    file : FileLog
        Counts rows with other words.
    to : str
        Name of the new column.
    type_ : DataType, optional
        Of the new column; by default that of the values.
    others : {"reject", "null"}
        Whether rows with another word are rejected as "unknown <column>", or noted and get null.
    """
    code = pc.index_in(pc.utf8_trim_whitespace(batch.column(column)), pa.array(list(words)))
    values = pa.array(list(words.values()), type_)
    batch = batch.append_column(to, values.take(code))
    if others == "reject":
        return keep(batch, code.is_valid(), file, f"unknown {column}", (column,))
    lost = batch.column(column).filter(code.is_null())
    if len(lost):
        file.note(f"unknown {column}, left out", len(lost), sorted(set(lost.to_pylist()))[:5])
    return batch


def evidence(
    batch: pa.RecordBatch,
    *,
    texts: Mapping[str, str] | None = None,
    numbers: Mapping[str, str] | None = None,
    lists: Mapping[str, tuple[str, str]] | None = None,
    blanks: Sequence[str] = ("-",),
) -> pa.Array:
    """Build the evidence of claims from columns: the source's own words, numbers and references.

    Parameters
    ----------
    batch : RecordBatch
    texts, numbers : mapping
        Key of the evidence -> column. A number that is none is kept as text.
    lists : mapping
        Key of the evidence -> (column, separator).
    blanks : sequence of str
        Values that mean nothing, besides "".

    Returns
    -------
    Array of string
        JSON objects with sorted keys and without what is empty; null where nothing is said.
    """
    parts = {key: _json_texts(batch.column(c), blanks) for key, c in (texts or {}).items()}
    parts |= {key: _json_numbers(batch.column(c), blanks) for key, c in (numbers or {}).items()}
    parts |= {
        key: _json_lists(batch.column(c), separator, blanks)
        for key, (c, separator) in (lists or {}).items()
    }
    keyed = {
        key: pc.binary_join_element_wise(pa.scalar(f'"{key}"'), parts[key], ":")
        for key in sorted(parts)
    }
    # Not Arrow's join: with null_handling="skip" it drops rows in which all parts are null.
    inner = pl.concat_str(pl.all(), separator=",", ignore_nulls=True)
    whole = pl.when(inner != "").then(pl.format("{{{}}}", inner))
    return pl.DataFrame(keyed).select(whole).to_series().to_arrow().cast(pa.string())


def _json_texts(values: pa.Array, blanks: Sequence[str]) -> pa.Array:
    text = blank_to_null(values, *blanks)
    quoted = pc.binary_join_element_wise('"', text, '"', "")
    special = pc.fill_null(pc.match_substring_regex(text, r'["\\\x00-\x1f]'), False)
    if not pc.any(special).as_py():
        return quoted
    distinct = text.filter(special).dictionary_encode()
    dumped = [json.dumps(word, ensure_ascii=False) for word in distinct.dictionary.to_pylist()]
    return pc.replace_with_mask(
        quoted, special, pa.array(dumped, pa.string()).take(distinct.indices)
    )


def _json_numbers(values: pa.Array, blanks: Sequence[str]) -> pa.Array:
    text = blank_to_null(values, *blanks)
    number = pc.match_substring_regex(text, r"^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$")
    return pc.if_else(number, text, _json_texts(values, blanks))


def _json_lists(values: pa.Array, separator: str, blanks: Sequence[str]) -> pa.Array:
    if not pc.any(pc.match_substring(values, separator)).as_py():
        return pc.binary_join_element_wise("[", _json_texts(values, blanks), "]", "")
    lists = split(values, separator, *blanks)
    quoted = pa.ListArray.from_arrays(lists.offsets, _json_texts(lists.flatten(), ()))
    joined = pc.binary_join(quoted, ",")
    whole = pc.binary_join_element_wise("[", joined, "]", "")
    return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), whole)


def without_quotes(values: pa.Array) -> pa.Array:
    """Texts that SPARQL tools wrote in double quotes, without them and their escapes."""
    inner = pc.replace_substring_regex(values, r'^"(.*)"$', r"\1")
    if not pc.any(pc.match_substring(inner, "\\")).as_py():
        return inner
    # An escaped backslash steps aside first, so that what follows it is not taken for an escape.
    for escaped, plain in (
        ("\\\\", "\0"),
        ('\\"', '"'),
        ("\\t", " "),
        ("\\n", " "),
        ("\\r", " "),
        ("\0", "\\"),
    ):
        inner = pc.replace_substring(inner, escaped, plain)
    return inner
