"""Variables of a file of cells matched to genes and proteins of the graph.

A variable is tried, best first, as an Ensembl gene (with or without version), an NCBI gene, an
HGNC or a UniProt identifier, an approved symbol, and an unambiguous alias. The approved symbol of
one gene wins over the alias of another; what is ambiguous is reported and not guessed. One
variable stands for an entity: a second one for the same entity is a duplicate and stays unmapped.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.kg.cells.obs.fields import is_true

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd
    import pyarrow as pa

    from tosg.kg.database.connection import Database

#: Columns of var that may name the variables, after its index; compared without case.
ID_COLUMNS = (
    "gene_ids",
    "gene_id",
    "feature_id",
    "ensembl_id",
    "ensembl",
    "ensembl_gene_id",
    "ensg",
)
SYMBOL_COLUMNS = (
    "feature_name",
    "gene_symbols",
    "gene_symbol",
    "symbol",
    "gene_name",
    "gene_names",
)
TYPE_COLUMNS = ("feature_types", "feature_type")

_ENSEMBL = re.compile(r"^(ENSG\d{11})(?:\.\d+)?$", re.IGNORECASE)
_NCBI = re.compile(r"^(?:GeneID|NCBIGene|entrez(?:gene)?):(\d+)$", re.IGNORECASE)
_HGNC = re.compile(r"^HGNC:(\d+)$", re.IGNORECASE)
_UNIPROT = re.compile(
    r"^(?:uniprot(?:kb)?:)?"
    r"([OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9](?:[A-Z][A-Z0-9]{2}[0-9]){1,2})(?:-\d+)?$",
    re.IGNORECASE,
)
#: What vendors hang on the names of antibodies.
_ANTIBODY = re.compile(
    r"^(?:anti[-_ ](?:human[-_ ])?)|(?:[-_.](?:TotalSeq[A-D]?|TotalA|PROT|ADT|protein))$",
    re.IGNORECASE,
)

#: An open reading frame is written C1orf112; some files shout it.
_ORF = re.compile(r"^(C(?:[0-9]+|X|Y))ORF([0-9]+)")

_RANKS = ("identifier", "symbol", "alias")


@dataclass
class EntityNames:
    """Identifiers, symbols and aliases of the nodes of one type; a key may have several nodes."""

    ids: dict[str, set[str]] = field(default_factory=dict)
    symbols: dict[str, set[str]] = field(default_factory=dict)
    aliases: dict[str, set[str]] = field(default_factory=dict)
    symbol_of: dict[str, str] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)

    @classmethod
    def of(
        cls, batches: Iterable[pa.RecordBatch], wanted: Sequence[Variable] | None = None
    ) -> EntityNames:
        """Build from batches with id, symbol, synonyms and xrefs.

        Parameters
        ----------
        batches : iterable of RecordBatch
        wanted : sequence of Variable, optional
            Keep only what these may ask for; a graph has a hundred times as many names.
        """
        import pyarrow as pa

        names = cls()
        keys = None if wanted is None else pa.array(sorted(_asked(wanted)), pa.string())
        for batch in batches:
            names._add(batch, keys)
        return names

    def _add(self, batch: pa.RecordBatch, keys: pa.Array | None) -> None:
        nodes = batch.column("id").to_pylist()
        for node, symbol in zip(nodes, batch.column("symbol").to_pylist(), strict=True):
            self.ids.setdefault(node, set()).add(node)
            if symbol:
                self.symbols.setdefault(_key(symbol), set()).add(node)
                self.symbol_of[node] = symbol
        for row, xref in _listed(batch.column("xrefs"), keys):
            if xref.startswith(_PREFIXES):
                self.ids.setdefault(xref, set()).add(nodes[row])
        for row, alias in _listed(batch.column("synonyms"), keys):
            self.aliases.setdefault(_key(alias), set()).add(nodes[row])
        self.approved |= {nodes[row] for row in _with_prefix(batch.column("xrefs"), "hgnc:")}
        self.approved |= {node for node in nodes if node.startswith("hgnc:")}

    def by_id(self, curie: str) -> set[str]:
        """Nodes that an identifier names: its own node wins over cross-references."""
        found = self.ids.get(curie, set())
        return {curie} if curie in found else found

    def by_symbol(self, symbol: str) -> set[str]:
        """Nodes of a symbol: of several, the one whose symbol HGNC approved."""
        found = self.symbols.get(_key(symbol), set())
        approved = found & self.approved
        return approved if len(found) > 1 and len(approved) == 1 else found


_PREFIXES = ("ensembl:", "ncbigene:", "hgnc:", "uniprot:")
_PROPERTIES = ("id", "symbol", "synonyms", "xrefs")


def _asked(variables: Sequence[Variable]) -> set[str]:
    """Every key by which variables may be looked up, in the spellings that a graph may have."""
    keys: set[str] = set()
    for v in variables:
        for text in v.identifiers:
            keys.update(_curies(text, protein=v.protein))
        for text in (*v.symbols, *(_ANTIBODY.sub("", t) for t in v.symbols if v.protein)):
            key = _key(text)
            keys |= {text, key, key.upper() if "orf" in key else key}
    return keys


def _listed(lists: pa.Array, keys: pa.Array | None) -> Iterator[tuple[int, str]]:
    """Yield (row, value) of a column of lists, of all values or of those among the keys."""
    import pyarrow.compute as pc

    rows, values = pc.list_parent_indices(lists), pc.list_flatten(lists)
    if keys is not None:
        found = pc.is_in(values, value_set=keys)
        rows, values = rows.filter(found), values.filter(found)
    yield from zip(rows.to_pylist(), values.to_pylist(), strict=True)


def _with_prefix(lists: pa.Array, prefix: str) -> list[int]:
    """Rows of a column of lists that have a value of the prefix."""
    import pyarrow.compute as pc

    found = pc.starts_with(pc.list_flatten(lists), prefix)
    rows: list[int] = pc.list_parent_indices(lists).filter(found).to_pylist()
    return rows


def _key(symbol: str) -> str:
    # Case counts: Cd3d is a mouse's gene and must not become man's.
    return _ORF.sub(r"\1orf\2", symbol) if "ORF" in symbol else symbol


def read_entity_names(
    db: Database, label: str, wanted: Sequence[Variable] | None = None
) -> EntityNames:
    """Read names and identifiers of the nodes of a type from the graph; see `EntityNames.of`."""
    from tosg.kg.reader.bulk import read_nodes

    return EntityNames.of(read_nodes(db, label, _PROPERTIES), wanted)


@dataclass(frozen=True)
class VariableMap:
    """Which entity each variable stands for.

    Attributes
    ----------
    entities : list of str or None
        CURIE per variable.
    how : list of str or None
        ``identifier``, ``symbol`` or ``alias``, per variable.
    ambiguous : dict of str to list of str
        Variable -> the entities it may be.
    duplicates : dict of str to str
        Variable -> the variable that stands for the same entity.
    unmapped : list of str
    symbols : dict of str to str
        Entity -> symbol, for those that are mapped.
    """

    entities: list[str | None]
    how: list[str | None]
    ambiguous: dict[str, list[str]]
    duplicates: dict[str, str]
    unmapped: list[str]
    symbols: dict[str, str]

    @property
    def n_mapped(self) -> int:
        """Number of variables that stand for an entity."""
        return sum(e is not None for e in self.entities)

    def document(self) -> dict[str, Any]:
        """What reports say of it."""
        return {
            "total": len(self.entities),
            "mapped": {kind: self.how.count(kind) for kind in _RANKS},
            "ambiguous": self.ambiguous,
            "duplicates": self.duplicates,
            "unmapped": self.unmapped,
        }


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable with every name that its row of var gives."""

    name: str
    identifiers: tuple[str, ...]
    symbols: tuple[str, ...]
    protein: bool


def variables_of(var: pd.DataFrame) -> list[Variable]:
    """Collect the names of each variable from the index and the known columns of var."""
    index = [str(v) for v in var.index]
    by_lower = {str(c).lower(): c for c in var.columns}

    def columns(names: Sequence[str]) -> list[list[str]]:
        found = [by_lower[n] for n in names if n in by_lower]
        return [["" if v is None else str(v) for v in var[c].tolist()] for c in found]

    ids, symbols = columns(ID_COLUMNS), columns(SYMBOL_COLUMNS)
    types = (columns(TYPE_COLUMNS) or [[""] * len(index)])[0]
    rows = []
    for i, name in enumerate(index):
        protein = types[i].lower() in ("antibody capture", "protein", "adt", "antibody")
        identifiers = (name, *(c[i] for c in ids))
        named = (name, *(c[i] for c in symbols), *(c[i] for c in ids))
        rows.append(Variable(name, identifiers, tuple(dict.fromkeys(named)), protein))
    return rows


def names_of(variable: Variable) -> str:
    """Everything that `resolve` needs of a variable, as JSON: what the data set's node keeps."""
    document = [variable.name, variable.identifiers, variable.symbols, variable.protein]
    return json.dumps(document, ensure_ascii=False)


def variable_of(document: str) -> Variable:
    """Read back what `names_of` wrote."""
    name, identifiers, symbols, protein = json.loads(document)
    return Variable(name, tuple(identifiers), tuple(symbols), protein)


def resolve(
    variables: Sequence[Variable], genes: EntityNames, proteins: EntityNames
) -> VariableMap:
    """Match variables to entities; see the module for the order."""
    found = [_match(v, proteins if v.protein else genes, proteins) for v in variables]
    entities: list[str | None] = [None] * len(variables)
    how: list[str | None] = [None] * len(variables)
    ambiguous: dict[str, list[str]] = {}
    duplicates: dict[str, str] = {}
    unmapped: list[str] = []
    taken: dict[str, int] = {}
    order = sorted(
        range(len(found)), key=lambda i: (_RANKS.index(found[i][0]), i) if found[i][1] else (9, i)
    )
    for i in order:
        kind, nodes = found[i]
        if len(nodes) == 1:
            node = next(iter(nodes))
            if node in taken:
                duplicates[variables[i].name] = variables[taken[node]].name
                continue
            taken[node] = i
            entities[i], how[i] = node, kind
        elif nodes:
            ambiguous[variables[i].name] = sorted(nodes)
        else:
            unmapped.append(variables[i].name)
    known = {**proteins.symbol_of, **genes.symbol_of}
    symbols = {e: known[e] for e in entities if e is not None and e in known}
    return VariableMap(entities, how, ambiguous, duplicates, unmapped, symbols)


def _match(v: Variable, names: EntityNames, proteins: EntityNames) -> tuple[str, set[str]]:
    ambiguous: tuple[str, set[str]] | None = None
    for kind, nodes in _attempts(v, names, proteins):
        if len(nodes) == 1:
            return kind, nodes
        if nodes and ambiguous is None:
            ambiguous = (kind, nodes)
            if kind != "identifier":
                return ambiguous
    return ambiguous or ("alias", set())


def _attempts(
    v: Variable, names: EntityNames, proteins: EntityNames
) -> Iterator[tuple[str, set[str]]]:
    for text in v.identifiers:
        for curie in _curies(text, protein=v.protein):
            source = proteins if curie.startswith("uniprot:") else names
            yield "identifier", source.by_id(curie)
    texts = [s for s in v.symbols if s]
    if v.protein:
        texts += [s for s in (_ANTIBODY.sub("", t) for t in texts) if s]
    for text in texts:
        yield "symbol", names.by_symbol(text)
    for text in texts:
        yield "alias", names.aliases.get(_key(text), set())


def _curies(text: str, *, protein: bool) -> Iterator[str]:
    if found := _ENSEMBL.match(text):
        yield f"ensembl:{found[1].upper()}"
    elif found := _NCBI.match(text):
        yield f"ncbigene:{found[1]}"
    elif found := _HGNC.match(text):
        yield f"hgnc:{found[1]}"
    # P2RY12 is a gene's symbol and looks like an accession: only said to be a protein, it is one.
    elif (protein or text.lower().startswith("uniprot")) and (found := _UNIPROT.match(text)):
        yield f"uniprot:{found[1].upper()}"


def measured_of(var: pd.DataFrame, x_var: pd.DataFrame, seen: Any) -> np.ndarray[Any, Any]:
    """Tell which variables were measured.

    CELLxGENE marks with ``feature_is_filtered`` the variables that were taken out of ``X``. Such
    a variable is measured only where the attached matrix has a value for it.

    Parameters
    ----------
    var : DataFrame
        Variables of the attached matrix.
    x_var : DataFrame
        Variables of ``X``, which carry the flag.
    seen : (n_variables,) bool
        Whether any cell has a value other than 0.

    Returns
    -------
    (n_variables,) bool
    """
    column = "feature_is_filtered"
    if column not in x_var.columns or not x_var.index.is_unique:
        return np.ones(len(var), bool)
    rows = zip(x_var.index, x_var[column], strict=True)
    filtered = {name for name, flag in rows if is_true(str(flag))}
    flags = np.array([name in filtered for name in var.index], bool)
    return np.asarray(~flags | np.asarray(seen, bool))
