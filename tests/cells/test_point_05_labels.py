"""Issue 11, points 4 and 5: what a label of a cell was matched to, and what is only suggested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest
from support.cells import VARIABLES, add_nodes, cells_table, small_graph, write

from tosg.errors import UsageError
from tosg.kg.cells.attach import attach
from tosg.kg.cells.notes import describe_fields
from tosg.kg.cells.obs import columns as table
from tosg.kg.cells.obs.fields import BY_NAME
from tosg.kg.cells.obs.mapping import CellMapping
from tosg.kg.cells.obs.terms import Label, TermIndex, is_short, match_labels
from tosg.kg.cells.remap import remap
from tosg.kg.cells.report import AttachReport
from tosg.kg.cells.report_rows import field_rows

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.database.connection import Database

#: id, name, synonyms, xrefs
DISEASES: list[Any] = [
    ("mondo:0016063", "Cowden syndrome", ["CD", "Cowden disease"], ["omim:158350"]),
    ("mondo:0005011", "Crohn disease", ["regional enteritis"], ["doid:8778"]),
    ("mondo:0007915", "systemic lupus erythematosus", ["SLE", "lupus"], []),
    ("mondo:0005148", "type 2 diabetes mellitus", ["T2D"], []),
    ("mondo:1", "dropsy", ["twice named"], []),
    ("mondo:2", "edema", ["twice named", "dropsy"], []),
]
CELL_TYPES: list[Any] = [
    ("cl:0000084", "T cell", ["T-cell", "T lymphocyte"], []),
    ("cl:0000236", "B cell", ["B-cell"], []),
    ("cl:0000121", "Purkinje cell", ["PC"], []),
]
TISSUES: list[Any] = [
    ("uberon:0001464", "hip", ["gut"], []),
    ("uberon:0002048", "lung", ["pulmo"], []),
    ("uberon:0000014", "zone of skin", ["skin"], []),
]


def index(rows: list[Any]) -> TermIndex:
    columns = ("id", "name", "synonyms", "xrefs")
    table = [dict(zip(columns, row, strict=True)) for row in rows]
    lists = pa.list_(pa.string())
    schema = pa.schema(
        [("id", pa.string()), ("name", pa.string()), ("synonyms", lists), ("xrefs", lists)]
    )
    return TermIndex.of([pa.RecordBatch.from_pylist(table, schema)])


INDEXES = {"Disease": index(DISEASES), "CellType": index(CELL_TYPES), "Anatomy": index(TISSUES)}


def label(field: str, text: str) -> Label:
    f = BY_NAME[field]
    return match_labels([text], f, INDEXES[f.label] if f.label else None)[text]


@pytest.mark.parametrize(
    ("word", "short"),
    [
        *((w, True) for w in ("MM", "CD", "RA", "PC", "SF", "gut", "SLE", "Treg", "COPD", "cDC2")),
        *((w, True) for w in ("NSCLC", "DLBCL", "MIS-C", "T2D", "LAMP5")),
        *((w, False) for w in ("skin", "T-cell", "B cell", "lupus", "microglia", "Crohn's")),
    ],
)
def test_what_an_abbreviation_is(word: str, short: bool) -> None:
    assert is_short(word) == short


def test_a_short_synonym_is_suggested_and_not_matched() -> None:
    for field, text, suggestion in (
        ("disease", "CD", "Cowden syndrome (mondo:0016063)"),
        ("disease", "cd", "Cowden syndrome (mondo:0016063)"),
        ("cell_type", "PC", "Purkinje cell (cl:0000121)"),
        ("disease", "SLE", "systemic lupus erythematosus (mondo:0007915)"),
        # HIP is the hippocampus.
        ("tissue", "HIP", "hip (uberon:0001464)"),
    ):
        found = label(field, text)
        assert (found.kind, found.name, found.node, found.term) == ("perhaps", text, None, None)
        assert found.note == suggestion


@pytest.mark.parametrize(
    ("field", "text", "node", "how"),
    [
        ("disease", "lupus", "mondo:0007915", "synonym"),
        ("disease", "Crohn Disease", "mondo:0005011", "name"),
        ("disease", "OMIM:158350", "mondo:0016063", "cross-reference"),
        ("disease", "DOID:8778", "mondo:0005011", "cross-reference"),
        ("disease", "MONDO:0005011", "mondo:0005011", "id"),
        ("cell_type", "T-cell", "cl:0000084", "synonym"),
        ("cell_type", "http://purl.obolibrary.org/obo/CL_0000084", "cl:0000084", "id"),
        ("cell_type", "CL_0000084", "cl:0000084", "id"),
        ("tissue", "skin", "uberon:0000014", "synonym"),
        ("tissue", "LUNG", "uberon:0002048", "name"),
        ("tissue", "zone of\u00a0 skin", "uberon:0000014", "name"),
        ("disease", "Crohn\u2019s disease", "mondo:0005011", "name"),
        # Point 4: the present name of one wins over the synonym of another.
        ("disease", "dropsy", "mondo:1", "name"),
    ],
)
def test_how_a_label_was_found(field: str, text: str, node: str, how: str) -> None:
    found = label(field, text)
    assert (found.kind, found.node, found.how) == ("matched", node, how)


def test_previous_names_win_over_synonyms() -> None:
    index = TermIndex(
        names={"mondo:1": "Alzheimer disease", "mondo:2": "Alzheimer disease 2"},
        by_name={"alzheimer disease": {"mondo:1"}, "alzheimer disease 2": {"mondo:2"}},
        by_previous={"presenile dementia": {"mondo:1"}},
        by_synonym={
            "presenile dementia": {"mondo:1", "mondo:2"},
            "alzheimer disease": {"mondo:2"},
        },
    )
    for text, how in (("Alzheimer's disease", "name"), ("presenile dementia", "previous name")):
        found = match_labels([text], BY_NAME["disease"], index)[text]
        assert (found.node, found.how) == ("mondo:1", how)


@pytest.mark.parametrize(
    "text",
    [
        *("DC:monocyte-derived", "EC:3", "MI:0001", "GO:0001", "PR:1", "MP:3", "T:cell"),
        *("Monocyte:CD16-", "B_cell:Naive", "CL_1", "CL:1", "cl12", "EFO_1", "HSC_-G-CSF"),
        *("CD4+ T", "0", "1.0", "Tissue:blood", "normal", "doublet", "low quality"),
    ],
)
def test_what_looks_like_an_identifier_keeps_its_text(text: str) -> None:
    found = label("cell_type", text)
    assert (found.name, found.node) == (text, None)
    assert found.kind in ("not in the graph", "bad identifier")


@pytest.mark.parametrize("text", ["-", "?", "n.a.", "N.A.", "not available", "None", "unknown"])
def test_missing_words_are_reported_as_they_are(text: str) -> None:
    assert label("cell_type", text) == Label(text, "missing")


def test_several_terms_in_one_field_are_several() -> None:
    found = label("disease", "MONDO:0007915 || MONDO:0005148")
    assert found.kind == "matched"
    assert found.name == "systemic lupus erythematosus || type 2 diabetes mellitus"
    assert found.term == "mondo:0007915 || mondo:0005148"
    assert found.node == "mondo:0005148 || mondo:0007915"
    assert label("disease", "lupus||Crohn disease").node == "mondo:0005011 || mondo:0007915"
    # A part that is not known is kept, and said.
    part = label("disease", "lupus || gremlins")
    assert (part.kind, part.node) == ("not in the graph", "mondo:0007915")
    assert (part.name, part.term) == ("systemic lupus erythematosus || gremlins", None)
    assert label("disease", "CD || lupus").kind == "perhaps"
    ethnicity = label("self_reported_ethnicity", "HANCESTRO:0005 || HANCESTRO:0014")
    assert (ethnicity.kind, ethnicity.term) == ("term", "hancestro:0005 || hancestro:0014")
    # In a field of plain words nothing is split.
    assert label("suspension_type", "a || b") == Label("a || b", "text", "a || b")


def test_what_was_stored_is_matched_to_the_same_again() -> None:
    for text in ("MONDO:0007915 || MONDO:0005148", "lupus || gremlins", "CD", "CL_1"):
        first = label("disease", text)
        stored = first.term or first.name
        assert stored is not None
        again = label("disease", stored)
        assert (again.name, again.term, again.node) == (first.name, first.term, first.node)


OBS = pd.DataFrame(
    {
        "disease": ["CD", "CD", "lupus", "?", "twice named", "gremlins"],
        "cell_type": ["T cell", "t cell", "T-cell", "B cell", "PC", "PC"],
    }
)


def fields(maps: list[str]) -> dict[str, table.FieldColumn]:
    mapping = CellMapping.read(maps).complete(OBS, "file")
    return table.read_fields(OBS, mapping, INDEXES.__getitem__, "file")


def test_the_report_says_what_every_label_became() -> None:
    columns = fields([])
    nothing = {name: column.at(pd.Index([]).to_numpy(int)) for name, column in columns.items()}
    found = describe_fields(columns, nothing)
    lines = [text.strip() for _, text in field_rows("disease", found["disease"])]
    both = "dropsy (mondo:1), edema (mondo:2)"
    named = "name it with --map 'disease:"
    assert lines == [
        "disease: 2 perhaps, 1 missing, 1 not in the graph, 1 matched, 1 ambiguous",
        f"CD: 2 cells, not matched; perhaps Cowden syndrome (mondo:0016063), {named}CD=NAME'",
        "?: 1 cells, missing",
        "gremlins: 1 cells, not in the graph",
        "lupus -> systemic lupus erythematosus (mondo:0007915), by synonym: 1 cells",
        f"twice named: 1 cells, ambiguous: {both}; {named}twice named=NAME'",
    ]
    rows = {row["label"]: row for row in found["cell_type"]["labels"]}
    assert {text: (row["id"], row["cells"]) for text, row in rows.items()} == {
        "PC": (None, 2),
        "T cell": ("cl:0000084", 1),
        "t cell": ("cl:0000084", 1),
        "T-cell": ("cl:0000084", 1),
        "B cell": ("cl:0000236", 1),
    }


def test_reports_of_earlier_releases_are_shown() -> None:
    report = AttachReport.of(
        {
            "dataset": "old",
            "status": "attached",
            "variables": {
                "total": 2,
                "mapped": {"identifier": 1, "symbol": 0, "alias": 0},
                "ambiguous": {},
                "duplicates": {},
                "unmapped": ["x"],
                "unmeasured": [],
            },
            "fields": {
                "sex": {
                    "from": "gender",
                    "detected": False,
                    "values": {"text": {"F": 3}},
                    "left_out": {},
                    "notes": {},
                }
            },
        }
    )
    text = "\n".join(report.lines())
    assert "2: 1 mapped (1 by identifier)" in text
    assert "F (3)" in text


def test_a_label_is_named_on_the_command_line() -> None:
    maps = ["disease:CD=Crohn disease", "disease:?=normal", "cell_type:PC=CL:0000236"]
    columns = fields(maps)
    assert columns["disease"].terms()[:4] == [
        "mondo:0005011",
        "mondo:0005011",
        "mondo:0007915",
        "pato:0000461",
    ]
    assert columns["cell_type"].terms()[4:] == ["cl:0000236"] * 2
    with pytest.raises(UsageError, match="label of disease"):
        fields(["disease:Cd=Crohn disease"])
    with pytest.raises(UsageError, match="no column"):
        fields(["tissue:x=lung"])
    with pytest.raises(UsageError, match="this names a label"):
        CellMapping.read([], ["disease:CD=Crohn disease"])


def test_words_of_yaml_are_text(tmp_path: Any) -> None:
    (tmp_path / "m.yaml").write_text("disease: {column: disease, values: {no: 1.10, CD: yes}}\n")
    source = CellMapping.read([str(tmp_path / "m.yaml")]).fields["disease"]
    assert source.values == (("no", "1.10"), ("CD", "yes"))


@pytest.mark.neo4j
@pytest.mark.filterwarnings("ignore:Variable names are not unique:UserWarning")
def test_cells_of_two_diseases_are_found_by_each(database: Database, tmp_path: Path) -> None:
    small_graph(database)
    add_nodes(database, "Disease", [("mondo:0005148", None, "type 2 diabetes", ["T2D"], [])])
    terms = ["MONDO:0007915 || MONDO:0005148", "MONDO:0007915", "PATO:0000461"]
    obs = cells_table().assign(disease_ontology_term_id=[terms[i % 3] for i in range(12)])
    var = pd.DataFrame({"gene_ids": [f"ENSG{i:011d}" for i in range(7)]}, index=VARIABLES)
    # Two variables of one name: the identifiers tell them apart (point 3).
    var.index = pd.Index([*VARIABLES[:6], "CD3D"])
    path = write(tmp_path / "two.h5ad", obs=obs, var=var)
    report = attach(database, path)
    assert report.variables["ambiguous"] == {}
    assert report.variables["columns"] == ["gene_ids", "gene_symbols"]
    found = database.rows(
        "MATCH (x:Disease)<-[:WITH_DISEASE]-(g:CellGroup) MATCH (c:Cell {group: g.id}) "
        "RETURN x.id AS disease, count(DISTINCT c) AS n ORDER BY disease"
    )
    assert [(r["disease"], r["n"]) for r in found] == [("mondo:0005148", 4), ("mondo:0007915", 8)]
    assert any("several values of disease" in note for note in report.notes)
    assert remap(database, "two").status == "unchanged"
    database.write("MATCH (d:Disease {id: 'mondo:0005148'}) DETACH DELETE d")
    assert remap(database, "two").status == "remapped"
    add_nodes(database, "Disease", [("mondo:0005148", None, "diabetes, type 2", [], [])])
    assert remap(database, "two").status == "remapped"
    names = database.rows("MATCH (c:Cell) RETURN DISTINCT c.disease AS d ORDER BY d")
    assert [r["d"] for r in names] == [
        "normal",
        "systemic lupus erythematosus",
        "systemic lupus erythematosus || diabetes, type 2",
    ]
