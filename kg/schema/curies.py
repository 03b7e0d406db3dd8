"""Identifiers as CURIEs with the Bioregistry's prefixes, normalised column by column.

``GO:0006915``, ``GO_0006915``, ``http://purl.obolibrary.org/obo/GO_0006915`` and ``0006915`` in a
column of GO terms all become ``go:0006915``. The prefix is looked up once per column (or once per
distinct prefix in it), the identifier's pattern is checked vectorised.

Importing the Bioregistry takes more than a second, so its prefixes and patterns are kept in the
user's cache folder, one file per version of the package.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs
import pyarrow as pa
import pyarrow.compute as pc

from tosg.errors import DataError, unknown
from tosg.files import write_text

if TYPE_CHECKING:
    from collections.abc import Iterable

_FORMAT = 1

#: Prefixes in use that the Bioregistry does not have, with the pattern of their identifiers.
EXTRA_PREFIXES: dict[str, str] = {
    # Numbers that Hetionet gave to gene sets of Pathway Commons 7; they are ids nowhere else.
    "hetionet": r"^PC\d+_\d+$",
    "cellphonedb": r"^\S+$",
    # Numbers that BioMedGraphica gives to its entities; OmniCellTOSG names nodes by them alone.
    "biomedgraphica": r"^BMGC?_[A-Z]{2}\d+$",
    # Names of sets; the Bioregistry's msigdb has their numbers, which GMT files do not give.
    "msigdb.set": r"^[A-Z0-9_.-]+$",
    "tosg": r"^\S+$",
}

#: Prefixes of plain numbers that are never padded: one with a leading zero went through a
#: spreadsheet or belongs to something else. Numbers of OBO ontologies are padded.
PLAIN_NUMBERS = frozenset(
    {"chebi", "drugcentral", "hgnc", "hgnc.genegroup", "ncbigene", "ncbitaxon", "omim"}
    | {"pubchem.compound", "pubchem.substance", "pubmed"}
)

# In column-wise work a URI or a doubled prefix is cut down to the local identifier.
_URI_HEAD = r"^https?://\S*[/#=]"
_URI_PATH = r"^https?://\S*/([^/:_#=]+)/([^/:_#=]+)$"


@dataclass(frozen=True)
class Prefixes:
    """The Bioregistry's prefixes.

    Attributes
    ----------
    names : dict
        Spelling without case and punctuation -> prefix.
    patterns : dict
        Prefix -> regular expression of the local identifier, where there is one.
    """

    names: dict[str, str]
    patterns: dict[str, str]


def squash(prefix: str) -> str:
    """Spelling of a prefix without case and punctuation: how spellings are compared."""
    return re.sub(r"[^a-z0-9]", "", prefix.lower())


@cache
def prefixes() -> Prefixes:
    """All prefixes; from the cache folder where it has them for this Bioregistry."""
    file = _cache_file()
    try:
        data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        found = Prefixes(data["names"], data["patterns"])
    except (OSError, ValueError, KeyError):
        found = _from_bioregistry()
        _save(file, {"names": found.names, "patterns": found.patterns})
    for prefix, pattern in EXTRA_PREFIXES.items():
        found.names[squash(prefix)] = prefix
        found.patterns[prefix] = pattern
    return found


def _cache_file() -> Path:
    folder = Path(platformdirs.user_cache_dir("tosg", appauthor=False))
    version = importlib.metadata.version("bioregistry")
    return folder / f"prefixes-{_FORMAT}-{version}.json"


def _from_bioregistry() -> Prefixes:
    import bioregistry

    names: dict[str, str] = {}
    patterns: dict[str, str] = {}
    registry = bioregistry.read_registry()
    for prefix in sorted(registry):
        resource = registry[prefix]
        for spelling in sorted({*resource.get_synonyms(), resource.get_preferred_prefix() or ""}):
            names.setdefault(squash(spelling), prefix)
        pattern = resource.get_pattern()
        if pattern:
            patterns[prefix] = pattern
    for prefix in sorted(registry):  # a prefix itself wins over another's synonym
        names[squash(prefix)] = prefix
    names.pop("", None)
    return Prefixes(names, patterns)


def _save(file: Path, data: dict[str, Any]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, json.dumps(data, sort_keys=True))
    except OSError:
        return  # no cache folder: the next process pays the import again


def normalize_prefix(prefix: str) -> str | None:
    """Bioregistry prefix of any known spelling (``UniProtKB`` -> ``uniprot``), else None."""
    return prefixes().names.get(squash(prefix))


def known_prefix(prefix: str) -> str:
    """As `normalize_prefix`; an unknown prefix is a `UsageError` listing the nearest ones."""
    found = normalize_prefix(prefix)
    if found is None:
        raise unknown("prefix", prefix, prefixes().names.values())
    return found


@lru_cache(1 << 16)
def curie(value: str, prefix: str | None = None) -> str | None:
    """Normalise one identifier; see `curies` and `parse_curies`. None where it is not valid.

    The last 65,536 answers are kept: the same identifiers stand in many rows.
    """
    column = pa.array([value], pa.string())
    result = parse_curies(column) if prefix is None else curies(column, prefix)
    found: str | None = result[0].as_py()
    return found


def curies(values: pa.Array | pa.ChunkedArray, prefix: str) -> pa.Array:
    """Normalise a column of identifiers of one prefix.

    Parameters
    ----------
    values : Array of string
        Local identifiers, CURIEs in any spelling of the prefix (also doubled, ``HGNC:HGNC:5``),
        or URIs that end in one. White space around them is dropped.
    prefix : str
        Any spelling of a known prefix.

    Returns
    -------
    Array of string
        ``prefix:local``, null where the value is null, empty or does not fit the pattern.

    Raises
    ------
    UsageError
        The prefix is unknown.
    """
    name = known_prefix(prefix)
    local = pc.utf8_trim_whitespace(_flat(values))
    local = _strip(local, _head_pattern(name))
    return _with_prefix(local, name)


def parse_curies(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Normalise a column in which each value names its own prefix.

    Parameters
    ----------
    values : Array of string
        ``prefix:local``, ``prefix_local`` or URIs ending in one of them.

    Returns
    -------
    Array of string
        ``prefix:local``, null where the prefix is unknown or the identifier does not fit it.
    """
    text = pc.utf8_trim_whitespace(_flat(values))
    text = pc.replace_substring_regex(text, _URI_PATH, r"\1:\2")
    text = _strip(text, _URI_HEAD)
    # A colon splits first: SNOMEDCT_US_2015_03_01:1234 has its underscores in the prefix.
    parts = pc.extract_regex(text, r"^(?P<prefix>[^:]+):(?P<local>.+)$")
    lined = pc.extract_regex(text, r"^(?P<prefix>[^:_]+)_(?P<local>[^:]+)$")
    parts = pc.if_else(pc.is_valid(parts), parts, lined)
    found = pc.struct_field(parts, 0).dictionary_encode()
    result = pa.nulls(len(text), pa.string())
    for code, spelling in enumerate(found.dictionary.to_pylist()):
        name = None if spelling is None else normalize_prefix(spelling)
        if name is None:
            continue
        chosen = pc.fill_null(pc.equal(found.indices, code), False)
        local = pc.filter(pc.struct_field(parts, 1), chosen)
        local = _strip(local, _head_pattern(name))
        result = pc.replace_with_mask(result, chosen, _with_prefix(local, name))
    return result


def curie_map(values: Iterable[str]) -> dict[str, str]:
    """Map distinct values to their CURIEs (see `parse_curies`); values that are none are absent."""
    distinct = sorted(set(values))
    found = parse_curies(pa.array(distinct, pa.string())).to_pylist()
    return {value: one for value, one in zip(distinct, found, strict=True) if one is not None}


def prefix_of(curie_: str) -> str:
    """Prefix of a normalised CURIE."""
    return curie_.partition(":")[0]


def _flat(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    flat = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_dictionary(flat.type):
        flat = flat.dictionary_decode()
    return flat.cast(pa.string())


def _strip(values: pa.Array, pattern: str) -> pa.Array:
    return pc.replace_substring_regex(values, pattern, "")


@cache
def _head_pattern(name: str) -> str:
    """Pattern of what may stand before an identifier: a URI's head, the prefix once or twice."""
    spellings = {name, *(s for s, p in prefixes().names.items() if p == name)}
    # Compared without case; between its letters a spelling may have any one mark of punctuation.
    loose = sorted(
        (r"[-_. /]?".join(re.escape(c) for c in squash(s)) for s in spellings if squash(s)),
        key=lambda s: (-len(s), s),
    )
    return rf"(?i)^(?:https?://\S*[/#=])?(?:(?:{'|'.join(loose)})[:_])*"


def _with_prefix(local: pa.Array, name: str) -> pa.Array:
    pattern = prefixes().patterns.get(name, r"^\S+$")
    try:
        fits = pc.match_substring_regex(local, f"^(?:{pattern})$")
    except pa.ArrowInvalid as error:  # a pattern that RE2 does not take
        raise DataError(
            "the pattern of a prefix cannot be used", found=f"{name}: {error}"
        ) from error
    if name in PLAIN_NUMBERS:
        fits = pc.and_(fits, pc.invert(pc.starts_with(local, "0")))
    whole = pc.binary_join_element_wise(pa.scalar(name), local, ":")
    return pc.if_else(pc.fill_null(fits, False), whole, pa.scalar(None, pa.string()))
