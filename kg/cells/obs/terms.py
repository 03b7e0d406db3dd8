"""Labels of cells matched to nodes of the graph: terms by id, names exactly and unambiguously.

The name of a node wins over the synonym of another. A short synonym (CD, MM, RA) is no match, since
it may stand for something else in the graph; the report suggests it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tosg.kg.cells.obs.fields import FIELDS, NORMAL, Field, is_missing, is_normal, sex
from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import parse_curies, prefix_of
from tosg.kg.schema.folding import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa

    from tosg.kg.database.connection import Database

#: How the note of a label begins whose suffix was cut off.
CUT_OFF = "without"

#: Separates the terms of a value that has several (CELLxGENE), and their nodes.
SEVERAL = " || "

#: A term that cannot stand in its field, as a PATO term for a cell type: the cell has no label.
WRONG_ONTOLOGY = "wrong ontology"
#: Kinds of outcome that are wrong whatever cells have them.
REFUSED = (BAD_ID, WRONG_ONTOLOGY)

# What has the prefix of an ontology that describes cells and a number is a term, if a broken one.
# Of other prefixes only what the graph knows is one: DC:monocyte-derived and EC:3 are labels.
_ONTOLOGY = f"(?:{'|'.join(sorted({prefix for f in FIELDS for prefix in f.prefixes}))})"
_TERM = re.compile(rf"(?i)^{_ONTOLOGY}[:_][a-z]*\d+$")
_CURIE_LIKE = re.compile(r"(?i)^[a-z][a-z.]*[:_]\S+$")
_SUFFIX = re.compile(r"^(\S+[:_]\S+)\s+\(([^()]*)\)$")

_OBO_ADDRESS = re.compile(r"^https?://purl\.obolibrary\.org/obo/(?=[A-Za-z]+_\d+$)")

_PROPERTIES = ("id", "name", "previous", "synonyms", "xrefs")

# Up to so many letters and digits, a synonym in one word is taken for an abbreviation.
_SHORT_ALWAYS = 3
_SHORT_CAPITAL = 4
_SHORT_CAPITALS_OR_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Label:
    """What one value of a column became.

    Attributes
    ----------
    raw : str
        As in the file.
    kind : str
        ``matched``, ``perhaps`` (a short synonym), ``not in the graph``, ``ambiguous``, ``normal``,
        ``term`` (of an ontology whose terms are not nodes), ``text``, ``missing``, ``no person``,
        ``bad identifier`` or ``wrong ontology``.
    name : str or None
        Property of the cell: the node's name where one was matched, so that all spellings of one
        cell type are one; None where the cell has no usable label.
    term : str or None
        Normalised CURIE: the node's id where one was matched.
    node : str or None
        Id of the graph's node; of several terms, their nodes joined by `SEVERAL`.
    note : str
        What was found on the way: a suffix that was cut off, candidates, a suggestion.
    how : str
        How a node was found: ``id``, ``cross-reference``, ``name``, ``previous name`` or
        ``synonym``.
    """

    raw: str
    kind: str
    name: str | None = None
    term: str | None = None
    node: str | None = None
    note: str = ""
    how: str = ""


@dataclass
class TermIndex:
    """Names and identifiers of the nodes of one type; an ambiguous key has several nodes.

    Attributes
    ----------
    names : dict of str to str
        Node -> name.
    by_id, by_name, by_previous, by_synonym : dict of str to set of str
        Cross-reference; name, previous name and synonym (`fold_name`) -> nodes.
    short : set of str
        Synonyms (`fold_name`) that are abbreviations wherever the graph has them.
    """

    names: dict[str, str] = field(default_factory=dict)
    by_id: dict[str, set[str]] = field(default_factory=dict)
    by_name: dict[str, set[str]] = field(default_factory=dict)
    by_previous: dict[str, set[str]] = field(default_factory=dict)
    by_synonym: dict[str, set[str]] = field(default_factory=dict)
    short: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, batches: Iterable[pa.RecordBatch]) -> TermIndex:
        """Build from batches with id, name, synonyms, xrefs and, if known, previous."""
        index = cls()
        for batch in batches:
            for row in batch.to_pylist():
                index._add(row)
        return index

    def _add(self, row: dict[str, Any]) -> None:
        node = row["id"]
        self.names[node] = row["name"] or node
        for xref in row["xrefs"] or ():
            self.by_id.setdefault(xref, set()).add(node)
        if row["name"]:
            self.by_name.setdefault(fold_name(row["name"]), set()).add(node)
        for name in row.get("previous") or ():
            self.by_previous.setdefault(fold_name(name), set()).add(node)
        for synonym in row["synonyms"] or ():
            key = fold_name(synonym)
            self.by_synonym.setdefault(key, set()).add(node)
            if is_short(synonym):
                self.short.add(key)

    def term(self, curie: str) -> tuple[set[str], str]:
        """Nodes that a CURIE names and how: its own node wins over cross-references."""
        if curie in self.names:
            return {curie}, "id"
        return self.by_id.get(curie, set()), "cross-reference"

    def name(self, text: str) -> tuple[set[str], str]:
        """Nodes that a name names and how: present names win over previous ones and synonyms."""
        key = fold_name(text)
        for names, how in ((self.by_name, "name"), (self.by_previous, "previous name")):
            if key in names:
                return names[key], how
        return self.by_synonym.get(key, set()), "synonym"


def is_short(synonym: str) -> bool:
    """Whether a synonym is an abbreviation that others may use for something else.

    >>> [is_short(s) for s in ("MM", "Treg", "COPD", "cDC2", "T-cell", "skin", "lupus")]
    [True, True, True, True, False, False, False]
    """
    if len(synonym.split()) > 1:
        return False
    letters = [c for c in synonym if c.isalnum()]
    capitals = sum(c.isupper() for c in letters)
    return (
        len(letters) <= _SHORT_ALWAYS
        or (len(letters) <= _SHORT_CAPITAL and capitals > 0)
        or (
            len(letters) <= _SHORT_CAPITALS_OR_DIGITS
            and (capitals > 1 or any(c.isdigit() for c in letters))
        )
    )


def read_terms(db: Database, label: str) -> TermIndex:
    """Read the names of all nodes of a type from the graph."""
    from tosg.kg.reader.bulk import read_nodes

    return TermIndex.of(read_nodes(db, label, _PROPERTIES))


def normalise_terms(texts: list[str]) -> dict[str, str | None]:
    """Normalise texts that look like terms; None where the identifier is not a valid one."""
    import pyarrow as pa

    found = parse_curies(pa.array(texts, pa.string())).to_pylist()
    return dict(zip(texts, found, strict=True))


def match_labels(texts: Iterable[str], f: Field, index: TermIndex | None) -> dict[str, Label]:
    """Match the distinct values of one field.

    Parameters
    ----------
    texts : iterable of str
    f : Field
    index : TermIndex, optional
        The graph's nodes of the field's type, where it has one.

    Returns
    -------
    dict
        Value -> what it became.
    """
    distinct = sorted(set(texts))
    parts = {t: _parts(t, f) for t in distinct}
    bare = {p: _without_suffix(p) for ps in parts.values() for p in ps}
    looks = sorted({b for b in bare.values() if f.prefixes and _CURIE_LIKE.match(b)})
    curies = normalise_terms(looks)
    found = {p: _match(p, b, f, index, curies) for p, b in bare.items()}
    return {t: _joined(t, [found[p] for p in parts[t]]) for t in distinct}


def _without_suffix(text: str) -> str:
    """Cut off what stands in brackets after a term, and the address of OBO before it."""
    found = _SUFFIX.match(text)
    return _OBO_ADDRESS.sub("", found[1] if found else text)


def _parts(text: str, f: Field) -> list[str]:
    """Split a value into its terms: ``A || B`` is two, in fields that hold terms."""
    if not f.prefixes or SEVERAL.strip() not in text:
        return [text]
    return [part.strip() for part in text.split(SEVERAL.strip()) if part.strip()] or [text]


def _joined(raw: str, labels: Sequence[Label]) -> Label:
    """Join the terms of one value; it is matched only if all of them are."""
    if len(labels) == 1:
        return replace(labels[0], raw=raw)
    kinds = [label.kind for label in labels if label.kind != "missing"] or ["missing"]
    bad = (k for k in kinds if k not in ("matched", "normal", "term", "text"))
    kind = next(bad, "matched" if "matched" in kinds else kinds[0])
    terms = [label.term for label in labels]
    nodes = sorted({label.node for label in labels if label.node is not None})
    return Label(
        raw,
        kind,
        _together(label.name for label in labels),
        # A part without a term would be lost where the value is looked up again by its terms.
        None if None in terms else _together(terms),
        SEVERAL.join(nodes) or None,
        "; ".join(label.note for label in labels if label.note),
        ", ".join(dict.fromkeys(label.how for label in labels if label.how)),
    )


def _together(values: Iterable[str | None]) -> str | None:
    return SEVERAL.join(dict.fromkeys(v for v in values if v is not None)) or None


def _match(
    raw: str, bare: str, f: Field, index: TermIndex | None, curies: dict[str, str | None]
) -> Label:
    if is_missing(raw):
        return Label(raw, "missing")
    if f.name == "disease" and is_normal(bare):
        return Label(raw, "normal", "normal", NORMAL)
    if f.name == "sex" and (word := sex(bare)) is not None:
        return Label(raw, "term" if ":" in bare else "text", word)
    suffix = _SUFFIX.match(raw)
    note = f"{CUT_OFF} {raw[len(suffix[1]) :].strip()}" if suffix else ""
    if _TERM.match(bare) and bare in curies:
        return _match_term(raw, bare, f, index, curies[bare], note)
    if index is None:
        return Label(raw, "text", raw)
    curie = curies.get(bare)
    nodes, how = index.term(curie) if curie is not None else (set[str](), "")
    if len(nodes) == 1:  # OMIM and MeSH numbers that the graph has as cross-references
        return _matched(raw, next(iter(nodes)), index, how, note)
    return _match_name(raw, index)


def _match_name(raw: str, index: TermIndex) -> Label:
    nodes, how = index.name(raw)
    if len(nodes) > 1:
        return Label(raw, "ambiguous", raw, note=_candidates(nodes, index))
    if not nodes:
        return Label(raw, "not in the graph", raw)
    (node,) = nodes
    if (how != "name" and fold_name(raw) in index.short) or _abbreviates(raw, index.names[node]):
        return Label(raw, "perhaps", raw, note=_candidates(nodes, index))
    return _matched(raw, node, index, how)


def _abbreviates(raw: str, name: str) -> bool:
    """Whether a text may be an abbreviation that is spelt like a name: HIP is no hip."""
    return len(raw) <= _SHORT_ALWAYS and raw.isupper() and raw != name


def _match_term(
    raw: str, bare: str, f: Field, index: TermIndex | None, curie: str | None, note: str
) -> Label:
    if curie is None:  # CL_1 may be a cluster: the cell keeps the text
        return Label(raw, BAD_ID, raw, note=note)
    if prefix_of(curie) not in f.prefixes:
        return Label(raw, WRONG_ONTOLOGY, note=f"expected {' or '.join(f.prefixes)}")
    if index is None:
        return Label(raw, "term", bare, curie, note=note)
    nodes, how = index.term(curie)
    if len(nodes) == 1:
        return _matched(raw, next(iter(nodes)), index, how, note)
    if nodes:
        return Label(raw, "ambiguous", bare, curie, note=_candidates(nodes, index))
    return Label(raw, "not in the graph", bare, curie, note=note)


def _matched(raw: str, node: str, index: TermIndex, how: str, note: str = "") -> Label:
    return Label(raw, "matched", index.names[node], node, node, note, how)


def _candidates(nodes: set[str], index: TermIndex) -> str:
    return ", ".join(f"{index.names[node]} ({node})" for node in sorted(nodes))
