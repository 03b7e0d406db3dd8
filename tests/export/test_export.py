"""The whole export against the real server: every number is where its value says it belongs."""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from safetensors.numpy import load_file
from support import signals
from support.signals import EDGES, IDX, NODES, g, p

from tosg.export.format import digest
from tosg.export.format.damage import check_training_files
from tosg.export.format.manifest import read_manifest
from tosg.kg.database.connection import Database

NAMES = {id_: f"{name}" for _, id_, name in NODES}


def edge_set(folder: Path) -> set[tuple[Any, ...]]:
    """Edges as (type, start id, end id, key, sign, score or None, lifted, sources)."""
    content = read_manifest(folder).content
    t = load_file(folder / "graph.safetensors")
    ids = pq.read_table(folder / "nodes.parquet").column("id").to_pylist()
    return {
        (
            content["edge_types"][t["edge_type"][e]]["name"],
            ids[t["edge_index"][0, e]],
            ids[t["edge_index"][1, e]],
            json.dumps(content["edge_keys"][t["edge_key"][e]]),
            int(t["edge_sign"][e]),
            None if np.isnan(t["edge_score"][e]) else float(t["edge_score"][e]),
            bool(t["edge_lifted"][e]),
            tuple(content["edge_sources"][t["edge_source"][e]]),
        )
        for e in range(t["edge_index"].shape[1])
    }


def dense_of(folder: Path) -> np.ndarray:
    """(M, N) of what the shards hold."""
    content = read_manifest(folder).content
    rows = []
    for shard in content["expression"]["shards"]:
        base = folder / "expression" / shard["name"]
        indptr, indices, values = (
            np.load(f"{base}.{part}.npy", allow_pickle=False)
            for part in ("indptr", "indices", "values")
        )
        assert (indptr.dtype, indices.dtype, values.dtype) == (np.int64, np.int32, np.float32)
        assert indptr[0] == 0
        assert indptr[-1] == len(indices) == len(values) == shard["values"]
        assert len(indptr) - 1 == shard["cells"]
        for a, b in itertools.pairwise(indptr):
            assert (np.diff(indices[a:b]) > 0).all()
            row = np.zeros(content["counts"]["nodes"], dtype=np.float32)
            row[indices[a:b]] = values[a:b]
            assert (values[a:b] != 0).all()
            rows.append(row)
    return np.array(rows)


def stored_edge(kind: str, start: str, end: str, props: dict[str, Any]) -> tuple[Any, ...]:
    if kind == "INTERACTS_WITH" and IDX[start] > IDX[end]:
        start, end = end, start
    key = json.dumps({k: v for k, v in props.items() if k == "action"})
    return (
        kind, start, end, key, props.get("sign", 0), props.get("score"), False, (props["source"],),
    )  # fmt: skip


def test_a_plain_graph_is_what_is_stored(graph: Database, run: Any) -> None:
    result = run(graph)
    content = read_manifest(result.folder).content
    assert edge_set(result.folder) == {stored_edge(*e) for e in EDGES}
    nodes = pq.read_table(result.folder / "nodes.parquet")
    assert nodes.column_names == ["idx", "id", "type", "name", "symbol", "text"]
    assert nodes.column("idx").to_pylist() == sorted(IDX.values())
    assert nodes.column("id").to_pylist() == [id_ for _, id_, _ in NODES]
    assert nodes.column("type").to_pylist() == [label for label, _, _ in NODES]
    assert nodes.column("text")[0].as_py() == 'G0: "quoted",\ttab\nline é'
    assert nodes.column("symbol").to_pylist()[-2:] == [None, None]
    t = load_file(result.folder / "graph.safetensors")
    for i, (_, id_, _) in enumerate(NODES):
        with_text = id_ not in signals.WITHOUT_TEXT
        assert t["has_text"][i] == with_text
        expected = [(i + j / 10_000) * with_text for j in range(signals.DIMENSION)]
        np.testing.assert_array_equal(t["text_embedding"][i], np.array(expected, np.float32))
    order = np.stack([t["edge_type"], *t["edge_index"], t["edge_key"], t["edge_sign"]])
    assert (np.lexsort(order[::-1]) == np.arange(order.shape[1])).all()
    assert content["expression"] is None
    assert content["splits"] is None
    assert content["counts"] == {
        "nodes": 13, "edges": len(EDGES), "lifted_edges": 0, "isolated_nodes": 0,
        "nodes_with_text": 11, "cells": 0, "values": 0, "donors": 0,
    }  # fmt: skip
    assert content["embedding"] == {
        "model": "toy", "revision": "r1", "dimension": signals.DIMENSION, "dtype": "float32",
    }  # fmt: skip
    assert {"source": "intact", "license": "CC BY 4.0", "release": "r"} in content["sources"]
    assert {"source": "hetionet", "license": "CC0", "release": "1.0"} in content["sources"]
    assert not (result.folder / "cells.parquet").exists()
    check_training_files(read_manifest(result.folder), sha256=True)


def test_sources_are_those_of_what_is_exported(graph: Database, run: Any) -> None:
    """Not of edges that were read and led out of the selection."""
    done = run(
        graph, nodes="MATCH (g:Gene) WHERE g.symbol IN ['G0', 'G3'] RETURN g",
        edges="MATCH (:Gene)-[r]->(:Gene) RETURN r",
    )  # fmt: skip
    assert done.counts["edges"] == 0
    sources = read_manifest(done.folder).content["sources"]
    assert [s["source"] for s in sources] == ["hetionet", "hgnc"]  # of the nodes


def test_file_bytes_are_those_of_the_library(graph: Database, run: Any) -> None:
    from safetensors.numpy import save

    path = run(graph).folder / "graph.safetensors"
    assert path.read_bytes() == save(load_file(path))


def test_gene_level_by_hand(graph: Database, run: Any) -> None:
    result = run(graph, level="gene")
    nothing = "{}"
    lifted = {e for e in edge_set(result.folder) if e[0] not in ("PARTICIPATES_IN", "TARGETS")}
    assert lifted == {
        # stored 0.5 by hetionet, p0-p1 0.25 and p0-p2 0.75 by intact
        ("INTERACTS_WITH", g(0), g(1), nothing, 0, 0.75, False, ("hetionet", "intact")),
        # p0-p0 is a self-loop as stored; p1-p2 becomes one and is dropped; p3-p4 loses p4
        ("INTERACTS_WITH", g(0), g(0), nothing, 0, None, True, ("intact",)),
        ("INTERACTS_WITH", g(4), g(5), nothing, 0, None, False, ("hetionet",)),
        # p3 has two genes; g0-g2 with sign 1 is stored too
        ("REGULATES", g(0), g(2), nothing, 1, 0.5, False, ("signor", "trrust")),
        ("REGULATES", g(0), g(2), nothing, -1, None, False, ("trrust",)),
        ("REGULATES", g(0), g(3), nothing, 1, 0.5, True, ("signor",)),
        # 1 from p1 and -1 from p2 contradict
        ("PHOSPHORYLATES", g(0), g(1), nothing, 0, None, True, ("signor",)),
    }
    targets = {e[:4] for e in edge_set(result.folder) if e[0] == "TARGETS"}
    assert targets == {
        ("TARGETS", "drugbank:DB1", g(0), '{"action": "inhibitor"}'),
        ("TARGETS", "drugbank:DB1", g(0), '{"action": "agonist"}'),
        ("TARGETS", "drugbank:DB1", g(2), nothing),
        ("TARGETS", "drugbank:DB1", g(3), nothing),
    }
    assert "1 nodes of type Protein encoded by no gene" in " ".join(result.warnings)


def test_protein_level_by_hand(graph: Database, run: Any) -> None:
    result = run(graph, level="protein", edge_types=("INTERACTS_WITH",))
    assert {e[1:3] + e[5:7] for e in edge_set(result.folder)} == {
        (p(0), p(1), 0.5, False),
        (p(0), p(2), 0.75, False),
        (p(1), p(2), 0.875, False),
        (p(0), p(0), None, False),
        (p(3), p(4), None, False),
    }
    ids = pq.read_table(result.folder / "nodes.parquet").column("id").to_pylist()
    assert ids == [p(i) for i in range(5)] + ["reactome:R-1", "drugbank:DB1"]
    assert "3 nodes of type Gene" not in " ".join(result.warnings)
    assert "2 nodes of type Gene that encode no protein" in " ".join(result.warnings)


def test_genes_of_a_pathway_meet_their_proteins_wiring(graph: Database, run: Any) -> None:
    query = "MATCH (:Pathway {name: $name})<-[:PARTICIPATES_IN]-(g:Gene) RETURN g"
    stored = run(graph, nodes=query, params={"name": "signals"})
    assert stored.counts["nodes"] == 3
    assert stored.counts["edges"] == 3
    lifted = run(graph, nodes=query, params={"name": "signals"}, level="gene")
    assert lifted.counts["nodes"] == 3
    assert {e[:3] for e in edge_set(lifted.folder)} == {
        ("INTERACTS_WITH", g(0), g(1)),
        ("INTERACTS_WITH", g(0), g(0)),
        ("REGULATES", g(0), g(2)),
        ("PHOSPHORYLATES", g(0), g(1)),
    }


def test_values_are_at_their_nodes(cells: Database, run: Any) -> None:
    result = run(
        cells, target="cell_type", split="donor", fractions=(0.5, 0.25, 0.25), shard_size=16,
        primary_only=False,
    )  # fmt: skip
    table = pq.read_table(result.folder / "cells.parquet")
    ids = table.column("id").to_pylist()
    assert len(ids) == len(set(ids)) == 90
    expected = signals.dense(ids, [id_ for _, id_, _ in NODES])
    np.testing.assert_array_equal(dense_of(result.folder), expected)
    content = read_manifest(result.folder).content
    assert content["target"] == {
        "field": "cell_type", "kind": "class", "classes": sorted(signals.TYPES),
    }  # fmt: skip
    classes = content["target"]["classes"]
    assert [classes[k] for k in table.column("target").to_pylist()] == table.column(
        "cell_type"
    ).to_pylist()
    assert pq.ParquetFile(result.folder / "cells.parquet").num_row_groups == 6
    assert set(table.column_names) == {
        "id", "dataset", "split", "target", "age_years", "cell_type", "donor_id",
        "is_primary_data", "n_counts", "n_genes", "note", "tissue",
    }  # fmt: skip
    measured = np.load(result.folder / "measured.npy", allow_pickle=False)
    for s, dataset in enumerate(("alpha", "beta")):
        entities = {
            e
            for e, m in zip(signals.VARIABLES[dataset], signals.MEASURED[dataset], strict=True)
            if m and e
        }
        assert {NODES[i][1] for i in np.flatnonzero(measured[s])} == entities
    assert [d["variables_mapped"] for d in content["datasets"]] == [5, 3]


def test_donors_are_whole_and_order_is_shuffled(cells: Database, run: Any) -> None:
    result = run(cells, target="cell_type", split="donor", seed=7)
    table = pq.read_table(result.folder / "cells.parquet").to_pylist()
    of_donor: dict[tuple[str, str], set[str]] = {}
    for row in table:
        of_donor.setdefault((row["dataset"], row["donor_id"]), set()).add(row["split"])
    assert all(len(s) == 1 for s in of_donor.values())
    assert len(of_donor) == 10  # d0 of alpha is not d0 of beta
    content = read_manifest(result.folder).content
    info = content["splits"]
    assert info["donor_safe"]
    for name in ("train", "val", "test"):
        rows = table[info[name]["start"] : info[name]["stop"]]
        assert {r["split"] for r in rows} == {name}
        donors = sorted({(r["dataset"], r["donor_id"]) for r in rows})
        assert info[name]["donors"] == [list(d) for d in donors]
        assert all(n > 0 for n in info[name]["targets"])
        keys = [
            int.from_bytes(
                hashlib.blake2b(
                    r["id"].encode(), digest_size=8, key=(7).to_bytes(8, "little")
                ).digest(),
                "little",
            )
            for r in rows
        ]
        assert keys == sorted(keys)
    assert all(r["is_primary_data"] for r in table)
    assert any("is_primary_data" in w for w in result.warnings)


def test_cells_and_their_meta_cells_are_in_one_split(cells: Database, run: Any) -> None:
    how = {"split": "donor", "fractions": (0.6, 0.2, 0.2)}

    def splits_of(folder: Path) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for row in pq.read_table(folder / "cells.parquet").to_pylist():
            found.setdefault(row["donor_id"], set()).add(row["split"])
        return found

    apart = run(cells, **how)
    (told,) = [w for w in apart.warnings if "donors of one name" in w]
    for name, found in splits_of(apart.folder).items():
        assert (f"{name} (alpha: " in told) == (len(found) > 1)
    # Attached twice, as cells and as meta-cells: the donors are the same people.
    cells.write("MATCH (d:Dataset {id: 'beta'}) SET d.sha256s = ['other', 'alpha-hash']")
    together = run(cells, **how)
    assert all(len(found) == 1 for found in splits_of(together.folder).values())
    assert not [w for w in together.warnings if "donors of one name" in w]
    assert read_manifest(together.folder).content["splits"]["donor_safe"] is True
    # A field that would part them is not safe, one that cannot is.
    assert (
        read_manifest(run(cells, split="dataset", fractions=(0.5, 0.5, 0.0)).folder).content[
            "splits"
        ]["donor_safe"]
        is False
    )
    by_name = run(cells, split="donor_id")
    assert read_manifest(by_name.folder).content["splits"]["donor_safe"] is True


def test_levels_move_values_too(cells: Database, run: Any) -> None:
    gene = run(cells, level="gene", primary_only=False)
    ids = pq.read_table(gene.folder / "cells.parquet").column("id").to_pylist()
    nodes = pq.read_table(gene.folder / "nodes.parquet").column("id").to_pylist()
    found = dense_of(gene.folder)
    expected = signals.dense(ids, nodes)
    # beta measures protein p0 and not gene g0: its value is g0's
    from_p0 = signals.dense(ids, [p(0)])[:, 0]
    beta = np.array([i.startswith("beta") for i in ids])
    expected[beta, nodes.index(g(0))] = from_p0[beta]
    np.testing.assert_array_equal(found, expected)
    protein = run(cells, level="protein", primary_only=False)
    ids = pq.read_table(protein.folder / "cells.parquet").column("id").to_pylist()
    nodes = pq.read_table(protein.folder / "nodes.parquet").column("id").to_pylist()
    own = signals.dense(ids, NODE_IDS)
    column = {id_: own[:, i] for i, id_ in enumerate(NODE_IDS)}
    beta = np.array([i.startswith("beta") for i in ids])
    expected = np.zeros((len(ids), len(nodes)), dtype=np.float32)
    # p0: alpha from gene g0, beta has its own; p3: two genes are summed (beta has g2 alone)
    expected[:, nodes.index(p(0))] = np.where(beta, column[p(0)], column[g(0)])
    expected[:, nodes.index(p(1))] = column[g(1)]
    expected[:, nodes.index(p(2))] = column[g(1)]
    expected[:, nodes.index(p(3))] = column[g(2)] + column[g(3)]
    expected[:, nodes.index(p(4))] = column[p(4)]
    np.testing.assert_array_equal(dense_of(protein.folder), expected)


NODE_IDS = [id_ for _, id_, _ in NODES]


def test_digests_are_those_of_the_format(cells: Database, run: Any) -> None:
    folder = run(cells, shard_size=16).folder
    content = read_manifest(folder).content
    found = content["digests"]
    tensors = load_file(folder / "graph.safetensors")
    joined = "".join(digest.digest_arrays({n: tensors[n]}) for n in sorted(tensors))
    assert found["graph"] == hashlib.sha256(joined.encode()).hexdigest()
    for name in ("nodes", "cells"):
        file = pq.ParquetFile(folder / f"{name}.parquet")
        joined = "".join(
            digest.digest_table(file.read_row_group(k)) for k in range(file.num_row_groups)
        )
        assert found[name] == hashlib.sha256(joined.encode()).hexdigest()
    joined = ""
    for shard in content["expression"]["shards"]:
        base = folder / "expression" / shard["name"]
        joined += digest.digest_arrays(
            {part: np.load(f"{base}.{part}.npy") for part in ("indptr", "indices", "values")}
        )
    assert found["expression"] == hashlib.sha256(joined.encode()).hexdigest()
    measured = np.load(folder / "measured.npy")
    assert found["measured"] == digest.digest_arrays({"measured": measured})
