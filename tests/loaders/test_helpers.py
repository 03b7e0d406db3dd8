"""The helpers that sources are written with, on columns whose every value is known."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from support.reference_tables import GENE_INFO, tsv

from tosg.errors import DataError
from tosg.kg.claims.log import FileLog
from tosg.loaders import columns
from tosg.loaders.base import Origin
from tosg.loaders.formats.opening import read_preamble
from tosg.loaders.formats.tables import Layout, choose_layout, read_table
from tosg.loaders.reference.complexes import ComplexRecord, complex_claims, members_id
from tosg.loaders.reference.symbols import read_symbols, with_genes
from tosg.loaders.scores import Score, with_number


@pytest.fixture
def file() -> FileLog:
    return FileLog("s", Path("s.tsv"))


def batch(**given: list[str]) -> pa.RecordBatch:
    n = len(next(iter(given.values())))
    return pa.record_batch({**given, "line": pa.array(range(2, n + 2), pa.int64())})


def kinds(file: FileLog) -> dict[str, tuple[int, int]]:
    return {kind: (r.count, r.line) for kind, r in file.rejections.items()}


def test_with_curies(file: FileLog) -> None:
    ids = ["1956", "1956.0", "NCBIGene:7157", "", "1-Mar", "x9", "2.31E+05", " 5 "]
    found = columns.with_curies(batch(id=ids), "id", "ncbigene", file)
    assert found["curie"].to_pylist() == ["ncbigene:1956", "ncbigene:7157", "ncbigene:5"]
    assert kinds(file) == {
        "identifier changed by a spreadsheet": (3, 3),
        "bad identifier": (2, 5),
    }
    named = columns.with_curies(batch(id=["GO:0006915", "0006915"]), "id", "", file, to="id")
    assert named["id"].to_pylist() == ["go:0006915"]
    assert named.schema.names == ["id", "line"]


def test_species_and_negated(file: FileLog) -> None:
    rows = batch(tax=["9606", "10090", " 9606"], qualifier=["", "", "NOT|enables"])
    ours = columns.of_species(rows, "tax", file, "9606")
    negated = pa.compute.match_substring(ours["qualifier"], "NOT")
    left = columns.not_negated(ours, negated, file, ("tax", "qualifier"))
    assert left["line"].to_pylist() == [2]
    assert kinds(file) == {
        "other species": (1, 3),
        "negated, says that it is not so": (1, 4),
    }


def test_words(file: FileLog) -> None:
    rows = batch(effect=["up", " down ", "?", ""])
    found = columns.with_words(
        rows, "effect", {"up": 1, "down": -1}, file, to="sign", type_=pa.int8()
    )
    assert found["sign"].to_pylist() == [1, -1]
    assert kinds(file) == {"unknown effect": (2, 4)}
    loose = columns.with_words(rows, "effect", {"up": 1}, file, to="sign", others="null")
    assert loose["sign"].to_pylist() == [1, None, None, None]
    assert file.notes["unknown effect, left out"].count == 3


def test_evidence() -> None:
    rows = batch(
        pubmed=["2|1", "-", "", "3"],
        mechanism=['say "x"', "-", "", "\u00df\\"],
        n=["3", "-", "", "07"],
    )
    found = columns.evidence(
        rows,
        texts={"mechanism": "mechanism"},
        numbers={"n_papers": "n"},
        lists={"pubmed_ids": ("pubmed", "|")},
    ).to_pylist()
    assert found[1:3] == [None, None]
    assert json.loads(found[0]) == {"mechanism": 'say "x"', "n_papers": 3, "pubmed_ids": ["2", "1"]}
    assert list(json.loads(found[0])) == sorted(json.loads(found[0]))
    assert json.loads(found[3]) == {"mechanism": "\u00df\\", "n_papers": "07", "pubmed_ids": ["3"]}
    assert columns.evidence(batch(a=["", "x"]), texts={"a": "a"}).to_pylist() == [None, '{"a":"x"}']


def test_scores(file: FileLog) -> None:
    score = Score("combined / 1000", numbers=("combined",))
    rows = batch(combined=["900", "NaN", "", "1001", "-", "inf", "much", "0", "1e2"])
    found = score.add(rows, file)
    assert found["score"].to_pylist() == [0.9, None, None, 0.0, 0.1]
    assert found["line"].to_pylist() == [2, 4, 6, 9, 10]
    assert kinds(file) == {
        "number that cannot be read": (3, 3),
        "score outside 0 to 1": (1, 5),
    }
    levels = Score("CASE level WHEN 'A' THEN 1.0 WHEN 'B' THEN 0.8 END", texts=("level",))
    assert levels.add(batch(level=["A", "B", "E"]), file)["score"].to_pylist() == [1.0, 0.8, None]
    two = Score("a * b / (a + 1)", numbers=("a", "b"))
    assert two.add(batch(a=["1", "3"], b=["1", "0.5"]), file)["score"].to_pylist() == [0.5, 0.375]


def test_numbers(file: FileLog) -> None:
    found = with_number(batch(x=["1", ".5", "-2e-1", "1,5", "0x10", "NA"]), "x", file, to="n")
    assert found["n"].to_pylist() == [1.0, 0.5, -0.2, None]
    assert kinds(file) == {"number that cannot be read": (2, 5)}


_HGNC = (
    "hgnc_id\tsymbol\tname\tstatus\talias_symbol\tprev_symbol\tentrez_id\n"
    'HGNC:1\tGARS1\tglycyl\tApproved\t"GlyRS|CMT2D"\tGARS\t2617\n'
    "HGNC:2\tGART\ttransformylase\tApproved\tGARS\t\t2618\n"
    "HGNC:3\tMARCHF1\tmembrane\tApproved\tSHARED\tMARCH1\t55016\n"
    "HGNC:4\tNEW4\tno Entrez\tApproved\tSHARED\t\t\n"
    "HGNC:5\tGONE\tgone\tEntry Withdrawn\t\t\t5\n"
)


def test_symbols(tmp_path: Path, file: FileLog) -> None:
    """An approved symbol beats a previous one, and that an alias; nothing is guessed."""
    path = tmp_path / "hgnc_complete_set.txt"
    path.write_text(_HGNC)
    symbols = read_symbols(path, FileLog("s", path))
    assert symbols.resolve("GARS1") == ("ncbigene:2617", "symbol")
    assert symbols.resolve("GARS") == ("ncbigene:2617", "previous symbol")
    assert symbols.resolve("GlyRS") == ("ncbigene:2617", "alias")
    assert symbols.resolve("NEW4") == ("hgnc:4", "symbol")
    assert symbols.resolve("GONE") == (None, "unknown")
    words = ["GARS", "SHARED", "1-Mar", "nothing", "NEW4"]
    found = with_genes(batch(symbol=words), "symbol", symbols, file, to="gene")
    assert found["gene"].to_pylist() == ["ncbigene:2617", "hgnc:4"]
    assert kinds(file) == {
        "ambiguous symbol": (1, 3),
        "symbol changed by a spreadsheet": (1, 4),
        "unknown symbol": (1, 5),
    }
    assert "MARCHF1, NEW4" in file.rejections["ambiguous symbol"].example
    assert file.notes["symbol found as previous symbol"].examples == ["GARS"]


def test_symbols_of_ncbi(tmp_path: Path) -> None:
    path = tmp_path / "Homo_sapiens.gene_info"
    path.write_text(GENE_INFO)
    symbols = read_symbols(path, FileLog("s", path))
    assert symbols.resolve("AAA1") == ("ncbigene:11", "symbol")
    assert symbols.resolve("OFF") == ("ncbigene:15", "symbol")
    assert symbols.resolve("TWIN") == (None, "ambiguous")


def test_complexes() -> None:
    members = (("Protein", "uniprot:P2"), ("Protein", "uniprot:P1"), ("Protein", "uniprot:P1"))
    id_ = members_id([m for _, m in members])
    assert id_ == "tosg:complex.P1.P2"
    nodes, links = complex_claims(
        [ComplexRecord(id_, 7, members, name="A:B")], Origin("s", "CC0 1.0", "1", "f", "")
    )
    assert nodes.to_pylist()[0]["id"] == id_
    assert [(r["start"], r["end"], r["line"]) for r in links.to_pylist()] == [
        ("uniprot:P2", id_, 7),
        ("uniprot:P1", id_, 7),
    ]


def _read(path: Path, layout: Layout) -> list[dict[str, object]]:
    log = FileLog("s", path)
    return [row for b in read_table(path, layout, log) for row in b.to_pylist()]


@pytest.mark.parametrize(
    "text",
    [
        "a\tb\n1\t2\n3\t4\n",
        "#a\tb\n1\t2\n3\t4\n",
        "# made 2026-01-01\n#\n# Fields:\n# a\tb\n#\n1\t2\n# in between\n3\t4\n",
        "! version\n\nb\tx\ta\n2\t\t1\n4\t\t3\n",
    ],
    ids=["plain", "glued", "in a comment", "after comments"],
)
def test_headers(text: str, tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text(text)
    layout = Layout(("a", "b"), optional=("c",), comment=text[0] if text[0] in "#!" else "#")
    found = _read(path, layout)
    assert [(r["a"], r["b"], r["c"]) for r in found] == [("1", "2", ""), ("3", "4", "")]
    lines = text.splitlines()
    assert [r["line"] for r in found] == [
        n for n, line in enumerate(lines, 1) if line[:1] in ("1", "2", "3", "4")
    ]


def test_ragged_rows_and_comments_without_a_header(tmp_path: Path) -> None:
    path = tmp_path / "t.gaf"
    path.write_text("!gaf-version: 2.2\n1\t2\n!note\n3\t4\t5\n6\n7\t8\t\n")
    log = FileLog("s", path)
    layout = Layout(("a", "b", "c"), header=False, comment="!", ragged=2)
    rows = [row for b in read_table(path, layout, log) for row in b.to_pylist()]
    assert [tuple(r.values()) for r in rows] == [
        ("1", "2", "", 2),
        ("3", "4", "5", 4),
        ("7", "8", "", 6),
    ]
    assert kinds(log) == {"wrong number of fields": (1, 5)}
    assert log.rows_read == 4
    assert read_preamble(path, "!") == ["gaf-version: 2.2"]


def test_layouts_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    layouts = {
        "new": Layout(("gene_id", "score"), renamed={"gene_id": ("gene",)}),
        "old": Layout(("symbol",), delimiter=","),
        "bare": Layout(("x", "y", "z"), header=False),
    }
    for text, key in (
        ("score\tgene\n1\t2\n", "new"),
        ("a,symbol\n1,2\n", "old"),
        ("1\t2\t3\n", "bare"),
    ):
        path.write_text(text)
        assert choose_layout(path, layouts) == key
    path.write_text(tsv("a ; b", "1 ; 2"))
    with pytest.raises(DataError) as caught:
        choose_layout(path, layouts)
    assert "gene_id, score" in str(caught.value.expected)
    path.write_text("score\tgene\n1\t2\n")
    assert _read(path, layouts["new"])[0]["gene_id"] == "2"
