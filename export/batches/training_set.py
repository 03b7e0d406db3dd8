"""Open a training set and read batches of cells from it (``docs/formats/training-set.md``).

`TrainingSet` is put together from `tosg.export.batches.opened` (what it says of itself),
`tosg.export.batches.node_texts` and `tosg.export.batches.cell_batches`; here are its exits to other
libraries.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tosg.export.batches.cell_batches import CellBatches
from tosg.export.batches.node_texts import NodeTexts

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import numpy as np
    from anndata import AnnData
    from numpy.typing import NDArray
    from torch_geometric.data import HeteroData

    from tosg.export.batches.pyg_stores import PygStores


class TrainingSet(NodeTexts, CellBatches):
    """A training set on disk: one graph, many cells, opened lazily and memory-mapped.

    Parameters
    ----------
    folder : str or Path
        What ``tosg-export`` wrote.
    add_reverses : bool
        Whether `graph.edge_index` holds both directions of undirected edges.

    Raises
    ------
    ExportError
        The folder is not a training set, a file of it is missing or has another size, or parts of
        its manifest do not fit each other.
    """

    def to_anndata(self) -> AnnData:
        """The cells and the graph as an `anndata.AnnData` in memory (extra ``cells``).

        ``X`` (M, N) float32 are the stored values as sparse rows, ``varp`` the edges by type,
        ``varm["text_embedding"]`` (N, D) the vectors, ``obs`` has the split. Larger ones are
        written block by block by ``tosg-export --layout anndata``.

        Raises
        ------
        ExportError
            The training set has no cells.
        ConfigError
            anndata is not installed.
        """
        from tosg.export.layouts.annotated import make_anndata
        from tosg.export.layouts.stored import StoredSet

        self.rows()
        return make_anndata(StoredSet(self.manifest))

    def to_hetero(self) -> HeteroData:
        """The graph by type as `HeteroData` (extra ``pyg``).

        For each label ``x`` (n, D) the text embeddings, ``has_text`` (n,) bool, ``node_id`` (n,)
        into the rows of ``nodes.parquet``, and ``num_nodes``; for each (label, relationship type,
        label) ``edge_index`` (2, e), ``edge_score``, ``edge_sign``, ``edge_lifted``.
        """
        from tosg.export.batches.pyg import to_hetero

        return to_hetero(self.graph, self.node_types, self.edge_types)

    def stores(
        self,
        *,
        by_type: bool = True,
        cells: NDArray[np.int64] | Sequence[int] = (),
        folder: str | os.PathLike[str] | None = None,
    ) -> PygStores:
        """The graph as `FeatureStore` and `GraphStore` for loaders of PyG (extra ``pyg``).

        `NeighborLoader(stores.pair, neighbor_sampler=stores.sampler([10, 10]), ...)` samples from
        the files, which stay memory-mapped; with ``pyg-lib`` installed, PyG's own sampler does too.

        Parameters
        ----------
        by_type : bool
            Whether nodes and edges are grouped by type, or are one group.
        cells : (B,) int64
            Rows of cells whose values become the features ``abundance`` (n, B) of the nodes.
        folder : path, optional
            Where edges sorted by their target are kept; by default ``OUT.sampling``.

        Returns
        -------
        PygStores
            ``pair``, ``sampler(num_neighbors)``, ``layer_sampler(num_samples)`` and
            ``add_edge_attributes``; features ``x`` (n, D), ``has_text`` and ``node_id`` (n,).

        Raises
        ------
        ExportError
            A file is damaged, or there are no cells.
        ConfigError
            The folder cannot be written.
        """
        from tosg.export.batches.by_target import NodeGroups, read_by_target
        from tosg.export.batches.pyg_stores import NodeFeatures, PygStores, StoredTopology

        groups = NodeGroups.of(self.graph, self.node_types if by_type else None)
        place = Path(folder or self._beside("sampling"))
        edges = read_by_target(place, self.digest, self.graph, groups, self.edge_types)
        batch = self.read(cells) if len(cells) else None
        features = NodeFeatures(
            self.graph,
            groups,
            None if batch is None else batch.x.T.contiguous(),
            None if batch is None else batch.measured.T.contiguous(),
        )
        return PygStores(features, StoredTopology(edges))
