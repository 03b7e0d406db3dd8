"""OmniPath's complexes and annotations, worked out by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.sources import kinds, read_source, rows, write_source

if TYPE_CHECKING:
    from pathlib import Path


def test_complexes_have_their_members_and_how_often(tmp_path: Path) -> None:
    write_source("omnipath", tmp_path)
    batches, log = read_source("omnipath", tmp_path)
    found = [r for r in rows(batches, "id") if r["file"] == "omnipath_complexes.tsv"]
    assert [(r["id"], r.get("name"), r["line"]) for r in found] == [
        ("tosg:complex.P00011.P00012.P00013", "NFY", 2),
        ("tosg:complex.P00013.P00014", None, 3),
    ]
    members = [r for r in rows(batches, "start") if r["file"] == "omnipath_complexes.tsv"]
    assert [(r["start"], r["line"]) for r in members] == [
        *(("uniprot:P00011", 2), ("uniprot:P00012", 2), ("uniprot:P00013", 2)),
        *(("uniprot:P00013", 3), ("uniprot:P00014", 3)),
    ]
    assert json.loads(str(members[0]["evidence"])) == {
        "identifiers": ["CORUM:4478"],
        "pubmed_ids": ["14755292", "15243141"],
        "resources": ["CORUM", "Compleat"],
        "stoichiometry": {"uniprot:P00011": 1, "uniprot:P00012": 2, "uniprot:P00013": 1},
    }
    assert json.loads(str(members[3]["evidence"])) == {"resources": ["PDB"]}
    assert kinds(log, "omnipath_complexes.tsv") == {
        "complex with a bad member": (1, 4),
        "complex of one protein": (1, 5),
    }


def test_pathways_are_those_of_each_resource(tmp_path: Path) -> None:
    write_source("omnipath", tmp_path)
    batches, log = read_source("omnipath", tmp_path)
    named = {r["id"]: r["name"] for r in rows(batches, "id") if r["type"] == "Pathway"}
    assert named == {
        "tosg:pathway.SignaLink_pathway_Receptor_tyrosine_kinase": "Receptor tyrosine kinase",
        "tosg:pathway.SignaLink_pathway_TGF": "TGF",
        "tosg:pathway.NetPath_TGF": "TGF",
    }
    assert kinds(log, "omnipath_annotations.tsv") == {
        "annotation without an identifier in the graph": (1, 5),
        "bad identifier": (1, 6),
    }
