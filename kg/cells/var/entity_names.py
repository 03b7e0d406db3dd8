"""Names and identifiers of the graph's genes and proteins, as variables are looked up in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from tosg.kg.cells.var.antibodies import antigen_names, antigen_of
from tosg.kg.cells.var.identifiers import read_curies
from tosg.kg.cells.var.readings import identifiers_in, symbols_in
from tosg.kg.cells.var.words import can_be_alias, symbol_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from tosg.kg.cells.var.variables import Variable
    from tosg.kg.database.connection import Database

_PREFIXES = ("ensembl:", "ncbigene:", "hgnc:", "uniprot:")
_PROPERTIES = ("id", "symbol", "previous", "synonyms", "xrefs")


@dataclass
class EntityNames:
    """Identifiers, symbols and aliases of the nodes of one type; a key may have several nodes.

    Attributes
    ----------
    ids, symbols, previous, aliases : dict of str to set of str
        Text -> nodes; every previous symbol is an alias, too.
    symbol_of : dict of str to str
        Node -> its symbol.
    approved : set of str
        Nodes whose symbol HGNC approved.
    with_ensembl : set of str
        Nodes that have an Ensembl identifier.
    """

    ids: dict[str, set[str]] = field(default_factory=dict)
    symbols: dict[str, set[str]] = field(default_factory=dict)
    previous: dict[str, set[str]] = field(default_factory=dict)
    aliases: dict[str, set[str]] = field(default_factory=dict)
    symbol_of: dict[str, str] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)
    with_ensembl: set[str] = field(default_factory=set)

    @classmethod
    def of(
        cls,
        batches: Iterable[pa.RecordBatch],
        wanted: Sequence[Variable] | None = None,
        also: Iterable[str] = (),
    ) -> EntityNames:
        """Build from batches with id, symbol, synonyms, xrefs and, if known, previous.

        Parameters
        ----------
        batches : iterable of RecordBatch
        wanted : sequence of Variable, optional
            Keep only what these may ask for; a graph has a hundred times as many names.
        also : iterable of str
            Further names to keep.
        """
        import pyarrow as pa

        names = cls()
        keys = None if wanted is None else pa.array(sorted(_asked(wanted) | set(also)), pa.string())
        for batch in batches:
            names._add(batch, keys)
        return names

    def _add(self, batch: pa.RecordBatch, keys: pa.Array | None) -> None:
        nodes = batch.column("id").to_pylist()
        for node, symbol in zip(nodes, batch.column("symbol").to_pylist(), strict=True):
            self.ids.setdefault(node, set()).add(node)
            if symbol:
                self.symbols.setdefault(symbol_key(symbol), set()).add(node)
                self.symbol_of[node] = symbol
        for row, xref in _listed(batch.column("xrefs"), keys):
            if xref.startswith(_PREFIXES):
                self.ids.setdefault(xref, set()).add(nodes[row])
        for column, names in (("previous", self.previous), ("synonyms", self.aliases)):
            if column not in batch.schema.names:
                continue
            for row, alias in _listed(batch.column(column), keys):
                if can_be_alias(alias):
                    names.setdefault(symbol_key(alias), set()).add(nodes[row])
        self.approved |= {nodes[row] for row in _with_prefix(batch.column("xrefs"), "hgnc:")}
        self.approved |= {node for node in nodes if node.startswith("hgnc:")}
        ensembl = _with_prefix(batch.column("xrefs"), "ensembl:ENSG")
        self.with_ensembl |= {nodes[row] for row in ensembl}
        self.with_ensembl |= {node for node in nodes if node.startswith("ensembl:ENSG")}

    def by_id(self, curie: str) -> set[str]:
        """Nodes that an identifier names: its own node wins over cross-references."""
        found = self.ids.get(curie, set())
        return {curie} if curie in found else found

    def by_symbol(self, symbol: str) -> set[str]:
        """Nodes of a symbol: of several, HGNC's own one, else the one that has an HGNC number."""
        found = self.symbols.get(symbol_key(symbol), set())
        if len(found) > 1:
            for better in ({n for n in found if n.startswith("hgnc:")}, found & self.approved):
                if len(better) == 1:
                    return better
        return found

    def by_previous(self, symbol: str) -> set[str]:
        """Nodes that had a symbol before, or have it in one of their sources."""
        return self.previous.get(symbol_key(symbol), set())

    def by_alias(self, alias: str) -> set[str]:
        """Nodes that have a name as an alias."""
        return self.aliases.get(symbol_key(alias), set())


@dataclass(frozen=True)
class NameIndex:
    """Names of the graph's genes and proteins, and which belong together.

    Attributes
    ----------
    genes, proteins : EntityNames
    encoded : dict of str to set of str
        Gene -> the proteins that the graph says it encodes.
    """

    genes: EntityNames = field(default_factory=EntityNames)
    proteins: EntityNames = field(default_factory=EntityNames)
    encoded: dict[str, set[str]] = field(default_factory=dict)

    def genes_of_symbol(self, symbol: str) -> set[str]:
        """Genes of a protein's symbol: present symbols win over previous ones and aliases."""
        genes = self.genes
        return genes.by_symbol(symbol) or genes.by_previous(symbol) or genes.by_alias(symbol)

    def encodes(self, gene: str, protein: str) -> bool:
        """Whether a protein is a gene's: the graph says so, or its symbol is a name of the gene."""
        return protein in self.proteins_of(gene)

    def proteins_of(self, gene: str) -> set[str]:
        """Proteins of a gene; see `encodes`."""
        return self._proteins_by_gene.get(gene, set())

    @cached_property
    def _proteins_by_gene(self) -> dict[str, set[str]]:
        found = {gene: set(proteins) for gene, proteins in self.encoded.items()}
        for protein, symbol in self.proteins.symbol_of.items():
            for gene in self.genes_of_symbol(symbol):
                found.setdefault(gene, set()).add(protein)
        return found


def read_names(db: Database, wanted: Sequence[Variable]) -> NameIndex:
    """Read the names of genes and proteins from the graph that variables may ask for."""
    from tosg.kg.reader.bulk import read_nodes

    proteins = EntityNames.of(read_nodes(db, "Protein", _PROPERTIES), wanted)
    symbols = proteins.symbol_of.values()
    genes = EntityNames.of(read_nodes(db, "Gene", _PROPERTIES), wanted, symbols)
    encoded: dict[str, set[str]] = {}
    # One record of two lists: a record per pair would be twenty thousand.
    for row in db.rows(
        "CYPHER 5 MATCH (g:Gene)-[:ENCODES]->(p:Protein) "
        "RETURN collect(g.id) AS genes, collect(p.id) AS proteins"
    ):
        for gene, protein in zip(row["genes"], row["proteins"], strict=True):
            encoded.setdefault(gene, set()).add(protein)
    return NameIndex(genes, proteins, encoded)


def _asked(variables: Sequence[Variable]) -> set[str]:
    """Every key by which variables may be looked up, in the spellings that a graph may have."""
    names = {v.name for v in variables}
    keys: set[str] = set()
    for variable in variables:
        for text in variable.identifiers:
            keys.update(read_curies(text, protein=variable.protein))
        for text in variable.symbols:
            for identifier in identifiers_in(text):
                keys.update(read_curies(identifier, protein=variable.protein))
            for name in (text, *symbols_in(text, names)):
                key = symbol_key(name)
                keys |= {name, key, key.upper() if "orf" in key else key}
            if variable.protein:
                keys.update(_asked_of_antibody(text))
    return keys


def _asked_of_antibody(text: str) -> Iterator[str]:
    for name in antigen_names(text):
        yield from (name, cd_antigen(name))
        antigen = antigen_of(name)
        yield from () if antigen is None else antigen.symbols


def cd_antigen(name: str) -> str:
    """Write a CD number as UniProt lists it among the names of a protein."""
    return f"CD antigen {name}"


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
