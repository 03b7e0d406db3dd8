"""Every named statement: it loads, the server explains it, and its answer is right.

The answers were worked out by hand on `support.fixture_graph`. A statement without a case fails.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from support.fixture_graph import opened
from support.frames import check_frame

from tosg.cypher.registry import FOLDER
from tosg.kg.query import finishing
from tosg.kg.query.guard import check_reads, pass_own
from tosg.kg.query.rows import DECLARED
from tosg.kg.query.run import run_query
from tosg.kg.query.statements import statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from tosg.kg import server as managed
    from tosg.kg.database.connection import Database
    from tosg.settings import Settings

NAMES = sorted(path.stem for path in FOLDER.glob("*.cypher"))

IL2, IL2RA, JAK3 = "ncbigene:3558", "ncbigene:3559", "ncbigene:3718"
STAT5A, FOXP3, CD19 = "ncbigene:6776", "ncbigene:50943", "ncbigene:930"
IL2RA_PROTEIN, JAK3_PROTEIN = "uniprot:P01589", "uniprot:P52333"
LUPUS, DIABETES, AUTOIMMUNE = "mondo:0007915", "mondo:0005147", "mondo:0007179"
ALPHAMAB, BETANIB, GAMMAPROFEN = "drugbank:DB00001", "drugbank:DB00002", "drugbank:DB00003"
FEVER, ARTHRALGIA = "hp:0001945", "hp:0002829"
IL2_SIGNALING, B_ACTIVATION = "reactome:R-HSA-1", "reactome:R-HSA-2"
AATF, AATF_PROTEIN = "ncbigene:26574", "uniprot:Q9NY61"
CHEK1, CHEK1_PROTEIN = "ncbigene:1111", "uniprot:O14757"
GRB2, RAF1 = "ncbigene:2885", "ncbigene:5894"
MYC, H4C1, H4C2, H4 = "ncbigene:4609", "ncbigene:8359", "ncbigene:8366", "uniprot:P62805"
CP10K, BINDS = "log1p_cp10k", ["antibody binding", "inhibitor"]
MEMBRANE, KINASE, CYTOKINE = "go:0005886", "go:0004713", "go:0019221"

Case = tuple[dict[str, Any], list[tuple[Any, ...]]]


def hub(relationships: int) -> float:
    """What a node between with so many relationships of signaling divides a path's score by."""
    return math.log10(10 + relationships)


def _plain_paths(*cases: Case) -> list[Case]:
    """Paths that go through no complex and no family."""
    return [(params, [(*row, []) for row in rows]) for params, rows in cases]


OVER_MYC: tuple[Any, ...] = (
    [AATF, MYC, CHEK1],
    1,
    2,
    ["AATF", "MYC", "CHEK1"],
    0.5 * 0.5 / hub(5),
    [],
)
OVER_COMPLEXES: tuple[Any, ...] = (
    [GRB2, "signor:SIGNOR-C1", "uniprot:Q07889", "uniprot:P01112", "signor:SIGNOR-C2", RAF1],
    -1,
    3,
    ["GRB2", "SOS complex", "SOS1", "HRAS", "RAS complex", "RAF1"],
    0.9 * 0.5 * 0.8 / hub(1) ** 4,
    [],
    [
        "SOS1 MEMBER_OF SOS complex",
        "SOS1 REGULATES HRAS, said of a family",
        "HRAS MEMBER_OF RAS complex",
    ],
)


#: name -> (parameters, rows); entities are written by id, relationships as (start, type, end),
#: paths as the ids along them.
CASES: dict[str, list[Case]] = {
    "cells_by_type": [
        (
            {},
            [
                ("T", "cl:0000084", 150, 3, 3),
                ("B", "cl:0000236", 110, 3, 3),
                ("CD4 T", "cl:0000624", 60, 1, 1),
            ],
        ),
        (
            {"disease": "autoimmune disease", "tissue": "blood"},
            [("CD4 T", "cl:0000624", 60, 1, 1), ("B", "cl:0000236", 50, 1, 1)],
        ),
        ({"tissue": "spleen"}, []),
    ],
    "cells_of_type": [
        ({"cell_type": "T cell"}, [("c1",), ("c2",), ("c3",)]),
        ({"cell_type": "T cell", "disease": "lupus"}, [("c1",), ("c2",)]),
        ({"cell_type": "cl:0000624"}, [("c1",), ("c2",)]),
    ],
    "diseases_of_gene": [
        (
            {"gene": "IL2RA"},
            [
                (LUPUS, ["ASSOCIATED_WITH", "UPREGULATED_IN"], 0.7, ["hetionet", "stargeo"]),
                (DIABETES, ["ASSOCIATED_WITH"], 0.6, ["uniprot"]),
            ],
        ),
        ({"gene": "CD19"}, []),
    ],
    "drug_mechanism": [
        (
            {"drug": "alphamab"},
            [
                (
                    IL2RA_PROTEIN,
                    ["antibody binding", "inhibitor"],
                    IL2RA,
                    ["Interleukin-2 signaling"],
                )
            ],
        ),
        (
            {"drug": BETANIB},
            [(JAK3, ["inhibitor"], JAK3, ["B cell activation", "Interleukin-2 signaling"])],
        ),
    ],
    "drugs_for_disease": [
        (
            {"disease": "autoimmune disease"},
            [
                (BETANIB, "TREATS", LUPUS, ["drugcentral", "hetionet"]),
                (GAMMAPROFEN, "PALLIATES", AUTOIMMUNE, ["hetionet"]),
            ],
        ),
        ({"disease": "doid:9074"}, [(BETANIB, "TREATS", LUPUS, ["drugcentral", "hetionet"])]),
    ],
    "drugs_targeting_genes_high_in": [
        (
            {"cell_type": "T cell", "disease": "SLE"},
            [
                (ALPHAMAB, IL2RA, BINDS, 2.0, 0.5, 1, CP10K),
                (BETANIB, JAK3, ["inhibitor"], 1.5, 0.4, 1, CP10K),
            ],
        ),
        (
            {"cell_type": "T cell", "limit": 1},
            [(ALPHAMAB, IL2RA, BINDS, 2.0, 0.5, 2, CP10K)],
        ),
        (
            {"cell_type": "T cell", "min_mean": 2.0},
            [
                (ALPHAMAB, IL2RA, BINDS, 2.0, 0.5, 1, CP10K),
                (ALPHAMAB, IL2RA, BINDS, 4.0, 1.0, 1, "log1p"),
            ],
        ),
        (
            {"cell_type": "T cell", "unit": "log1p"},
            [(ALPHAMAB, IL2RA, BINDS, 4.0, 1.0, 1, "log1p")],
        ),
        ({"cell_type": "B cell"}, []),  # JAK3 is there, at 0.75
        (
            {"cell_type": "B cell", "min_mean": 0.5},
            [(BETANIB, JAK3, ["inhibitor"], 0.75, 0.3, 1, CP10K)],
        ),
    ],
    # 4 genes take part in a pathway, 3 of them given. All 3 are in the pathway of 3: C(3,3) C(1,0)
    # of C(4,3) draws, 1/4. Of the pathway of 2, any draw of 3 has at least 1: p = 1. Two tests.
    "enrichment": [
        (
            {"genes": ["IL2", "cd25", JAK3], "min_size": 1, "max_q": 1.0},
            [
                (IL2_SIGNALING, 3, 3, 3, 4, 2, ["IL2", "IL2RA", "JAK3"], 0.25, 0.5),
                (B_ACTIVATION, 1, 3, 2, 4, 2, ["JAK3"], 1.0, 1.0),
            ],
        ),
        ({"genes": ["IL2", "CD25", JAK3], "min_size": 1}, []),
    ],
    "expression_of_gene": [
        (
            {"gene": "IL2RA"},
            [
                ("CD4 T", "blood", "SLE", "d1", 60, IL2RA, 2.0, 0.5, CP10K),
                ("T", "blood", "normal", "d1", 40, IL2RA, 1.0, 0.3, CP10K),
                ("T", "blood", "normal", "d3", 10, IL2RA, 4.0, 1.0, "log1p"),
            ],
        ),
    ],
    "functions_of_gene": [
        (
            {"gene": "JAK3"},
            [
                (KINASE, "MolecularFunction", ["goa"]),
                (CYTOKINE, "BiologicalProcess", ["goa", "hetionet"]),
            ],
        ),
    ],
    "genes_of_disease": [
        (
            {"disease": "Autoimmune Disease"},
            [
                (
                    IL2RA,
                    ["ASSOCIATED_WITH", "UPREGULATED_IN"],
                    0.7,
                    ["hetionet", "stargeo", "uniprot"],
                ),
                (FOXP3, ["CAUSES"], None, ["hetionet"]),
            ],
        ),
        (
            {"disease": "type 1 diabetes", "min_score": 0.5},
            [(IL2RA, ["ASSOCIATED_WITH"], 0.6, ["uniprot"])],
        ),
    ],
    "genes_of_pathway": [
        (
            {"pathway": "interleukin-2 signaling"},
            [(IL2, ["pathways"]), (IL2RA, ["goa", "pathways"]), (JAK3, ["pathways"])],
        ),
    ],
    "location_of_gene": [({"gene": "IL2RA"}, [(MEMBRANE, ["goa", "hetionet"])])],
    # d1 has 100 T cells and 50 others, d2 the same. Only d1 measured IL2RA in this unit: inside
    # (2.0 * 60 + 1.0 * 40) / 100, in (0.5 * 60 + 0.3 * 40) / 100 of the cells. Both measured JAK3:
    # (1.5 * 60 + 1.0 * 100) / 200, in (0.4 * 60 + 0.5 * 100) / 200, outside 0.75 * 50 / 100.
    "markers_of_cell_type": [
        (
            {"cell_type": "T cell"},
            [
                (IL2RA, 1.6, 1.6, 0.0, 0.42, CP10K, 100),
                (JAK3, 0.575, 0.95, 0.375, 0.37, CP10K, 200),
                (IL2RA, 4.0, 4.0, 0.0, 1.0, "log1p", 10),
            ],
        ),
        (
            {"cell_type": "T cell", "min_fraction": 0.4, "unit": CP10K},
            [(IL2RA, 1.6, 1.6, 0.0, 0.42, CP10K, 100)],
        ),
    ],
    "nearest_to_text": [
        ({"text": [2.0, 0.0]}, [(IL2, 1.0), (IL2RA, 0.8), (LUPUS, 0.6), (CD19, 0.0)]),
        ({"text": [0.0, 1.0], "type": "Gene", "limit": 2}, [(CD19, 1.0), (IL2RA, 0.6)]),
    ],
    "neighbourhood": [
        (
            {"entity": "IL2RA"},
            [
                # the best of each type, then the second best
                ((IL2RA, "ASSOCIATED_WITH", LUPUS), LUPUS, 0.7, ["hetionet"]),
                ((IL2RA, "ENCODES", IL2RA_PROTEIN), IL2RA_PROTEIN, None, ["uniprot"]),
                ((IL2RA, "LOCATED_IN", MEMBRANE), MEMBRANE, None, ["hetionet"]),
                (
                    (IL2RA_PROTEIN, "PARTICIPATES_IN", IL2_SIGNALING),
                    IL2_SIGNALING,
                    None,
                    ["goa", "pathways"],
                ),
                ((IL2, "REGULATES", IL2RA), IL2, 0.9, ["trrust"]),
                ((ALPHAMAB, "TARGETS", IL2RA_PROTEIN), ALPHAMAB, None, ["drugcentral"]),
                ((IL2RA, "UPREGULATED_IN", LUPUS), LUPUS, None, ["stargeo"]),
                ((IL2RA_PROTEIN, "ASSOCIATED_WITH", DIABETES), DIABETES, 0.6, ["uniprot"]),
                ((IL2RA_PROTEIN, "LOCATED_IN", MEMBRANE), MEMBRANE, None, ["goa"]),
                ((IL2RA_PROTEIN, "REGULATES", JAK3_PROTEIN), JAK3_PROTEIN, 0.8, ["signor"]),
                ((ALPHAMAB, "TARGETS", IL2RA_PROTEIN), ALPHAMAB, None, ["hetionet"]),
            ],
        ),
        (
            {"entity": "STAT5A", "limit": 2},
            [
                ((STAT5A, "PARTICIPATES_IN", CYTOKINE), CYTOKINE, None, ["goa"]),
                ((JAK3, "REGULATES", STAT5A), JAK3, None, ["hetionet", "trrust"]),
            ],
        ),
    ],
    "pathways_of_gene": [({"gene": "JAK3"}, [(B_ACTIVATION, 2), (IL2_SIGNALING, 3)])],
    # the protein of IL2RA is tied to diabetes, the gene to lupus
    "shared_between_diseases": [
        (
            {"first": "lupus", "second": "type 1 diabetes"},
            [
                (IL2RA, "Gene", ["ASSOCIATED_WITH", "UPREGULATED_IN"], ["ASSOCIATED_WITH"]),
                (FEVER, "Phenotype", ["HAS_PHENOTYPE"], ["HAS_PHENOTYPE"]),
            ],
        ),
        (
            {"first": "type 1 diabetes", "second": "SLE"},
            [
                (IL2RA, "Gene", ["ASSOCIATED_WITH"], ["ASSOCIATED_WITH", "UPREGULATED_IN"]),
                (FEVER, "Phenotype", ["HAS_PHENOTYPE"], ["HAS_PHENOTYPE"]),
            ],
        ),
    ],
    "side_effects_of_drug": [
        ({"drug": "gammaprofen"}, [(ARTHRALGIA, 1, ["hetionet"]), (FEVER, 2, ["hetionet"])]),
    ],
    # Scores are products, 0.5 where a step has none; `hub(n)` is what a node between divides by.
    "signed_paths": [
        *_plain_paths(
            (
                {"start": "IL2", "end": "FOXP3"},
                [  # the way of known signs before the shorter one of unknown sign
                    (
                        [IL2, IL2RA, IL2RA_PROTEIN, JAK3_PROTEIN, JAK3, STAT5A, FOXP3],
                        -1,
                        4,
                        ["IL2", "IL2RA", "JAK3", "STAT5A", "FOXP3"],
                        0.9 * 0.8 * 0.5 * 0.5 / (hub(1) ** 3 * hub(2) ** 2),
                        [],
                    ),
                    ([IL2, FOXP3], 0, 1, ["IL2", "FOXP3"], 0.5, ["IL2 REGULATES FOXP3"]),
                ],
            ),
            (
                {"start": "IL2RA", "end": "FOXP3"},
                [
                    (
                        [IL2RA, IL2RA_PROTEIN, JAK3_PROTEIN, JAK3, STAT5A, FOXP3],
                        -1,
                        3,
                        ["IL2RA", "JAK3", "STAT5A", "FOXP3"],
                        0.8 * 0.5 * 0.5 / (hub(1) ** 2 * hub(2) ** 2),
                        [],
                    )
                ],
            ),
            ({"start": "FOXP3", "end": "IL2"}, []),  # signals do not run backwards
            ({"start": "CD19", "end": "STAT5A"}, []),
            (
                {"start": "CD19", "end": "STAT5A", "interactions": True},
                [
                    (
                        [CD19, JAK3, STAT5A],
                        0,
                        2,
                        ["CD19", "JAK3", "STAT5A"],
                        0.4 * 0.5 / hub(2),
                        ["CD19 INTERACTS_WITH JAK3"],
                    )
                ],
            ),
            # ENCODES is no step: the proteins' interaction is shorter than the way over MYC, and
            # mere contact comes after it
            (
                {"start": "AATF", "end": "CHEK1", "interactions": True},
                [
                    OVER_MYC,
                    (
                        [AATF, AATF_PROTEIN, CHEK1_PROTEIN, CHEK1],
                        0,
                        1,
                        ["AATF", "CHEK1"],
                        0.5 / (hub(1) * hub(2)),
                        ["CHEK1 INTERACTS_WITH AATF"],
                    ),
                ],
            ),
            ({"start": "AATF", "end": "CHEK1"}, [OVER_MYC]),
            # a protein of several genes: what acts on it acts on each, but none is the other
            ({"start": "H4C1", "end": "H4C2"}, []),
            ({"start": "H4C1", "end": "MYC"}, []),
            (
                {"start": "CHEK1", "end": "H4C1"},
                [
                    (
                        [CHEK1, CHEK1_PROTEIN, H4, H4C1],
                        1,
                        1,
                        ["CHEK1", "Histone H4", "H4C1"],
                        0.5 / (hub(1) * hub(2)),
                        [],
                    )
                ],
            ),
            # what sources contradict each other in: up, down, unknown
            (
                {"start": "H4C2", "end": "MYC"},
                [
                    ([H4C2, MYC], sign, 1, ["H4C2", "MYC"], 0.5, unsigned)
                    for sign, unsigned in ((1, []), (-1, []), (0, ["H4C2 REGULATES MYC"]))
                ],
            ),
            (
                {"start": "MYC", "end": "MYC"},  # a loop: the histone's gene acts on MYC in turn
                [
                    (
                        [MYC, CHEK1, CHEK1_PROTEIN, H4, H4C2, MYC],
                        sign,
                        3,
                        ["MYC", "CHEK1", "Histone H4", "H4C2", "MYC"],
                        0.5**3 / (hub(1) ** 2 * hub(2) * hub(3)),
                        unsigned,
                    )
                    for sign, unsigned in ((1, []), (-1, []), (0, ["H4C2 REGULATES MYC"]))
                ],
            ),
        ),
        # a complex acts by its parts, a part by its complex: said, and no step
        ({"start": "GRB2", "end": "RAF1"}, [OVER_COMPLEXES]),
        ({"start": "GRB2", "end": "RAF1", "through": ["HRAS"]}, [OVER_COMPLEXES]),
        (
            {"start": "GRB2", "end": "RAF1", "through": ["signor:SIGNOR-C1", "HRAS"]},
            [OVER_COMPLEXES],
        ),
        ({"start": "GRB2", "end": "RAF1", "through": ["HRAS", "SOS1"]}, []),  # not in this order
        ({"start": "HRAS", "end": "BRAF"}, []),  # what acts there is another part of the complex
    ],
    "signals_in_cell_type": [
        (
            {"cell_type": "T cell"},  # strongest first; 0.3 is less than two deviations of 0.2
            [
                (IL2, IL2RA, "REGULATES", 1, 0.9, None, None, "g2", "d1", "by hand"),
                (STAT5A, FOXP3, "REGULATES", -1, -0.75, 0.25, 5, "g1", "d1", "model"),
                (IL2, IL2RA, "REGULATES", 1, 0.5, 0.1, 5, "g1", "d1", "model"),
            ],
        ),
        (
            {"cell_type": "CD4-positive, alpha-beta T cell", "deviations": 1.0, "dataset": "d1"},
            [
                (STAT5A, FOXP3, "REGULATES", -1, -0.75, 0.25, 5, "g1", "d1", "model"),
                (IL2, IL2RA, "REGULATES", 1, 0.5, 0.1, 5, "g1", "d1", "model"),
                (CD19, JAK3, "INTERACTS_WITH", 0, 0.3, 0.2, 5, "g1", "d1", "model"),
            ],
        ),
        (
            {"cell_type": "T cell", "method": "by hand"},
            [(IL2, IL2RA, "REGULATES", 1, 0.9, None, None, "g2", "d1", "by hand")],
        ),
        ({"cell_type": "B cell"}, []),
        ({"cell_type": "T cell", "dataset": "d2"}, []),
    ],
    "upstream_regulators": [
        ({"gene": "JAK3"}, [(IL2RA, "REGULATES", 1, 0.8, ["signor"], None)]),
        (
            {"gene": "FOXP3"},  # a known sign before an unknown one
            [
                (STAT5A, "REGULATES", -1, None, ["trrust"], None),
                (IL2, "REGULATES", 0, None, ["hetionet"], None),
            ],
        ),
        ({"gene": "FOXP3", "sign": -1}, [(STAT5A, "REGULATES", -1, None, ["trrust"], None)]),
        ({"gene": "SOS1"}, [(GRB2, "REGULATES", 1, 0.9, ["signor"], "SOS complex")]),
    ],
}


@pytest.fixture(scope="module")
def graph(server_settings: Settings, server: managed.ServerInfo) -> Iterator[Database]:
    with opened(server_settings, more=True) as db:
        yield db


def test_every_statement_has_a_case_and_every_case_a_statement() -> None:
    assert sorted(CASES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_loads(name: str) -> None:
    statement = statements()[name]
    assert statement.name == name
    assert statement.mode == "read"
    assert statement.cypher.startswith("CYPHER 5\n")
    assert len(statement.help) > 20
    assert all(column.type in DECLARED for column in statement.returns)
    assert statement.after in ("", *finishing.STEPS)


@pytest.mark.neo4j
@pytest.mark.lts
@pytest.mark.parametrize("name", NAMES)
def test_is_explained(name: str, graph: Database) -> None:
    statement = statements()[name]
    passed = check_reads(graph, statement.text, {p.name: None for p in statement.params})
    declared = [column.name for column in statement.returns]
    # what a finishing step adds comes after the columns of the Cypher
    assert list(passed.columns) == declared[: len(passed.columns)]
    assert bool(statement.after) == (len(passed.columns) < len(declared))
    assert not passed.misspelt
    if not statement.after:  # it runs without being explained again
        assert replace(pass_own(statement), warnings=passed.warnings) == replace(passed, own=True)
    assert not [w for w in passed.warnings if "LIMIT" in w]


@pytest.mark.neo4j
@pytest.mark.lts
@pytest.mark.parametrize(
    ("name", "params", "rows"), [(n, p, r) for n, cases in CASES.items() for p, r in cases]
)
def test_answers(
    name: str, params: dict[str, Any], rows: list[tuple[Any, ...]], graph: Database
) -> None:
    statement = statements()[name]
    table = run_query(graph, name, params, timeout=60)
    assert table.column_names == [column.name for column in statement.returns]
    assert [f.type for f in table.schema] == [DECLARED[c.type] for c in statement.returns]
    found = simple(table)
    assert len(found) == len(rows), found
    for got, expected in zip(found, rows, strict=True):
        assert got == tuple(_close(value) for value in expected)
    check_frame(table)


def simple(table: pa.Table) -> list[tuple[Any, ...]]:
    return [tuple(_simple(value) for value in row.values()) for row in table.to_pylist()]


def _simple(value: Any) -> Any:
    if isinstance(value, dict) and "nodes" in value:
        return [node["id"] for node in value["nodes"]]
    if isinstance(value, dict) and "start" in value:
        return (value["start"], value["type"], value["end"])
    return value["id"] if isinstance(value, dict) else value


def _close(value: Any) -> Any:
    return pytest.approx(value, abs=1e-6) if isinstance(value, float) else value
