"""Whole graphs: what is peculiar to the files of each."""

from __future__ import annotations

import io
import json
import pickle
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.fixtures import celltosg as omnicell
from support.fixtures import stark_primekg as stark
from support.sources import FIXTURES, compress, contents, notes, read_source, rows, write_source

from tosg.errors import DataError
from tosg.kg.claims.log import SourceLog
from tosg.kg.claims.schemas import ENTITY_CLAIMS
from tosg.kg.claims.spool import Spool
from tosg.kg.merge.merged import merge
from tosg.loaders import registry
from tosg.loaders.formats import json_lines
from tosg.loaders.formats.pickles import read_plain_pickle, read_tensor

if TYPE_CHECKING:
    from pathlib import Path


def _relationships(batches: list[Any]) -> set[tuple[str, str, str]]:
    return {(r["start"], r["type"], r["end"]) for r in rows(batches, "start")}  # type: ignore[misc]


# Hetionet as JSON


def test_hetionets_json_and_tables_say_the_same(tmp_path: Path) -> None:
    """Both fixtures describe the same genes: what both have is written the same."""
    write_source("hetionet@json", tmp_path / "json")
    write_source("hetionet", tmp_path / "tables")
    ours = _relationships(read_source("hetionet@json", tmp_path / "json")[0])
    tables = _relationships(read_source("hetionet", tmp_path / "tables")[0])
    assert {
        ("ncbigene:11", "INTERACTS_WITH", "ncbigene:12"),
        ("ncbigene:11", "REGULATES", "ncbigene:12"),
        ("drugbank:DB00014", "TARGETS", "ncbigene:11"),
        ("ncbigene:11", "ASSOCIATED_WITH", "doid:14"),
    } <= ours & tables


def test_hetionets_json_states_licences_and_actions(tmp_path: Path) -> None:
    write_source("hetionet@json", tmp_path)
    batches, log = read_source("hetionet@json", tmp_path)
    targets = [r for r in rows(batches, "start") if r["type"] == "TARGETS"]
    assert {r["action"] for r in targets} == {"inhibitor", "antagonist"}
    assert {r["license"] for r in targets} == {"CC BY-NC 4.0"}
    assert json.loads(str(targets[0]["evidence"])) == {"affinity_nM": 62.4}
    assert log.release == "1.0"


@pytest.mark.parametrize("name", ["hetionet-v1.0.json.bz2", "hetionet-v1.0.json"])
def test_hetionets_json_is_found_beside_nothing(name: str, tmp_path: Path) -> None:
    import bz2

    data = contents("hetionet@json")["nodes"][1]
    (tmp_path / name).write_bytes(bz2.compress(data) if name.endswith("bz2") else data)
    assert _relationships(read_source("hetionet", tmp_path)[0])


# STaRK


@pytest.mark.extras
def test_tensors_are_those_of_torch(tmp_path: Path) -> None:
    import torch

    tried: list[Any] = [[[1, 2, 3], [4, 5, 6]], [7], [[], []]]
    for values in tried:
        whole = torch.tensor(values, dtype=torch.int64)
        path = tmp_path / "t.pt"
        torch.save(whole, path)
        assert read_tensor(path.read_bytes(), path).tolist() == whole.tolist()
        assert read_tensor(stark.tensor(np.array(values)), "x").tolist() == whole.tolist()
    torch.save(whole.new_tensor([[1, 2], [3, 4]]).t(), path)
    assert read_tensor(path.read_bytes(), path).tolist() == [[1, 3], [2, 4]]
    torch.save(torch.tensor([0.5]), path)
    with pytest.raises(DataError, match="tensor of whole numbers"):
        read_tensor(path.read_bytes(), path)


class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("run",)


def test_a_pickle_that_would_run_something_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = stark.archive(node_info__pkl=pickle.dumps({0: _Evil()}))
    (tmp_path / "processed.zip").write_bytes(data)
    with pytest.raises(DataError, match="more than plain values") as caught:
        read_source("stark_primekg", tmp_path)
    assert "print" in str(caught.value.found)
    assert "run" not in capsys.readouterr().out
    plain = {"a": [1, 2.5, None, "x", np.float64(0.5), np.int64(7)]}
    assert read_plain_pickle(io.BytesIO(pickle.dumps(plain)), "x") == plain


@pytest.mark.parametrize(
    ("member", "data", "what"),
    [
        ("edge_types__pt", stark.tensor([0]), "do not fit each other"),
        ("edge_index__pt", b"nonsense", "not a tensor of whole numbers"),
        ("node_info__pkl", pickle.dumps({0: {"id": "1"}}), "lacks a key"),
        ("node_info__pkl", pickle.dumps([1]), "is not a dict"),
        ("node_info__pkl", b"\x80\x04cut", "not a pickle"),
    ],
)
def test_members_that_are_not_what_they_should_be(
    member: str, data: bytes, what: str, tmp_path: Path
) -> None:
    (tmp_path / "processed.zip").write_bytes(stark.archive(**{member: data}))
    with pytest.raises(DataError, match=what) as caught:
        read_source("stark_primekg", tmp_path)
    assert "processed.zip" in str(caught.value.where)


def test_starks_texts(tmp_path: Path) -> None:
    write_source("stark_primekg", tmp_path)
    found = {
        r["id"]: r.get("description") for r in rows(read_source("stark_primekg", tmp_path)[0], "id")
    }
    assert found["ncbigene:11"] == "Makes things."
    assert found["drugbank:DB00001"] == "A drug."
    assert found["mondo:0007254"] == "A disease."
    assert found["hp:0001250"] is None


# OmniCellTOSG and BioMedGraphica


def test_both_spellings_of_an_omnicell_folder(tmp_path: Path) -> None:
    write_source("celltosg", tmp_path / "new")
    (tmp_path / "old").mkdir()
    for name, data in contents("celltosg").values():
        old = data.replace(b"BioMedGraphica_Conn_ID", b"BioMedGraphica_ID")
        (tmp_path / "old" / name.replace("s_", "S_", 1)).write_bytes(old)
    first, second = (
        _relationships(read_source("celltosg", tmp_path / n)[0]) for n in ("new", "old")
    )
    assert first == second != set()


def test_the_whole_is_read_where_a_part_is_missing(tmp_path: Path) -> None:
    write_source("celltosg", tmp_path)
    both = _relationships(read_source("celltosg", tmp_path)[0])
    (tmp_path / "ppi_edge_index.npy").unlink()
    assert _relationships(read_source("celltosg", tmp_path)[0]) == both


def test_parts_that_are_not_the_whole_are_told(tmp_path: Path) -> None:
    write_source("celltosg", tmp_path)
    (tmp_path / "ppi_edge_index.npy").write_bytes(omnicell.packed([[2], [3]]))
    _, log = read_source("celltosg", tmp_path)
    assert notes(log, "internal_edge_index.npy") == {"parts with another number of edges": 1}


def test_a_folder_that_tosg_wrote(tmp_path: Path) -> None:
    """Names in both spellings, identifiers of the graph's own, types of nodes and of edges."""
    tables = {
        "s_name.csv": "BioMedGraphica_Conn_ID,Name,Names_and_IDs",
        "s_desc.csv": "BioMedGraphica_Conn_ID,Description",
        "entity_index_id_mapping.csv": "Index,Original_ID,BioMedGraphica_Conn_ID,Label",
    }
    nodes = (("ncbigene:11", "Gene"), ("ncbigene:12", "Gene"), ("mondo:0007254", "Disease"))
    for name, header in tables.items():
        rows_ = [
            f"{n},x,{id_},{label}" if name.startswith("entity") else f"{id_},name {n}"
            for n, (id_, label) in enumerate(nodes)
        ]
        ending = ",x" if name == "s_name.csv" else ""
        lines = [header, *(f"{row}{ending}" for row in rows_)]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    (tmp_path / "edge_index.npy").write_bytes(omnicell.packed([[0, 0], [1, 2]]))
    (tmp_path / "filtered_edge_id_index_data.csv").write_text(
        "BMGC_From_ID,BMGC_To_ID,Type,From_Index,To_Index\n"
        "ncbigene:11,ncbigene:12,REGULATES,0,1\nncbigene:11,mondo:0007254,ASSOCIATED_WITH,0,2\n"
    )
    batches, _ = read_source("celltosg", tmp_path)
    assert _relationships(batches) == {
        ("ncbigene:11", "REGULATES", "ncbigene:12"),
        ("ncbigene:11", "ASSOCIATED_WITH", "mondo:0007254"),
    }
    assert {(r["id"], r["type"], r.get("name")) for r in rows(batches, "id") if "name" in r} == {
        ("ncbigene:11", "Gene", "name 0"),
        ("ncbigene:12", "Gene", "name 1"),
        ("mondo:0007254", "Disease", "name 2"),
    }


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (np.array([[0], [6]]), "points to an entity that is not there"),
        (np.array([[-1], [0]]), "points to an entity that is not there"),
        (np.array([[0.5], [1.0]]), "does not hold edges"),
        (np.array([0, 1, 2]), "does not hold edges"),
        (np.array([[{}], [None]], object), "not an array of numbers"),
        (np.zeros((2, 0), np.int64), "no edges"),
    ],
)
def test_arrays_that_are_no_edges(values: Any, what: str, tmp_path: Path) -> None:
    write_source("celltosg", tmp_path)
    for name in ("internal_edge_index.npy", "ppi_edge_index.npy"):
        (tmp_path / name).unlink()
    np.save(tmp_path / "edge_index.npy", values, allow_pickle=True)
    with pytest.raises(DataError, match=what) as caught:
        read_source("celltosg", tmp_path)
    assert "edge_index.npy" in str(caught.value.where)


def test_texts_in_another_order_are_refused(tmp_path: Path) -> None:
    write_source("celltosg", tmp_path)
    head, *lines = (tmp_path / "s_desc.csv").read_text().splitlines()
    (tmp_path / "s_desc.csv").write_text("\n".join([head, *lines[::-1]]) + "\n")
    with pytest.raises(DataError, match="not those of the same entities"):
        read_source("celltosg", tmp_path)


def test_omnicells_nodes_are_biomedgraphicas(tmp_path: Path) -> None:
    """Named by numbers alone, they become the proteins that the other's tables identify."""
    for source in ("celltosg", "biomedgraphica"):
        write_source(source, tmp_path / source)
    with Spool() as spool:
        for source in ("celltosg", "biomedgraphica"):
            for batch in read_source(source, tmp_path / source)[0]:
                if batch.schema == ENTITY_CLAIMS:
                    spool.add(batch)
        assert spool.rejections() == []
        merged = merge(spool)
    proteins = {r["id"]: r for r in merged.entities("Protein").iter_rows(named=True)}
    one = proteins["uniprot:P00011"]
    assert "biomedgraphica:BMGC_PT000001" in one["xrefs"]
    assert one["sources"] == ["biomedgraphica", "celltosg"]
    assert one["description"] == 'Makes "things".'
    transcripts = merged.entities("Transcript")["id"].to_list()
    assert "ensembl:ENST00000000011" in transcripts
    assert "biomedgraphica:BMGC_TS000001" not in transcripts


def test_output_of_the_web_application(tmp_path: Path) -> None:
    text = FIXTURES["biomedgraphica"].files["relations"][1].splitlines()
    edges = [
        "BMGC_From_ID,BMGC_To_ID,Type,From_Index,To_Index",
        *(f"{a},{b},{kind},0,1" for _, a, b, _, kind in (line.split(",") for line in text[1:])),
    ]
    (tmp_path / "filtered_edge_id_index_data.csv").write_text("\n".join(edges) + "\n")
    name, mapping = FIXTURES["biomedgraphica"].files["mapping"]
    (tmp_path / name).write_text(mapping.replace("2,my own name,", "2,P00011,"))
    batches, _ = read_source("biomedgraphica", tmp_path)
    named = {r["id"]: r for r in rows(batches, "id")}
    assert named["ensembl:ENSG00000000014"]["xrefs"] == ["biomedgraphica:BMGC_GN000014"]
    assert named["uniprot:P00011"]["xrefs"] == ["biomedgraphica:BMGC_PT000015"]
    assert ("biomedgraphica:BMGC_TS000001", "TRANSLATED_TO", "biomedgraphica:BMGC_PT000001") in (
        _relationships(batches)
    )


# OptimusKG


def test_optimuskgs_folders_of_one_table_for_each_kind(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for folder in ("nodes", "edges"):
        (tmp_path / folder).mkdir()
    genes = pa.table({"id": ["ENSG00000000011", "ENSG00000000012"], "label": ["GEN", "GEN"]})
    diseases = pa.table({"id": ["MONDO_0007254"], "label": ["DIS"]})
    pq.write_table(genes, tmp_path / "nodes" / "gene.parquet")
    pq.write_table(diseases, tmp_path / "nodes" / "disease.parquet")
    for name, start, relation in (
        ("gene_gene", "ENSG00000000012", "INTERACTS_WITH"),
        ("disease_gene", "MONDO_0007254", "ASSOCIATED_WITH"),
    ):
        edge = {"from": [start], "to": ["ENSG00000000011"], "label": ["x"], "relation": [relation]}
        pq.write_table(pa.table(edge), tmp_path / "edges" / f"{name}.parquet")
    assert _relationships(read_source("optimuskg", tmp_path)[0]) == {
        ("ensembl:ENSG00000000012", "INTERACTS_WITH", "ensembl:ENSG00000000011"),
        ("ensembl:ENSG00000000011", "ASSOCIATED_WITH", "mondo:0007254"),
    }


# A folder for neo4j-admin


def _folder(folder: Path, **changed: str) -> None:
    for key, (name, text) in FIXTURES["neo4j_csv"].files.items():
        new = changed.get(key.replace("#", "_"), text)
        if new:
            (folder / name).write_text(new)


def test_which_files_belong_together_without_a_script(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    _folder(tmp_path / "a")
    _folder(tmp_path / "b", script="")
    ours, other = (read_source("neo4j_csv", tmp_path / name)[0] for name in ("a", "b"))
    assert _relationships(ours) == _relationships(other) != set()


def test_scores_signs_lists_and_spaces(tmp_path: Path) -> None:
    _folder(tmp_path)
    batches, log = read_source("neo4j_csv", tmp_path, {"source": "mine"})
    (up,) = (r for r in rows(batches, "start") if r.get("sign") == 1)
    assert (up["score"], up["release"], up["license"]) == (0.9, "2026-11", "CC BY 4.0")
    assert json.loads(str(up["evidence"])) == {"effect": "up", "pubmed_ids": ["1", "2"]}
    protein = next(r for r in rows(batches, "id") if r["id"] == "uniprot:P00011")
    assert (protein["name"], protein["synonyms"]) == ("one; or '1'", ["A1", "B1"])
    assert log.source == "mine"


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"map": "source: x\nnodes:\n  - {label: A, type: Proteins}\n"}, "unknown type of entity"),
        ({"map": "source: x\nnodes: []\n"}, "lacks the key nodes"),
        ({"map": "source: x\nnods: []\n"}, "unknown key"),
        ({"tables_5": ":ID;:ID;:LABEL\n"}, "not a header of neo4j-admin"),
        ({"tables_5": "id;name;label\n"}, "not a header of neo4j-admin"),
        ({"tables_5": ":ID;name;:LABEL\nDOID:14;x;Disease\n"}, "more than one line"),
        ({"tables_6": ""}, "files that are not there"),
        ({"script": "echo hello\n"}, "names no tables"),
        ({"script": "import --nodes='unclosed\n"}, "cannot be read"),
        ({"script": "import --nodes='Gene.csv,(.csv'\n"}, "expression"),
        ({"map": FIXTURES["neo4j_csv"].files["map"][1].replace("semicolon", "';;'")}, "one ASCII"),
        (
            {"map": FIXTURES["neo4j_csv"].files["map"][1].replace("name: name", "name: nme")},
            "has not",
        ),
        ({"map": FIXTURES["neo4j_csv"].files["map"][1].replace("any", "sometimes")}, "turned"),
    ],
)
def test_a_folder_or_map_that_is_wrong(changed: dict[str, str], what: str, tmp_path: Path) -> None:
    _folder(tmp_path, **changed)
    with pytest.raises(DataError) as caught:
        read_source("neo4j_csv", tmp_path)
    assert what in str(caught.value)


# KGX


def test_kgx_as_json_lines_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "_BATCH_LINES", 2)
    nodes = [
        {"id": "NCBIGene:11", "category": ["biolink:NamedThing", "biolink:Gene"], "name": "AAA1"},
        {"id": "HGNC:5", "category": ["biolink:Gene"], "synonym": ["x", "y"]},
        {"id": "MONDO:0007254", "category": ["biolink:Disease"]},
    ]
    edges = [
        {"subject": "NCBIGene:11", "predicate": "biolink:regulates", "object": "HGNC:5"},
        {"subject": "HGNC:5", "predicate": "biolink:contributes_to", "object": "MONDO:0007254",
         "publications": ["PMID:1"], "negated": False},
        {"subject": "HGNC:5", "predicate": "biolink:contributes_to", "object": "MONDO:0007254",
         "negated": True},
    ]  # fmt: skip
    for name, found in (("nodes", nodes), ("edges", edges)):
        text = "\n".join(map(json.dumps, found))  # without a line end after the last
        (tmp_path / f"graph_{name}.jsonl.gz").write_bytes(compress("x.gz", text.encode()))
    loader = registry.make("kgx")
    paths = [tmp_path / "graph_nodes.jsonl.gz", tmp_path / "graph_edges.jsonl.gz"]
    log = SourceLog("kgx")
    batches = list(loader.claims(dict(zip(("nodes", "edges"), paths, strict=True)), log))
    assert [b.num_rows for b in batches] == [2, 1, 2]
    assert _relationships(batches) == {
        ("ncbigene:11", "REGULATES", "hgnc:5"),
        ("hgnc:5", "ASSOCIATED_WITH", "mondo:0007254"),
    }
    (paths[1]).write_bytes(b'{"subject": "a", "predicate": "b", "object": "c"}\nnonsense\n')
    with pytest.raises(DataError, match="a line is not JSON") as caught:
        list(loader.claims(dict(zip(("nodes", "edges"), paths, strict=True)), SourceLog("kgx")))
    assert "line 2" in str(caught.value.where)


# Numbers of rows that files state


def test_a_number_of_rows_that_is_stated_is_compared(tmp_path: Path) -> None:
    kind = "another number of rows than the file states"
    write_source("hetionet", tmp_path)
    _, log = read_source("hetionet", tmp_path)
    assert notes(log, "edges.sif.gz")[kind] == 1  # the table of metaedges says 2
    write_source("optimuskg", tmp_path / "whole")
    _, log = read_source("optimuskg", tmp_path / "whole")
    (file,) = (f for f in log.files.values() if f.name == "nodes.parquet")
    assert file.rows_stated == file.rows_read
    assert kind not in file.notes
    text = FIXTURES["orphanet"].files["genes"][1]
    for stated, told in ((text.count("<Disorder "), 0), (77, 1)):
        changed = re.sub(r"<DisorderList[^>]*>", f'<DisorderList count="{stated}">', text)
        write_source("orphanet", tmp_path / "xml", {"genes": changed.encode()})
        _, log = read_source("orphanet", tmp_path / "xml")
        (found,) = (f.notes for f in log.files.values())
        assert (kind in found) == bool(told)
