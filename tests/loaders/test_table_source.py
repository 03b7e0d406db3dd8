"""Anyone's own table: maps that are wrong, symbols, tables without a header, the dry run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from support.reference_tables import GENE_INFO

from tosg.cli import tosg
from tosg.errors import DataError
from tosg.loaders import registry
from tosg.loaders.pipeline.preview import preview
from tosg.loaders.reference.table_map import read_map

if TYPE_CHECKING:
    from pathlib import Path

MAP = """
source: mine
relationships:
  - type: REGULATES
    start: {type: Gene, column: a, symbols: true}
    end: {type: Gene, column: b, symbols: true}
    sign: {column: sign}
"""


def write(folder: Path, map_: str = MAP, table: str = "a\tb\tsign\nAAA1\tBBB2\t-1\n") -> list[Path]:
    files = {"map.yaml": map_, "mine.tsv": table, "x.gene_info": GENE_INFO}
    for name, text in files.items():
        (folder / name).write_text(text)
    return [folder / name for name in files]


def test_symbols_and_plain_signs(tmp_path: Path) -> None:
    loader = registry.make("table")
    found = preview(loader, loader.locate(write(tmp_path)))
    (claim,) = found.first
    assert (claim["start"], claim["end"], claim["sign"]) == ("ncbigene:11", "ncbigene:12", -1)
    assert claim["source"] == "mine"


def test_no_header(tmp_path: Path) -> None:
    table = "x\tAAA1\tBBB2\t1\n"
    paths = write(tmp_path, MAP + "columns: [n, a, b, sign]\n", table)
    loader = registry.make("table")
    assert preview(loader, loader.locate(paths)).counts == {"REGULATES": 1}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("source: mine\n", "no entities and no relationships"),
        (MAP.replace("source", "sauce"), "did you mean source"),
        (MAP.replace("REGULATES", "REGULATE"), "REGULATES"),
        (MAP.replace("end: {type: Gene", "end: {type: Drug"), "no REGULATES between"),
        (MAP.replace("column: a, symbols", "colum: a, symbols"), "column"),
        ("just text", "not a mapping"),
        (MAP + "    score: {formula: weight / 10}\n", "not listed"),
        (MAP + "    score: {formula: 'weight +', numbers: [weight]}\n", "not SQL"),
        (MAP + "    score: {numbers: [weight]}\n", "lacks the key formula"),
        (MAP.replace("{column: sign}", "{column: sign, words: {up: 2}}"), "1, -1 or 0"),
        (MAP.replace("{column: sign}", "{words: {up: 1}}"), "lacks the key column"),
        (MAP + "    evidence: [a]\n", "evidence is not a mapping"),
        (MAP + "entities:\n  - {type: Gene, id: [a]}\n", "the id of an entity"),
        (MAP + "entities:\n  - {type: Gene, id: {column: a, prefix: nobodys}}\n", "prefix"),
        ("a: [1", "not YAML"),
    ],
)
def test_wrong_maps(tmp_path: Path, wrong: str, told: str) -> None:
    (path, *_) = write(tmp_path, wrong)
    with pytest.raises(DataError) as caught:
        read_map(path)
    assert told in str(caught.value)
    assert "map.yaml" in str(caught.value)


def test_symbols_need_their_table(tmp_path: Path) -> None:
    map_, table, _ = write(tmp_path)
    loader = registry.make("table")
    with pytest.raises(DataError, match="no table of symbols"):
        preview(loader, loader.locate([map_, table]))


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    paths = write(tmp_path, table="a\tc\tsign\nAAA1\tBBB2\t1\n")
    loader = registry.make("table")
    with pytest.raises(DataError, match="other columns"):
        preview(loader, loader.locate(paths))


def test_the_dry_run_says_what_the_schema_refuses(tmp_path: Path) -> None:
    long = "1" * 9000
    map_ = "source: mine\nentities:\n  - {type: Gene, id: {column: a, prefix: ncbigene}}\n"
    paths = write(tmp_path, map_, f"a\n11\n{long}\n")
    command = ["load", "table", *map(str, paths[1:]), "--config", str(paths[0]), "--dry-run"]
    text = CliRunner().invoke(tosg, command).output
    assert "1 claims refused by the schema, identifier too long: mine.tsv line 3" in text
    shown = json.loads(CliRunner().invoke(tosg, [*command, "--json"]).stdout)
    assert [(r["kind"], r["count"]) for r in shown["refused"]] == [("identifier too long", 1)]


def test_dry_run_of_the_command(tmp_path: Path) -> None:
    map_, table, symbols = write(tmp_path, table="a\tb\tsign\nAAA1\tBBB2\t1\nNO\tBBB2\t1\n")
    command = ["load", "table", str(table), str(symbols), "--config", str(map_), "--dry-run"]
    result = CliRunner().invoke(tosg, command)
    assert result.exit_code == 0, result.output
    assert "1 claims: REGULATES" in result.output
    assert "1 rejected, unknown symbol: line 3, NO" in result.output
    result = CliRunner().invoke(tosg, [*command, "--json"])
    assert json.loads(result.stdout)["counts"] == {"REGULATES": 1}
