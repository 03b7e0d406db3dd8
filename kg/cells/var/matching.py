"""Variables of a file of cells matched to genes and proteins of the graph.

A variable is tried, best first, as an identifier (Ensembl gene, NCBI gene, HGNC, UniProt), as a
symbol, as a previous symbol, and as an alias that no other gene or protein has. Antibodies are
first tried by the antigens that panels use. What no name finds is read back
(`tosg.kg.cells.var.readings`). The symbol of one gene wins over the previous symbol or alias of
another; what may be two things is ambiguous and left alone. One variable stands for an entity: a
second one for the same entity is a duplicate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tosg.kg.cells.var.antibodies import Antigen, antigen_names, antigen_of, not_an_antigen
from tosg.kg.cells.var.entity_names import cd_antigen
from tosg.kg.cells.var.identifiers import read_curies
from tosg.kg.cells.var.modality import OTHER
from tosg.kg.cells.var.readings import identifiers_in, symbols_in
from tosg.kg.cells.var.words import can_be_alias, can_be_symbol, is_bare_number, is_date

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from tosg.kg.cells.var.entity_names import NameIndex
    from tosg.kg.cells.var.variables import Variable

#: How a variable was matched, best first.
RANKS = ("identifier", "symbol", "antigen", "previous symbol", "alias")


@dataclass(frozen=True, slots=True)
class Match:
    """What one variable may stand for.

    Attributes
    ----------
    nodes : frozenset of str
        One if it was matched, several if it is ambiguous.
    how : str
        One of `RANKS`; "" where nothing was found.
    by : str
        The text that was found.
    read_back : bool
        Whether that text is a reading of the name (see `tosg.kg.cells.var.readings`).
    reason : str
        Why nothing was looked for, or why what was found does not count.
    """

    nodes: frozenset[str] = frozenset()
    how: str = ""
    by: str = ""
    read_back: bool = False
    reason: str = ""

    @property
    def decided(self) -> bool:
        """Whether no further name is to be tried."""
        return bool(self.nodes) or bool(self.reason)


_NONE = Match()


@dataclass(frozen=True)
class VariableMap:
    """Which entity each variable stands for.

    Attributes
    ----------
    entities : list of str or None
        CURIE per variable.
    how : list of str or None
        One of `RANKS`, per variable.
    by : list of str or None
        The text of its row that was found, per variable.
    ambiguous : dict of str to list of str
        Variable -> the entities it may be.
    duplicates : dict of str to str
        Variable -> the variable that stands for the same entity.
    unmapped : list of str
    reasons : dict of str to str
        Variable -> why it is unmapped, where more is known than that no name was found.
    read_back : list of str
        Variables whose name was read back.
    symbols : dict of str to str
        Entity -> symbol, for those that are mapped.
    names : list of str
        Name of each variable.
    """

    entities: list[str | None]
    how: list[str | None]
    ambiguous: dict[str, list[str]]
    duplicates: dict[str, str]
    unmapped: list[str]
    symbols: dict[str, str]
    by: list[str | None] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    read_back: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    @property
    def n_mapped(self) -> int:
        """Number of variables that stand for an entity."""
        return sum(e is not None for e in self.entities)

    def as_dict(self) -> dict[str, Any]:
        """What reports say of it, as plain JSON content."""
        rows = zip(self.names, self.entities, self.how, self.by, strict=True)
        return {
            "total": len(self.entities),
            "mapped": {kind: self.how.count(kind) for kind in RANKS if kind in self.how},
            "matched": {
                name: {"id": e, "symbol": self.symbols.get(e), "how": how, "by": by}
                for name, e, how, by in rows
                if e is not None
            },
            "read_back": self.read_back,
            "ambiguous": self.ambiguous,
            "duplicates": self.duplicates,
            "unmapped": self.unmapped,
            "reasons": self.reasons,
        }


def match_variables(variables: Sequence[Variable], index: NameIndex) -> VariableMap:
    """Match variables to entities; see the module for the order."""
    names = {v.name for v in variables}
    found = [_match(v, index, names) for v in variables]
    result = VariableMap(
        entities=[None] * len(variables),
        how=[None] * len(variables),
        ambiguous={},
        duplicates={},
        unmapped=[],
        symbols={},
        by=[None] * len(variables),
        names=[v.name for v in variables],
    )
    taken: dict[str, int] = {}
    for i in sorted(range(len(found)), key=lambda i: (*_rank(found[i]), i)):
        _settle(result, i, found[i], taken)
    known = {**index.proteins.symbol_of, **index.genes.symbol_of}
    symbols = {e: known[e] for e in result.entities if e is not None and e in known}
    result.symbols.update(symbols)
    return result


def _rank(match: Match) -> tuple[int, bool]:
    return (RANKS.index(match.how) if match.how else len(RANKS), match.read_back)


def _settle(result: VariableMap, i: int, match: Match, taken: dict[str, int]) -> None:
    """Enter the outcome of variable i; better matches come first."""
    name = result.names[i]
    if len(match.nodes) == 1:
        (node,) = match.nodes
        if node in taken:
            result.duplicates[name] = result.names[taken[node]]
            return
        taken[node] = i
        result.entities[i], result.how[i], result.by[i] = node, match.how, match.by
        if match.read_back:
            result.read_back.append(name)
    elif match.nodes:
        result.ambiguous[name] = sorted(match.nodes)
    else:
        result.unmapped.append(name)
        if match.reason:
            result.reasons[name] = match.reason


def _match(v: Variable, index: NameIndex, names: Container[str]) -> Match:
    if v.modality == OTHER:
        return Match(reason="neither a gene nor a protein")
    by_id = _by_identifier(v, v.identifiers, index)
    if len(by_id.nodes) == 1:
        return by_id
    if v.organism is not None:
        return Match(reason=f"of {v.organism}")
    steps = _antibody_steps(v, index) if v.protein else _gene_steps(v, index, names)
    by_name = next((m for m in steps if m.decided), _NONE)
    if by_id.nodes:  # an identifier of several nodes: the name may choose among them, no more
        chosen = by_id.nodes & by_name.nodes
        return Match(chosen, "identifier", by_id.by) if len(chosen) == 1 else by_id
    return by_name if by_name.decided else Match(reason=_not_a_name(v))


def _not_a_name(v: Variable) -> str:
    if is_date(v.name):
        return "a date, as spreadsheets make of SEPT2 and MARCH1"
    if any(can_be_symbol(s) for s in v.symbols):
        return ""
    return (
        "a number, which no column calls an Entrez number"
        if is_bare_number(v.name)
        else "not a name"
    )


def _by_identifier(v: Variable, texts: Sequence[str], index: NameIndex) -> Match:
    """Match the best identifier that the graph knows; of several nodes only if none has one."""
    several = _NONE
    for text in texts:
        for curie in read_curies(text, protein=v.protein):
            protein = v.protein or curie.startswith("uniprot:")
            nodes = (index.proteins if protein else index.genes).by_id(curie)
            if len(nodes) == 1:
                return Match(frozenset(nodes), "identifier", text)
            if nodes and not several.nodes:
                several = Match(frozenset(nodes), "identifier", text)
    return several


def _gene_steps(v: Variable, index: NameIndex, names: Container[str]) -> Iterator[Match]:
    texts = [s for s in v.symbols if can_be_symbol(s)]
    for text in texts:
        yield Match(frozenset(index.genes.by_symbol(text)), "symbol", text)
    for text in filter(can_be_alias, texts):
        yield _by_former_name(v, text, index)
    for text in texts:
        yield _read_back(v, text, index, names)


def _by_former_name(v: Variable, text: str, index: NameIndex) -> Match:
    """Match a previous symbol, else an alias: of one gene, and of no protein of another one."""
    how, genes = "previous symbol", index.genes.by_previous(text)
    proteins = index.proteins.by_symbol(text)
    if not genes:
        how, genes = "alias", index.genes.by_alias(text)
        proteins = proteins | index.proteins.by_alias(text)
    if not genes:
        return _NONE
    others = {p for p in proteins if not any(index.encodes(g, p) for g in genes)}
    if len(genes) == 1 and not others and _has_other_id(v, next(iter(genes)), index):
        return Match(reason=f"its identifier is not that of {text}")
    return Match(frozenset(genes | others), how, text)


def _has_other_id(v: Variable, gene: str, index: NameIndex) -> bool:
    """Whether a variable has an Ensembl identifier that the graph lacks, and the gene another."""
    curies = (c for text in v.identifiers for c in read_curies(text, protein=False))
    return gene in index.genes.with_ensembl and any(c.startswith("ensembl:") for c in curies)


def _read_back(v: Variable, text: str, index: NameIndex, names: Container[str]) -> Match:
    by_id = _by_identifier(v, list(identifiers_in(text)), index)
    if by_id.nodes:
        return Match(by_id.nodes, by_id.how, by_id.by, read_back=True)
    readings = {s: index.genes.by_symbol(s) for s in symbols_in(text, names) if can_be_symbol(s)}
    nodes = frozenset[str]().union(*readings.values())
    by = next((s for s, found in readings.items() if found), "")
    return Match(nodes, "symbol", by, read_back=True) if nodes else _NONE


def _antibody_steps(v: Variable, index: NameIndex) -> Iterator[Match]:
    for text in v.symbols:
        if reason := not_an_antigen(text):
            yield Match(reason=reason)
        whole, *parts = antigen_names(text) or [text]
        yield _by_antigen(whole, index)
        found = [m for m in (_by_antigen(part, index) for part in parts) if m.decided]
        if found and all(m.nodes for m in found):
            # CD279 (PD-1): both names have to mean the same.
            nodes = frozenset[str]().union(*(m.nodes for m in found))
            yield Match(nodes, found[0].how, found[0].by)
        yield from (m for m in found if m.reason)


def _by_antigen(name: str, index: NameIndex) -> Match:
    """Match the name of an antigen: as panels use it, as a symbol, then as an alias."""
    antigen = antigen_of(name)
    if antigen is not None:
        return _by_table(name, antigen, index)
    if not can_be_symbol(name):
        return _NONE
    nodes = _proteins_of_symbol(name, index)
    if nodes:
        return Match(frozenset(nodes), "symbol", name)
    if not can_be_alias(name):
        return _NONE
    previous = index.proteins.by_previous(name)
    if len(previous) == 1:
        return Match(frozenset(previous), "previous symbol", name)
    nodes = index.proteins.by_alias(cd_antigen(name)) or index.proteins.by_alias(name)
    genes = index.genes.by_alias(name)
    if not nodes:
        nodes = set[str]().union(*(index.proteins_of(g) for g in genes))
    others = {g for g in genes if not any(index.encodes(g, p) for p in nodes)}
    return Match(frozenset(nodes | others), "alias", name) if nodes else _NONE


def _by_table(name: str, antigen: Antigen, index: NameIndex) -> Match:
    if antigen.note:
        of = f" ({', '.join(antigen.symbols)})" if antigen.symbols else ""
        return Match(reason=f"{antigen.note}{of}")
    nodes = _proteins_of_symbol(antigen.symbols[0], index)
    if not nodes:
        return Match(reason=f"{antigen.symbols[0]} is no protein of the graph")
    return Match(frozenset(nodes), "antigen", name)


def _proteins_of_symbol(symbol: str, index: NameIndex) -> set[str]:
    """Proteins of a symbol: their own, else that of the gene with the approved symbol."""
    own = index.proteins.by_symbol(symbol)
    if own:
        return own
    return set[str]().union(*(index.proteins_of(g) for g in index.genes.by_symbol(symbol)))
