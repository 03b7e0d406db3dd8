"""KEGG's maps: what each relation of the made-up map says, worked out by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.fixtures.kegg import MAP, drawn, entry, relation
from support.sources import kinds, notes, read_source, rows, write_source

from tosg.errors import DataError
from tosg.loaders.formats.kgml import parse_kgml

if TYPE_CHECKING:
    from pathlib import Path

Key = tuple[Any, Any, Any, Any]


def read(folder: Path, options: dict[str, object] | None = None) -> dict[Key, dict[str, Any]]:
    write_source("kegg", folder)
    batches, _ = read_source("kegg", folder, options)
    return {(r["start"], r["type"], r["end"], r.get("sign")): r for r in rows(batches, "start")}


def test_signs_and_kinds(tmp_path: Path) -> None:
    found = read(tmp_path)
    wiring = {key for key in found if key[1] not in ("PARTICIPATES_IN", "MEMBER_OF")}
    g = "ncbigene:{}".format
    complex_ = "tosg:complex.14.15"
    assert wiring == {
        (g(11), "REGULATES", g(12), 1),
        (g(11), "REGULATES", g(13), 1),
        (g(11), "PHOSPHORYLATES", g(12), 1),
        (g(11), "PHOSPHORYLATES", g(13), 1),
        (g(14), "REGULATES", g(11), -1),
        (g(11), "REGULATES", g(15), -1),
        (g(15), "REGULATES", g(11), 0),  # raised and lowered
        (g(11), "INTERACTS_WITH", g(14), None),
        (complex_, "REGULATES", g(11), 1),
        (g(11), "INTERACTS_WITH", complex_, None),
        (g(12), "REGULATES", g(15), 0),  # the group of a family: each member
        (g(13), "REGULATES", g(15), 0),
        (g(14), "REGULATES", g(15), 0),  # and, by another relation, over a compound
        ("kegg.compound:C00076", "REGULATES", g(11), 1),
        (g(11), "REGULATES", g(11), 0),  # it phosphorylates itself
        (g(11), "PHOSPHORYLATES", g(11), 0),
    }
    evidence = json.loads(found[g(11), "REGULATES", g(12), 1]["evidence"])
    assert evidence == {
        "kinds": ["activation", "phosphorylation"],
        "pathways": ["hsa04010"],
        "relations": ["PPrel"],
        "resolved": ["box of 2"],
    }
    group = json.loads(found[g(12), "REGULATES", g(15), 0]["evidence"])
    assert group["resolved"] == ["group of 3 genes"]
    over = [
        json.loads(str(r["evidence"]))
        for r in rows(read_source("kegg", tmp_path)[0], "start")
        if (r["start"], r["type"], r["end"]) == (g(14), "REGULATES", g(15))
    ]
    assert [e.get("compounds") for e in over] == [None, ["kegg.compound:C00076"]]


def test_boxes_of_several_genes_on_demand(tmp_path: Path) -> None:
    found = read(tmp_path, {"families": "false"})
    assert ("ncbigene:11", "REGULATES", "ncbigene:12", 1) not in found
    assert ("ncbigene:14", "REGULATES", "ncbigene:11", -1) in found
    _, log = read_source("kegg", tmp_path, {"families": "false"})
    assert kinds(log, "human-kgml.zip")["relation of a box of several genes"][0] == 3


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    write_source("kegg", tmp_path)
    _, log = read_source("kegg", tmp_path)
    told = "relation of boxes of several genes, taken for each; its evidence says so"
    found = notes(log, "human-kgml.zip")
    assert found.pop("excerpt, not the whole file") == 1
    assert found == {
        "map without a type in the graph, left out": 1,
        "ortholog without a type in the graph, left out": 1,
        told: 2,
        "relation that both raises and lowers: sign 0": 1,
        "relation between two compounds, which is no signaling": 1,
        "gene that interacts with itself, kept out": 1,
    }
    (file,) = log.files.values()
    assert file.rows_read == 3 + MAP.count("<relation ")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<pathway", "the map is not XML"),
        ("<Pathway/>", "not a map in KGML"),
        ('<pathway name="hsa04010"/>', "not a map in KGML"),
    ],
)
def test_what_is_no_map(text: str, what: str) -> None:
    with pytest.raises(DataError, match=what) as caught:
        parse_kgml(text.encode(), "somewhere")
    assert str(caught.value.where).startswith("somewhere")


def test_a_bad_number_in_a_box(tmp_path: Path) -> None:
    text = drawn(
        "hsa00001",
        entry(1, "gene", "hsa:11 hsa:x"),
        entry(2, "gene", "hsa:12"),
        relation(1, 2, "PPrel", "activation=-->"),
    )
    (tmp_path / "hsa00001.xml").write_text(text, encoding="utf-8")
    batches, log = read_source("kegg", tmp_path)
    found = {(r["start"], r["end"]) for r in rows(batches, "start") if r["type"] == "REGULATES"}
    assert found == {("ncbigene:11", "ncbigene:12")}
    assert notes(log, "hsa00001.xml")["bad identifier in a box, left out"] == 1
