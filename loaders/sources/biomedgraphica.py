"""BioMedGraphica: entities with their identifiers, and relations between them (CSV).

One table for each type of entity (``BioMedGraphica_Conn_Gene.csv``), one with descriptions of each,
and one of relations. The output of its web application is read too: its edges have the same
columns, and ``entity_index_id_mapping.csv`` says which of the user's identifiers an entity is.

An entity lists identifiers of several databases. One of which it has several of the same database
is no identifier of the entity, and is left out. BioMedGraphica's own number is kept as a
cross-reference, so that a graph that names nodes by it (OmniCellTOSG) meets the same nodes.

Columns: the notebooks of https://github.com/FuhaiLiAiLab/BioMedGraphica (BioMedGraphica-Raw).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.celltosg import ID_SPELLINGS, WEBAPP_EDGES, WEBAPP_IDS
from tosg.kg.schema.curies import curies, parse_curies
from tosg.kg.schema.types import entity_types
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import blank_to_null, evidence, keep, split
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.biomedgraphica import RELATIONS, number_columns
from tosg.loaders.reference.graph_tables import EdgeRule, NodeIndex, edge_claims, typed_edges

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.base import Origin

_KEY = {"key": ID_SPELLINGS}


@dataclass(frozen=True)
class _Table:
    """One type of entity: columns with its names and identifiers, the most wanted first."""

    names: tuple[str, ...]
    ids: tuple[tuple[str, str], ...]  # column, prefix
    symbol: str = ""

    @property
    def layout(self) -> Layout:
        columns = dict.fromkeys((*self.names, *(column for column, _ in self.ids)))
        if self.symbol:
            columns[self.symbol] = None
        return Layout(("key",), optional=tuple(columns), renamed=_KEY, delimiter=",", quoted=True)


_TABLES = {
    "Gene": _Table(
        ("Gene_Name", "HGNC_Symbol"),
        (("NCBI_Gene_ID", "ncbigene"), ("HGNC_ID", "hgnc"), ("Ensembl_Gene_ID", "ensembl")),
        "HGNC_Symbol",
    ),
    "Transcript": _Table(
        ("Transcript_Name",),
        (("Ensembl_Transcript_ID", "ensembl"), ("RefSeq_ID", "refseq")),
    ),
    "Protein": _Table(("UniProt_Name", "HGNC_Symbol"), (("Uniprot_ID", "uniprot"),), "HGNC_Symbol"),
    "Pathway": _Table(
        ("Reactome_Name", "WikiPathways_Name", "KEGG_Name", "PO_Name"),
        (
            ("Reactome_ID", "reactome"),
            ("WikiPathways_ID", "wikipathways"),
            ("KEGG_ID", "kegg.pathway"),
        ),
    ),
    "Metabolite": _Table(
        ("ChEBI_Name", "HMDB_Name", "IUPAC_Name"),
        (("ChEBI_ID", "chebi"), ("HMDB_ID", "hmdb"), ("KEGG_ID", "kegg.compound")),
    ),
    "Phenotype": _Table(("HPO_Name",), (("HPO_ID", "hp"), ("UMLS_ID", "umls"))),
    "Disease": _Table(
        ("MONDO_Name", "DO_Name", "UMLS_Name", "MeSH_Name", "SNOMEDCT_Name"),
        (("MONDO_ID", "mondo"), ("DO_ID", "doid"), ("UMLS_ID", "umls"), ("MeSH_ID", "mesh")),
    ),
    "Drug": _Table(
        ("DrugBank_Name", "PubChem_Name", "UNII_Name"),
        (
            ("DrugBank_ID", "drugbank"),
            ("PubChem_CID", "pubchem.compound"),
            ("ChEBI_ID", "chebi"),
        ),
    ),
}
_TEXTS = Layout(("key", "Description"), renamed=_KEY, delimiter=",", quoted=True)
_RELATIONS = Layout(
    ("from", "to", "Type"),
    optional=("Source",),
    renamed={"from": ("BMGC_From_ID", "From_ID"), "to": ("BMGC_To_ID", "To_ID")},
    delimiter=",",
    quoted=True,
)
_MAPPING = Layout(("Original_ID", "key"), renamed=_KEY, delimiter=",", quoted=True)

#: A user's identifiers, by what they look like: pattern, prefix.
_ORIGINALS = (
    (r"^ENS[GT]\d{11}(\.\d+)?$", "ensembl"),
    (r"^([OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9]([A-Z][A-Z0-9]{2}[0-9]){1,2})$", "uniprot"),
    (r"^R-HSA-\d+$", "reactome"),
    (r"^DB\d{5}$", "drugbank"),
)


def _entity_specs() -> Iterator[FileSpec]:
    for type_ in _TABLES:
        for key, ending, help_ in (
            (type_, "", f"entities: {type_}"),
            (f"{type_} texts", "_Description_Combined", f"descriptions: {type_}"),
        ):
            names = (
                f"BioMedGraphica_Conn_{type_}{ending}.csv",
                f"BioMedGraphica_{type_}{ending}.csv",
            )
            yield FileSpec(key, names, help_, required=False)


class BioMedGraphica(Loader):
    """See the module."""

    name = "biomedgraphica"
    title = "BioMedGraphica: entities with their identifiers, and relations between them"
    homepage = "https://github.com/FuhaiLiAiLab/BioMedGraphica"
    license = "LicenseRef-per-database"
    nodes = tuple(_TABLES)
    relationships = (
        ("Gene", "TRANSCRIBED_TO", "Transcript"),
        ("Transcript", "TRANSLATED_TO", "Protein"),
        ("Protein", "INTERACTS_WITH", "Protein"),
        ("Metabolite", "INTERACTS_WITH", "Protein"),
        *((a, "PARTICIPATES_IN", "Pathway") for a in ("Protein", "Drug", "Metabolite")),
        ("Protein", "ASSOCIATED_WITH", "Disease"),
        ("Protein", "ASSOCIATED_WITH", "Phenotype"),
        ("Disease", "HAS_PHENOTYPE", "Phenotype"),
        ("Drug", "TARGETS", "Protein"),
        ("Drug", "CAUSES", "Phenotype"),
        ("Drug", "TREATS", "Disease"),
    )
    quirks = (
        "Promoters, microbes and exposures have no type in the graph, nor have their relations.",
        "Relations give no sign, no direction of effect and no score.",
        "An identifier of which an entity has several of one database is left out, and counted.",
        "An entity without any such identifier keeps BioMedGraphica's own number.",
        "Sequences are not read.",
    )
    tested_on = "made-up tables with the columns of its notebooks and of its web application"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "relations",
            (
                "BioMedGraphica_Conn_Relation.csv",
                "BioMedGraphica_Relation.csv",
                WEBAPP_EDGES,
            ),
            "relations, or the edges of the web application",
        ),
        *_entity_specs(),
        FileSpec(
            "mapping",
            (WEBAPP_IDS,),
            "entities of the web application with the user's identifiers",
            required=False,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        index = NodeIndex()
        for type_, table in _TABLES.items():
            if type_ in files:
                path = files[type_]
                file, origin = log.file(path), self.origin(path, release)
                for raw in read_table(path, table.layout, file):
                    yield _entities(raw, type_, table, index, file, origin)
        if "mapping" in files:
            path = files["mapping"]
            file, origin = log.file(path), self.origin(path, release)
            for raw in read_table(path, _MAPPING, file):
                yield _mapped(raw, index, file, origin)
        for type_ in _TABLES:
            if f"{type_} texts" in files:
                path = files[f"{type_} texts"]
                file, origin = log.file(path), self.origin(path, release)
                for raw in read_table(path, _TEXTS, file):
                    yield _texts(raw, index, file, origin)
        path = files["relations"]
        file, origin = log.file(path), self.origin(path, release)
        shown = ("from", "Type", "to")
        for raw in read_table(path, _RELATIONS, file):
            batch = _numbered(raw, index)
            batch = typed_edges(batch, "Type", ("from", "to"), index, _rule, file, shown)
            yield edge_claims(
                batch,
                file,
                origin,
                evidence=evidence(
                    batch, lists={"relations": ("Type", "|"), "databases": ("Source", ";")}
                ),
            )


def _rule(word: str, _start: str, _end: str) -> EdgeRule | None:
    return RELATIONS.get(word)


def _of_type(raw: pa.RecordBatch, file: FileLog, *types: str) -> pa.RecordBatch:
    """Rows whose number is one of BioMedGraphica's, with its type and its CURIE."""
    found, own = number_columns(raw["key"])
    batch = raw.append_column("type", found).append_column("own", own)
    fits = pc.is_in(batch["type"], pa.array(types or tuple(_TABLES)))
    return keep(batch, fits, file, "number of another type of entity", ("key",))


def _entities(
    raw: pa.RecordBatch,
    type_: str,
    table: _Table,
    index: NodeIndex,
    file: FileLog,
    origin: Origin,
) -> pa.RecordBatch:
    batch = _of_type(raw, file, type_)
    found = [_one_id(batch[column], prefix, column, file) for column, prefix in table.ids]
    naming = entity_types()[type_].prefixes
    fitting = [i for i, (_, prefix) in zip(found, table.ids, strict=True) if prefix in naming]
    ids = pc.coalesce(*fitting, batch["own"])
    index.add(batch["key"], batch["type"], ids)
    file.parsed(batch.num_rows)
    names = [_first(batch[name]) for name in table.names]
    others = zip(*(one.to_pylist() for one in (*found, batch["own"])), strict=True)
    return origin.entities(
        batch.num_rows,
        batch["line"],
        type=type_,
        id=ids,
        name=pc.coalesce(*names),
        symbol=_first(batch[table.symbol]) if table.symbol else None,
        xrefs=[
            [x for x in dict.fromkeys(row) if x is not None and x != own]
            for row, own in zip(others, ids.to_pylist(), strict=True)
        ],
    )


def _one_id(values: pa.Array, prefix: str, column: str, file: FileLog) -> pa.Array:
    """The CURIE of each row that has one identifier in the column; null where it has several."""
    lists = split(values, ";")
    several = pc.greater(pc.list_value_length(lists), 1)
    if count := pc.sum(several).as_py() or 0:
        example = values.filter(several)[0].as_py()
        file.note(f"several identifiers in {column}, left out", count, example)
    whole = pc.replace_substring_regex(pc.utf8_trim_whitespace(values), r"\.0$", "")
    return pc.if_else(several, pa.scalar(None, pa.string()), curies(whole, prefix))


def _first(values: pa.Array) -> pa.Array:
    """The first of several names that are joined with a semicolon."""
    return blank_to_null(pc.list_element(pc.split_pattern(pc.fill_null(values, ""), ";"), 0))


def _mapped(raw: pa.RecordBatch, index: NodeIndex, file: FileLog, origin: Origin) -> pa.RecordBatch:
    """Entities of the web application: those of the tables are known already."""
    batch = _of_type(raw, file)
    text = pc.utf8_trim_whitespace(batch["Original_ID"])
    ids = parse_curies(text)
    for pattern, prefix in _ORIGINALS:
        bare = pc.match_substring_regex(text, pattern)
        plain = pc.replace_substring_regex(text, r"^(ENS[GT]\d{11})\.\d+$", r"\1")
        ids = pc.if_else(bare, curies(plain, prefix), ids)
    ids = pc.coalesce(ids, batch["own"])
    known, _ = index.look_up(batch["key"])
    index.add(batch["key"], batch["type"], ids)
    file.parsed(batch.num_rows)
    fresh = batch.append_column("id", ids).filter(known.is_null())
    return origin.entities(
        fresh.num_rows,
        fresh["line"],
        type=fresh["type"],
        id=fresh["id"],
        xrefs=[
            [own] if own != id_ else []
            for own, id_ in zip(fresh["own"].to_pylist(), fresh["id"].to_pylist(), strict=True)
        ],
    )


def _texts(raw: pa.RecordBatch, index: NodeIndex, file: FileLog, origin: Origin) -> pa.RecordBatch:
    batch = _of_type(raw, file)
    _, ids = index.look_up(batch["key"])
    batch = batch.append_column("id", pc.coalesce(ids, batch["own"]))
    file.parsed(batch.num_rows)
    some = batch.filter(blank_to_null(batch["Description"]).is_valid())
    return origin.entities(
        some.num_rows,
        some["line"],
        type=some["type"],
        id=some["id"],
        description=blank_to_null(some["Description"]),
    )


def _numbered(raw: pa.RecordBatch, index: NodeIndex) -> pa.RecordBatch:
    """Entities that are in no table are known by their numbers alone."""
    for end in ("from", "to"):
        distinct = pc.unique(raw[end])
        types, own = number_columns(distinct)
        known, _ = index.look_up(distinct)
        fresh = pc.and_(known.is_null(), types.is_valid())
        index.add(distinct.filter(fresh), types.filter(fresh), own.filter(fresh))
    return raw
