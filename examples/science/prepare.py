"""Make the graph and attach the cells that the tasks work on.

    python examples/science/prepare.py --data DIR --graph science

The graph is that of ``graph.yaml``. The cells are those of two studies with several donors: Kang
et al. 2018 (blood of two lupus patients, each left alone and stimulated with interferon beta), and
COMBAT 2022 (blood of two healthy donors and four with COVID-19). Kang's cells are attached as two
data sets, one per condition, so that a `CellGroup` is one cell type in one condition.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import anndata
import pandas as pd
import scipy.io
import scipy.sparse as sp

import tosg

if TYPE_CHECKING:
    from tosg import KnowledgeGraph

HERE = Path(__file__).parent
KANG = "official/expression/kang2018-muscat"
COMBAT = "official/expression/combat-covid/combat-6donors-counts.h5ad"

#: Names of the study for cell types of the Cell Ontology.
KANG_TYPES = {
    "B cells": "B cell",
    "CD14+ Monocytes": "CD14-positive monocyte",
    "CD4 T cells": "CD4-positive, alpha-beta T cell",
    "CD8 T cells": "CD8-positive, alpha-beta T cell",
    "FCGR3A+ Monocytes": "CD14-low, CD16-positive monocyte",
}


def read_kang(folder: Path) -> anndata.AnnData:
    """Cells of both donors and conditions, counts (cells, genes), from the study's own files."""
    with gzip.open(folder / "matrix.mtx.gz") as file:
        counts = sp.csr_matrix(scipy.io.mmread(file).T)
    genes = pd.read_csv(folder / "features.tsv.gz", sep="\t", header=None, index_col=0)
    cells = pd.read_csv(folder / "cells.tsv", sep="\t", index_col="barcode")
    # The barcodes of the matrix are in its own order.
    barcodes = pd.read_csv(folder / "barcodes.tsv.gz", header=None)[0]
    cells = cells.loc[barcodes]
    cells["donor"] = cells["sample_id"].str.removeprefix("ctrl").str.removeprefix("stim")
    var = pd.DataFrame({"symbol": genes[1].to_numpy()}, index=genes.index.astype(str))
    var.index.name = None
    return anndata.AnnData(counts, obs=cells, var=var)


def attach_kang(graph: KnowledgeGraph, data: Path, work: Path, *, every: int = 1) -> None:
    """Attach each `every`-th cell of Kang et al., control and stimulated apart."""
    cells = read_kang(data / KANG)[::every]
    for condition in ("ctrl", "stim"):
        path = work / f"kang2018-{condition}.h5ad"
        cells[cells.obs["group_id"] == condition].copy().write_h5ad(path)
        graph.attach_cells(
            path,
            {
                "donor_id": "donor",
                "cell_type": {"column": "cluster_id", "values": KANG_TYPES},
                "tissue": {"constant": "blood"},
            },
            title=f"Kang et al. 2018, {condition}, two donors",
            replace_existing=True,
        )


def attach_combat(graph: KnowledgeGraph, data: Path, work: Path, *, per_donor: int = 120) -> None:
    """Attach the first cells of each donor of COMBAT; they stand in no order within a donor."""
    cells = anndata.read_h5ad(data / COMBAT)
    kept = cells.obs.groupby("Sample", observed=True).cumcount() < per_donor
    path = work / "combat2022.h5ad"
    cells[kept.to_numpy()].copy().write_h5ad(path)
    graph.attach_cells(
        path,
        {
            "donor_id": "Sample",
            "tissue": {"constant": "blood"},
            "disease": {
                "column": "Condition",
                "values": {"Healthy": "normal", "Covid*": "COVID-19"},
            },
        },
        title="COMBAT 2022, six donors",
        replace_existing=True,
    )


def main() -> None:
    """Read the arguments, build, attach."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder of the original files")
    parser.add_argument("--graph", default="science", help="name of the managed graph")
    parser.add_argument("--work", type=Path, default=Path("science"), help="folder of the results")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    try:
        with tosg.connect(graph=options.graph) as graph:
            graph.build(str(HERE / "graph.yaml"), options.data, embed=False)
            attach_kang(graph, options.data, options.work)
            attach_combat(graph, options.data, options.work)
            print(graph.stats())
    except tosg.TosgError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
