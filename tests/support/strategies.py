"""Random claims over a small world, so that they often meet."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from support.claims import Claim, edge, entity

_DISEASES = [f"{p}:{i}" for p in ("mondo", "doid", "efo") for i in (1, 2)]
_GENES = [f"{p}:{i}" for p in ("ncbigene", "hgnc", "ensembl") for i in (1, 2)]
_OTHER = ["omim:1", "orphanet:2"]
_SOURCES = st.sampled_from(["hgnc", "hetionet", "zz"])
_RELEASES = st.sampled_from(["", "1.9", "1.10"])
_LICENSES = st.sampled_from(["", "CC0"])
_NAMES = st.sampled_from([None, "lupus", "Lupus ", "flu"])


def _some(values: list[str], most: int = 2) -> Any:
    return st.lists(st.sampled_from(values), max_size=most, unique=True)


def _entities(label: str, ids: list[str]) -> st.SearchStrategy[Claim]:
    return st.builds(
        entity,
        st.just(label),
        st.sampled_from(ids),
        source=_SOURCES,
        release=_RELEASES,
        license=_LICENSES,
        name=_NAMES.map(lambda n: n and n.strip()),
        description=st.sampled_from([None, 'a "quoted"\ttext', "b"]),
        synonyms=_some(["lupus", "sle"]),
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

#: One claim.
claims = st.one_of(
    _entities("Gene", _GENES),
    _entities("Gene", _GENES),
    _entities("Disease", _DISEASES),
    _entities("Disease", _DISEASES),
    _edges("ASSOCIATED_WITH", _GENE, _DISEASE, sign=_SIGN),
    _edges("REGULATES", _GENE, _GENE, sign=_SIGN),
    _edges("INTERACTS_WITH", _GENE, _GENE, sign=_SIGN),
    _edges("RESEMBLES", _DISEASE, _DISEASE, action=st.sampled_from([None, 'say "x"'])),
)

#: Claims enough that many of them meet.
sets = st.integers(0, 40).flatmap(lambda n: st.lists(claims, min_size=n, max_size=n))
