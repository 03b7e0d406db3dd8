"""Source files that real users have, from ../shared/trials/graph: what the graph holds afterwards.

The right results follow from points 4 and 13 to 16 of "never wrong without a word".
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from support.graphs import content
from support.loads import held, wiped
from support.servers import missing
from support.tree import ROOT

from tosg.errors import DataError
from tosg.kg.report import check
from tosg.kg.server.connect import connect
from tosg.loaders import registry
from tosg.loaders.pipeline.load import SourceInput, load

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.report.load_report import LoadReport
    from tosg.settings import Settings

pytestmark = pytest.mark.neo4j

TRIALS = ROOT.parent / "shared" / "trials" / "graph"

#: Source -> folder of E02-order.
ORDER = {
    "hetionet": "hetionet",
    "ncbi_gene": "gene_info",
    "hgnc": "hgnc",
    "uniprot": "uniprot",
    "goa": "goa",
    "pathways": "pathways",
    "mondo": "mondo",
    "disease_ontology": "do",
    "drugcentral": "drugcentral",
    "indications": "indications",
}


@pytest.fixture
def trials(tmp_path: Path) -> Path:
    """A copy of the folders."""
    if not TRIALS.is_dir():
        missing(f"there is no folder {TRIALS}")
    return shutil.copytree(TRIALS, tmp_path / "trials", copy_function=shutil.copyfile)


def one(source: str, *places: Path, **options: str) -> SourceInput:
    loader = registry.make(source, {"excerpt": "false", **options})
    return SourceInput.locate(loader, list(places))


def run(settings: Settings, *inputs: SourceInput) -> LoadReport:
    """Load over Bolt; the graph is sound afterwards."""
    report = load(settings, inputs, way="bolt")
    with connect(settings) as db:
        assert [p for p in check.check(db) if "no vector" not in str(p)] == []
    return report


def nodes(settings: Settings) -> dict[str, dict[str, Any]]:
    return dict(held(settings)["nodes"])


def ties(settings: Settings) -> set[str]:
    with connect(settings) as db:
        rows = db.rows(
            "MATCH (a:Entity)-[r]->(b:Entity) RETURN a.id + ' ' + type(r) + ' ' + b.id AS t"
        )
    return {row["t"] for row in rows}


def kinds(report: LoadReport) -> dict[str, int]:
    """Everything that was rejected or noted, by kind."""
    found: dict[str, int] = {}
    for log in report.as_dict()["sources"]:
        for file in log["files"]:
            for row in (*file["rejections"], *file["notes"]):
                found[row["kind"]] = found.get(row["kind"], 0) + row["count"]
    for row in report.as_dict()["rejections"]:
        found[row["kind"]] = found.get(row["kind"], 0) + row["count"]
    return found


def test_o04_a_chain_of_replaced_terms_leads_to_the_living_one(
    empty: Settings, trials: Path
) -> None:
    report = run(
        empty,
        one("disease_ontology", trials / "O04-replaced"),
        one("hetionet", trials / "O04-edges"),
    )
    with pytest.raises(DataError, match="the file has no rows"):
        run(empty, one("indications", trials / "O04-replaced"))
    diseases = {i: n["xrefs"] for i, n in nodes(empty).items() if i.startswith("doid:")}
    assert diseases == {
        "doid:9000032": ["doid:9000030", "doid:9000031"],
        "doid:9000033": ["doid:9000034", "doid:9000035"],
        "doid:9000038": ["doid:9000040"],
        "doid:9000039": ["doid:9000040"],
    }
    # Terms with several successors, or only some to consider, are no one's.
    assert ties(empty) == {
        "ncbigene:900001 ASSOCIATED_WITH doid:9000032",
        "ncbigene:900001 ASSOCIATED_WITH doid:9000033",
    }
    found = kinds(report)
    assert found["obsolete, replaced"] == 4
    assert found["obsolete, replaced by no one living term of this file"] == 1
    assert found["end is ambiguous"] == 1
    assert found["end not in the graph"] == 2


def test_e03b_two_records_of_one_gene_are_never_mixed(empty: Settings, trials: Path) -> None:
    folder = trials / "E03b-chimera"
    (folder / "hetionet-v1.0-edges.sif").write_text(
        "source\tmetaedge\ttarget\nGene::900811\tGiG\tGene::1\n"
    )
    report = run(empty, one("ncbi_gene", folder), one("hetionet", folder))
    gene = nodes(empty)["ncbigene:900811"]
    # The two records are equally full: the one whose text sorts first is kept whole.
    whole = {"ASYM": "z description of A", "ZSYM": "a description of Z"}
    assert gene["symbol"] in whole
    assert whole[gene["symbol"]] in (gene["name"], gene.get("description"))
    other = ({"ASYM", "ZSYM"} - {gene["symbol"]}).pop()
    assert whole[other] not in str(gene)
    reported = {k: n for k, n in kinds(report).items() if "record" in k}
    assert sum(reported.values()) >= 1


def test_e09_releases_are_text_and_compared_by_their_numbers(empty: Settings, trials: Path) -> None:
    place = trials / "E09-release-option"
    run(empty, one("indications", place / "a", release="1.10"))
    run(empty, one("indications", place / "b", release="1.9"))
    first = nodes(empty)
    assert first["doid:1"]["name"] == "old disease name"
    assert first["doid:1"]["releases"] == ["1.10"]
    run(empty, one("indications", place / "b", release="1.11"))
    assert nodes(empty)["doid:1"]["name"] == "new disease name"


def test_g07_a_name_too_long_for_an_index(empty: Settings, trials: Path) -> None:
    report = run(empty, one("disease_ontology", trials / "G07-long-name"))
    assert kinds(report) == {"name too long for an index, moved to the description": 2}
    found = nodes(empty)
    assert found["doid:9000700"]["name"] == "short enough"
    for id_ in ("doid:9000701", "doid:9000702"):
        assert "name" not in found[id_]
        assert found[id_]["description"]
    again = load(empty, [one("disease_ontology", trials / "G07-long-name")], way="bolt")
    assert not again.changed


def test_g06_broken_rows_are_rejected_by_kind_and_line(empty: Settings, trials: Path) -> None:
    report = run(empty, one("ncbi_gene", trials / "G06-broken-rows"))
    assert set(nodes(empty)) == {"ncbigene:900601", "ncbigene:900602", "ncbigene:900603"}
    (log,) = report.as_dict()["sources"]
    (file,) = log["files"]
    assert (file["read"], file["parsed"], file["rejected"]) == (9, 3, 6)
    assert kinds(report) == {
        "blank line": 1,
        "control character": 2,
        "wrong number of fields": 3,
    }
    assert {row["line"] for row in file["rejections"]} == {3, 6, 8}


def test_o07_relations_that_the_schema_lacks_are_counted(empty: Settings, trials: Path) -> None:
    report = run(empty, one("cl", trials / "O07-relations"))
    assert ties(empty) == {
        "cl:9000001 PART_OF uberon:9000001",
        "cl:9000001 PART_OF uberon:9000002",
        "cl:9000002 IS_A cl:9000001",
        "go:9000001 IS_A go:9000002",
        "go:9000001 PART_OF go:9000002",
        "uberon:9000001 IS_A uberon:9000002",
        "uberon:9000001 PART_OF uberon:9000002",
    }
    found = kinds(report)
    assert found["link that the schema has no place for"] == 3
    for name in ("develops_from", "has_part", "regulates"):
        assert found[f"relationship {name}, which the schema does not have"] == 1
    assert found["of another ontology"] == 1


def test_o08_only_what_is_the_same_is_joined(empty: Settings, trials: Path) -> None:
    report = run(
        empty,
        one("disease_ontology", trials / "O08-cliques"),
        one("mondo", trials / "O08-cliques"),
    )
    found = nodes(empty)
    assert found["mondo:9000080"]["xrefs"] == ["doid:9000080"]
    assert found["mondo:9000081"]["xrefs"] == ["doid:9000081"]  # by its name, not by relatedTo
    assert {"doid:9000082", "doid:9000083", "doid:9000084"} <= set(found)
    assert {"mondo:9000082", "mondo:9000083"} <= set(found)
    assert ties(empty) == {"mondo:9000081 IS_A mondo:9000080"}
    assert report.as_dict()["identity"]["ambiguous"] == 2
    assert kinds(report)["cross-reference to something related, broader or narrower, left out"] == 1


def test_g02_symbols_win_over_aliases_and_ambiguous_ones_are_named(
    empty: Settings, trials: Path
) -> None:
    place = trials / "G02-aliases"
    report = run(empty, one("ncbi_gene", place), one("trrust", place))
    assert ties(empty) == {
        "ncbigene:900201 REGULATES ncbigene:900203",
        "ncbigene:900203 REGULATES ncbigene:900202",
        "ncbigene:900207 REGULATES ncbigene:900201",
    }
    assert kinds(report)["ambiguous symbol"] == 2
    assert kinds(report)["symbol found as alias"] == 2


def test_e02_the_order_of_sources_does_not_matter(empty: Settings, trials: Path) -> None:
    inputs = [one(s, trials / "E02-order" / folder) for s, folder in ORDER.items()]
    run(empty, *inputs)
    with connect(empty) as db:
        at_once = content(db)
    wiped(empty)
    for source in reversed(inputs):
        load(empty, [source], way="bolt")
    assert held(empty)["nodes"] == at_once["nodes"]
    assert held(empty) == at_once
