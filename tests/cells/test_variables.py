"""Variables to entities: identifiers, symbols, aliases; ambiguous, duplicate and unmapped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from support.cells import GENES, PROTEINS

from tosg.errors import DataError, UsageError
from tosg.kg.cells.var.entity_names import EntityNames, NameIndex
from tosg.kg.cells.var.markers import find_markers
from tosg.kg.cells.var.matching import VariableMap, match_variables
from tosg.kg.cells.var.measured import filtered_of, measured_of
from tosg.kg.cells.var.variables import Variable, names_of, variable_of, variables_of

WHERE = Path("file.h5ad")


def entity_names(
    rows: list[tuple[str, str | None, str, list[str], list[str]]],
    wanted: list[Variable] | None = None,
) -> EntityNames:
    columns = ("id", "symbol", "name", "synonyms", "xrefs")
    table = [dict(zip(columns, row, strict=True)) for row in rows]
    lists = pa.list_(pa.string())
    types = {"id": pa.string(), "symbol": pa.string(), "name": pa.string()}
    schema = pa.schema([*types.items(), ("synonyms", lists), ("xrefs", lists)])
    return EntityNames.of([pa.RecordBatch.from_pylist(table, schema)], wanted)


def found(var: pd.DataFrame) -> VariableMap:
    variables = variables_of(var)
    every = match_variables(variables, NameIndex(entity_names(GENES), entity_names(PROTEINS)))
    asked = match_variables(
        variables,
        NameIndex(entity_names(GENES, variables), entity_names(PROTEINS, variables)),
    )
    assert every == asked
    return asked


@pytest.mark.parametrize(
    ("name", "entity", "how"),
    [
        ("ENSG00000167286", "ncbigene:915", "identifier"),
        ("ENSG00000167286.12", "ncbigene:915", "identifier"),
        ("GeneID:915", "ncbigene:915", "identifier"),
        ("HGNC:1673", "ncbigene:915", "identifier"),
        ("CD3D", "ncbigene:915", "symbol"),
        ("CD20", "ncbigene:931", "alias"),
        ("LYZ", "ncbigene:4069", "symbol"),
        # It looks like an accession of UniProt.
        ("P2RY12", "ncbigene:64805", "symbol"),
        ("uniprot:P04234", "uniprot:P04234", "identifier"),
        # A mouse's gene is not man's.
        ("Cd3d", None, None),
        ("ALIAS2", None, None),
        ("ENSG00000000000", None, None),
        ("C1ORF112", "ncbigene:55732", "symbol"),
        ("C1orf999", "ncbigene:55732", "alias"),
    ],
)
def test_one_name(name: str, entity: str | None, how: str | None) -> None:
    result = found(pd.DataFrame(index=[name]))
    assert (result.entities, result.how) == ([entity], [how])


def test_every_name_has_one_outcome() -> None:
    var = pd.DataFrame(
        {"gene_ids": ["ENSG00000167286", "", "", "", ""]},
        index=["renamed", "CD3D", "T3D", "ALIAS2", "nothing"],
    )
    result = found(var)
    assert result.entities == ["ncbigene:915", None, None, None, None]
    assert result.duplicates == {"CD3D": "renamed", "T3D": "renamed"}
    assert result.ambiguous == {"ALIAS2": ["ncbigene:4069", "ncbigene:6280"]}
    assert result.unmapped == ["nothing"]
    assert result.n_mapped == 1


def test_the_symbol_that_hgnc_approved_wins() -> None:
    twice = [*GENES, ("ncbigene:654780", "CD3D", "a discontinued record", [], [])]
    names = entity_names(twice)
    result = match_variables(variables_of(pd.DataFrame(index=["CD3D"])), NameIndex(names))
    assert result.entities == ["ncbigene:915"]


def test_antibodies_are_proteins() -> None:
    var = pd.DataFrame(
        {"feature_types": ["Antibody Capture", "Antibody Capture", "Gene Expression"]},
        index=["CD3D_TotalSeqB", "P04234", "CD3D"],
    )
    result = found(var)
    assert result.entities == [None, "uniprot:P04234", "ncbigene:915"]
    assert result.duplicates == {"CD3D_TotalSeqB": "P04234"}


def test_names_are_kept_for_mapping_anew() -> None:
    var = pd.DataFrame({"gene_ids": ["GeneID:915"], "feature_types": ["protein"]}, index=["x"])
    variable = variables_of(var)[0]
    assert variable_of(names_of(variable)) == variable


def test_filtered_and_never_seen_is_not_measured() -> None:
    x_var = pd.DataFrame({"feature_is_filtered": [True, True, False]}, index=["a", "b", "c"])
    var = pd.DataFrame(index=["a", "b", "c", "d"])
    seen = np.array([True, False, False, False])
    assert measured_of(filtered_of(var, x_var, WHERE), seen).tolist() == [True, False, True, True]
    assert measured_of(filtered_of(var, var, WHERE), seen).all()
    # As R, TileDB and spreadsheets leave it.
    for flags in (["False", "True", "FALSE"], [0, 1, 0], ["F", "T", "F"], ["no", "yes", "no"]):
        x_var["feature_is_filtered"] = flags
        assert filtered_of(var, x_var, WHERE).tolist() == [False, True, False, False]
    x_var["feature_is_filtered"] = ["F", "perhaps", "F"]
    with pytest.raises(DataError, match=r"feature_is_filtered[\s\S]*perhaps"):
        filtered_of(var, x_var, WHERE)


def test_markers_by_name_and_by_symbol(tmp_path: object) -> None:
    variables = variables_of(pd.DataFrame(index=["ENSG00000204287", "CD3E", "CD3-E"]))
    names = match_variables(variables, NameIndex(entity_names(GENES)))
    markers = find_markers(["HLA-DRA", "CD3E"], variables, names, WHERE)
    assert [(m.property, m.variable) for m in markers] == [("expr_HLA_DRA", 0), ("expr_CD3E", 1)]
    with pytest.raises(UsageError, match="unknown marker"):
        find_markers(["CD3F"], variables, names, WHERE)


def test_markers_that_would_share_a_property() -> None:
    variables = variables_of(pd.DataFrame(index=["HLA-DRA", "HLA.DRA"]))
    names = match_variables(variables, NameIndex())
    with pytest.raises(UsageError, match="share a property"):
        find_markers(["HLA-DRA", "HLA.DRA"], variables, names, WHERE)
