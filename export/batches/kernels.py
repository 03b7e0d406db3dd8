"""Loops over sparse rows, compiled by numba (why: ``docs/decisions/batches.md``).

Rows lie in several memory-mapped files, so a kernel gets the address of each file's data. Kernels
release the interpreter's lock: several threads read at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import carray, njit, types
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Int64s = NDArray[np.int64]

#: Bytes of a cache line and of a page.
LINE, PAGE = 64, 4096

#: Bytes at the start of each page that are fetched ahead: for the rest of the page the processor
#: sees by itself what comes.
AHEAD = 512


def compile_kernel(function: Callable[..., Any]) -> Any:
    """Compile a loop that releases the interpreter's lock, and keep it for later processes."""
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no folder for the cache can be written: compile in each process
        return njit(nogil=True)(function)


def _pointer_to(kind: types.Type) -> Any:
    """Make the kernel function that turns an address into a pointer."""

    @intrinsic  # type: ignore[untyped-decorator]
    def pointer(_context: Any, _address: Any) -> Any:
        signature = types.CPointer(kind)(types.int64)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return signature, generate

    return pointer


_int32_at = _pointer_to(types.int32)
_float32_at = _pointer_to(types.float32)


@intrinsic  # type: ignore[untyped-decorator]
def _prefetch(_context: Any, _address: Any) -> Any:
    """Begin to bring the cache line at an address into the second-level cache."""
    signature = types.void(types.int64)

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        byte, int32 = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, int32, int32, int32])
        fetch = builder.module.declare_intrinsic("llvm.prefetch", (byte,), kind)
        for_reading, second_level, data = int32(0), int32(2), int32(1)
        address = builder.inttoptr(arguments[0], byte)
        builder.call(fetch, [address, for_reading, second_level, data])
        return context.get_dummy_value()

    return signature, generate


_memcpy = types.ExternalFunction("memcpy", types.intp(types.intp, types.intp, types.uintp))
_madvise = types.ExternalFunction("madvise", types.int32(types.intp, types.uintp, types.int32))


@compile_kernel
def _file_of(row: int, starts: Int64s) -> int:
    """Position of the file that holds a row, by bisection of the files' first rows."""
    low, high = 0, len(starts) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if starts[middle] <= row:
            low = middle
        else:
            high = middle
    return low


@compile_kernel
def _fetch_ahead(address: int, n: int) -> None:
    """Begin to bring ``n`` bytes of memory into the cache, before they are read."""
    end = address + n
    while address < end:
        next_page = address - address % PAGE + PAGE
        for line in range(address, min(address + AHEAD, next_page, end), LINE):
            _prefetch(line)
        address = next_page


@compile_kernel
def _row_at(
    row: int, ends: Int64s, starts: Int64s, index_base: Int64s, value_base: Int64s
) -> tuple[int, int, int]:
    """Addresses of a row's indices and values, and how many it has; arguments of `copy_rows`."""
    file = _file_of(row, starts)
    offset = 4 * (ends[row] - ends[starts[file]])
    return index_base[file] + offset, value_base[file] + offset, ends[row + 1] - ends[row]


@compile_kernel
def copy_rows(
    rows: Int64s,
    ends: Int64s,
    starts: Int64s,
    index_base: Int64s,
    value_base: Int64s,
    indices: NDArray[np.int32],
    values: NDArray[np.float32],
) -> int:
    """Copy sparse rows out of their files, one after the other.

    Parameters
    ----------
    rows : (b,) int64
        Row numbers over all files.
    ends : (m + 1,) int64
        Row ``r`` has the values ``ends[r]:ends[r + 1]``, counted over all files.
    starts : (files + 1,) int64
        First row of each file, and the number of rows.
    index_base, value_base : (files,) int64
        Address of the first index and value of each file.
    indices, values : (nnz,) int32 and float32
        Written to.

    Returns
    -------
    int
        The greatest index as an unsigned number, so that negative ones are large.
    """
    greatest = np.uint32(0)
    place = 0
    unsigned = indices.view(np.uint32)
    for number in range(len(rows)):
        if number + 1 < len(rows):  # while this row is read
            at, values_at, n = _row_at(rows[number + 1], ends, starts, index_base, value_base)
            _fetch_ahead(at, 4 * n)
            _fetch_ahead(values_at, 4 * n)
        at, values_at, n = _row_at(rows[number], ends, starts, index_base, value_base)
        # Numba's own copy of an array element by element takes more than twice as long.
        _memcpy(indices.ctypes.data + 4 * place, at, np.uint64(4 * n))
        _memcpy(values.ctypes.data + 4 * place, values_at, np.uint64(4 * n))
        copied = unsigned[place : place + n]
        for k in range(n):
            if copied[k] > greatest:
                greatest = copied[k]
        place += n
    return int(greatest)


@compile_kernel
def fill_rows(
    rows: Int64s,
    ends: Int64s,
    starts: Int64s,
    index_base: Int64s,
    value_base: Int64s,
    out: NDArray[np.float32],
) -> int:
    """Make sparse rows dense: clear a row of `out` and set its values while it is in cache.

    Parameters
    ----------
    rows, ends, starts, index_base, value_base
        As of `copy_rows`.
    out : (b, N) float32
        Written to, every element.

    Returns
    -------
    int
        -1, or the first position in `rows` with an index outside 0 <= index < N.
    """
    width = np.uint32(out.shape[1])
    for place in range(len(rows)):
        at, values_at, n = _row_at(rows[place], ends, starts, index_base, value_base)
        row_indices = carray(_int32_at(at), n)
        row_values = carray(_float32_at(values_at), n)
        dense = out[place]
        dense[:] = 0
        for k in range(n):
            index = np.uint32(row_indices[k])
            if index >= width:
                return place
            dense[index] = row_values[k]
    return -1


@compile_kernel
def advise_pages(addresses: Int64s, lengths: Int64s, advice: int) -> int:
    """Call ``madvise`` for several ranges of mapped memory, outside the interpreter's lock.

    Parameters
    ----------
    addresses : (k,) int64
        Starts, multiples of the page size.
    lengths : (k,) int64
        Bytes of each range.
    advice : int
        As in ``madvise(2)``.

    Returns
    -------
    int
        Number of calls that failed; after the first failure the rest is not called.
    """
    for k in range(len(addresses)):
        if _madvise(addresses[k], np.uint64(lengths[k]), np.int32(advice)) != 0:
            return len(addresses) - k
    return 0


@compile_kernel
def find_inner_edges(
    nodes: Int64s,
    inside: NDArray[np.bool_],
    start: Int64s,
    order: Int64s,
    target: Int64s,
    edges: Int64s,
) -> int:
    """Find the edges between chosen nodes, looking only at the edges that leave them.

    Parameters
    ----------
    nodes : (n,) int64
        Chosen nodes.
    inside : (N,) bool
        The same as a mask.
    start : (N + 1,) int64
        Edges that leave node ``u`` are ``order[start[u]:start[u + 1]]``.
    order : (E,) int64
        Numbers of the edges, by source.
    target : (E,) int64
        Target of each of `order`.
    edges : (at least the edges that leave the nodes,) int64
        Written to: numbers of the edges found.

    Returns
    -------
    int
        How many were found.
    """
    found = 0
    for node in nodes:
        for k in range(start[node], start[node + 1]):
            if inside[target[k]]:
                edges[found] = order[k]
                found += 1
    return found


def load_kernels() -> None:
    """Load the compiled kernels, or compile them where no process did before.

    Takes a third of a second, in which the first batch would come late.
    """
    rows, ends, starts, base = (np.zeros(n, np.int64) for n in (0, 2, 2, 1))
    copy_rows(rows, ends, starts, base, base, np.zeros(0, np.int32), np.zeros(0, np.float32))
    fill_rows(rows, ends, starts, base, base, np.zeros((0, 1), np.float32))
    advise_pages(rows, rows, 0)
