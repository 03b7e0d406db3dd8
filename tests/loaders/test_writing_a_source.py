"""The source and the fixture of docs/writing-a-source.md work as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from support.fixtures import Fixture
from support.sources import compress as compressed

from tosg.kg.claims.log import SourceLog

PAGE = Path(__file__).resolve().parents[2] / "docs" / "writing-a-source.md"


def test_the_pages_source_reads_the_pages_fixture(tmp_path: Path) -> None:
    found: dict[str, Any] = {"__name__": "pairs"}
    for text in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        exec(compile(text, str(PAGE), "exec"), found)  # noqa: S102
    fixture: Fixture = found["FIXTURE"]
    for name, content in fixture.files.values():
        (tmp_path / name).write_bytes(compressed(name, content.encode()))
    loader, log = found["Pairs"](), SourceLog("pairs")
    (claims,) = loader.claims(loader.locate([tmp_path]), log)
    row, other = claims.to_pylist()
    assert (row["start"], row["type"], row["end"]) == fixture.given[0]
    assert (other["start"], other["type"], other["end"]) == fixture.given[1]
    # The contract wants both signs and more than one score of a source that has them.
    assert (other["sign"], other["score"]) == (-1, 0.4)
    assert (row["sign"], row["score"], row["evidence"]) == (1, 0.9, None)
    assert row["release"] == "excerpt of unknown release"
    assert {r.kind: r.count for r in log.rejections if r.file == "pairs.tsv.gz"} == fixture.rejected
