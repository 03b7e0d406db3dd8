"""What holds for every loader: the same for good files, one clear error for each bad one."""

from __future__ import annotations

import math
import pickle
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from support.sources import (
    FILES,
    FIXTURES,
    compress,
    contents,
    read_source,
    source_of,
    write_source,
)

from tosg.errors import DataError, UsageError
from tosg.kg.claims.log import SourceLog
from tosg.kg.claims.schemas import ENTITY_CLAIMS, RELATIONSHIP_CLAIMS
from tosg.kg.claims.spool import Spool
from tosg.loaders import base, registry

if TYPE_CHECKING:
    from tosg.kg.claims.log import FileLog
    from tosg.loaders.scores import Score

SOURCES = sorted(FIXTURES)
EVERY_FILE = [(source, key) for source in SOURCES for key in contents(source)]
TEXT_FILES = [(source, key) for source in SOURCES for key in FILES[source]]
OTHER_FILES = {
    "csv": b"name,age,height\nx,1,2\ny,3,4\n",
    "tsv": b"one\ttwo\tthree\tfour\tfive\nx\t1\t2\t3\t4\n",
    "json": b'{"some": "json"}\n',
    "html": b"<!DOCTYPE html>\n<html><body>404 not found</body></html>\n",
    "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 123\n",
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 4,
    "binary": b"\x7fELF\x02\x01\x01" + bytes(64),
}
#: Columns that hold a source's own confidence.
SCORE_WORDS = re.compile(r"(?i)score|confidence|weight|probab|likelihood|p.?value|evidence_index")


def spec_key(key: str) -> str:
    """Key of the `FileSpec`: the parts of one are numbered, as ``tables#2``."""
    return key.partition("#")[0]


def loader_of(fixture: str) -> type[base.Loader]:
    return registry.loader_class(source_of(fixture))


def test_every_loader_has_files_here() -> None:
    assert {source_of(name) for name in FILES} == set(registry.names())
    for source in SOURCES:
        specs = {spec.key: spec for spec in loader_of(source).files}
        there = {spec_key(key) for key in contents(source)}
        assert there <= set(specs)
        assert {key for key, spec in specs.items() if spec.required} <= there
        for key, (name, _) in contents(source).items():
            assert specs[spec_key(key)].matches(name) is not None


@pytest.mark.parametrize("source", SOURCES)
def test_description(source: str) -> None:
    loader = loader_of(source)
    assert loader.name == source_of(source)
    assert loader.title
    # A source without any address comes with the package, or its files are got by hand.
    by_hand = ("kegg", "kgx", "neo4j_csv", "optimuskg", "biomedgraphica", "celltosg")
    fetched = any(spec.url for spec in loader.files) or loader.name in by_hand
    assert loader.homepage.startswith("https://" if fetched else "tosg/")
    assert loader.license
    assert any(spec.required for spec in loader.files)
    for spec in loader.files:
        assert spec.help
        if spec.url is not None:
            assert spec.url.startswith(("https://", "http://"))
        assert len(spec.sha256 or "") in (0, 64)


@pytest.mark.parametrize("source", SOURCES)
def test_claims_pass_the_schema(source: str, tmp_path: Path) -> None:
    write_source(source, tmp_path)
    batches, log = read_source(source, tmp_path)
    assert batches
    with Spool() as spool:
        for batch in batches:
            assert batch.schema in (ENTITY_CLAIMS, RELATIONSHIP_CLAIMS)
            batch.validate(full=True)
            assert set(batch.column("source").to_pylist()) <= {source_of(source)}
            spool.add(batch)
        assert spool.rejections() == []
    for file in log.files.values():
        assert file.rows_read == file.rows_parsed + file.rows_rejected
        assert file.rows_parsed > 0
        for rejection in file.rejections.values():
            assert rejection.line >= 1
            assert rejection.count >= 1
    assert log.as_dict()["source"] == source_of(source)


@pytest.mark.parametrize("source", SOURCES)
def test_read_twice_is_the_same(source: str, tmp_path: Path) -> None:
    write_source(source, tmp_path)
    first, second = read_source(source, tmp_path), read_source(source, tmp_path)
    assert first[0] == second[0]
    assert first[1].as_dict() == second[1].as_dict()


@pytest.mark.parametrize("source", SOURCES)
def test_windows_line_ends_change_nothing(source: str, tmp_path: Path) -> None:
    unix = {k: t.replace("\r\n", "\n").encode() for k, (_, t) in FILES[source].items()}
    dos = {k: data.replace(b"\n", b"\r\n") for k, data in unix.items()}
    write_source(source, tmp_path / "unix", unix)
    write_source(source, tmp_path / "dos", dos)
    first, second = read_source(source, tmp_path / "unix"), read_source(source, tmp_path / "dos")
    if source == "intact@old":  # a line end inside a quoted field is part of the value
        assert [b.drop_columns(["evidence"]) for b in first[0]] == [
            b.drop_columns(["evidence"]) for b in second[0]
        ]
    else:
        assert first[0] == second[0]
        assert first[1].as_dict() == second[1].as_dict()


@pytest.mark.parametrize("source", SOURCES)
def test_small_batches(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_source(source, tmp_path)
    whole, _ = read_source(source, tmp_path)
    monkeypatch.setattr(base, "BATCH_ROWS", 2)
    small, _ = read_source(source, tmp_path)
    assert max(batch.num_rows for batch in small) <= 2
    assert [r for b in small for r in b.to_pylist()] == [r for b in whole for r in b.to_pylist()]


@pytest.mark.parametrize("source", SOURCES)
def test_loader_and_log_cross_process_borders(source: str, tmp_path: Path) -> None:
    write_source(source, tmp_path)
    options = {**FIXTURES[source].options, "release": "7", "excerpt": "false"}
    loader = pickle.loads(pickle.dumps(registry.make(source_of(source), options)))
    log = SourceLog(loader.source)
    batches = list(loader.claims(loader.locate([tmp_path]), log))
    assert log.release == "7"
    assert {r for batch in batches for r in batch.column("release").to_pylist()} == {"7"}
    assert pickle.loads(pickle.dumps(log)) == log


@pytest.mark.parametrize(("source", "key"), EVERY_FILE)
def test_missing_file(source: str, key: str, tmp_path: Path) -> None:
    write_source(source, tmp_path)
    name = contents(source)[key][0]
    keys = [spec_key(k) for k, (other, _) in contents(source).items() if other == name]
    spec = next(s for s in loader_of(source).files if s.key in keys)
    (tmp_path / name).unlink()
    if spec.many and any(k != key and spec_key(k) == spec.key for k in contents(source)):
        return  # whether the parts that are left are a whole, the source's own tests say
    if not spec.required and key not in FIXTURES[source].needs:
        assert read_source(source, tmp_path)[0]
        return
    with pytest.raises(DataError) as caught:
        read_source(source, tmp_path)
    text = str(caught.value)
    assert spec.filename in text
    assert (spec.url or loader_of(source).homepage) in text
    assert str(tmp_path) in text


def _text(source: str, key: str) -> str:
    return FILES[source][key][1]


def _error(source: str, key: str, folder: Path, data: bytes) -> DataError:
    """The error for a file with other content; it names the file."""
    path = folder / contents(source)[key][0]
    if not path.exists():
        write_source(source, folder)
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read_source(source, folder)
    assert path.name in str(caught.value.where)
    return caught.value


@pytest.mark.parametrize(("source", "key"), TEXT_FILES)
def test_empty_file(source: str, key: str, tmp_path: Path) -> None:
    assert "empty" in _error(source, key, tmp_path / "a", b"").what
    name = contents(source)[key][0]
    _error(source, key, tmp_path / "b", compress(name, b""))
    _error(source, key, tmp_path / "c", compress(name, b"\n\n"))


@pytest.mark.parametrize(("source", "key"), TEXT_FILES)
@pytest.mark.parametrize("ending", [".gz", ".xz"])
def test_compressed_and_cut_off(source: str, key: str, ending: str, tmp_path: Path) -> None:
    whole = compress(f"x{ending}", _text(source, key).encode())
    error = _error(source, key, tmp_path, whole[: len(whole) * 2 // 3])
    assert "cut off" in error.what


@pytest.mark.parametrize(("source", "key"), EVERY_FILE)
def test_another_file(source: str, key: str, tmp_path: Path) -> None:
    for kind, data in OTHER_FILES.items():
        error = _error(source, key, tmp_path, compress(contents(source)[key][0], data))
        if kind == "html":
            assert "web page" in error.what
        if kind == "lfs":
            assert "Git LFS" in error.what


@pytest.mark.parametrize(("source", "key"), TEXT_FILES)
def test_byte_order_mark(source: str, key: str, tmp_path: Path) -> None:
    write_source(source, tmp_path / "plain")
    marked = b"\xef\xbb\xbf" + _text(source, key).encode()
    write_source(source, tmp_path / "bom", {key: marked})
    first, second = read_source(source, tmp_path / "plain"), read_source(source, tmp_path / "bom")
    assert first[0] == second[0]


TABLES = [(s, k) for s, f in FIXTURES.items() for k in f.tables]


@pytest.mark.parametrize(("source", "key"), TABLES)
def test_columns_in_another_order_and_renamed(source: str, key: str, tmp_path: Path) -> None:
    separator, text = FIXTURES[source].tables[key], _text(source, key)
    lines = [line.split(separator) for line in text.splitlines()]
    width = max(map(len, lines))
    whole = [i for i, line in enumerate(lines) if len(line) == width]
    turned = [separator.join(line[::-1] if i in whole else line) for i, line in enumerate(lines)]
    # A mark before the first name of the header moves with it.
    turned[whole[0]] = turned[whole[0]].replace("#", "")
    mark = "#" if lines[whole[0]][0].startswith("#") else ""
    turned[whole[0]] = mark + turned[whole[0]]
    write_source(source, tmp_path / "plain")
    write_source(source, tmp_path / "turned", {key: ("\n".join(turned) + "\n").encode()})
    first = read_source(source, tmp_path / "plain")
    second = read_source(source, tmp_path / "turned")
    assert first[0] == second[0]
    named = lines[whole[0]]
    text = text.replace(separator.join(named), separator.join(f"x{n}" for n in named), 1)
    assert "columns" in _error(source, key, tmp_path / "renamed", text.encode()).what


@pytest.mark.parametrize("source", SOURCES)
def test_claims_are_those_declared(source: str, tmp_path: Path) -> None:
    """Types, scores and signs are what the loader's page says; nothing is dropped."""
    write_source(source, tmp_path)
    batches, log = read_source(source, tmp_path)
    loader, fixture = loader_of(source), FIXTURES[source]
    nodes = {t for b in batches if b.schema == ENTITY_CLAIMS for t in b["type"].to_pylist()}
    rows = [r for b in batches if b.schema == RELATIONSHIP_CLAIMS for r in b.to_pylist()]
    kinds = {(r["start_type"], r["type"], r["end_type"]) for r in rows}
    assert nodes <= set(loader.nodes)
    assert kinds <= set(loader.relationships)
    whole = [s for s in SOURCES if source_of(s) == loader.name and not FIXTURES[s].partial]
    if whole == [source]:
        assert nodes == set(loader.nodes)
        assert kinds == set(loader.relationships)
    scores = [r["score"] for r in rows if r["score"] is not None]
    assert bool(scores) <= bool(loader.scores), "a score without a declared formula"
    if loader.scores and "@old" not in source:
        assert scores, "the source has scores and drops them"
        assert all(0 <= score <= 1 for score in scores)
        assert len(set(scores)) > 1
    signs = {r["sign"] for r in rows} - {None}
    assert bool(signs) <= bool(loader.signs), "a sign without a declared rule"
    if "-1" in loader.signs and "@old" not in source and not fixture.partial:
        assert {1, -1} <= signs
    keys = {(r["start"], r["type"], r["end"]) for r in rows}
    assert set(fixture.given) <= keys
    pairs = {(start, end) for start, _, end in keys}
    assert pairs.isdisjoint(fixture.never)
    assert pairs.isdisjoint((end, start) for start, end in fixture.never)
    found: Counter[str] = Counter()
    for rejection in log.rejections:
        found[rejection.kind] += rejection.count
    assert fixture.rejected.items() <= found.items()


@pytest.mark.parametrize(("source", "key"), TABLES)
def test_columns_that_look_like_scores_are_used(source: str, key: str) -> None:
    loader, fixture = loader_of(source), FIXTURES[source]
    lines = _text(source, key).splitlines()
    header = max(lines, key=lambda line: line.count(fixture.tables[key]))
    names = [n.strip('#" ') for n in header.split(fixture.tables[key])]
    used = " ".join(score.formula for score in loader.scores)
    for name in filter(SCORE_WORDS.search, names):
        assert name in used or name in fixture.unscored, f"{name} is not in a formula"


def _scored() -> list[tuple[str, str, str]]:
    """Source, table and column of every number that a score is made of."""
    found = []
    for source, key in TABLES:
        separator = FIXTURES[source].tables[key]
        header = max(_text(source, key).splitlines(), key=lambda line: line.count(separator))
        names = [name.strip('#" ') for name in header.split(separator)]
        numbers = {n for score in loader_of(source).scores for n in score.numbers}
        found += [(source, key, name) for name in names if name in numbers]
    return found


@pytest.mark.parametrize(("source", "key", "column"), _scored())
def test_a_number_that_is_none_is_told_and_no_score(
    source: str, key: str, column: str, tmp_path: Path
) -> None:
    separator = FIXTURES[source].tables[key]
    lines = _text(source, key).splitlines()
    header = max(lines, key=lambda line: line.count(separator))
    place = [n.strip('#" ') for n in header.split(separator)].index(column)
    changed = 0
    for i, line in enumerate(lines):
        fields = line.split(separator)
        if line != header and len(fields) == header.count(separator) + 1:
            fields[place] = "NaN"
            lines[i], changed = separator.join(fields), changed + 1
    assert changed
    write_source(source, tmp_path / "plain")
    write_source(source, tmp_path / "nan", {key: ("\n".join(lines) + "\n").encode()})
    before = read_source(source, tmp_path / "plain")[1]
    try:
        batches, log = read_source(source, tmp_path / "nan")
    except DataError as error:  # no other row is left
        said = str(error)
        batches, log = [], SourceLog(source)
    else:
        said = ""
    scores = [s for b in batches if "score" in b.schema.names for s in b["score"].to_pylist()]
    assert not any(s is not None and math.isnan(s) for s in scores)
    assert _bad_numbers(log) > _bad_numbers(before) or "number that cannot be read" in said


def _bad_numbers(log: SourceLog) -> int:
    return sum(r.count for r in log.rejections if r.kind == "number that cannot be read")


def test_a_source_that_drops_its_scores_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contract fails for a loader that declares a score and claims none."""

    def dropped(_: Score, batch: pa.RecordBatch, __: FileLog) -> pa.RecordBatch:
        return batch.append_column("score", pa.nulls(batch.num_rows, pa.float64()))

    monkeypatch.setattr("tosg.loaders.scores.Score.add", dropped)
    for source in ("omnipath", "signor", "ctd"):
        with pytest.raises(AssertionError, match="has scores and drops them"):
            test_claims_are_those_declared(source, tmp_path / source)
    monkeypatch.setattr(loader_of("string"), "scores", ())
    with pytest.raises(AssertionError, match="is not in a formula"):
        test_columns_that_look_like_scores_are_used("string", "links")


@pytest.mark.parametrize(("source", "key"), TEXT_FILES)
def test_a_file_of_another_source(source: str, key: str, tmp_path: Path) -> None:
    """Tables of other sources under the name of this one's file are one clear error each."""
    loader = loader_of(source).name
    # HGNC's table is the very file by which others read symbols.
    (spec,) = (f for f in loader_of(source).files if f.key == spec_key(key))
    others = [
        (s, k)
        for s, k in TABLES
        if loader_of(s).name != loader and k != key and spec.matches(contents(s)[k][0]) is None
    ]
    start = TEXT_FILES.index((source, key))
    for n in range(3):
        other, table = others[(start * 7 + n * 31) % len(others)]
        error = _error(
            source,
            key,
            tmp_path / str(n),
            compress(contents(source)[key][0], _text(other, table).encode()),
        )
        assert error.what


@pytest.mark.parametrize(("source", "key"), TEXT_FILES)
def test_another_encoding(source: str, key: str, tmp_path: Path) -> None:
    name, text = FILES[source][key][0], _text(source, key)
    lines = text.encode().split(b"\n")
    middle = len(lines) // 2
    lines[middle] += b"\xe9"
    error = _error(source, key, tmp_path / "latin", compress(name, b"\n".join(lines)))
    assert f"line {middle + 1}" in str(error.where)
    wide = _error(source, key, tmp_path / "wide", compress(name, text.encode("utf-16")[:-1]))
    if wide.what == "the file is not UTF-8 text":
        assert "iconv -f UTF-16" in str(wide.hint)


@pytest.mark.parametrize("source", SOURCES)
def test_unknown_option(source: str) -> None:
    with pytest.raises(UsageError, match="unknown option"):
        registry.make(source_of(source), {"releese": "1"})


def test_unknown_source() -> None:
    with pytest.raises(UsageError) as caught:
        registry.make("hetionett")
    assert "hetionet" in str(caught.value.hint)


def test_files_by_other_names_and_unclear_ones(tmp_path: Path) -> None:
    write_source("indications", tmp_path)
    loader = registry.make("indications")
    renamed = (tmp_path / "indications.tsv").rename(tmp_path / "mine.txt")
    assert loader.locate([renamed]) == {"indications": renamed}
    with pytest.raises(DataError, match=r"needs a file that is not there"):
        loader.locate([tmp_path])
    with pytest.raises(DataError, match="no such file"):
        loader.locate([tmp_path / "nowhere"])
    other = tmp_path / "other.txt"
    other.write_text("x")
    with pytest.raises(DataError, match="does not read a file"):
        loader.locate([renamed, other])
    for folder in ("old", "new"):
        write_source("indications", tmp_path / folder)
    with pytest.raises(DataError, match="several files"):
        loader.locate([tmp_path])
    chosen = tmp_path / "new" / "indications.tsv"
    assert loader.locate([tmp_path, chosen]) == {"indications": chosen}


def test_excerpts_beside_a_whole_file_or_a_larger_one_are_passed_over(tmp_path: Path) -> None:
    write_source("orphanet", tmp_path)
    (given,) = tmp_path.iterdir()
    small = given.rename(tmp_path / "en_product6-snippet.xml")
    data = small.read_bytes()
    larger = tmp_path / "en_product6-example.xml"
    larger.write_bytes(data + b"\n" * 100)
    loader, log = registry.make("orphanet"), SourceLog("orphanet")
    files = loader.locate([tmp_path])
    assert files == {"genes": larger}
    list(pickle.loads(pickle.dumps(loader)).claims(files, log))
    noted = {n.kind: n.examples for n in log.files[larger].notes.values()}
    assert noted["another excerpt beside it, not read"] == [small.name]
    whole = tmp_path / "en_product6-2026.xml"
    whole.write_bytes(data + b"\n" * 5_000_000)
    assert loader.locate([tmp_path]) == {"genes": whole}
    (tmp_path / "en_product6-2025.xml").write_bytes(whole.read_bytes())
    with pytest.raises(DataError, match="several files"):
        loader.locate([tmp_path])


def test_a_file_of_which_no_row_is_any_good(tmp_path: Path) -> None:
    write_source("uberon", tmp_path, {"terms": b"x\ty\tz\n" * 3})
    with pytest.raises(DataError, match="no row of the file could be used"):
        read_source("uberon", tmp_path)
