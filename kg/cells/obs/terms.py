"""Labels of cells matched to nodes of the graph: terms by id, names exactly and unambiguously."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tosg.kg.cells.obs.fields import FIELDS, NORMAL, Field, is_missing, is_normal, sex
from tosg.kg.schema.curies import parse_curies, prefix_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from tosg.kg.database.connection import Database

#: How the note of a label begins whose suffix was cut off.
CUT_OFF = "without"

#: Kinds of outcome that leave the cell without a usable label.
REFUSED = ("bad identifier", "wrong ontology")

# An underscore joins the words of a name (NK_1, COVID_19): it makes a term only after the prefix of
# an ontology that describes cells. Such a prefix and a number are a term, if a broken one; of
# other prefixes only what is a valid identifier is.
_ONTOLOGY = f"(?:{'|'.join(sorted({prefix for f in FIELDS for prefix in f.prefixes}))})"
_TERM = re.compile(rf"(?i)^{_ONTOLOGY}[:_][a-z]*\d+$")
_CURIE_LIKE = re.compile(rf"(?i)^(?:[a-z]+:|{_ONTOLOGY}_)\S+$")
_SUFFIX = re.compile(r"^(\S+[:_]\S+)\s+\(([^()]*)\)$")


@dataclass(frozen=True, slots=True)
class Label:
    """What one value of a column became.

    Attributes
    ----------
    raw : str
        As in the file.
    kind : str
        ``matched``, ``not in the graph``, ``ambiguous``, ``normal``, ``term`` (of an ontology
        whose terms are not nodes), ``text``, ``missing``, ``bad identifier`` or ``wrong ontology``.
    name : str or None
        Property of the cell: the node's name where one was matched, so that all spellings of one
        cell type are one; None where the cell has no usable label.
    term : str or None
        Normalised CURIE: the node's id where one was matched.
    node : str or None
        Id of the graph's node.
    note : str
        What was found on the way, as a suffix that was cut off.
    """

    raw: str
    kind: str
    name: str | None = None
    term: str | None = None
    node: str | None = None
    note: str = ""


@dataclass
class TermIndex:
    """Names and identifiers of the nodes of one type; an ambiguous key has several nodes."""

    names: dict[str, str] = field(default_factory=dict)
    by_id: dict[str, set[str]] = field(default_factory=dict)
    by_name: dict[str, set[str]] = field(default_factory=dict)
    by_synonym: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, batches: Iterable[pa.RecordBatch]) -> TermIndex:
        """Build from batches with id, name, synonyms and xrefs."""
        index = cls()
        for batch in batches:
            for row in batch.select(["id", "name", "synonyms", "xrefs"]).to_pylist():
                index._add(row)
        return index

    def _add(self, row: dict[str, Any]) -> None:
        node = row["id"]
        self.names[node] = row["name"] or node
        for xref in row["xrefs"] or ():
            self.by_id.setdefault(xref, set()).add(node)
        if row["name"]:
            self.by_name.setdefault(row["name"].casefold(), set()).add(node)
        for synonym in row["synonyms"] or ():
            self.by_synonym.setdefault(synonym.casefold(), set()).add(node)

    def term(self, curie: str) -> set[str]:
        """Nodes that a CURIE names: its own node wins over cross-references."""
        return {curie} if curie in self.names else self.by_id.get(curie, set())

    def name(self, text: str) -> set[str]:
        """Nodes that a name names: names win over synonyms."""
        key = text.casefold()
        return self.by_name.get(key) or self.by_synonym.get(key, set())


def read_terms(db: Database, label: str) -> TermIndex:
    """Read the names of all nodes of a type from the graph."""
    from tosg.kg.reader.bulk import read_nodes

    return TermIndex.of(read_nodes(db, label, ["id", "name", "synonyms", "xrefs"]))


def curies_of(texts: list[str]) -> dict[str, str | None]:
    """Normalise texts that look like terms; None where the identifier is not a valid one."""
    import pyarrow as pa

    found = parse_curies(pa.array(texts, pa.string())).to_pylist()
    return dict(zip(texts, found, strict=True))


def resolve(texts: Iterable[str], f: Field, index: TermIndex | None) -> dict[str, Label]:
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
    bare = {t: (_SUFFIX.match(t) or [t, t])[1] for t in distinct}
    looks = sorted({b for b in bare.values() if f.prefixes and _CURIE_LIKE.match(b)})
    curies = curies_of(looks)
    return {t: _resolve(t, bare[t], f, index, curies) for t in distinct}


def _resolve(
    raw: str, bare: str, f: Field, index: TermIndex | None, curies: dict[str, str | None]
) -> Label:
    if is_missing(raw):
        return Label(raw, "missing")
    if f.name == "disease" and is_normal(bare):
        return Label(raw, "normal", "normal", NORMAL)
    if f.name == "sex" and (word := sex(bare)) is not None:
        return Label(raw, "term" if ":" in bare else "text", word)
    note = "" if raw == bare else f"{CUT_OFF} {raw[len(bare) :].strip()}"
    if bare in curies and (_TERM.match(bare) or curies[bare] is not None):
        return _term(raw, bare, f, index, curies[bare], note)
    if index is None:
        return Label(raw, "text", raw)
    nodes = index.name(raw)
    if len(nodes) == 1:
        node = next(iter(nodes))
        return Label(raw, "matched", index.names[node], node, node)
    return Label(
        raw, "ambiguous" if nodes else "not in the graph", raw, note=", ".join(sorted(nodes))
    )


def _term(
    raw: str, bare: str, f: Field, index: TermIndex | None, curie: str | None, note: str
) -> Label:
    if curie is None:
        return Label(raw, "bad identifier", note=note)
    if prefix_of(curie) not in f.prefixes:
        return Label(raw, "wrong ontology", note=f"expected {' or '.join(f.prefixes)}")
    if index is None:
        return Label(raw, "term", bare, curie, note=note)
    nodes = index.term(curie)
    if len(nodes) == 1:
        node = next(iter(nodes))
        return Label(raw, "matched", index.names[node], node, node, note)
    if nodes:
        return Label(raw, "ambiguous", bare, curie, note=", ".join(sorted(nodes)))
    return Label(raw, "not in the graph", bare, curie, note=note)
