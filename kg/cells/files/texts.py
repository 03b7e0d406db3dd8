"""Texts of HDF5 files: UTF-8, or another encoding that is said in a note."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Read where UTF-8 does not fit: Windows-1252, as old tools and R on Windows write it.
FALLBACK = "cp1252"


def texts_of(dataset: Any, notes: list[str] | None = None) -> list[str]:
    """Read a dataset of texts, fixed-length or not.

    Parameters
    ----------
    dataset : h5py.Dataset
    notes : list of str, optional
        Gets a sentence where the texts are not UTF-8.
    """
    values = dataset[:]
    try:
        return list(_decoded(values, "utf-8"))
    except UnicodeDecodeError:
        if notes is not None:
            notes.append(f"text of {dataset.name} is not UTF-8 and was read as Windows-1252")
        return list(_decoded(values, FALLBACK))


def _decoded(values: Iterable[Any], encoding: str) -> Iterable[str]:
    # Windows-1252 has no character for five bytes.
    errors = "strict" if encoding == "utf-8" else "replace"
    for value in values:
        yield value.decode(encoding, errors) if isinstance(value, bytes) else str(value)


def recoded(group: Any, name: str, notes: list[str]) -> Any:
    """Copy a table in memory with all its texts as UTF-8; give the copy.

    anndata reads fixed-length text as the encoding that the file claims, which is often wrong.
    """
    import h5py

    memory = h5py.File(f"{id(group)}-{name}", "w", driver="core", backing_store=False)
    group.copy(name, memory, "table")
    found: list[str] = []
    memory["table"].visititems(
        lambda at, item: (
            found.append(at) if isinstance(item, h5py.Dataset) and item.dtype.kind == "S" else None
        )
    )
    for at in found:
        old = memory["table"][at]
        values, about = texts_of(old, notes), dict(old.attrs)
        del memory["table"][at]
        new = memory["table"].create_dataset(at, data=values, dtype=h5py.string_dtype())
        new.attrs.update(about)
    return memory["table"]
