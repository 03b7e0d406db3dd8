"""Loaders of torch_geometric over a training set's own files."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.training_sets import dense, write_training_set
from torch_geometric.data import HeteroData
from torch_geometric.loader import (
    DataLoader,
    HGTLoader,
    LinkNeighborLoader,
    NeighborLoader,
    NodeLoader,
)
from torch_geometric.typing import WITH_TORCH_SPARSE
from torch_geometric.utils import k_hop_subgraph

import tosg
from tosg.errors import ConfigError, ExportError, UsageError
from tosg.export.batches.neighbor_samplers import pick

KINDS = {
    ("Gene", "INTERACTS_WITH", "Gene"),
    ("Gene", "INTERACTS_WITH", "Protein"),
    ("Protein", "INTERACTS_WITH", "Gene"),
    ("Protein", "INTERACTS_WITH", "Protein"),
    ("Gene", "REGULATES", "Gene"),
}


@pytest.fixture
def ts(tmp_path: Path) -> tosg.TrainingSet:
    return tosg.TrainingSet(write_training_set(tmp_path / "set"))


def wiring(ts: tosg.TrainingSet) -> set[tuple[int, int, int]]:
    """Every edge as (type, source, target), reverses included."""
    source, target = ts.graph.edge_index.tolist()
    return set(zip(ts.graph.edge_type.tolist(), source, target, strict=True))


def edges_of(ts: tosg.TrainingSet, batch: HeteroData) -> set[tuple[int, int, int]]:
    """Edges of a batch of `HeteroData` in the numbers of the training set."""
    found = set()
    for kind in batch.edge_types:
        ids = [batch[kind[end]].node_id.tolist() for end in (0, 2)]
        for a, b in batch[kind].edge_index.T.tolist():
            found.add((ts.edge_types.index(kind[1]), ids[0][a], ids[1][b]))
    return found


def test_what_the_stores_hold(ts: tosg.TrainingSet) -> None:
    stores = ts.stores(cells=[3, 1])
    attrs = {(a.group_name, a.attr_name) for a in stores.features.get_all_tensor_attrs()}
    names = ("x", "has_text", "node_id", "abundance", "measured")
    assert attrs == {(g, n) for g in ("Gene", "Protein") for n in names}
    genes = stores.features["Gene", "node_id", None]
    assert genes.tolist() == [0, 2, 4]
    whole = ts.graph.text_embedding
    assert torch.equal(stores.features["Protein", "x", None], whole[[1, 3, 5]])
    assert torch.equal(stores.features["Gene", "x", torch.tensor([2, 0])], whole[[4, 0]])
    values = stores.features["Gene", "abundance", None]
    np.testing.assert_array_equal(values.numpy(), dense([3, 1], 6).T[[0, 2, 4]])
    assert {a.edge_type for a in stores.topology.get_all_edge_attrs()} == KINDS
    assert stores.features.get_tensor_size("Gene", "abundance") == (3, 2)
    kind = ("Gene", "REGULATES", "Gene")
    with pytest.raises(ConfigError, match="does not take other features"):
        stores.features.put_tensor(genes, "Gene", "y", None)
    with pytest.raises(ConfigError, match="does not take the removal of features"):
        stores.features.remove_tensor("Gene", "x", None)
    with pytest.raises(ConfigError, match="does not take other edges"):
        stores.topology.put_edge_index((genes, genes), kind, "csc")
    with pytest.raises(ConfigError, match="does not take the removal of edges"):
        stores.topology.remove_edge_index(kind, "csc")


def test_neighbors_by_type(ts: tosg.TrainingSet) -> None:
    stores = ts.stores()
    seen: list[int] = []
    loader = NeighborLoader(
        stores.pair,
        num_neighbors=[-1],
        neighbor_sampler=stores.sampler([-1]),
        input_nodes="Gene",
        batch_size=2,
        transform=stores.add_edge_attributes,
    )
    for batch in loader:
        seeds = batch["Gene"].node_id[: batch["Gene"].batch_size].tolist()
        seen += seeds
        expected = {e for e in wiring(ts) if e[2] in seeds}
        assert edges_of(ts, batch) == expected
        assert torch.equal(batch["Gene"].x, ts.graph.text_embedding[batch["Gene"].node_id])
        for kind in batch.edge_types:
            numbers = batch[kind].e_id
            assert torch.equal(batch[kind].edge_type, ts.graph.edge_type[numbers])
            same = torch.nan_to_num(batch[kind].edge_score, 9.0)
            assert torch.equal(same, torch.nan_to_num(ts.graph.edge_score[numbers], 9.0))
    assert sorted(seen) == [0, 2, 4]


def test_all_neighbors_of_two_hops_are_the_k_hop_subgraph(ts: tosg.TrainingSet) -> None:
    stores = ts.stores(by_type=False)
    loader = NeighborLoader(
        stores.pair,
        num_neighbors=[-1, -1],
        neighbor_sampler=stores.sampler([-1, -1]),
        input_nodes=torch.tensor([3]),
        batch_size=1,
    )
    (batch,) = list(loader)
    nodes, _, _, mask = k_hop_subgraph(3, 2, ts.graph.edge_index, num_nodes=6)
    assert sorted(batch.node_id.tolist()) == nodes.tolist()
    assert batch.node_id[0] == 3
    chosen = set(batch.e_id.tolist())
    # One that leads out of the second hop is in the subgraph and not on a path of two hops.
    assert chosen <= set(torch.nonzero(mask).flatten().tolist())
    index = batch.node_id[batch.edge_index]
    assert torch.equal(index, ts.graph.edge_index[:, batch.e_id])
    assert batch.num_sampled_nodes[0] == 1
    assert sum(batch.num_sampled_nodes) == len(nodes)


def test_links_and_negatives(ts: tosg.TrainingSet) -> None:
    stores = ts.stores()
    kind = ("Gene", "REGULATES", "Gene")
    loader = LinkNeighborLoader(
        stores.pair,
        num_neighbors=[2],
        neighbor_sampler=stores.sampler([2]),
        edge_label_index=(kind, None),
        neg_sampling="binary",
        batch_size=2,
        shuffle=True,
    )
    true = {(s, t) for k, s, t in wiring(ts) if k == 1}
    found = set()
    for batch in loader:
        store = batch[kind]
        ids = batch["Gene"].node_id
        pairs = ids[store.edge_label_index].T.tolist()
        labels = store.edge_label.tolist()
        found |= {tuple(p) for p, label in zip(pairs, labels, strict=True) if label}
        assert labels.count(0) == labels.count(1)
        assert edges_of(ts, batch) <= wiring(ts)
    assert found == true


def star(n: int) -> Any:
    """One node that n others lead to."""
    from tosg.export.batches.by_target import TargetEdges

    colptr = np.append(np.zeros(1, np.int64), np.full(n + 1, n))
    return TargetEdges(np.arange(1, n + 1), colptr, np.arange(n), n + 1, n + 1)


def test_neighbors_are_drawn_evenly_and_once() -> None:
    state, counts = np.array([7], np.uint64), np.zeros(10)
    for _ in range(4000):
        position, place = pick(star(10), np.array([0, 3]), 3, state)
        assert len(set(position.tolist())) == 3
        assert place.tolist() == [0, 0, 0]
        counts[position] += 1
    assert (abs(counts - 1200) < 5 * np.sqrt(4000 * 0.3 * 0.7)).all()
    position, _ = pick(star(10), np.array([0]), 40, state, replace=True)
    assert len(position) == 40
    assert len(pick(star(10), np.array([0]), 40, state)[0]) == 10


def test_a_seed_repeats_a_sample(ts: tosg.TrainingSet) -> None:
    def sample(seed: int) -> list[list[int]]:
        torch.manual_seed(seed)
        stores = ts.stores(by_type=False)
        loader = NeighborLoader(
            stores.pair,
            num_neighbors=[1, 1],
            neighbor_sampler=stores.sampler([1, 1]),
            input_nodes=torch.arange(6),
            batch_size=3,
        )
        return [batch.e_id.tolist() for batch in loader]

    assert sample(1) == sample(1)
    assert any(sample(1) != sample(seed) for seed in range(2, 20))


def test_layers_as_hgt_takes_them(ts: tosg.TrainingSet) -> None:
    stores = ts.stores()
    loader = NodeLoader(
        stores.pair,
        node_sampler=stores.layer_sampler([1, 1]),
        input_nodes=("Gene", torch.tensor([0])),
        batch_size=1,
    )
    (batch,) = list(loader)
    assert batch["Gene"].node_id[0] == 0
    assert len(batch["Gene"].node_id) <= 3
    assert len(batch["Protein"].node_id) <= 2
    taken = {int(i) for label in batch.node_types for i in batch[label].node_id}
    # Every edge between the nodes that were taken is there, and no other.
    assert edges_of(ts, batch) == {e for e in wiring(ts) if {e[1], e[2]} <= taken}
    with pytest.raises(ConfigError, match="by label"):
        ts.stores(by_type=False).layer_sampler([1])


def test_the_hgt_loader_of_pyg(ts: tosg.TrainingSet) -> None:
    """It samples in memory where torch-sparse is; without, it says so, and layers are sampled by us
    (above). Stores are refused by PyG in any case."""
    data, stores = ts.to_hetero(), ts.stores()
    options: dict[str, Any] = {"num_samples": [4, 4], "batch_size": 2, "shuffle": False}
    if WITH_TORCH_SPARSE:
        batch = next(iter(HGTLoader(data, input_nodes="Gene", **options)))
        assert edges_of(ts, batch) <= wiring(ts)
        with pytest.raises(NotImplementedError):
            HGTLoader(stores.pair, input_nodes="Gene", **options)
    else:
        with pytest.raises(ImportError, match="requires 'torch-sparse'"):
            HGTLoader(data, input_nodes="Gene", **options)


def test_what_is_sorted_once_is_kept_and_mapped(ts: tosg.TrainingSet, tmp_path: Path) -> None:
    ts.stores()
    beside = tmp_path / "set.sampling"
    made = {p: p.stat().st_mtime_ns for p in beside.rglob("*.npy")}
    assert made
    again = tosg.TrainingSet(tmp_path / "set").stores()
    assert {p: p.stat().st_mtime_ns for p in beside.rglob("*.npy")} == made
    assert all(isinstance(e.row, np.memmap) for e in again.topology.edges.values())
    tosg.TrainingSet(tmp_path / "set", add_reverses=False).stores()
    assert len(list(beside.iterdir())) == 2
    tosg.TrainingSet(tmp_path / "set").verify()
    name = next(p for p in made if p.name.endswith("colptr.npy"))
    np.save(name, np.zeros(1, np.int64))
    with pytest.raises(ExportError, match="does not fit"):
        ts.stores()


def test_bad_numbers_of_neighbors(ts: tosg.TrainingSet) -> None:
    stores = ts.stores()
    with pytest.raises(UsageError, match="kind of edges"):
        stores.sampler({("Gene", "NONE", "Gene"): [1]})
    kinds = sorted(KINDS)
    with pytest.raises(ConfigError, match="different numbers of hops"):
        stores.sampler({kinds[0]: [1], kinds[1]: [1, 1]})
    sampler = stores.sampler([2])
    with pytest.raises(ConfigError, match="no times"):
        sampler._sample({"Gene": torch.tensor([0])}, {"Gene": torch.tensor([1])})


def test_batches_as_hetero_data(ts: tosg.TrainingSet) -> None:
    batch = ts.read([3, 0, 9])
    hetero = batch.to_hetero()
    assert hetero.num_graphs == 3
    typed = ts.to_hetero()
    assert set(hetero.edge_types) == set(typed.edge_types) == KINDS
    for i, one in enumerate(hetero.to_data_list()):
        for label in typed.node_types:
            members = typed[label].node_id
            assert torch.equal(one[label].node_id, members)
            assert torch.equal(one[label].x.flatten(), batch.x[i, members])
            assert torch.equal(one[label].measured, batch.measured[i, members])
        for kind in typed.edge_types:
            assert torch.equal(one[kind].edge_index, typed[kind].edge_index)
            assert one.cell.tolist() == [[3, 0, 9][i]]
    kind = ("Gene", "REGULATES", "Gene")
    index, n = hetero[kind].edge_index, len(typed["Gene"].node_id)
    assert index.shape[1] == 3 * typed[kind].edge_index.shape[1]
    assert torch.equal(
        index // n, torch.arange(3).repeat_interleave(index.shape[1] // 3).expand(2, -1)
    )
    with pytest.raises(IndexError):
        hetero.get_example(3)


def test_a_data_set_of_graphs_on_disk(ts: tosg.TrainingSet) -> None:
    graphs = ts.as_dataset("train")
    some = graphs[torch.tensor([4, 2])]
    assert [int(one.cell) for one in some] == [4, 2]
    assert [int(one.cell) for one in graphs[20:]] == [20, 21, 22]
    assert int(graphs[-1].cell) == 22
    loader = DataLoader(some, batch_size=2)
    (batch,) = list(loader)
    np.testing.assert_array_equal(batch.x.view(2, 6).numpy(), dense([4, 2], 6))
    assert [int(one.cell) for one in pickle.loads(pickle.dumps(some))] == [4, 2]
    with pytest.raises(IndexError):
        graphs.multi_get([23])
    assert graphs.multi_get([]) == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own = ts.as_dataset("train", own=True)
        whole = own.multi_get([1, 2])
        assert [int(one.cell) for one in whole] == [1, 2]
        for one in whole:
            assert torch.equal(one.x, own[int(one.cell)].x)
