"""The merge is a function of the set of claims: compared with a naive one over plain dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import oracle
from support.claims import batches, edge, entity, fill
from support.disk import files_up_to
from support.merging import Merging
from support.states import of_merged
from support.strategies import examples, sets

from tosg.errors import DataError, TosgError
from tosg.kg.claims import evidence, frame_file
from tosg.kg.claims.releases import ReleasesMet, release_key
from tosg.kg.claims.spool import Spool
from tosg.kg.merge import buckets, digests
from tosg.kg.merge.buckets import Buckets
from tosg.kg.merge.digests import DigestSums, SourceDigests
from tosg.kg.merge.entities import parse_claims
from tosg.kg.merge.frames import together
from tosg.kg.merge.load import EXCLUDED
from tosg.kg.merge.merged import merge
from tosg.kg.merge.pending import from_nodes
from tosg.kg.merge.relationships import RESOLVED, claims_of
from tosg.kg.schema.types import relationship_types

if TYPE_CHECKING:
    from pathlib import Path

    from support.claims import Claim
    from support.oracle import Graph


def merged(given_claims: list[Claim]) -> Graph:
    with Spool() as spool:
        return of_merged(merge(fill(spool, given_claims)))


@pytest.mark.deep
@settings(max_examples=examples(20, 200), deadline=None)
@given(sets, st.randoms(use_true_random=False))
def test_random_claims_as_the_oracle_in_any_order(found: list[Claim], random: object) -> None:
    expected = oracle.graph(found)
    assert merged(found) == expected
    random.shuffle(found)  # type: ignore[attr-defined]
    assert merged(found) == expected


@pytest.mark.deep
@settings(max_examples=examples(15, 75), deadline=None)
@given(sets)
def test_a_merge_in_parts_on_disk_is_the_merge_at_once(found: list[Claim]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets, "MOST_BUCKET_ROWS", 2)
        patch.setattr(buckets, "MERGE_BUCKETS", 5)
        assert merged(found) == oracle.graph(found)


def test_parts_are_bounded_even_where_one_node_has_everything(tmp_path: Path) -> None:
    n = 3 * buckets.MOST_BUCKET_ROWS
    rows = pl.DataFrame({"x": np.arange(n)})
    hub = np.zeros(n, np.uint32)
    with Buckets({"given": {"x": pl.Int64}, "kept": {"x": pl.Int64}}, tmp_path) as made:
        for part in range(0, n, 100_000):
            ends = slice(part, part + 100_000)
            made.add("given", rows[ends], hub[ends], np.arange(n)[ends])
        assert any(tmp_path.rglob("*.arrows"))
        parts = [part["given"] for part in made.parts()]
        assert max(part.height for part in parts) <= buckets.MOST_BUCKET_ROWS
    assert pl.concat(parts)["x"].sort().equals(rows["x"])
    assert not any(tmp_path.iterdir())


def test_no_pair_of_nodes_is_cut_in_two() -> None:
    ends = [(1, 1), (1, 2), (1, 2), (1, 2), (2, 2), (3, 1), (3, 1)]
    rows = pl.DataFrame(ends, schema=["start_idx", "end_idx"], orient="row")
    for size in (1, 2, 3, 7):
        frames = list(together(rows.iter_slices(size)))
        assert pl.concat(frames).equals(rows)
        pairs = [set(frame.rows()) for frame in frames]
        assert sum(map(len, pairs)) == len(set(ends))
    assert list(together([rows.clear()])) == []


def test_digests_do_not_depend_on_order_and_see_every_column() -> None:
    rows = pl.DataFrame(
        {"start": [0, 1, 40], "end": [1, 2, 2], "score": [0.5, None, 0.5], "source": "s"}
    )
    rows = rows.with_columns(pl.lit(None, t).alias(c) for c, t in RESOLVED.items() if c not in rows)

    def sums(frame: pl.DataFrame) -> DigestSums:
        made = DigestSums(np.arange(41))
        for part in frame.iter_slices(2):
            made.add(part)
        return made

    (known,) = sums(rows).joined("X", {}, {"s": {"1"}})
    assert SourceDigests(
        "X", "s", digests.from_bytes(known.to_bytes()), ("1",)
    ).values.tolist() == (known.values.tolist())
    assert not sums(rows.reverse()).changed({"s": known}).any()
    # What a later file leaves out stays in the graph, so that nothing has to be read.
    assert not sums(rows[:2]).changed({"s": known}).any()
    for column, kind in RESOLVED.items():
        if column not in ("start", "end", "source"):
            value = pl.lit("x") if kind == pl.String else pl.lit(1)
            other = pl.when(pl.col("start") == 40).then(value.cast(kind)).otherwise(column)
            changed = sums(rows.with_columns(other.alias(column))).changed({"s": known})
            assert changed.tolist() == [False, False, True], column
    twice = sums(pl.concat([rows, rows[:1]])).changed({"s": known})
    assert twice.tolist() == [True, False, False]


def test_a_full_disk_under_the_merge_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "MOST_BUCKET_ROWS", 1)
    claims = [*ENTITIES, *(edge("REGULATES", GENE, OTHER, f"s{i}") for i in range(50))]
    with Spool() as made:
        found = merge(fill(made, claims))
        with files_up_to(100), pytest.raises(TosgError, match="cannot be stored on disk"):
            found.relationships("REGULATES")


GENE, OTHER = ("Gene", "ncbigene:1"), ("Gene", "ncbigene:2")
DRUG = ("Drug", "drugbank:1")
ENTITIES = [entity(*GENE), entity(*OTHER), entity(*DRUG)]


def run(*found: Claim, **options: list[str]) -> Merging:
    return Merging([*ENTITIES, *found], **options)


def test_contradicting_signs_both_stay_visible() -> None:
    found = run(
        edge("REGULATES", GENE, OTHER, "a", sign=1),
        edge("REGULATES", GENE, OTHER, "b", sign=-1),
        edge("INTERACTS_WITH", GENE, OTHER, "a", sign=1),
        edge("INTERACTS_WITH", OTHER, GENE, "b", sign=-1),
        edge("INTERACTS_WITH", OTHER, GENE, "c"),
    )
    assert [(r["sign"], r["sources"]) for r in found.rows("REGULATES")] == [
        (-1, ["b"]),
        (1, ["a"]),
    ]
    (both,) = found.rows("INTERACTS_WITH")
    assert both["sign"] == 0
    assert both["sources"] == ["a", "b", "c"]
    assert both["evidence"] == ['{"sign":1}', '{"sign":-1}', ""]


def test_scores_of_all_sources_and_the_greatest() -> None:
    found = run(
        edge("INTERACTS_WITH", GENE, OTHER, "b", score=0.5),
        edge("INTERACTS_WITH", GENE, OTHER, "a"),
        edge("INTERACTS_WITH", GENE, OTHER, "c", score=0.75),
        edge("TARGETS", DRUG, GENE, action="inhibitor"),
        edge("TARGETS", DRUG, GENE),
    )
    (row,) = found.rows("INTERACTS_WITH")
    assert row["score"] == 0.75
    assert str(row["scores"]) == "[nan, 0.5, 0.75]"
    targets = found.rows("TARGETS")
    assert [(r["action"], r["score"], r["scores"]) for r in targets] == [
        (None, None, None),
        ("inhibitor", None, None),
    ]


def test_one_source_that_says_one_thing_twice_is_one_claim() -> None:
    found = run(
        edge("INTERACTS_WITH", GENE, OTHER, score=0.1, evidence={"n": 1, "refs": ["b"]}),
        edge("INTERACTS_WITH", GENE, OTHER, score=0.2, evidence={"n": 2, "refs": ["a", "b"]}),
    )
    (row,) = found.rows("INTERACTS_WITH")
    assert row["sources"] == ["s1"]
    assert row["score"] == 0.2
    assert row["evidence"] == ['{"n":[1,2],"refs":["a","b"]}']
    assert found.counts["s1"] == {
        "given": 5,
        "made": 4,
        "merged": 1,
        "unchanged": 0,
        "rejected": 0,
    }


def test_a_newer_release_replaces_what_it_repeats() -> None:
    found = run(
        edge("INTERACTS_WITH", GENE, OTHER, release="1.9", score=0.9, license="old"),
        edge("INTERACTS_WITH", GENE, OTHER, release="1.10", score=0.1, license="new"),
        edge("REGULATES", GENE, OTHER, release="1.9", sign=1),
    )
    (row,) = found.rows("INTERACTS_WITH")
    assert (row["licenses"], row["releases"], row["score"]) == (["new"], ["1.10"], 0.1)
    (kept,) = found.rows("REGULATES")
    assert kept["releases"] == ["1.9"]


def test_files_with_releases_of_their_own_do_not_replace_each_other() -> None:
    old = entity(*GENE, release="54", name="b", synonyms=["x"], description="old")
    terms = {"part": "terms", "release": "2021-09-01"}
    found = Merging(
        [
            entity(*GENE, **terms, name="a", description="of the terms", replaces=["hgnc:1"]),
            old,
            entity(*GENE, release="55", name="b", synonyms=["y"]),
            entity(*GENE, "s2", name="c"),
        ]
    )
    node = found.nodes("Gene")["ncbigene:1"]
    assert (node["name"], node["description"]) == ("b", "of the terms")
    assert node["synonyms"] == ["a", "c", "y"]
    assert node["xrefs"] == ["hgnc:1"]
    assert node["releases"] == ["2021-09-01", "55", "1"]
    assert found.counts["s1"] == {
        "given": 3,
        "made": 1,
        "merged": 2,
        "unchanged": 0,
        "rejected": 0,
    }


def test_a_stored_claim_that_names_no_part_is_of_the_first() -> None:
    stored = '{"id":"ncbigene:1","source":"a","license":"CC0","release":"1"}'
    (claim,) = parse_claims(pl.DataFrame({"claims": [[stored]]})).to_dicts()
    assert (claim["source"], claim["part"], claim["license"]) == ("a", "", "CC0")


def test_outdated_is_what_a_load_brings_a_newer_release_of() -> None:
    met = ReleasesMet()
    met.add(
        [("do", "", "2026"), ("do", "terms", "2015"), ("do", None, "2015"), ("old", "", "1")],
        [
            *[("do", "", r) for r in ("", "2025", "2026", "2027")],
            *[("do", "terms", r) for r in ("2014", "2015", "2020")],
            *[("do", "xrefs", r) for r in ("2023",)],
            *[("do", None, r) for r in ("2014", "2015")],
            *[("old", "", "2"), ("other", "", "0")],
        ],
    )
    assert met.outdated() == {"do": {"", "2025", "2014"}}
    assert met.beside_unstated() == {}
    met.add([("old", "", "")], [])
    assert met.beside_unstated() == {"old": {"2"}}


def test_the_order_of_releases() -> None:
    releases = ["", "1.9", "1.10", "2024-02-01", "2024-11-01"]
    assert sorted(set(releases), key=release_key) == releases


def test_licences_act_before_merging() -> None:
    noncommercial = "CC BY-NC 4.0"
    found = run(
        entity(*GENE, "x", license=noncommercial, name="not to be seen"),
        edge("INTERACTS_WITH", GENE, OTHER, "a", license="CC0", score=0.5),
        edge("INTERACTS_WITH", GENE, OTHER, "b", license="cc by-nc 4.0", score=0.9),
        edge("REGULATES", GENE, OTHER, "b", license=noncommercial, sign=1),
        exclude_licenses=[noncommercial],
    )
    (row,) = found.rows("INTERACTS_WITH")
    assert (row["sources"], row["score"]) == (["a"], 0.5)
    assert found.rows("REGULATES") == []
    assert "not to be seen" not in {n["name"] for n in found.nodes("Gene").values()}
    assert found.rejected[EXCLUDED] == 3


def test_what_does_not_fit_the_schema_is_refused_by_kind() -> None:
    with Spool() as spool:
        fill(
            spool,
            [
                entity("Planet", "x:1"),
                entity("Gene", "no-colon"),
                edge("ORBITS", GENE, OTHER),
                edge("TREATS", GENE, OTHER),
                edge("INTERACTS_WITH", GENE, ("Gene", "bad id:1")),
                edge("INTERACTS_WITH", GENE, OTHER, score=1.5),
                edge("INTERACTS_WITH", GENE, OTHER, score=float("nan")),
                edge("REGULATES", GENE, OTHER, sign=2),
                edge("REGULATES", GENE, OTHER, evidence={"start": "mine"}),
                edge("REGULATES", GENE, OTHER, evidence={"of": {"start": "nested is fine"}}),
                entity("Gene", "ensembl:ENST00000000001"),
                entity("Transcript", "ensembl:ENST00000000001.2"),
                edge("INTERACTS_WITH", GENE, ("Gene", "ensembl:ENSMUSP00000000001")),
                edge("INTERACTS_WITH", GENE, ("Gene", "ensembl:ENSMUSG00000000001")),
            ],
        )
        kinds = {r.kind: (r.count, r.line) for r in spool.rejections()}
        assert kinds == {
            "unknown type": (2, 1),
            "bad identifier": (2, 2),
            "pair of types not allowed": (1, 4),
            "score not in 0..1": (2, 6),
            "sign not -1, 0 or 1": (1, 8),
            "evidence uses a reserved key": (1, 9),
            "identifier of another type": (2, 11),
        }
        assert spool.given() == {"s1": {"entities": 4, "relationships": 10}}
        counts = merge(spool).counts()["s1"]
        assert (counts.given, counts.rejected) == (14, 13)


def test_a_batch_of_another_schema_is_an_error() -> None:
    with Spool() as spool, pytest.raises(DataError, match="neither entity claims"):
        spool.add(pa.record_batch({"id": ["x:1"]}))


def test_the_spool_leaves_nothing_behind(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        for batch in batches(ENTITIES) * 3:
            spool.add(batch)
        assert any(tmp_path.iterdir())
    assert not any(tmp_path.iterdir())


def test_a_full_disk_under_the_spool_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_file, "_FLUSH_ROWS", 1)
    with (
        files_up_to(1_000),
        Spool() as made,
        pytest.raises(TosgError, match="cannot be stored on disk") as caught,
    ):
        fill(made, ENTITIES)
    assert "TMPDIR" in (caught.value.hint or "")


def test_waiting_claims_survive_their_bytes() -> None:
    found = run(edge("REGULATES", GENE, ("Gene", "ncbigene:99"), sign=1, evidence={"n": "ü"}))
    (node,) = found.pending_nodes
    assert (node["source"], node["part"]) == ("s1", 0)
    assert from_nodes([node]).equals(found.pending)
    assert from_nodes([node])["end"].to_list() == ["ncbigene:99"]


@given(sets)
@settings(max_examples=30, deadline=None)
def test_merged_relationships_give_their_claims_back(found: list[Claim]) -> None:
    with Spool() as spool:
        result = merge(fill(spool, found))
        for name in result.relationship_types:
            first = result.relationships(name)
            back = claims_of(relationship_types()[name], first)
            assert back.height == first["sources"].list.len().sum()
            signs = back["sign"].drop_nulls()
            assert signs.is_between(-1, 1).all()


@given(st.lists(st.dictionaries(st.text(max_size=3), st.integers(0, 3) | st.text(max_size=2))))
def test_uniting_evidence_is_associative(objects: list[dict[str, Any]]) -> None:
    texts = [evidence.dump(o) for o in objects]
    whole = evidence.unite(texts)
    half = len(texts) // 2
    parts = [evidence.unite(texts[:half]), evidence.unite(texts[half:])]
    assert evidence.unite(parts[::-1]) == whole


@given(
    st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=4), max_size=2),
    st.tuples(
        st.none() | st.just("x:1"),
        st.none() | st.just("y:2"),
        st.none() | st.integers(-1, 1),
        st.none() | st.text(max_size=5),
    ),
)
def test_reserved_keys_go_in_front_and_come_back(
    own: dict[str, str], kept: tuple[Any, Any, Any, Any]
) -> None:
    schema = {"start": pl.String, "end": pl.String, "sign": pl.Int8, "action": pl.String}
    frame = pl.DataFrame([kept], schema=schema, orient="row")
    text = evidence.dump(own)
    stored = frame.select(
        evidence.with_reserved(pl.lit(text), *(pl.col(c) for c in schema)).alias("evidence")
    )
    expected = {k: v for k, v in zip(schema, kept, strict=True) if v is not None}
    assert evidence.parse_evidence(stored.item()) == {**expected, **own}
    (back,) = evidence.split_reserved(stored).iter_rows(named=True)
    assert tuple(back[c] for c in schema) == kept
    assert back["evidence"] == text
