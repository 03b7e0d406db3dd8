"""Random claims over a small world, so that they often meet."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import strategies as st

from support.claims import Claim, edge, entity

_DISEASES = [f"{p}:{i}" for p in ("mondo", "doid", "efo", "omim") for i in (1, 2)]
_GENES = [f"{p}:{i}" for p in ("ncbigene", "hgnc", "ensembl") for i in (1, 2)]
_OTHER = ["omim:1", "orphanet:2"]
_SOURCES = st.sampled_from(["hgnc", "hetionet", "zz"])
_RELEASES = st.sampled_from(["", "1.9", "1.10"])
_PARTS = st.sampled_from(["", "terms"])
_LICENSES = st.sampled_from(["", "CC0"])
_NAMES = st.sampled_from([None, "lupus", "Lupus ", "flu", "Crohn's disease"])


def examples(few: int, many: int) -> int:
    """Number of examples of a costly property: few, or many in ``make test-long``.

    Mark such a test as ``deep``, which that target runs too.
    """
    return many if os.environ.get("TOSG_TEST_LONG") else few


def _some(values: list[str], most: int = 2) -> Any:
    return st.lists(st.sampled_from(values), max_size=most, unique=True)


def _entities(label: str, ids: list[str]) -> st.SearchStrategy[Claim]:
    return st.builds(
        entity,
        st.just(label),
        st.sampled_from(ids),
        source=_SOURCES,
        release=_RELEASES,
        part=_PARTS,
        license=_LICENSES,
        name=_NAMES.map(lambda n: n and n.strip()),
        description=st.sampled_from([None, 'a "quoted"\ttext', "b"]),
        synonyms=_some(["lupus", "sle", "flu", "crohn disease"]),
        previous=_some(["lupus", "grippe"], 1),
        xrefs=_some([*ids, *_OTHER]),
        same_as=_some(ids, 1),
        replaces=_some(ids, 1),
    )


_EVIDENCE = st.dictionaries(
    st.sampled_from(["n", "refs"]), st.sampled_from([1, 2, "x", ["p", "q"], ["q"]]), max_size=2
)
_GENE = st.sampled_from([("Gene", g) for g in [*_GENES, "ensembl:9"]])
_DISEASE = st.sampled_from([("Disease", d) for d in _DISEASES])


def _edges(type_: str, start: Any, end: Any, **more: Any) -> st.SearchStrategy[Claim]:
    return st.builds(
        edge,
        st.just(type_),
        start,
        end,
        source=_SOURCES,
        release=_RELEASES,
        license=_LICENSES,
        score=st.sampled_from([None, 0.25, 1.0]),
        evidence=_EVIDENCE,
        **more,
    )


_SIGN = st.sampled_from([None, -1, 0, 1])

_PROTEIN = st.sampled_from([("Protein", f"uniprot:P{i}") for i in (1, 2, 3)])

_KINDS = {
    "gene": _entities("Gene", _GENES),
    "disease": _entities("Disease", _DISEASES),
    "protein": _entities("Protein", ["uniprot:P1", "uniprot:P2"]),
    "associated": _edges("ASSOCIATED_WITH", _GENE, _DISEASE, sign=_SIGN),
    "regulates": _edges("REGULATES", _GENE, _GENE, sign=_SIGN),
    "interacts": _edges("INTERACTS_WITH", _GENE, _GENE, sign=_SIGN),
    "binds": _edges("INTERACTS_WITH", _PROTEIN, _PROTEIN),
    "is_a": _edges("IS_A", _DISEASE, _DISEASE),
    "resembles": _edges("RESEMBLES", _DISEASE, _DISEASE, action=st.sampled_from([None, 'say "x"'])),
}
_ALL = [*_KINDS, "gene", "disease"]  # edges need ends

#: Claims enough that many of them meet; of every kind, or of a few.
sets = st.tuples(
    st.just(_ALL) | st.lists(st.sampled_from(_ALL), min_size=1, max_size=3),
    st.integers(0, 40),
).flatmap(
    lambda drawn: st.lists(
        st.one_of(*(_KINDS[k] for k in drawn[0])), min_size=drawn[1], max_size=drawn[1]
    )
)
