"""The dashboard for NeoDash and the style sheet for Neo4j Browser, made from the registry."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tosg import catalog
from tosg.cli import tosg
from tosg.cypher.tokens import parameters
from tosg.interop.grass import darker, text_colour
from tosg.interop.neodash import as_literal
from tosg.kg.query.statements import statements
from tosg.kg.schema.types import all_relationship_types, entity_types

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.database.connection import Database

PAGES = {"Overview", "Genes", "Pathways", "Diseases", "Drugs", "Cells", "Any entity"}


def reports() -> list[dict[str, Any]]:
    return [r for page in catalog.make_neodash()["pages"] for r in page["reports"]]


def test_it_is_what_neodash_2_4_reads() -> None:
    made = catalog.make_neodash()
    assert made["version"] == "2.4"
    assert made["settings"]["parameters"] == {}
    assert {page["title"] for page in made["pages"]} == PAGES
    assert made == catalog.make_neodash()
    ids = [r["id"] for r in reports()]
    assert len(ids) == len(set(ids))
    for page in made["pages"]:
        taken: set[tuple[int, int]] = set()
        for r in page["reports"]:
            assert r["type"] in ("table", "bar", "select", "text", "graph")
            assert r["x"] + r["width"] <= 24
            cells = {
                (x, y)
                for x in range(r["x"], r["x"] + r["width"])
                for y in range(r["y"], r["y"] + r["height"])
            }
            assert not cells & taken, f"{r['title']} lies on another report"
            taken |= cells


def test_every_statement_is_in_it_or_named() -> None:
    texts = " ".join(r["query"] for r in reports() if r["type"] == "text")
    tables = {r["title"] for r in reports() if r["type"] == "table"}
    for s in statements().values():
        assert s.help in tables or f"**{s.name}**" in texts, s.name
    assert "enrichment" in texts
    assert "nearest_to_text" in texts


@pytest.mark.neo4j
@pytest.mark.lts
def test_every_query_in_it_runs(graph: Database) -> None:
    chosen: dict[str, Any] = {}
    asked = [r for r in reports() if r["type"] == "select"]
    assert len(asked) > 8
    for r in asked:
        assert r["settings"]["type"] == "Custom Query"
        rows = graph.rows(r["query"], input="", timeout=60)
        assert set(rows[0]) == {"value", "display"}
        assert rows[0]["value"] in rows[0]["display"]
        chosen[r["settings"]["parameterName"]] = rows[0]["value"]
        name = graph.rows("MATCH (n:Entity {id: $id}) RETURN coalesce(n.symbol, n.name) AS n",
                          id=rows[0]["value"])[0]["n"]  # fmt: skip
        again = graph.rows(r["query"], input=name[:4].upper(), timeout=60)
        assert rows[0]["value"] in {row["value"] for row in again}
    ran = 0
    for r in reports():
        if r["type"] in ("table", "bar", "graph"):
            wanted = parameters(r["query"])
            assert set(wanted) <= set(chosen), r["title"]
            graph.rows(r["query"], timeout=60, **{k: chosen[k] for k in wanted})
            ran += 1
    assert ran > 20


@pytest.mark.neo4j
def test_an_answer_in_it_is_the_statements_own(graph: Database) -> None:
    (report,) = (
        r for r in reports()
        if r["type"] == "table" and r["title"] == statements()["genes_of_pathway"].help
    )  # fmt: skip
    rows = graph.rows(report["query"], neodash_pathway_pathway="reactome:R-HSA-1")
    assert {row["gene"]["id"] for row in rows} == {
        "ncbigene:3558",
        "ncbigene:3559",
        "ncbigene:3718",
    }


@pytest.mark.neo4j
def test_literals_mean_what_they_say(graph: Database) -> None:
    for value in (None, True, 3, -0.5, 'it\'s a \\ "text"', ["a'b", "c"], []):
        assert graph.rows(f"RETURN {as_literal(value)} AS v")[0]["v"] == value


def test_the_style_sheet_has_a_rule_for_every_type() -> None:
    sheet = catalog.make_grass()
    rules = dict(re.findall(r"^([\w.]+) \{\n(.*?)\n\}", sheet, re.MULTILINE | re.DOTALL))
    assert {f"node.{label}" for label in entity_types()} <= set(rules)
    assert {f"relationship.{name}" for name in all_relationship_types()} <= set(rules)
    assert 'caption: "{symbol}"' in rules["node.Gene"]
    assert 'caption: "{name}"' in rules["node.Pathway"]
    for inner in rules.values():
        for line in inner.splitlines():
            assert re.fullmatch(r"  [\w-]+: [^;]+;", line), line
    assert sheet.count("{") - sheet.count('"{') == sheet.count("\n}")


def test_captions_can_be_read() -> None:
    assert text_colour("#FFFFFF") == "#000000"
    assert text_colour("#000000") == "#FFFFFF"
    assert darker("#FF0A00") == "#CC0800"


def test_the_command_writes_both(tmp_path: Path) -> None:
    neodash, grass = tmp_path / "neodash.json", tmp_path / "tosg.grass"
    words = ["schema", "--neodash", str(neodash), "--grass", str(grass)]
    done = CliRunner().invoke(tosg, [*words, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"neodash": str(neodash), "grass": str(grass)}
    assert json.loads(neodash.read_text()) == catalog.make_neodash()
    assert grass.read_text() == catalog.make_grass()
    shown = CliRunner().invoke(tosg, words)
    assert shown.stdout.split() == [str(neodash), str(grass)]
    missing = CliRunner().invoke(tosg, ["schema", "--grass", str(tmp_path / "no" / "such")])
    assert missing.exit_code == 1
