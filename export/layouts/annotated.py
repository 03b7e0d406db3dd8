"""A training set as AnnData or MuData: cells x nodes, the graph in ``varp``, vectors in ``varm``.

``X`` holds the stored values as sparse rows, written block by block, so that no dense matrix and no
whole sparse one is ever in memory. What each part holds is in ``docs/formats/anndata.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.errors import ConfigError
from tosg.files import writing

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from anndata import AnnData
    from numpy.typing import NDArray

    from tosg.export.layouts.stored import StoredSet
    from tosg.progress import Progress

    Int64s = NDArray[np.int64]

#: Cells of a block.
_CELLS_AT_ONCE = 2048

#: Modality of MuData that a node belongs to, by its label where it was measured; else `_GRAPH`.
_MODALITIES = {"Gene": "rna", "Transcript": "rna", "Protein": "prot"}
_OTHER, _GRAPH = "other", "graph"


def make_anndata(stored: StoredSet) -> AnnData:
    """Make an AnnData in memory; values stay sparse."""
    _check_installed()
    import anndata
    import scipy.sparse as sp

    blocks = [block for _, block in stored.value_blocks(_CELLS_AT_ONCE)]
    n = stored.manifest.n_nodes
    values = sp.vstack(blocks, format="csr") if blocks else sp.csr_matrix((0, n), dtype=np.float32)
    everything = np.arange(n)
    made: AnnData = anndata.AnnData(
        X=values,
        obs=_obs(stored),
        var=_var(stored, everything),
        varm=_varm(stored, everything),
        varp=_varp(stored, everything),
        uns=_uns(stored),
    )
    return made


def write_anndata(stored: StoredSet, path: Path, progress: Progress) -> None:
    """Write an ``.h5ad``, block by block.

    Raises
    ------
    ExportError
        The training set has no cells.
    ConfigError
        The extra ``cells`` is not installed.
    """
    _check_installed()
    import h5py

    everything = np.arange(stored.manifest.n_nodes)
    with writing(path) as temporary, h5py.File(temporary, "w") as file:
        _write_group(file, stored, {"/": everything}, _obs(stored), progress)
        _element(file, "uns", _uns(stored))


def write_mudata(stored: StoredSet, path: Path, progress: Progress) -> None:
    """Write an ``.h5mu``: a modality per kind of measured node, and one of the other nodes.

    Raises
    ------
    ExportError
        The training set has no cells.
    ConfigError
        The extra ``cells`` is not installed.
    """
    _check_installed()
    import h5py
    import pandas as pd

    parts = split_modalities(stored)
    obs = _obs(stored)
    order = np.concatenate(list(parts.values()))
    with writing(path) as temporary, h5py.File(temporary, "w", userblock_size=512) as file:
        file.attrs.update(
            {"encoding-type": "MuData", "encoding-version": "0.1.0", "axis": 0, "encoder": "tosg"}
        )
        file.create_group("mod").attrs["mod-order"] = list(parts)
        groups = {f"/mod/{name}": nodes for name, nodes in parts.items()}
        for name in groups:
            file.create_group(name)
        _write_group(file, stored, groups, pd.DataFrame(index=obs.index), progress)
        _element(file, "obs", obs)
        _element(file, "var", pd.DataFrame(index=_var(stored, order).index))
        every = np.arange(1, len(obs) + 1, dtype=np.int64)
        _element(file, "obsmap", dict.fromkeys(parts, every))
        _element(file, "varmap", _places(parts))
        _element(file, "obsm", {name: np.ones(len(obs), bool) for name in parts})
        _element(file, "varm", {name: place > 0 for name, place in _places(parts).items()})
        _element(file, "obsp", {})
        _element(file, "varp", _varp(stored, order))
        _element(file, "uns", _uns(stored))
    _sign_mudata(path)


def _sign_mudata(path: Path) -> None:
    """Write the name of the format before the HDF5 signature, where MuData looks for it."""
    text = b"MuData (format-version=0.1.0;creator=tosg;creator-version=0)"
    with path.open("rb+") as stream:
        stream.write(text + b"\0" * (512 - len(text)))


def _places(parts: dict[str, Int64s]) -> dict[str, Int64s]:
    """Place of each variable of all modalities in its own, counted from 1; 0 in others."""
    total, done, places = sum(map(len, parts.values())), 0, {}
    for name, nodes in parts.items():
        places[name] = np.zeros(total, np.int64)
        places[name][done : done + len(nodes)] = np.arange(1, len(nodes) + 1)
        done += len(nodes)
    return places


def split_modalities(stored: StoredSet) -> dict[str, Int64s]:
    """Nodes of each modality, (n,) int64: measured ones by their label, and all others."""
    measured: list[bool] = np.logical_or.reduce(stored.measured).tolist()
    labels = stored.nodes["type"].to_pylist()
    of = np.array(
        [
            _MODALITIES.get(label, _OTHER) if known else _GRAPH
            for label, known in zip(labels, measured, strict=True)
        ]
    )
    wanted = ("rna", "prot", _OTHER, _GRAPH)
    return {name: np.flatnonzero(of == name) for name in wanted if (of == name).any()}


def _check_installed() -> None:
    try:
        import anndata  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "this layout needs anndata", found=error, hint='pip install "tosg[cells]"'
        ) from error


def _element(group: Any, name: str, value: Any) -> None:
    """Write one element of an AnnData with its own writer."""
    from anndata.io import write_elem

    write_elem(group, name, value)


def _write_group(
    file: Any,
    stored: StoredSet,
    groups: dict[str, Int64s],
    obs: pd.DataFrame,
    progress: Progress,
) -> None:
    """Write AnnData groups over some nodes each; their values in one pass over the shards."""
    from anndata.io import sparse_dataset

    total = stored.manifest.n_cells
    progress("writing cells", 0, total)
    for name, nodes in groups.items():
        group = file[name]
        group.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        _element(group, "obs", obs)
        _element(group, "var", _var(stored, nodes))
        _element(group, "varp", _varp(stored, nodes))
        _element(group, "varm", {"measured": _measured(stored, nodes)})
        _write_vectors(group["varm"], stored, nodes)
        for empty in ("obsm", "obsp", "layers"):
            _element(group, empty, {})
        if name != "/":
            _element(group, "uns", {})
    for start, block in stored.value_blocks(_CELLS_AT_ONCE):
        for name, nodes in groups.items():
            part = block if len(nodes) == block.shape[1] else block[:, nodes]
            if start == 0:
                _element(file[name], "X", part)
            else:
                sparse_dataset(file[name]["X"]).append(part)
        progress("writing cells", start + block.shape[0], total)


def _write_vectors(group: Any, stored: StoredSet, nodes: Int64s) -> None:
    """Write the text vectors of some nodes, (n, D) float32, in blocks."""
    if not stored.width:
        return
    data = group.create_dataset("text_embedding", (len(nodes), stored.width), np.float32)
    data.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    start = done = 0
    for block in stored.vector_blocks():
        # Nodes of a part rise, so that its rows of each block follow one another.
        here = nodes[np.searchsorted(nodes, start) : np.searchsorted(nodes, start + len(block))]
        data[done : done + len(here)] = block[here - start]
        start, done = start + len(block), done + len(here)


def _obs(stored: StoredSet) -> pd.DataFrame:
    """Cells, named by their id; text columns as categories where they repeat."""
    import pandas as pd

    cells = stored.cells
    columns: dict[str, Any] = {}
    for name in cells.column_names:
        if name == "id":
            continue
        values = stored.class_names() if name == "target" else cells[name].to_pylist()
        columns[name] = _column(values)
    if all(value is None for value in cells["target"].to_pylist()):
        columns.pop("target")
    index = pd.Index(cells["id"].to_pylist(), name=None)
    obs = pd.DataFrame(columns, index=index)
    splits = stored.manifest.content["splits"]
    if splits is not None:
        obs["split"] = pd.Categorical(obs["split"].astype(str), ["train", "val", "test"])
    return obs


def _column(values: list[Any]) -> Any:
    import pandas as pd

    kinds = {type(v) for v in values if v is not None}
    if kinds == {list}:
        return pd.Categorical([None if v is None else "; ".join(map(str, v)) for v in values])
    if kinds == {str}:
        return pd.Categorical(values)
    if kinds == {bool} and None in values:
        return pd.array(values, dtype="boolean")
    if kinds == {int} and None in values:
        return pd.array(values, dtype="Int64")
    return values if kinds else pd.Categorical(values)


def _var(stored: StoredSet, nodes: Int64s) -> pd.DataFrame:
    """Nodes, named by their id."""
    import pandas as pd
    import pyarrow as pa

    table = stored.nodes.take(pa.array(nodes))
    columns: dict[str, Any] = {"idx": table["idx"].to_numpy()}
    columns["type"] = pd.Categorical(table["type"].to_pylist())
    for name in ("name", "symbol", "text"):
        columns[name] = [value or "" for value in table[name].to_pylist()]
    columns["has_text"] = stored.tensor("has_text")[nodes]
    columns["measured"] = stored.measured[:, nodes].any(axis=0)
    return pd.DataFrame(columns, index=pd.Index(table["id"].to_pylist()))


def _measured(stored: StoredSet, nodes: Int64s) -> NDArray[np.bool_]:
    return np.ascontiguousarray(stored.measured[:, nodes].T)


def _varm(stored: StoredSet, nodes: Int64s) -> dict[str, Any]:
    found: dict[str, Any] = {"measured": _measured(stored, nodes)}
    if stored.width:
        found["text_embedding"] = np.concatenate(list(stored.vector_blocks()))[nodes].astype(
            np.float32
        )
    return found


def _varp(stored: StoredSet, nodes: Int64s) -> dict[str, Any]:
    """Edges by type, from row to column: their presence, score, and sign where they agree."""
    import scipy.sparse as sp

    n = stored.manifest.n_nodes
    place = np.full(n, -1, np.int64)
    place[nodes] = np.arange(len(nodes))
    edges, undirected = stored.edges, stored.undirected
    source, target = place[edges["source"]], place[edges["target"]]
    inside = (source >= 0) & (target >= 0)
    found: dict[str, Any] = {}
    for number, kind in enumerate(stored.manifest.content["edge_types"]):
        chosen = np.flatnonzero(inside & (edges["edge_type"] == number))
        twice = chosen[undirected[chosen] & (source[chosen] != target[chosen])]
        rows = np.concatenate([source[chosen], target[twice]])
        columns = np.concatenate([target[chosen], source[twice]])
        which = np.concatenate([chosen, twice])

        def matrix(values: NDArray[np.float32], *, rows: Int64s, columns: Int64s) -> Any:
            shape = (len(nodes), len(nodes))
            # Parallel edges: the greatest value stands.
            order = np.lexsort((values, columns, rows))
            last = np.append(
                (np.diff(rows[order]) != 0) | (np.diff(columns[order]) != 0), bool(len(order))
            )[: len(order)]
            kept = order[last]
            return sp.csr_matrix((values[kept], (rows[kept], columns[kept])), shape=shape)

        found[kind["name"]] = matrix(np.ones(len(which), np.float32), rows=rows, columns=columns)
        score = edges["edge_score"][which]
        scored = ~np.isnan(score)
        if scored.any():
            found[f"{kind['name']}_score"] = matrix(
                score[scored], rows=rows[scored], columns=columns[scored]
            )
        sign = edges["edge_sign"][which].astype(np.float32)
        if sign.any():
            found[f"{kind['name']}_sign"] = _agreed(sign, rows, columns, len(nodes))
    return found


def _agreed(sign: NDArray[np.float32], rows: Int64s, columns: Int64s, n: int) -> Any:
    """Signs between two nodes; none where parallel edges contradict each other."""
    import scipy.sparse as sp

    up, down = (
        sp.csr_matrix((np.ones(k.sum(), np.float32), (rows[k], columns[k])), shape=(n, n))
        for k in (sign > 0, sign < 0)
    )
    up, down = up.sign(), down.sign()
    signs = sp.csr_matrix(up - down)
    signs.eliminate_zeros()
    return signs


def _uns(stored: StoredSet) -> dict[str, Any]:
    """What the set is, and its edges with all that is known of them."""
    import json

    content, edges = stored.manifest.content, stored.edges
    expression = content["expression"]
    kinds = np.array([t["name"] for t in content["edge_types"]], dtype=object)
    sources = np.array(["; ".join(names) for names in content["edge_sources"]], dtype=object)
    keys = np.array([json.dumps(key, sort_keys=True) for key in content["edge_keys"]], dtype=object)
    import pandas as pd

    table = pd.DataFrame(
        {
            "source": edges["source"],
            "target": edges["target"],
            "type": pd.Categorical(kinds[edges["edge_type"]] if len(kinds) else []),
            "score": edges["edge_score"],
            "sign": edges["edge_sign"],
            "lifted": edges["edge_lifted"],
            "key": pd.Categorical(keys[edges["edge_key"]] if len(keys) else []),
            "claimed_by": pd.Categorical(sources[edges["edge_source"]] if len(sources) else []),
        }
    )
    table.index = table.index.astype(str)
    return {
        "unit": expression["unit"],
        "normalize": expression["normalize"],
        "datasets": [d["id"] for d in content["datasets"]],
        "digest": stored.manifest.digest,
        "selection": json.dumps(content["selection"], sort_keys=True),
        "sources": json.dumps(content["sources"], sort_keys=True),
        "embedding": json.dumps(content["embedding"], sort_keys=True),
        "edges": table,
    }
