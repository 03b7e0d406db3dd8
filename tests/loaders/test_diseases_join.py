"""Diseases of OMIM and Orphanet are MONDO's exactly where MONDO says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.claims import Claim, batches, entity
from support.sources import notes, read_source, rows, write_source

from tosg.kg.claims.spool import Spool
from tosg.kg.merge.merged import merge

if TYPE_CHECKING:
    from pathlib import Path

#: Diseases that another source names by OMIM's and Orphanet's numbers.
GIVEN = ("omim:600001", "omim:600002", "omim:600003", "omim:600004", "orpha:377788", "orpha:17")


def test_cross_references_of_mondo_join_where_they_are_called_equivalent(tmp_path: Path) -> None:
    write_source("mondo", tmp_path)
    claims, log = read_source("mondo", tmp_path)
    with Spool() as spool:
        for batch in (*claims, *batches([entity("Disease", id_, name=id_) for id_ in GIVEN])):
            spool.add(batch)
        merged = merge(spool)
        nodes = set(merged.entities("Disease")["id"].to_list())
    joined = {j.joined: (j.id, j.how) for j in merged.joins if j.joined in GIVEN}
    same = ("mondo:0000001", "same_as")
    assert joined == {"omim:600001": same, "orpha:377788": same}
    assert nodes & set(GIVEN) == set(GIVEN) - joined.keys()
    kind = "cross-reference to something related, broader or narrower, left out"
    assert notes(log, "mondo.obo")[kind] == 2


def test_all_equivalents_of_a_subject_are_kept(tmp_path: Path) -> None:
    write_source("mondo", tmp_path)
    claims, _ = read_source("mondo", tmp_path)
    mapped = [r for r in rows(claims, "id") if r["file"] == "mondo_exactmatch_umls.sssom.tsv.gz"]
    assert [(r["id"], r["same_as"]) for r in mapped] == [
        ("mondo:0004979", ["umls:C0004096", "umls:C0004099"])
    ]


def test_names_join_what_no_source_maps_and_nothing_that_one_maps() -> None:
    """One mapping of a vocabulary decides for all of it; one that nobody maps joins by name."""
    asthma = entity("Disease", "mondo:0004979", name="asthma", same_as=["omim:600807"])
    given = [
        asthma,
        entity("Disease", "mondo:0000002", name="Usher syndrome", synonyms=["US"]),
        entity("Disease", "omim:276900", "s2", name="Usher syndrome"),
        entity("Disease", "orpha:886", "s3", name="Usher syndrome", synonyms=["US"]),
    ]
    assert joined(given) == {"orpha:886": "mondo:0000002"}
    unmapped = [entity("Disease", "mondo:0004979", name="asthma"), *given[1:]]
    assert joined(unmapped) == {"omim:276900": "mondo:0000002", "orpha:886": "mondo:0000002"}
    mapped = [{**asthma, "same_as": ["orpha:1", "omim:600807"]}, *given[1:]]
    assert joined(mapped) == {}


def joined(claims: list[Claim]) -> dict[str, str]:
    """Ids of diseases that were joined to another, and to which."""
    with Spool() as spool:
        for batch in batches(claims):
            spool.add(batch)
        return {j.joined: j.id for j in merge(spool).joins}
