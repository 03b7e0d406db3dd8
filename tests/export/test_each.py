"""Several selections in one run: the same bytes as alone, and cells that are read once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support import signals

from tosg.errors import ConfigError, ExportError, QueryError
from tosg.export.selection import Selection
from tosg.export.write import layouts, shards
from tosg.export.write.export import export, export_each
from tosg.inputs import read_each
from tosg.kg.cells.stored import dataset as stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.kg.database.connection import Database

NODES = "MATCH (n:Entity) WHERE n.id IN $ids RETURN n"
COMMON: dict[str, Any] = {"nodes": NODES, "target": "cell_type", "split": "donor", "shard_size": 32}


def selections() -> dict[str, Selection]:
    """Overlapping parts of the graph, one with other cells, one lifted, one without cells."""
    few = {"ids": [signals.g(0), signals.g(1), signals.p(0)]}
    more = {"ids": [signals.g(i) for i in range(4)]}
    return {
        "few": Selection(params=few, **COMMON),
        "more": Selection(params=more, **COMMON),
        "lifted": Selection(params=more, level="gene", **{**COMMON, "shard_size": 16}),
        "others": Selection(params=few, **{**COMMON, "seed": 3}),
        "plain": Selection(nodes=NODES, params=few, cells=False),
    }


def files(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != "manifest.json"
    }


def content(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "manifest.json").read_bytes())["content"])


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_each_has_the_bytes_of_one_alone(cells: Database, tmp_path: Path, workers: int) -> None:
    results = export_each(cells, selections(), tmp_path / "all", workers=workers)
    assert list(results) == list(selections())
    for name, selection in selections().items():
        alone = export(cells, selection, tmp_path / "alone" / name).folder
        assert results[name].folder == tmp_path / "all" / name
        assert files(results[name].folder) == files(alone)
        assert content(results[name].folder) == content(alone)
    assert sorted(p.name for p in (tmp_path / "all").iterdir()) == sorted(selections())


def test_cells_are_read_once(
    cells: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    real = stored.read_expression

    def counting(db: Database, info: Any, idx: Any, **options: Any) -> Iterator[Any]:
        read.append(len(idx))
        return real(db, info, idx, **options)

    monkeypatch.setattr(stored, "read_expression", counting)
    both = {name: selections()[name] for name in ("few", "more", "lifted")}
    results = export_each(cells, both, tmp_path)
    assert sum(read) == results["few"].counts["cells"]


def test_what_was_stopped_goes_on(
    cells: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = shards.write_shard, 0

    def stopping(plan: Any, k: int) -> Any:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise ExportError("stopped")
        return real(plan, k)

    monkeypatch.setattr("tosg.export.write.cell_passes.write_shard", stopping)
    with pytest.raises(ExportError, match="stopped"):
        export_each(cells, selections(), tmp_path / "all")
    assert not [p for p in (tmp_path / "all").iterdir() if p.suffix != ".partial"]
    monkeypatch.undo()
    results = export_each(cells, selections(), tmp_path / "all", resume=True)
    alone = export(cells, selections()["more"], tmp_path / "alone").folder
    assert files(results["more"].folder) == files(alone)
    again = export_each(cells, selections(), tmp_path / "all", resume=True)
    assert {n: r.digests for n, r in again.items()} == {n: r.digests for n, r in results.items()}


def test_layouts_of_each(cells: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same files as alone, also where the second was stopped and resumed."""
    chosen = {name: selections()[name] for name in ("few", "more")}
    real = layouts.write_layout

    def stopping(folder: Path, path: Path, *rest: Any) -> None:
        if path.stem == "more":
            raise ExportError("stopped")
        real(folder, path, *rest)

    monkeypatch.setattr(layouts, "write_layout", stopping)
    with pytest.raises(ExportError, match="stopped"):
        layouts.export_each_layout(cells, chosen, tmp_path / "all", "text")
    monkeypatch.undo()
    with pytest.raises(ConfigError, match="there already"):
        layouts.export_each_layout(cells, chosen, tmp_path / "all", "text")
    results = layouts.export_each_layout(cells, chosen, tmp_path / "all", "text", resume=True)
    assert sorted(p.name for p in (tmp_path / "all").iterdir()) == ["few.parquet", "more.parquet"]
    for name, selection in chosen.items():
        alone = layouts.export_layout(cells, selection, tmp_path / name, "text").folder
        assert results[name].folder == tmp_path / "all" / f"{name}.parquet"
        assert results[name].folder.read_bytes() == alone.read_bytes()
    same = {"few": chosen["few"], "few.parquet": chosen["more"]}
    with pytest.raises(ConfigError, match="one place"):
        layouts.export_each_layout(cells, same, tmp_path / "other", "text")


def test_a_bad_selection_leaves_nothing(cells: Database, tmp_path: Path) -> None:
    bad = {**selections(), "none": Selection(nodes="MATCH (n:Drug {id: 'x'}) RETURN n")}
    with pytest.raises(QueryError, match="returns nothing"):
        export_each(cells, bad, tmp_path / "all")
    assert not (tmp_path / "all").exists() or not list((tmp_path / "all").iterdir())


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", "x.partial"])
def test_names_of_folders(cells: Database, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot have this name"):
        export_each(cells, {name: Selection(cells=False)}, tmp_path)


def test_values_of_a_parameter(tmp_path: Path) -> None:
    lines = tmp_path / "pathways.txt"
    lines.write_text("T cell (TCR)\n\nB cell\n", encoding="utf-8")
    common = Selection(nodes="MATCH (p:Pathway {name: $pathway}) RETURN p", cells=False)
    each = read_each(["pathway=NF-kB", f"pathway=@{lines}"], common)
    assert {name: dict(s.params) for name, s in each.items()} == {
        "nf-kb": {"pathway": "NF-kB"},
        "t-cell-tcr": {"pathway": "T cell (TCR)"},
        "b-cell": {"pathway": "B cell"},
    }
    for pairs, words in (
        (["pathway=a", "other=b"], "several parameters"),
        (["pathway=B cell", "pathway=b-cell"], "same folder"),
        ([f"pathway=@{tmp_path / 'none'}"], "cannot be read"),
    ):
        with pytest.raises(ConfigError, match=words):
            read_each(pairs, common)
    lines.write_text("\n")
    with pytest.raises(ConfigError, match="has none"):
        read_each([f"pathway=@{lines}"], common)
