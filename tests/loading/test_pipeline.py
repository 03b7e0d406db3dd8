"""Whole loads of small sources in the original formats, both ways, in any order."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from click.testing import CliRunner
from support import cells
from support.loads import RECIPE, SOURCES, held, inputs, wiped
from support.sources import GOA, write_source

from tosg.cli.load import load as load_command
from tosg.errors import DataError, SchemaError, TosgError
from tosg.kg.cells.attach import attach
from tosg.kg.cells.stored.dataset import datasets
from tosg.kg.database import indexes as ddl
from tosg.kg.database.bookkeeping import read_meta
from tosg.kg.database.connection import Database
from tosg.kg.database.lease import hold_lease
from tosg.kg.merge import digests
from tosg.kg.report import check, kept
from tosg.kg.report.load_report import LoadReport
from tosg.kg.server.connect import connect
from tosg.loaders.pipeline import load as pipeline
from tosg.loaders.pipeline.load import (
    LEAST_IMPORTED,
    chosen,
    load,
    matching,
    unmatched_line,
)
from tosg.loaders.pipeline.settle import settle

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.settings import Settings

pytestmark = pytest.mark.neo4j


@pytest.mark.lts
@pytest.mark.parametrize(
    "sources",
    [["ncbi_gene", "uniprot", "trrust", "goa"], pytest.param(SOURCES, marks=pytest.mark.slow)],
    ids=["few", "all"],
)
def test_both_ways_give_the_same_graph(
    empty: Settings, data: Path, sources: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "LEAST_CLAIMS", 1)
    first = load(empty, inputs(data, sources), way="import")
    assert first.way == "import"
    imported = held(empty)
    assert imported["nodes"]
    assert imported["relationships"]
    with connect(empty) as db:
        assert check.check(db) == []
        meta = read_meta(db)
        assert meta.next_idx == len(imported["nodes"])
        known = _digests(db)
    assert {name.partition(" ")[2] for name in known} >= {"hetionet", "trrust"} & set(sources)

    again = load(empty, inputs(data, sources))
    assert again.way == "bolt"
    assert not again.changed
    assert (again.disappeared, again.undated) == ({}, {})
    assert held(empty) == imported
    with connect(empty) as db:
        assert _digests(db) == known

    load(wiped(empty, schema=False), inputs(data, sources), way="bolt")
    assert held(empty) == imported
    with connect(empty) as db:
        assert ddl.missing_or_offline(db) == []
        assert _digests(db) == known


def _digests(db: Database) -> dict[str, tuple[int, bytes, list[str]]]:
    """What the graph is known to hold, by relationship type and source."""
    rows = db.rows("MATCH (d:TosgDigest) RETURN properties(d) AS d")
    return {r["d"]["id"]: (r["d"]["stored"], r["d"]["digests"], r["d"]["releases"]) for r in rows}


@pytest.mark.slow
@pytest.mark.parametrize("sources", [RECIPE, SOURCES], ids=["few", "all"])
def test_any_order_gives_the_same_graph(empty: Settings, data: Path, sources: list[str]) -> None:
    load(empty, inputs(data, sources), way="bolt")
    forwards = held(empty)
    load(wiped(empty), inputs(data, sources[::-1]), way="bolt")
    assert held(empty) == forwards

    shuffled = sources.copy()
    random.Random(3).shuffle(shuffled)  # noqa: S311
    wiped(empty)
    for name in shuffled:
        load(empty, inputs(data, [name]), way="bolt", settle=False)
    with connect(empty) as db:
        with hold_lease(db) as held_lease:
            settle(db, held_lease)
        assert check.check(db) == []
    assert held(empty) == forwards


def test_the_report_adds_up_and_is_kept(empty: Settings, data: Path) -> None:
    made = load(empty, inputs(data), way="bolt")
    made.check_sums()
    assert {s.source for s in made.sources} == set(SOURCES)
    assert all(len(h) == 64 for h in made.hashes.values())
    total = sum(c.given for c in made.claims.values())
    assert total == sum(c.made + c.merged + c.unchanged + c.rejected for c in made.claims.values())
    with connect(empty) as db:
        assert kept.read_report(db)["claims"] == made.as_dict()["claims"]
    path = empty.home / "reports" / f"{made.id}.json"
    assert path.is_file()


def test_licences_are_left_out_before_merging(empty: Settings, data: Path) -> None:
    made = load(
        empty,
        inputs(data, ["hetionet", "indications"]),
        exclude_licenses=["cc by-nc*", "CC-BY*"],
        way="bolt",
    )
    with connect(empty) as db:
        # DrugBank's drugs are left out, but those that the indications name under CC0.
        drugs = db.rows("MATCH (d:Drug) RETURN d.id AS id, d.licenses AS licenses ORDER BY id")
        treats = db.rows("MATCH (d:Drug)-[r:TREATS]->(e:Disease) RETURN d.id AS d, r.sources AS by")
        phenotypes = db.rows("MATCH (p:Phenotype) RETURN p.id AS id")
        rows = db.rows(
            "MATCH ()-[r]->() UNWIND r.licenses AS license RETURN DISTINCT license ORDER BY license"
        )
    assert drugs == [{"id": "drugbank:DB00014", "licenses": ["CC0 1.0"]}]
    assert treats == [{"d": "drugbank:DB00014", "by": ["hetionet", "indications"]}]
    assert phenotypes == [{"id": "mesh:D000006"}]
    licenses = [r["license"] for r in rows]
    assert licenses
    assert not any(name.startswith("CC BY-NC") for name in licenses)
    assert made.unmatched == ["CC-BY*"]
    assert {"CC BY-NC-SA 4.0", "unstated"} <= set(made.licenses)
    line = unmatched_line([made])
    assert line is not None
    assert line.startswith("no claim has a licence like 'CC-BY*'; licences of what was read: CC BY")
    assert unmatched_line([made, LoadReport("another", unmatched=["other"])]) is None


def test_the_command_tells_a_pattern_that_fits_no_licence(
    empty: Settings, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(empty) as db:
        monkeypatch.setenv("NEO4J_URI", db.target.uri)
        monkeypatch.setenv("NEO4J_USERNAME", db.target.username)
        monkeypatch.setenv("NEO4J_PASSWORD", db.target.password)
    monkeypatch.setenv("TOSG_HOME", str(tmp_path / "home"))
    arguments = ["uniprot", str(data / "uniprot"), "--exclude-license", "CC-BY*"]
    done = CliRunner().invoke(load_command, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "like 'CC-BY*'; licences of what was read: CC BY 4.0" in done.stderr


def test_patterns_of_licences() -> None:
    licenses = {"CC BY 4.0", "CC BY-NC 4.0", "CC BY-NC-SA 4.0", ""}
    assert matching(licenses, ["cc by-nc*"]) == ["CC BY-NC 4.0", "CC BY-NC-SA 4.0"]
    assert matching(licenses, ["CC BY 4.0"]) == ["CC BY 4.0"]
    assert matching(licenses, ["Unstated"]) == [""]
    assert matching(licenses, []) == []


def test_a_failing_count_fails_the_load(
    empty: Settings, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody adds a gene between the write and the check."""
    real = ddl.ensure_schema

    def meddle(db: Database, **options: object) -> list[str]:
        db.write("CREATE (:Entity:Gene {id: 'x:1', idx: -1})")
        return real(db, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ddl, "ensure_schema", meddle)
    with pytest.raises(TosgError, match="does not hold what the load wrote") as caught:
        load(empty, inputs(data, ["uniprot", "ncbi_gene"]))
    assert ":Gene:" in str(caught.value)
    with connect(empty) as db:
        assert kept.report_ids(db) == []


def test_a_wrong_file_leaves_the_graph_as_it_was(empty: Settings, data: Path) -> None:
    load(empty, inputs(data, ["uniprot"]), way="bolt")
    before = held(empty)
    (data / "hgnc" / "hgnc.json.gz").write_bytes(b"not gzip")
    with pytest.raises(DataError):
        load(empty, inputs(data, ["ncbi_gene", "hgnc"]))
    assert held(empty) == before


def test_one_id_under_two_types_leaves_the_graph_as_it_was(empty: Settings, data: Path) -> None:
    load(empty, inputs(data, ["hetionet"]), way="bolt", settle=False)
    before = held(empty)
    with connect(empty) as db:
        meta = read_meta(db)
        db.write("CREATE (:TosgBuild {id: 'b', complete: true, json: '{\"sources\":{\"goa\":1}}'})")
    text = GOA.replace("biological_process", "cellular_component").encode()
    write_source("goa@old", data / "goa", {"annotations": text})
    with pytest.raises(SchemaError, match="nodes of two types") as caught:
        load(empty, inputs(data, ["goa"]))
    assert caught.value.exit_code == 1
    with connect(empty) as db:
        assert read_meta(db) == meta
        assert db.rows("MATCH (b:TosgBuild) RETURN b.complete AS done") == [{"done": True}]
        db.write("MATCH (b:TosgBuild) DELETE b")
    assert held(empty) == before


def test_an_import_needs_an_empty_managed_database(empty: Settings, data: Path) -> None:
    load(empty, inputs(data, ["uniprot"]), way="bolt")
    with pytest.raises(DataError, match="only an empty managed database"):
        load(empty, inputs(data, ["uniprot"]), way="import")


def test_a_users_own_index_is_not_dropped_by_an_import(
    empty: Settings, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "LEAST_IMPORTED", 0)
    with connect(empty) as db:
        db.write("CREATE INDEX mine FOR (n:Gene) ON (n.mine)")
    made = load(empty, inputs(data, ["uniprot"]))
    assert made.way == "bolt"
    with connect(empty) as db:
        assert any(f.name == "mine" for f in ddl.found(db))


def test_an_import_is_for_many_claims_and_an_empty_database(empty: Settings) -> None:
    with connect(empty) as db:
        assert chosen("auto", empty, db, LEAST_IMPORTED - 1) == "bolt"
        assert chosen("auto", empty, db, LEAST_IMPORTED) == "import"
        assert chosen("import", empty, db, 1) == "import"
        assert chosen("bolt", empty, db, LEAST_IMPORTED) == "bolt"
        db.write("CREATE INDEX mine FOR (n:Gene) ON (n.mine)")  # an import would drop it
        assert chosen("auto", empty, db, LEAST_IMPORTED) == "bolt"


@pytest.mark.slow
def test_an_import_goes_on_numbering(empty: Settings, data: Path) -> None:
    with connect(empty) as db:
        db.write(
            "CREATE (:TosgMeta {key: 'graph', schema_version: 1, revision: 7, next_idx: 1000})"
        )
    made = load(empty, inputs(data, ["uniprot"]), way="import")
    assert (made.way, made.written.revision) == ("import", 8)
    with connect(empty) as db:
        row = db.rows("MATCH (n:Entity) RETURN min(n.idx) AS low, max(n.idx) AS high")[0]
        assert row["low"] == 1000
        assert read_meta(db).next_idx == row["high"] + 1


def test_withdrawing_a_source_leaves_what_others_say(empty: Settings, data: Path) -> None:
    load(empty, inputs(data, ["ncbi_gene", "uniprot"]), way="bolt")
    before = held(empty)
    load(empty, inputs(data, ["hetionet", "indications"]))
    writers = set()

    def look(stage: str, *_: object, **__: object) -> None:
        if stage == "merging":
            with connect(empty) as db:
                writers.add(read_meta(db).writer)

    assert load(empty, [], prune=["hetionet"], progress=look).changed
    assert [str(w).split(" (")[0] for w in writers] == ["tosg load hetionet"]
    load(empty, [], prune=["indications"])  # what it said had lost its ends, and only waited
    with connect(empty) as db:
        assert db.rows("MATCH (p:TosgPending) RETURN p.source") == []
    assert held(empty) == before


def test_cells_are_mapped_to_what_a_later_load_brings(
    empty: Settings, data: Path, tmp_path: Path
) -> None:
    with connect(empty) as db:
        var = pd.DataFrame(index=["AAA1", "NOSUCHGENE"])
        path = cells.write(tmp_path / "cells.h5ad", cells.counts()[:, :2], var=var)
        attach(db, path, id="early")
        assert datasets(db)[0].variable_entities == [None, None]
    report = load(empty, inputs(data, ["demo"]))
    assert report.remapped == {"early": 1}
    with connect(empty) as db:
        assert datasets(db)[0].variable_entities == ["ncbigene:11", None]
    assert load(empty, inputs(data, ["demo"])).remapped == {}
