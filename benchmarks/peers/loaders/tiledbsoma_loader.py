"""tiledbsoma-ml: `ExperimentDataset` over a SOMA experiment, shuffled in its own chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def prepare(folder: Path, home: Path) -> None:
    import tiledbsoma.io

    file = measure.write_h5ad(folder, home)
    tiledbsoma.io.from_h5ad(str(home / "soma"), str(file), measurement_name="RNA")
    file.unlink()


def loader(
    folder: Path, home: Path, kind: str, batch_size: int
) -> Callable[[], Iterator[tuple[Any, Any]]]:
    import tiledbsoma
    from tiledbsoma_ml import ExperimentDataset, experiment_dataloader

    experiment = tiledbsoma.Experiment.open(str(home / "soma"))
    query = experiment.axis_query(measurement_name="RNA")
    cells = ExperimentDataset(
        query,
        layer_name="data",
        obs_column_names=["row"],
        batch_size=batch_size,
        shuffle=True,
        seed=1,
        return_sparse_X=kind == "sparse",
    )

    def epoch() -> Iterator[tuple[Any, Any]]:
        for matrix, obs in experiment_dataloader(cells):
            yield matrix, obs["row"].to_numpy()

    return epoch


if __name__ == "__main__":
    measure.run(prepare, loader)
