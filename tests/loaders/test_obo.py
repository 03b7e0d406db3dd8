"""OBO files that are not quite valid: repaired, left out and rejected, all counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tosg.errors import DataError
from tosg.kg.claims.log import FileLog
from tosg.loaders.formats.obo import Term, open_obo, parse_terms

HEADER = "format-version: 1.2\ndata-version: x/releases/2026-06-08/x.owl\n\n"


def read(folder: Path, text: str) -> tuple[list[Term], FileLog]:
    path = folder / "t.obo"
    path.write_text(text, encoding="utf-8")
    log = FileLog("test", path)
    return list(parse_terms(open_obo(path), log)), log


def test_a_term_in_full(tmp_path: Path) -> None:
    terms, log = read(
        tmp_path,
        HEADER
        + r"""[Term]
id: X:1
name: first\, of all
namespace: n
def: "It \"is\" \(so\)." [PMID:1]
synonym: "one" EXACT []
synonym: "half" NARROW []
xref: UMLS_CUI:C1
alt_id: X:9
is_a: X:2 {is_inferred="true"} ! second
relationship: BFO:0000050 X:3 ! third
is_obsolete: true
replaced_by: X:4
consider: X:5
""",
    )
    assert terms == [
        Term(
            "X:1",
            4,
            name="first, of all",
            definition='It "is" (so).',
            namespace="n",
            synonyms=["one"],
            xrefs=["UMLS_CUI:C1"],
            alt_ids=["X:9"],
            is_a=["X:2"],
            relationships=[("BFO:0000050", "X:3")],
            obsolete=True,
            replaced_by=["X:4"],
            consider=["X:5"],
        )
    ]
    assert {k: n.count for k, n in log.notes.items()} == {
        "synonym of something narrower or broader, left out": 1
    }


def test_what_fastobo_refuses(tmp_path: Path) -> None:
    terms, log = read(
        tmp_path,
        HEADER
        + """[Term]
id: X:1
name: a
def: "no list"
synonym: "no scope" []
created_by:

[Term]
id: X:2
name: b
xref: http://x.org/Category\\:B
comment: not used

[Term]
id:
name: c

[Term]
id: X:4
name: d
""",
    )
    assert [(t.id, t.line, t.name, t.definition, t.synonyms) for t in terms] == [
        ("X:1", 4, "a", "no list", ["no scope"]),
        ("X:2", 11, "b", None, []),
        ("X:4", 21, "d", None, []),
    ]
    assert log.rows_read == 4
    assert [(r.kind, r.line, r.count) for r in log.rejections.values()] == [
        ("not valid OBO", 17, 1)
    ]
    assert {k: n.count for k, n in log.notes.items()} == {
        "clause repaired": 1,
        "clause comment of a term, not used": 1,
        "clause that is not valid OBO, left out": 1,
    }


@pytest.mark.parametrize(
    ("line", "release"),
    [
        ("data-version: cl/releases/2026-06-08/cl.owl", "2026-06-08"),
        ("date: 14:05:2015 16:40", "2015-05-14"),
        ("data-version: 2021_09_01", "2021-09-01"),
        ("data-version: 20251010", "2025-10-10"),
        ("data-version: v3", "v3"),
        ("ontology: x", ""),
    ],
)
def test_release(tmp_path: Path, line: str, release: str) -> None:
    path = tmp_path / "t.obo"
    path.write_text(f"format-version: 1.2\n{line}\n\n[Term]\nid: X:1\nname: a\n")
    assert open_obo(path).release == release


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "empty"),
        ("a\tb\n", "not an OBO file"),
        (HEADER, "no stanzas"),
        (HEADER + '[Term]\nid: X:1\nname: a\nsynonym: "half of a', "cut off"),
    ],
)
def test_wrong_files(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(DataError, match=what):
        read(tmp_path, text)


def test_windows_line_ends(tmp_path: Path) -> None:
    text = HEADER + "[Term]\nid: X:1\nname: a\n"
    unix = read(tmp_path, text)[0]
    path = tmp_path / "t.obo"
    path.write_bytes(text.replace("\n", "\r\n").encode())
    assert list(parse_terms(open_obo(path), FileLog("test", path))) == unix
