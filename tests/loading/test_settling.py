"""What follows a load: texts, the mapping of cells, what builds remember; also after a break."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from support import cells
from support.loads import inputs
from support.sources import FILES, old, write_source

from tosg.kg.cells.attach import attach
from tosg.kg.cells.remap import detach
from tosg.kg.cells.stored import staging, switch
from tosg.kg.cells.stored.dataset import datasets
from tosg.kg.database.lease import hold_lease
from tosg.kg.report import check, kept
from tosg.kg.report.load_report import Undated
from tosg.kg.server.connect import connect
from tosg.loaders import registry
from tosg.loaders.pipeline import build as builds
from tosg.loaders.pipeline import load as pipeline
from tosg.loaders.pipeline.load import SourceInput, load
from tosg.loaders.pipeline.settle import settle

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.report.load_report import LoadReport
    from tosg.settings import Settings

pytestmark = pytest.mark.neo4j


def early_cells(settings: Settings, folder: Path, storage: str) -> Path:
    """Cells attached before the graph knows their gene AAA1."""
    var = pd.DataFrame(index=["AAA1", "NOSUCHGENE"])
    path = cells.write(folder / "cells.h5ad", cells.counts()[:, :2], var=var)
    with connect(settings) as db:
        attach(db, path, id="early", storage=storage)
    return path


def mapped(settings: Settings) -> list[str | None]:
    with connect(settings) as db:
        return datasets(db)[0].variable_entities


def without_text(settings: Settings) -> int:
    with connect(settings) as db:
        return int(db.rows("MATCH (n:Entity) WHERE n.text IS NULL RETURN count(n) AS n")[0]["n"])


def test_two_loads_at_once_come_one_after_the_other(empty: Settings, data: Path) -> None:
    load(empty, inputs(data, ["uniprot"]), way="bolt")
    begun = Event()

    def first_stages(stage: str, *_: object, **__: object) -> None:
        if stage.startswith("writing nodes"):
            begun.set()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(load, empty, inputs(data, ["ncbi_gene"]), progress=first_stages)
        assert begun.wait(60)
        second = pool.submit(load, empty, inputs(data, ["goa"]))
        reports = [first.result(), second.result()]
    assert all(r.changed and r.texts for r in reports)
    assert without_text(empty) == 0
    with connect(empty) as db:
        assert {r.id for r in reports} <= set(kept.report_ids(db))
        assert check.check(db) == []


def test_a_load_killed_after_its_writes_is_made_up_for(
    empty: Settings, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early_cells(empty, tmp_path, "inline")

    def killed(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "settle", killed)
        with pytest.raises(KeyboardInterrupt):
            load(empty, inputs(data, ["demo"]))
    assert mapped(empty) == [None, None]
    assert without_text(empty) > 0
    with connect(empty) as db:
        assert any("have not followed" in f.what for f in check.check(db))

    again = load(empty, inputs(data, ["demo"]))
    assert not again.changed
    assert again.texts
    assert again.remapped == {"early": 1}
    assert mapped(empty) == ["ncbigene:11", None]
    assert without_text(empty) == 0
    with connect(empty) as db:
        assert check.check(db) == []


def test_a_lost_linked_file_does_not_keep_a_graph_from_being_loaded(
    empty: Settings, data: Path, tmp_path: Path
) -> None:
    path = early_cells(empty, tmp_path, "linked")
    path.rename(tmp_path / "moved.h5ad")
    made = load(empty, inputs(data, ["demo"]))
    assert made.changed
    assert list(made.not_remapped) == ["early"]
    assert "missing" in made.not_remapped["early"]
    assert mapped(empty) == [None, None]
    with connect(empty) as db:
        assert check.check(db) == []
    (tmp_path / "moved.h5ad").rename(path)
    assert load(empty, inputs(data, ["uniprot"])).remapped == {"early": 1}


@pytest.mark.parametrize("what", ["attach", pytest.param("detach", marks=pytest.mark.slow)])
def test_a_load_completes_what_a_killed_writer_of_cells_left(
    empty: Settings, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    early_cells(empty, tmp_path, "inline")
    var = pd.DataFrame(index=["AAA1", "NOSUCHGENE"])
    path = cells.write(tmp_path / "late.h5ad", cells.counts(5)[:, :2], var=var)

    def killed(*_args: object) -> None:
        raise KeyboardInterrupt

    with connect(empty) as db, monkeypatch.context() as patch:
        patch.setattr(switch, "room", lambda _db: 0)
        patch.setattr(switch, "_show_new", killed)
        with pytest.raises(KeyboardInterrupt):
            attach(db, path, id="late") if what == "attach" else detach(db, "early")
        assert staging.in_part(db)

    left = {"early": 1, "late": 1} if what == "attach" else {}
    made = load(empty, inputs(data, ["demo"]))
    assert made.recovered
    assert made.remapped == left
    with connect(empty) as db:
        assert {d.id for d in datasets(db)} == set(left)
        assert staging.in_part(db) is None
        assert bool(db.rows("MATCH (c:Cell) RETURN c.id LIMIT 1")) == bool(left)
        assert check.check(db) == []
    assert load(empty, inputs(data, ["demo"])).recovered is None


def test_a_data_set_that_was_going_away_is_not_mapped(
    empty: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early_cells(empty, tmp_path, "inline")

    def killed(*_args: object) -> None:
        raise KeyboardInterrupt

    with connect(empty) as db:
        with monkeypatch.context() as patch:
            patch.setattr(switch, "switch", killed)
            with pytest.raises(KeyboardInterrupt):
                detach(db, "early")
        with hold_lease(db) as held:
            settle(db, held)
        assert datasets(db) == []


def test_a_build_notices_what_other_loads_did(empty: Settings, data: Path, recipe: Path) -> None:
    builds.build(empty, recipe, data, way="bolt")
    load(empty, [], prune=["trrust"])
    again = builds.build(empty, recipe, data, way="bolt")
    assert again.loaded == ["trrust"]
    assert again.changed
    assert builds.build(empty, recipe, data, way="bolt").loaded == []


def test_what_a_newer_release_leaves_out_is_counted(empty: Settings, data: Path) -> None:
    load(empty, inputs(data, ["ncbi_gene"]), way="bolt")

    def trrust(release: str) -> SourceInput:
        return SourceInput.locate(registry.make("trrust", {"release": release}), [data / "trrust"])

    first = load(empty, [trrust("2018")])
    stored = first.after.knowledge["REGULATES"]
    assert stored > 1
    assert first.disappeared == {}
    _, text = FILES["trrust"]["regulation"]
    write_source("trrust", data / "trrust", {"regulation": text.splitlines()[0].encode() + b"\n"})
    second = load(empty, [trrust("2020")])
    assert second.disappeared["trrust"]["relationships"] == stored - 1
    with connect(empty) as db:
        old = db.rows("MATCH ()-[r:REGULATES]->() WHERE '2018' IN r.releases RETURN count(r) AS n")
    assert old[0]["n"] == stored - 1
    assert load(empty, [trrust("2018")]).disappeared == {}


def test_files_that_state_no_release_are_told(empty: Settings, data: Path) -> None:
    def proteins(line: str = "", **options: str) -> LoadReport:
        text = FILES[old("uniprot")]["proteins"][1] + line
        write_source(old("uniprot"), data / "uniprot", {"proteins": text.encode()})
        whole = {"excerpt": "false", **options}  # a small file counts as an excerpt
        found = SourceInput.locate(registry.make("uniprot", whole), [data / "uniprot"])
        return load(empty, [found], settle=False)

    other = "P00099\tA_HUMAN\treviewed\tAlpha\tAAA9\tHomo sapiens (Human)\t10\n"
    assert proteins().undated == {}
    assert proteins().undated == {}
    changed = proteins(other)
    assert changed.undated == {"uniprot": Undated(["uniprot.tab"], [""])}
    assert proteins(other).undated == {}
    assert proteins(release="2026").undated == {}
    unknown = proteins(other + other.replace("99", "98"))
    assert unknown.undated == {"uniprot": Undated(["uniprot.tab"], ["", "2026"])}
