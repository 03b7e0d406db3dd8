"""A small immune graph made by hand, small enough to work every answer out on paper.

Identifiers are real where they have to look real; what is said of them serves the tests. Vectors
have two numbers, so that angles can be read off: see `VECTORS`.
"""

from __future__ import annotations

import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from support.servers import give
from tosg.kg import server as managed
from tosg.kg.database.connection import Database, Target
from tosg.kg.database.indexes import ensure_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tosg.settings import Settings

# id -> (label, name, symbol)
ENTITIES: dict[str, tuple[str, str, str | None]] = {
    "cl:0000084": ("CellType", "T cell", None),
    "cl:0000236": ("CellType", "B cell", None),
    "cl:0000624": ("CellType", "CD4-positive, alpha-beta T cell", None),
    "drugbank:DB00001": ("Drug", "alphamab", None),
    "drugbank:DB00002": ("Drug", "betanib", None),
    "drugbank:DB00003": ("Drug", "gammaprofen", None),
    "go:0002376": ("BiologicalProcess", "immune system process", None),
    "go:0005886": ("CellularComponent", "plasma membrane", None),
    "go:0019221": ("BiologicalProcess", "cytokine-mediated signaling pathway", None),
    "go:0004713": ("MolecularFunction", "protein tyrosine kinase activity", None),
    "mondo:0005147": ("Disease", "type 1 diabetes", None),
    "mondo:0007179": ("Disease", "autoimmune disease", None),
    "mondo:0007915": ("Disease", "systemic lupus erythematosus", None),
    "hp:0001945": ("Phenotype", "Fever", None),
    "hp:0002829": ("Phenotype", "Arthralgia", None),
    "ncbigene:3558": ("Gene", "interleukin 2", "IL2"),
    "ncbigene:3559": ("Gene", "interleukin 2 receptor alpha", "IL2RA"),
    "ncbigene:3718": ("Gene", "Janus kinase 3", "JAK3"),
    "ncbigene:6776": ("Gene", "signal transducer 5A", "STAT5A"),
    "ncbigene:50943": ("Gene", "forkhead box P3", "FOXP3"),
    "ncbigene:930": ("Gene", "CD19 molecule", "CD19"),
    "reactome:R-HSA-1": ("Pathway", "Interleukin-2 signaling", None),
    "reactome:R-HSA-2": ("Pathway", "B cell activation", None),
    "uberon:0000178": ("Anatomy", "blood", None),
    "uberon:0002106": ("Anatomy", "spleen", None),
    "uniprot:P01589": ("Protein", "Interleukin-2 receptor subunit alpha", "IL2RA"),
    "uniprot:P52333": ("Protein", "Tyrosine-protein kinase JAK3", "JAK3"),
}

# (start, type, end, properties)
RELATIONSHIPS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("ncbigene:3559", "ENCODES", "uniprot:P01589", {"sources": ["uniprot"]}),
    ("ncbigene:3718", "ENCODES", "uniprot:P52333", {"sources": ["uniprot"]}),
    # wiring: IL2 -> IL2RA (gene); IL2RA protein -> JAK3 protein; JAK3 -> STAT5A; STAT5A -| FOXP3
    ("ncbigene:3558", "REGULATES", "ncbigene:3559",
     {"sign": 1, "score": 0.9, "sources": ["trrust"]}),
    ("uniprot:P01589", "REGULATES", "uniprot:P52333",
     {"sign": 1, "score": 0.8, "sources": ["signor"]}),
    ("ncbigene:3718", "REGULATES", "ncbigene:6776", {"sign": 1, "sources": ["hetionet", "trrust"]}),
    ("ncbigene:6776", "REGULATES", "ncbigene:50943", {"sign": -1, "sources": ["trrust"]}),
    ("ncbigene:3558", "REGULATES", "ncbigene:50943", {"sign": 0, "sources": ["hetionet"]}),
    ("ncbigene:930", "INTERACTS_WITH", "ncbigene:3718", {"score": 0.4, "sources": ["intact"]}),
    # annotation
    ("ncbigene:3558", "PARTICIPATES_IN", "reactome:R-HSA-1", {"sources": ["pathways"]}),
    ("uniprot:P01589", "PARTICIPATES_IN", "reactome:R-HSA-1", {"sources": ["goa", "pathways"]}),
    ("ncbigene:3718", "PARTICIPATES_IN", "reactome:R-HSA-1", {"sources": ["pathways"]}),
    ("ncbigene:3718", "PARTICIPATES_IN", "reactome:R-HSA-2", {"sources": ["pathways"]}),
    ("ncbigene:930", "PARTICIPATES_IN", "reactome:R-HSA-2", {"sources": ["pathways"]}),
    ("ncbigene:6776", "PARTICIPATES_IN", "go:0019221", {"sources": ["goa"]}),
    ("uniprot:P52333", "HAS_FUNCTION", "go:0004713", {"sources": ["goa"]}),
    ("ncbigene:3718", "PARTICIPATES_IN", "go:0019221", {"sources": ["hetionet"]}),
    ("uniprot:P52333", "PARTICIPATES_IN", "go:0019221", {"sources": ["goa"]}),
    ("go:0019221", "IS_A", "go:0002376", {"sources": ["goa"]}),
    ("uniprot:P01589", "LOCATED_IN", "go:0005886", {"sources": ["goa"]}),
    ("ncbigene:3559", "LOCATED_IN", "go:0005886", {"sources": ["hetionet"]}),
    # diseases: lupus and diabetes are autoimmune
    ("mondo:0007915", "IS_A", "mondo:0007179", {"sources": ["mondo"]}),
    ("mondo:0005147", "IS_A", "mondo:0007179", {"sources": ["mondo"]}),
    ("ncbigene:3559", "ASSOCIATED_WITH", "mondo:0007915", {"score": 0.7, "sources": ["hetionet"]}),
    ("ncbigene:3559", "UPREGULATED_IN", "mondo:0007915", {"sources": ["stargeo"]}),
    ("uniprot:P01589", "ASSOCIATED_WITH", "mondo:0005147", {"score": 0.6, "sources": ["uniprot"]}),
    ("ncbigene:50943", "CAUSES", "mondo:0005147", {"sources": ["hetionet"]}),
    ("mondo:0007915", "HAS_PHENOTYPE", "hp:0001945", {"sources": ["hetionet"]}),
    ("mondo:0007915", "HAS_PHENOTYPE", "hp:0002829", {"sources": ["hetionet"]}),
    ("mondo:0005147", "HAS_PHENOTYPE", "hp:0001945", {"sources": ["hetionet"]}),
    # drugs
    ("drugbank:DB00001", "TARGETS", "uniprot:P01589",
     {"action": "inhibitor", "sources": ["drugcentral"]}),
    ("drugbank:DB00001", "TARGETS", "uniprot:P01589",
     {"action": "antibody binding", "sources": ["hetionet"]}),
    ("drugbank:DB00002", "TARGETS", "ncbigene:3718",
     {"action": "inhibitor", "sources": ["hetionet"]}),
    ("drugbank:DB00002", "TREATS", "mondo:0007915", {"sources": ["drugcentral", "hetionet"]}),
    ("drugbank:DB00003", "PALLIATES", "mondo:0007179", {"sources": ["hetionet"]}),
    ("drugbank:DB00002", "CAUSES", "hp:0001945", {"sources": ["hetionet"]}),
    ("drugbank:DB00003", "CAUSES", "hp:0001945", {"sources": ["hetionet"]}),
    ("drugbank:DB00003", "CAUSES", "hp:0002829", {"sources": ["hetionet"]}),
    # cells
    ("cl:0000624", "IS_A", "cl:0000084", {"sources": ["cl"]}),
]  # fmt: skip

#: id -> a vector of length 1: similarity with (1, 0) is its first number.
VECTORS = {
    "ncbigene:3558": (1.0, 0.0),
    "ncbigene:3559": (0.8, 0.6),
    "mondo:0007915": (0.6, 0.8),
    "ncbigene:930": (0.0, 1.0),
}

SYNONYMS = {"ncbigene:3559": ["CD25"], "mondo:0007915": ["SLE", "lupus"]}
XREFS = {"mondo:0007915": ["doid:9074"]}

# (id, cell type as named, its node, tissue, disease as named, its node, cells)
GROUPS = [
    ("g1", "CD4 T", "cl:0000624", "uberon:0000178", "SLE", "mondo:0007915", 60),
    ("g2", "T", "cl:0000084", "uberon:0000178", "normal", None, 40),
    ("g3", "B", "cl:0000236", "uberon:0000178", "SLE", "mondo:0007915", 50),
]

# id -> (unit, unit of means, groups, variables' entities, measured)
DATASETS = {
    "d1": (
        "counts", "log1p_cp10k", ("g1", "g2", "g3"),
        ["ncbigene:3559", "", "ncbigene:3718", "ncbigene:930"], [True, True, True, True],
    ),
}  # fmt: skip

# (group, measured, mean, fraction)
EXPRESSES = [
    ("g1", "ncbigene:3559", 2.0, 0.5),
    ("g1", "ncbigene:3718", 1.5, 0.4),
    ("g2", "ncbigene:3559", 1.0, 0.3),
    ("g3", "ncbigene:3718", 0.75, 0.3),
    ("g3", "ncbigene:930", 3.0, 0.9),
]

# (group, source, target, type, sign, score, sd, seeds, method)
MORE_SIGNALS: list[tuple[Any, ...]] = [
    ("g1", "ncbigene:3558", "ncbigene:3559", "REGULATES", 1, 0.5, 0.1, 5, "model"),
    ("g1", "ncbigene:6776", "ncbigene:50943", "REGULATES", -1, -0.75, 0.25, 5, "model"),
    ("g1", "ncbigene:930", "ncbigene:3718", "INTERACTS_WITH", 0, 0.3, 0.2, 5, "model"),
    ("g2", "ncbigene:3558", "ncbigene:3559", "REGULATES", 1, 0.9, None, None, "by hand"),
]

#: Cells: two of g1, one of each other group; their idx follow those of the entities.
CELLS = [("c1", "g1"), ("c2", "g1"), ("c3", "g2"), ("c4", "g3")]


# More of each, for `opened(..., more=True)`: questions whose answers the above does not tell apart.
MORE_ENTITIES: dict[str, tuple[str, str, str | None]] = {
    "ncbigene:1111": ("Gene", "checkpoint kinase 1", "CHEK1"),
    "ncbigene:4609": ("Gene", "MYC proto-oncogene", "MYC"),
    "ncbigene:8359": ("Gene", "H4 clustered histone 1", "H4C1"),
    "ncbigene:8366": ("Gene", "H4 clustered histone 2", "H4C2"),
    "ncbigene:26574": ("Gene", "apoptosis antagonizing factor", "AATF"),
    "uniprot:O14757": ("Protein", "Serine/threonine-protein kinase Chk1", "CHEK1"),
    "uniprot:P62805": ("Protein", "Histone H4", None),
    "uniprot:Q9NY61": ("Protein", "Protein AATF", "AATF"),
    "ncbigene:2885": ("Gene", "growth factor receptor bound protein 2", "GRB2"),
    "ncbigene:3265": ("Gene", "HRas proto-oncogene", "HRAS"),
    "ncbigene:6654": ("Gene", "SOS Ras/Rac exchange factor 1", "SOS1"),
    "ncbigene:673": ("Gene", "B-Raf proto-oncogene", "BRAF"),
    "ncbigene:5894": ("Gene", "Raf-1 proto-oncogene", "RAF1"),
    "uniprot:P01112": ("Protein", "GTPase HRas", "HRAS"),
    "uniprot:Q07889": ("Protein", "Son of sevenless homolog 1", "SOS1"),
    "uniprot:P98077": ("Protein", "SHC-transforming protein 2", "SHC2"),
    "signor:SIGNOR-C1": ("Complex", "SOS complex", None),
    "signor:SIGNOR-C2": ("Complex", "RAS complex", None),
}

MORE_RELATIONSHIPS: list[tuple[str, str, str, dict[str, Any]]] = [
    # AATF -> MYC -> CHEK1 by the genes, AATF - CHEK1 by their proteins, which has more
    # relationships and fewer steps; two genes of one histone, on which CHEK1 acts
    ("ncbigene:26574", "ENCODES", "uniprot:Q9NY61", {"sources": ["uniprot"]}),
    ("ncbigene:1111", "ENCODES", "uniprot:O14757", {"sources": ["uniprot"]}),
    ("ncbigene:8359", "ENCODES", "uniprot:P62805", {"sources": ["uniprot"]}),
    ("ncbigene:8366", "ENCODES", "uniprot:P62805", {"sources": ["uniprot"]}),
    ("ncbigene:26574", "REGULATES", "ncbigene:4609", {"sign": 1, "sources": ["trrust"]}),
    ("ncbigene:4609", "REGULATES", "ncbigene:1111", {"sign": 1, "sources": ["trrust"]}),
    ("uniprot:O14757", "INTERACTS_WITH", "uniprot:Q9NY61", {"sources": ["intact"]}),
    ("uniprot:O14757", "PHOSPHORYLATES", "uniprot:P62805", {"sign": 1, "sources": ["signor"]}),
    *(("ncbigene:8366", "REGULATES", "ncbigene:4609", {"sign": sign, "sources": ["trrust"]})
      for sign in (0, -1, 1)),
    # GRB2 acts on a complex, a part of it on HRAS, a complex of HRAS on RAF1; another part of that
    # complex acts on BRAF
    ("ncbigene:3265", "ENCODES", "uniprot:P01112", {"sources": ["uniprot"]}),
    ("ncbigene:6654", "ENCODES", "uniprot:Q07889", {"sources": ["uniprot"]}),
    ("uniprot:Q07889", "MEMBER_OF", "signor:SIGNOR-C1", {"sources": ["signor"]}),
    ("uniprot:P01112", "MEMBER_OF", "signor:SIGNOR-C2", {"sources": ["signor"]}),
    ("uniprot:P98077", "MEMBER_OF", "signor:SIGNOR-C2", {"sources": ["signor"]}),
    ("ncbigene:2885", "REGULATES", "signor:SIGNOR-C1",
     {"sign": 1, "score": 0.9, "sources": ["signor"]}),
    ("uniprot:Q07889", "REGULATES", "uniprot:P01112",
     {"sign": 1, "sources": ["signor"], "evidence": ['{"families":["SIGNOR-PF1"]}']}),
    ("signor:SIGNOR-C2", "REGULATES", "ncbigene:5894",
     {"sign": -1, "score": 0.8, "sources": ["signor"]}),
    ("uniprot:P98077", "REGULATES", "ncbigene:673", {"sign": 1, "sources": ["signor"]}),
]  # fmt: skip

MORE_GROUPS = [
    ("g4", "T", "cl:0000084", "uberon:0000178", "normal", None, 100),
    ("g5", "B", "cl:0000236", "uberon:0000178", "normal", None, 50),
    ("g6", "T", "cl:0000084", "uberon:0000178", "normal", None, 10),
    ("g7", "B", "cl:0000236", "uberon:0000178", "normal", None, 10),
]

# d2 has IL2RA in its file without having measured it, d3 holds logarithms that cannot be compared
# with the others' means.
MORE_DATASETS = {
    "d2": (
        "counts", "log1p_cp10k", ("g4", "g5"),
        ["ncbigene:930", "ncbigene:3559", "ncbigene:3718"], [True, False, True],
    ),
    "d3": ("log1p", "log1p", ("g6", "g7"), ["ncbigene:3559"], [True]),
}  # fmt: skip

MORE_EXPRESSES = [
    ("g4", "ncbigene:3718", 1.0, 0.5),
    ("g5", "ncbigene:930", 2.0, 0.8),
    ("g6", "ncbigene:3559", 4.0, 1.0),
]


def idx_of(id_: str) -> int:
    """Row number: entities by (type, id) as writers give it, then cells; every third number."""
    order = sorted(ENTITIES, key=lambda i: (ENTITIES[i][0], i)) + [c for c, _ in CELLS]
    order += MORE_ENTITIES
    return 10 + 3 * order.index(id_)


@contextmanager
def opened(settings: Settings, *, more: bool = False) -> Iterator[Database]:
    """The graph in the session's server, for a fixture of a whole module."""
    info = managed.ensure_server(settings)
    with Database(Target(info.uri, info.username, info.password)) as db:
        give(db, "by hand, more" if more else "by hand", build_more if more else build)
        yield db


def build(db: Database) -> None:
    """Write the graph into an empty database, with constraints and indexes."""
    ensure_schema(db)
    _knowledge(db, ENTITIES, RELATIONSHIPS)
    _groups(db, DATASETS, GROUPS, EXPRESSES)
    for id_, group in CELLS:
        db.write(
            "MATCH (g:CellGroup {id: $group}) CREATE (:Cell {id: $id, idx: $idx, group: g.id, "
            "dataset: 'd1', cell_type: g.cell_type, disease: g.disease, tissue: g.tissue, "
            "donor_id: 'p1', n_counts: 100.5, expression: $bytes})",
            id=id_, group=group, idx=idx_of(id_), bytes=b"\x01\x02\x03",
        )  # fmt: skip


def build_more(db: Database) -> None:
    """Write the graph with more of each."""
    build(db)
    _knowledge(db, MORE_ENTITIES, MORE_RELATIONSHIPS)
    _groups(db, MORE_DATASETS, MORE_GROUPS, MORE_EXPRESSES)
    _signals(db)


def _knowledge(
    db: Database,
    entities: dict[str, tuple[str, str, str | None]],
    relationships: list[tuple[str, str, str, dict[str, Any]]],
) -> None:
    for id_, (label, name, symbol) in entities.items():
        vector = VECTORS.get(id_)
        db.write(
            f"CREATE (n:Entity:{label} {{id: $id}}) SET n += $properties",
            id=id_,
            properties={
                "idx": idx_of(id_), "name": name, "symbol": symbol, "sources": ["demo"],
                "synonyms": SYNONYMS.get(id_), "xrefs": XREFS.get(id_),
                "text": f"{name}. A text that nobody needs to carry over the network.",
                "embedding": None if vector is None else list(vector),
                "embedding_f32": None if vector is None else struct.pack("<2f", *vector),
            },
        )  # fmt: skip
    for start, type_, end, properties in relationships:
        db.write(
            "MATCH (a:Entity {id: $start}), (b:Entity {id: $end}) "
            f"CREATE (a)-[:{type_} $properties]->(b)",
            start=start, end=end, properties=properties,
        )  # fmt: skip


def _signals(db: Database) -> None:
    names = ("type", "sign", "score", "sd", "seeds", "method")
    for group, source, target, *values in MORE_SIGNALS:
        db.write(
            "MATCH (n:Entity {id: $source}), (m:Entity {id: $target}), (g:CellGroup {id: $group}) "
            "CREATE (n)-[s:SIGNALS_IN {target_idx: m.idx}]->(g) SET s += $values",
            source=source, target=target, group=group,
            values=dict(zip(names, values, strict=True)),
        )  # fmt: skip


def _groups(
    db: Database,
    datasets: Mapping[str, tuple[str, str, tuple[str, ...], list[str], list[bool]]],
    groups: Sequence[tuple[str, str, str, str, str, str | None, int]],
    expresses: list[tuple[str, str, float, float]],
) -> None:
    sizes = {group[0]: group[-1] for group in groups}
    dataset_of = {group: id_ for id_, given in datasets.items() for group in given[2]}
    for dataset, (unit, mean_unit, of, entities, measured) in datasets.items():
        db.write(
            "CREATE (d:Dataset {title: 'by hand'}) SET d += $properties",
            properties={
                "id": dataset, "unit": unit, "mean_unit": mean_unit,
                "n_cells": sum(sizes[g] for g in of),
                "variable_entities": entities, "measured": measured,
            },
        )  # fmt: skip
    for id_, named, type_, tissue, disease, disease_id, n in groups:
        db.write(
            "MATCH (d:Dataset {id: $dataset}), (t:Entity {id: $type}), (a:Entity {id: $tissue}) "
            "CREATE (g:CellGroup {id: $id, dataset: d.id, cell_type: $named, tissue: 'blood', "
            "disease: $disease, n_cells: $n}) "
            "CREATE (g)-[:FROM]->(d), (g)-[:OF_TYPE]->(t), (g)-[:FROM_TISSUE]->(a) "
            "WITH g MATCH (x:Entity {id: $disease_id}) CREATE (g)-[:WITH_DISEASE]->(x)",
            id=id_, dataset=dataset_of[id_], named=named, type=type_, tissue=tissue,
            disease=disease, disease_id=disease_id, n=n,
        )  # fmt: skip
    for group, entity, mean, fraction in expresses:
        db.write(
            "MATCH (g:CellGroup {id: $group}), (x:Entity {id: $measured}) "
            "CREATE (g)-[:EXPRESSES {mean: $mean, fraction: $fraction}]->(x)",
            group=group, measured=entity, mean=mean, fraction=fraction,
        )  # fmt: skip
