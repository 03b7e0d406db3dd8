"""Pickles and PyTorch tensors of other people, read without running anything that is in them.

A pickle can call any function when it is read. Here only plain values and the pieces of numpy's
numbers are let through; everything else is an error. Tensors are read from the zip file that
``torch.save`` writes, without torch.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from tosg.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

_Longs = npt.NDArray[np.int64]

#: What a pickle may name, besides numbers, texts, lists, tuples, sets and dicts.
_PLAIN = {
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy", "dtype"),
    ("collections", "OrderedDict"),
}
_STORAGES: dict[str, Any] = {"LongStorage": np.dtype("<i8"), "IntStorage": np.dtype("<i4")}


class _Refused(pickle.UnpicklingError):
    pass


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        raise _Refused(f"{module}.{name}")


class _TensorUnpickler(pickle.Unpickler):
    """Of the one tensor in a file of `torch.save`: its storage's key, shape and stride."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: (storage, offset, size, stride)
        if module == "torch" and name in _STORAGES:
            return name
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        raise _Refused(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        _, kind, key, _, count = pid
        return kind, key, count


def read_plain_pickle(stream: BinaryIO, where: str) -> Any:
    """Read a pickle that holds plain values only.

    Parameters
    ----------
    stream : binary file
    where : str
        Its name, for errors.

    Raises
    ------
    DataError
        It is no pickle, is cut off, or names a class or function.
    """
    try:
        return _PlainUnpickler(stream).load()
    except _Refused as error:
        raise DataError(
            "the pickle holds more than plain values, which reading it could run",
            where=where,
            found=error,
            expected="numbers, texts, lists and dicts",
        ) from error
    except Exception as error:  # damaged pickles raise nearly everything
        raise DataError(
            "the file is not a pickle, or is cut off",
            where=where,
            found=f"{type(error).__name__}: {error}",
            hint="download it again; see `tosg sources`",
        ) from error


def read_tensor(data: bytes, where: str | Path) -> _Longs:
    """Read one tensor of whole numbers from a file of ``torch.save``.

    Returns
    -------
    ndarray of int64
        In the tensor's shape.

    Raises
    ------
    DataError
        It is no such file, or holds something else.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            told = next(name for name in names if name.endswith("data.pkl"))
            root = told.removesuffix("data.pkl")
            (kind, key, count), offset, size, stride = _TensorUnpickler(
                io.BytesIO(archive.read(told))
            ).load()
            data = archive.read(f"{root}data/{key}")
        raw = np.frombuffer(data, _STORAGES[str(kind)], int(count))
        steps = tuple(step * raw.itemsize for step in stride)
        shaped = np.lib.stride_tricks.as_strided(raw[offset:], tuple(size), steps)
        return np.ascontiguousarray(shaped, np.int64)
    except Exception as error:  # damaged files raise nearly everything
        raise DataError(
            "the file is not a tensor of whole numbers, as torch.save writes it",
            where=where,
            found=f"{type(error).__name__}: {error}",
            hint="download it again; see `tosg sources`",
        ) from error
