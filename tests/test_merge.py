"""The merge is a function of the set of claims: compared with a naive one over plain dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from support import oracle
from support.claims import fill
from support.states import of_merged
from support.strategies import sets

from tosg.kg.merge import merge
from tosg.kg.spool import Spool

if TYPE_CHECKING:
    from support.claims import Claim
    from support.oracle import Graph


def merged(given_claims: list[Claim]) -> Graph:
    with Spool() as spool:
        return of_merged(merge(fill(spool, given_claims)))


@settings(max_examples=150, deadline=None)
@given(sets, st.randoms(use_true_random=False))
def test_random_claims_as_the_oracle_in_any_order(found: list[Claim], random: object) -> None:
    expected = oracle.graph(found)
    assert merged(found) == expected
    random.shuffle(found)  # type: ignore[attr-defined]
    assert merged(found) == expected
