"""BioNeMo SCDL: its memory-mapped rows, put together by its own `collate_sparse_matrix_batch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def prepare(folder: Path, home: Path) -> None:
    from bionemo.scdl.io.single_cell_memmap_dataset import SingleCellMemMapDataset

    file = measure.write_h5ad(folder, home)
    SingleCellMemMapDataset(str(home / "scdl"), h5ad_path=str(file), use_X_not_raw=True)
    file.unlink()


def loader(
    folder: Path, home: Path, kind: str, batch_size: int
) -> Callable[[], Iterator[tuple[Any, Any]]]:
    import torch
    from bionemo.scdl.io.single_cell_memmap_dataset import SingleCellMemMapDataset
    from bionemo.scdl.util.torch_dataloader_utils import collate_sparse_matrix_batch
    from torch.utils.data import DataLoader, Dataset

    torch.manual_seed(1)
    cells = SingleCellMemMapDataset(str(home / "scdl"))

    class Numbered(Dataset):  # type: ignore[type-arg]
        """A row with its number, which the data set itself does not say."""

        def __len__(self) -> int:
            return len(cells)

        def __getitem__(self, row: int) -> tuple[Any, int]:
            return cells[row], row

    def collate(rows: list[tuple[Any, int]]) -> tuple[Any, Any]:
        matrix = collate_sparse_matrix_batch([values for values, _ in rows])
        numbers = torch.tensor([number for _, number in rows])
        return (matrix.to_dense() if kind == "dense" else matrix), numbers

    batches = DataLoader(Numbered(), batch_size=batch_size, shuffle=True, collate_fn=collate)

    def epoch() -> Iterator[tuple[Any, Any]]:
        for matrix, rows in batches:
            yield matrix, rows.numpy()

    return epoch


if __name__ == "__main__":
    measure.run(prepare, loader)
