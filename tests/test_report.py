"""The report's sums, and what is done when they do not hold."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from tosg.cli.report_view import print_report
from tosg.errors import DatabaseError, TosgError, UsageError
from tosg.kg.claims.counters import NoteCounter
from tosg.kg.claims.log import SourceLog
from tosg.kg.database.counts import GraphCounts
from tosg.kg.merge.counts import SourceCounts
from tosg.kg.report import kept
from tosg.kg.report.load_report import LoadReport, Undated
from tosg.kg.write.counts import Changes, WriteCounts

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database
    from tosg.settings import Settings


def made_report() -> LoadReport:
    log = SourceLog("s", "2026")
    file = log.file(Path("a.tsv"))
    file.read(10)
    file.parsed(8)
    file.reject("bad identifier", 7, "x", 2)
    return LoadReport(
        "20260101T000000Z-000000",
        way="bolt",
        sources=[log],
        hashes={"a.tsv": "00"},
        claims={"s": SourceCounts(8, 3, 2, 2, 1)},
        written=WriteCounts(
            {"Gene": Changes(made=3, removed=1)}, {"ENCODES": Changes(made=1)}, revision=4
        ),
        before=GraphCounts({"Entity": 5, "Gene": 5}),
        after=GraphCounts({"Entity": 7, "Gene": 7, "Cell": 9}, {"ENCODES": 1, "FROM": 3}),
    )


def test_a_report_that_adds_up() -> None:
    report = made_report()
    report.check_sums()
    report.check_graph()
    document = json.loads(json.dumps(report.as_dict()))
    assert document["agrees"]
    assert document["changed"]
    assert document["sources"][0]["files"][0]["sha256"] == "00"
    assert document["claims"]["s"]["given"] == 8


def test_what_is_said_of_releases(capsys: pytest.CaptureFixture[str]) -> None:
    report = made_report()
    report.disappeared = {"s": {"entities": 1_000, "relationships": 2}}
    report.undated = {"s": Undated(["a.tsv"], ["", "2019"]), "t": Undated(["b.tsv"], [""])}
    report.left_alone = {"[:TREATS] without sound claims": 2}
    print_report(json.loads(json.dumps(report.as_dict())))
    said = " ".join(capsys.readouterr().out.split())
    assert "gone from this release of s: 1,000 entities, 2 relationships" in said
    assert "no release stated in a.tsv of s: its claims count as older than 2019" in said
    assert "b.tsv of t: its claims stand beside what was loaded without one; if" in said
    assert "--option release=... or --prune" in said
    assert "left as it was: 2 [:TREATS] without sound claims" in said


def test_reports_for_people_have_no_python_in_them(capsys: pytest.CaptureFixture[str]) -> None:
    """What was unclear is there by name; the many kinds of notes are shown with an example."""
    counter = NoteCounter()
    rows = pl.DataFrame(
        {"source": ["s"] * 2, "file": ["a.tsv"] * 2, "line": [3, 4], "id": ["x:1", "x:2"]}
    )
    counter.add("name too long", rows, pl.Series(["first", "second"]))
    (note,) = counter.notes()
    assert note.examples == ["line 3: x:1 first", "line 4: x:2 second"]
    report = made_report()
    file = report.sources[0].file(Path("a.tsv"))
    file.note(note.kind, note.count, note.examples)
    for n in range(20):
        file.note(f"kind {n}", 1, [f"example {n}"])
    report.identity.ambiguous = 7
    report.identity.ambiguous_examples = [f"x:{n} is one of y:{n}, z:{n}" for n in range(6)]
    print_report(json.loads(json.dumps(report.as_dict())))
    said = capsys.readouterr().out
    assert "noted: 2 name too long, as line 3: x:1 first" in said
    assert "noted: and 9 more kinds, 9 in all" in said
    assert "unclear: x:0 is one of y:0, z:0" in said
    assert "and 2 more" in said
    assert not re.search(r"\['|'\]|\{'|None|<\w+ object|\\\\x", said)


def test_rows_that_do_not_add_up() -> None:
    report = made_report()
    report.sources[0].file(Path("a.tsv")).read(1)
    with pytest.raises(TosgError, match="rows of a file"):
        report.check_sums()


def test_claims_that_do_not_add_up() -> None:
    report = made_report()
    report.claims["s"].unchanged += 1
    with pytest.raises(TosgError, match="claims of a source"):
        report.check_sums()


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (GraphCounts({"Entity": 6, "Gene": 6}, {"ENCODES": 1}), ":Gene: 6 in the database, 7"),
        (GraphCounts({"Entity": 7, "Gene": 7}), "[:ENCODES]: 0 in the database, 1"),
        (GraphCounts({"Entity": 8, "Gene": 7}, {"ENCODES": 1}), ":Entity: 8 in the database, 7"),
        (GraphCounts({"Entity": 8, "Gene": 7, "Drug": 1}, {"ENCODES": 1}), ":Drug: 1"),
    ],
)
def test_a_database_that_does_not_agree(after: GraphCounts, said: str) -> None:
    report = made_report()
    report.after = after
    with pytest.raises(DatabaseError, match="does not hold") as caught:
        report.check_graph()
    assert said in str(caught.value)
    assert not report.as_dict()["agrees"]


def test_it_is_kept_in_the_graph_and_as_a_file(database: Database, tmp_path: Path) -> None:
    from dataclasses import replace

    from tosg.settings import Settings

    assert kept.report_ids(database) == []
    with pytest.raises(UsageError, match="unknown report"):
        kept.read_report(database)
    first, second = made_report(), made_report()
    second.id = "20260102T000000Z-000000"
    for report in (first, second):
        kept.write_node(database, report)
    assert kept.report_ids(database) == [second.id, first.id]
    assert kept.read_report(database)["id"] == second.id
    assert kept.read_report(database, first.id) == first.as_dict()
    with pytest.raises(UsageError) as caught:
        kept.read_report(database, "nope")
    assert first.id in str(caught.value)

    settings: Settings = replace(Settings(), home=tmp_path)
    path = kept.write_file(settings, first)
    assert json.loads(path.read_text(encoding="utf-8")) == first.as_dict()
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_old_reports_are_taken_away(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "KEPT", 2)
    for day in range(1, 5):
        report = made_report()
        report.id = f"2026010{day}T000000Z-000000"
        kept.write_node(database, report)
    assert [i[:8] for i in kept.report_ids(database)] == ["20260104", "20260103"]


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    from dataclasses import replace

    from tosg.settings import Settings

    (tmp_path / "reports").write_text("in the way")
    with pytest.raises(DatabaseError, match="its report cannot be saved"):
        kept.write_file(replace(Settings(), home=tmp_path), made_report())
