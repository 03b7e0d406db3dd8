"""A training set that grows: what is kept of the old one, and what it must still agree with."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tosg.errors import ConfigError, ExportError
from tosg.export.cells.growth import KeptCells
from tosg.export.format.columns import read_columns
from tosg.export.format.damage import check_training_files
from tosg.export.format.digest import digest_arrays
from tosg.export.format.digest_files import SHARD_PARTS
from tosg.export.format.manifest import SPLITS, Manifest, read_manifest
from tosg.export.selection import Selection, compare_selections
from tosg.files import hash_file
from tosg.json_text import json_text

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.export.cells.node_map import NodeMap
    from tosg.export.graph.nodes import Nodes
    from tosg.kg.cells.stored.dataset import DatasetInfo


@dataclass(frozen=True)
class OldSet:
    """The training set that grows.

    Attributes
    ----------
    manifest : Manifest
    cells : KeptCells
    """

    manifest: Manifest
    cells: KeptCells

    @property
    def shards(self) -> list[dict[str, Any]]:
        """Its shards, as in the manifest."""
        return list(self.manifest.content["expression"]["shards"])

    def check_nodes(self, nodes: Nodes) -> None:
        """Check that its nodes are the first ones of the new export, in their order.

        Raises
        ------
        ExportError
            Nodes are gone, or came between.
        """
        old = read_columns(self.manifest.path("nodes.parquet"), ["idx", "id"])
        idx = old["idx"].to_numpy()
        if np.array_equal(nodes.idx[: len(idx)], idx):
            return
        gone = np.setdiff1d(idx, nodes.idx)
        between = np.setdiff1d(nodes.idx[nodes.idx <= idx.max(initial=-1)], idx)
        ids = old["id"].filter(pc.is_in(old["idx"], value_set=pa.array(gone[:1])))
        raise ExportError(
            "the nodes of the training set would not keep their rows",
            where="grow",
            found=f"{len(gone):,} gone{f', as {ids[0].as_py()}' if len(ids) else ''}; "
            f"{len(between):,} older nodes that came into the selection",
            expected="the same nodes, and newer ones",
            hint="export the selection again, without --grow",
        )

    def check_datasets(self, infos: tuple[DatasetInfo, ...], maps: list[NodeMap]) -> None:
        """Check that values of its cells are what they were.

        Raises
        ------
        ExportError
            A data set was attached again with other files, or its variables are other nodes now.
        """
        old = {d["id"]: d for d in self.manifest.content["datasets"]}
        now = {info.id: (info, map_) for info, map_ in zip(infos, maps, strict=True)}
        for name, was in old.items():
            found = now.get(name)
            if found is None:
                continue  # its cells are missing, and that is said by name
            info, map_ = found
            for what, before, after in (
                ("files", was["sha256s"], list(info.sha256s)),
                ("unit", was["unit"], info.unit),
                ("variables as nodes", was.get("map"), map_.digest()),
            ):
                if before != after:
                    raise ExportError(
                        "a data set of the training set has changed",
                        where=f"grow, data set {name}",
                        found=f"other {what}",
                        expected="as they were when it was exported",
                        hint="export the selection again, without --grow",
                    )

    def link_shards(self, folder: Path) -> list[dict[str, Any]]:
        """Put its shards into a folder, by links where the file system has them; checks each.

        Returns
        -------
        list of dict
            Receipts, as `write_shard` gives them.

        Raises
        ------
        ExportError
            A shard was changed.
        """
        (folder / "expression").mkdir(exist_ok=True)
        files, receipts = self.manifest.content["files"], []
        for shard in self.shards:
            arrays, own = {}, {}
            for part in SHARD_PARTS:
                name = f"expression/{shard['name']}.{part}.npy"
                source, target = self.manifest.path(name), folder / name
                if hash_file(source) != files[name]["sha256"]:
                    raise ExportError(
                        "a file of the training set that grows is damaged",
                        where=source,
                        hint="copy or export it again",
                    )
                target.unlink(missing_ok=True)
                try:
                    os.link(source, target)
                except OSError:  # another file system, or one without links
                    shutil.copyfile(source, target)
                arrays[part] = np.load(target, mmap_mode="r", allow_pickle=False)
                own[name] = dict(files[name])
            receipts.append(
                {
                    "cells": shard["cells"],
                    "values": shard["values"],
                    "digest": digest_arrays(arrays),
                    "files": own,
                }
            )
        return receipts


def open_old(folder: str | os.PathLike[str]) -> OldSet:
    """Open the training set that grows.

    Raises
    ------
    ExportError
        The folder is no training set, a file is missing, or it has no cells.
    ConfigError
        Its selection draws or balances cells, so that old ones would leave it.
    """
    from pathlib import Path

    manifest = read_manifest(Path(folder).absolute())
    check_training_files(manifest)
    manifest.rows()
    asked = manifest.content["selection"]
    for name in ("sample", "balance"):
        if asked.get(name) is not None:
            raise ConfigError(
                f"a training set with --{name} cannot grow",
                where="grow",
                found=f"{name}: {asked[name]}",
                hint="other cells would be drawn: export the selection again",
            )
    if any("map" not in d for d in manifest.content["datasets"]):
        raise ConfigError(
            "the training set was made by a version of tosg that cannot grow one",
            where=manifest.folder,
            hint="export the selection again",
        )
    table = read_columns(manifest.path("cells.parquet"), ["id", "split"]).combine_chunks()
    split = pc.index_in(table["split"], value_set=pa.array(SPLITS)).to_numpy().astype(np.int64)
    target, splits = manifest.content["target"] or {}, manifest.content["splits"]
    kept = KeptCells(
        table["id"].combine_chunks(),
        split,
        tuple(target.get("classes", ())),
        {
            name: splits[name].get("ranges", [[splits[name]["start"], splits[name]["stop"]]])
            for name in SPLITS
        },
    )
    return OldSet(manifest, kept)


def grown_selection(old: OldSet, asked: Selection | None) -> Selection:
    """Selection of a training set that grows: its own.

    Raises
    ------
    ConfigError
        Another selection is asked for.
    """
    own = Selection.from_dict(old.manifest.content["selection"], where=old.manifest.folder)
    differs = {} if asked is None else compare_selections(asked.as_dict(), own.as_dict())
    if differs:
        raise ConfigError(
            "a training set grows by its own selection",
            where="grow",
            found="; ".join(f"{k}: {json_text(now)}" for k, (now, _) in differs.items()),
            expected="; ".join(f"{k}: {json_text(then)}" for k, (_, then) in differs.items()),
            hint="leave these options out",
        )
    return own


def describe_change(old: OldSet, content: dict[str, Any]) -> list[dict[str, Any]]:
    """What each growth of a training set brought, the latest last."""
    was = old.manifest.content
    counts, before = content["counts"], was["counts"]
    shards = content["expression"]["shards"]
    names = {d["id"] for d in was["datasets"]}
    return [
        *was.get("changes", []),
        {
            "from": old.manifest.digest,
            **{
                name: counts[name] - before.get(name, 0)
                for name in ("nodes", "edges", "cells", "values", "donors")
            },
            "datasets": [d["id"] for d in content["datasets"] if d["id"] not in names],
            "classes": list((content["target"] or {}).get("classes", [])[len(old.cells.classes) :]),
            "shards": [s["name"] for s in shards[len(old.shards) :]],
        },
    ]
