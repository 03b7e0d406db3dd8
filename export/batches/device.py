"""Devices that batches are made on: whether one is there, and whether a batch fits into it."""

from __future__ import annotations

import psutil
import torch

from tosg.errors import ConfigError, ExportError

#: Bytes below which nobody asks whether there is room.
SMALL = 1 << 28


def check_device(device: str) -> None:
    """Check that tensors can be made on a device.

    Raises
    ------
    ConfigError
        There is no such device.
    """
    if device == "cpu":
        return
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        gpus = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
        raise ConfigError(
            "there is no such device",
            where="device",
            found=f"{device}: {str(error).strip().splitlines()[0]}",
            expected=", ".join(["cpu", *gpus]),
            hint="" if gpus else "without a GPU that PyTorch finds, use the cpu",
        ) from error


def check_fits(needed: int, cells: int, device: str, what: str) -> None:
    """Check that there is room for a part of a batch before it is made.

    Parameters
    ----------
    needed : int
        Bytes of it.
    cells : int
        Cells of the batch.
    device : str
    what : str
        What it is, for the message.

    Raises
    ------
    ExportError
        There is not; the message says how many cells would fit.
    """
    if needed < SMALL:
        return
    free = free_memory(device)
    if needed <= free:
        return
    fit = cells * free // needed
    raise ExportError(
        "the batch does not fit into memory",
        where=f"device {device}",
        found=f"{needed / 1e9:,.1f} GB for {what} of {cells:,} cells, {free / 1e9:,.1f} GB free",
        expected=f"a batch_size of {fit:,} or less" if fit else "more memory for a single cell",
        hint="batch.sparse and the shared topology need far less than x and to_pyg()",
    )


def free_memory(device: str) -> int:
    """Bytes that can still be taken on a device."""
    if not device.startswith("cuda"):
        return int(psutil.virtual_memory().available)
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(torch.cuda.mem_get_info(device)[0]) + int(kept)
