"""Issue 11, point 6: the species is read from wherever it can stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anndata
import numpy as np
import pandas as pd
import pytest

from tosg.errors import DataError
from tosg.kg.cells.files.opening import open_source
from tosg.kg.cells.obs import columns as table
from tosg.kg.cells.obs.mapping import CellMapping
from tosg.kg.cells.obs.terms import TermIndex
from tosg.kg.cells.species import read_variables
from tosg.kg.cells.var.organism import organism_of_name, organism_of_reference, organisms_of

if TYPE_CHECKING:
    from pathlib import Path

MOUSE = [f"ENSMUSG{i:011d}" for i in range(12)]
RODENT = ["Cd3d", "Cd3e", "Cd4", "Cd8a", "Ms4a1", "Cd19", "Cd14", "Lyz2", "Nkg7", "Trp53", "Tnf"]


@pytest.mark.parametrize(
    ("text", "organism"),
    [
        ("ENSMUSG00000032093", "Mus musculus"),
        ("ENSMUSG00000032093.4", "Mus musculus"),
        ("ENSRNOG00000000001", "Rattus norvegicus"),
        ("ENSXYZG00000000001", "Ensembl XYZ"),
        ("FBgn0000008", "Drosophila melanogaster"),
        ("mm10_Cd3d", "Mus musculus"),
        ("ENSG00000167286", "human"),
        ("GRCh38_CD3D", "human"),
        ("CD3D", None),
        ("Cd3d", None),
    ],
)
def test_names_that_say_a_species(text: str, organism: str | None) -> None:
    assert organism_of_name(text) == organism


@pytest.mark.parametrize(
    ("text", "organism"),
    [
        ("NCBITaxon:10090", "Mus musculus"),
        ("NCBITaxon:9606", "human"),
        ("NCBITaxon:12345", "NCBITaxon:12345"),
        ("Homo sapiens", "human"),
        ("Mus_musculus", "Mus musculus"),
        ("GRCh38", "human"),
        ("GRCh38_chr21", "human"),
        ("hg19", "human"),
        ("mm10", "Mus musculus"),
        ("refdata-gex-mm10-2020-A", "Mus musculus"),
        ("GRCm39", "Mus musculus"),
        ("Rnor_6.0", "Rattus norvegicus"),
        ("", None),
    ],
)
def test_references_and_genomes(text: str, organism: str | None) -> None:
    assert organism_of_reference(text) == organism


@pytest.mark.parametrize(
    "var",
    [
        pd.DataFrame(index=MOUSE),
        pd.DataFrame({"gene_ids": MOUSE}, index=[f"G{i}" for i in range(12)]),
        pd.DataFrame({"feature_reference": "NCBITaxon:10090"}, index=["CD3D", "CD4"]),
        pd.DataFrame({"genome": "mm10"}, index=["CD3D", "CD4"]),
        pd.DataFrame(index=RODENT),
        pd.DataFrame(index=[*MOUSE, "ERCC-00002", "GFP"]),
    ],
)
def test_variables_of_another_species_are_refused(var: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="not of human genes") as caught:
        read_variables(var, {}, "file", organism="human")
    assert caught.value.hint is not None
    assert "--organism any" in caught.value.hint
    attached = read_variables(var, {}, "file", organism="any")
    assert all(v.organism is not None for v in attached)


@pytest.mark.parametrize(
    "var",
    [
        pd.DataFrame(index=["CD3D", "CD4", "Cd4"]),
        pd.DataFrame(index=[f"C{i}orf{i}" for i in range(1, 30)]),
        pd.DataFrame({"genome": "GRCh38"}, index=RODENT),
        pd.DataFrame({"genome": ["GRCh38", "mm10"]}, index=["CD3D", "Cd3d"]),
    ],
)
def test_human_variables_are_read(var: pd.DataFrame) -> None:
    assert read_variables(var, {}, "file", organism="human")


def test_in_a_mixture_only_the_human_variables_are_human() -> None:
    var = pd.DataFrame({"genome": ["GRCh38", "mm10"]}, index=["CD3D", "CD4"])
    assert organisms_of(var) == [None, "Mus musculus"]


def fields(obs: pd.DataFrame, sets: Any = (), organism: str = "") -> dict[str, table.FieldColumn]:
    mapping = CellMapping.read([], sets).complete(obs, "file", organism)
    return table.read_fields(obs, mapping, lambda _: TermIndex(), "file")


def test_what_the_cells_say_wins_over_the_spelling_of_names() -> None:
    var = pd.DataFrame(index=RODENT)
    human = fields(pd.DataFrame(index=["a"]), ["organism=human"])
    assert read_variables(var, human, "file", organism="human")[0].organism is None
    mouse = fields(pd.DataFrame(index=["a"]), organism="NCBITaxon:10090")
    found = read_variables(pd.DataFrame(index=["CD3D"]), mouse, "file", organism="any")
    assert found[0].organism == "NCBITaxon:10090"


def test_the_species_of_a_file_is_read_from_uns(tmp_path: Path) -> None:
    for uns, organism in (
        ({"organism_ontology_term_id": "NCBITaxon:10090", "organism": "Mus musculus"}, "10090"),
        ({"organism": "Homo sapiens"}, "Homo sapiens"),
        ({"species": np.array(["Mus musculus"])}, "Mus musculus"),
        ({"organism": np.array(["Homo sapiens", "Mus musculus"])}, ""),
        ({"organism": {"name": "Homo sapiens"}}, ""),
        ({}, ""),
    ):
        data = anndata.AnnData(np.ones((2, 2), np.float32), uns=uns)
        data.write_h5ad(tmp_path / "a.h5ad")
        with open_source(tmp_path / "a.h5ad") as source:
            assert source.organism.endswith(organism)
            columns = fields(source.obs, organism=source.organism)
    obs = pd.DataFrame({"species": ["Mus_musculus"]})
    assert fields(obs)["organism"].names() == ["Mus_musculus"]
    obs = pd.DataFrame({"organism": ["Homo sapiens"]})
    columns = fields(obs, organism="NCBITaxon:10090")
    assert columns["organism"].names() == ["Homo sapiens"]
