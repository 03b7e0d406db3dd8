"""Identifiers in every spelling that the sources use."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import bioregistry
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tosg.errors import UsageError
from tosg.kg.schema import curies

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("value", "prefix", "expected"),
    [
        ("GO:0006915", "go", "go:0006915"),
        ("GO_0006915", "go", "go:0006915"),
        ("0006915", "GO", "go:0006915"),
        (" go:0006915 ", "go", "go:0006915"),
        ("http://purl.obolibrary.org/obo/GO_0006915", "go", "go:0006915"),
        ("HGNC:HGNC:5", "hgnc", "hgnc:5"),
        ("http://purl.obolibrary.org/obo/hgnc_11139", "hgnc", "hgnc:11139"),
        ("uniprotkb:P68036", "uniprot", "uniprot:P68036"),
        ("GeneID:100861532", "ncbigene", "ncbigene:100861532"),
        ("7157", "ncbigene", "ncbigene:7157"),
        ("DB00619", "drugbank", "drugbank:DB00619"),
        ("DOID:14", "doid", "doid:14"),
        ("WP100_r74146", "wikipathways", "wikipathways:WP100_r74146"),
        ("N0000000069", "ndfrt", "ndfrt:N0000000069"),
        ("PC7_10399", "hetionet", "hetionet:PC7_10399"),
        ("P68036-2", "uniprot", None),
        ("GO:123", "go", None),
        ("7157.0", "ncbigene", None),
        ("MONDO:0007254", "go", None),
        ("", "go", None),
        ("CL:0000057 (cell culture)", "cl", None),
    ],
)
def test_one_prefix(value: str, prefix: str, expected: str | None) -> None:
    assert curies.curie(value, prefix) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("MIM:138670", "omim:138670"),
        ("MSH:D006394", "mesh:D006394"),
        ("UMLS_CUI:C0123456", "umls:C0123456"),
        ("SNOMEDCT_2010_1_31:33176006", "snomedct:33176006"),
        ("CL_0000084", "cl:0000084"),
        ("http://purl.obolibrary.org/obo/refseq_NM_020039", "refseq:NM_020039"),
        ("http://purl.obolibrary.org/obo/hgnc.genegroup_123", "hgnc.genegroup:123"),
        ("http://identifiers.org/ncbigene/12", "ncbigene:12"),
        ("Ensembl:ENSG00000121410", "ensembl:ENSG00000121410"),
        ("nonsense", None),
        ("nowhere:1", None),
        (":", None),
    ],
)
def test_any_prefix(value: str, expected: str | None) -> None:
    assert curies.curie(value) == expected


def test_columns_keep_nulls_and_order() -> None:
    column = pa.chunked_array([["GO:0000001", None], ["x", "GO_0000002"]])
    assert curies.curies(column, "go").to_pylist() == ["go:0000001", None, None, "go:0000002"]
    mixed = pa.array(["GO:0000001", None, "HGNC:5", "x"])
    assert curies.parse_curies(mixed).to_pylist() == ["go:0000001", None, "hgnc:5", None]
    assert curies.parse_curies(pa.array([], pa.string())).to_pylist() == []


@given(st.lists(st.integers(0, 9_999_999)))
def test_normal_form_is_stable(numbers: list[int]) -> None:
    once = curies.curies(pa.array([f"{n:07}" for n in numbers], pa.string()), "go")
    assert curies.curies(once, "go") == once
    assert curies.parse_curies(once) == once


@given(st.text(max_size=40))
def test_any_text_is_answered(text: str) -> None:
    found = curies.curie(text)
    assert found is None or curies.curie(found) == found


def test_unknown_prefix_lists_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        curies.curies(pa.array(["1"]), "drugbnk")
    assert "drugbank" in str(caught.value)


def test_agrees_with_the_bioregistry() -> None:
    spellings = ("UniProtKB", "GeneID", "MSH", "SNOMEDCT_US_2015_03_01", "EC", "OMIM", "UMLS_CUI")
    for spelling in spellings:
        assert curies.normalize_prefix(spelling) == bioregistry.normalize_prefix(spelling)
    for prefix in ("uniprot", "go", "mesh", "ensembl", "drugbank"):
        assert curies.prefixes().patterns[prefix] == bioregistry.get_pattern(prefix)


def test_a_broken_cache_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = curies._cache_file()
    broken = tmp_path / file.name
    broken.write_text("{")
    monkeypatch.setattr(curies, "_cache_file", lambda: broken)
    assert curies.prefixes.__wrapped__().names["geneid"] == "ncbigene"
    assert broken.read_text().startswith('{"names"')


def test_the_bioregistry_is_imported_once_per_version_only() -> None:
    curies.prefixes()  # makes the cache
    code = (
        "import sys; from tosg.kg.schema.curies import curie; curie('GO:0000001'); "
        "print('bioregistry' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
