"""neo4j-graphrag and LangChain on the graph as it is: index names, an embedder, the schema's text.

Their retrievers take the driver, ``graph.db.driver``, and the names that stand here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.interop.extras import missing_extra
from tosg.kg.embed import vectors
from tosg.kg.schema.entities import ENTITY_PROPERTIES, ENTITY_TYPES
from tosg.kg.schema.indexes import FULLTEXT_INDEX
from tosg.kg.schema.names import choose_types
from tosg.kg.schema.relationships import RELATIONSHIP_PROPERTIES, RELATIONSHIP_TYPES
from tosg.kg.schema.support import CELL_RELATIONSHIP_TYPES
from tosg.kg.search.by_meaning import embed_text

try:
    from neo4j_graphrag.embeddings.base import Embedder
except ImportError as error:
    raise missing_extra("neo4j-graphrag", "graphrag", error) from error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tosg.kg.database.connection import Database

#: Properties of an entity to return: without its vectors and the claims behind it.
RETURN_PROPERTIES = ["id", "name", "symbol", "text"]

#: What a language model needs to know of an entity and of a relationship to ask for them.
_NODE_PROPERTIES = ("id", "name", "symbol", "synonyms", "xrefs", "description", "text", "sources")
_EDGE_PROPERTIES = ("score", "sign", "action", "sources")
_GROUP = (
    "id: STRING, dataset: STRING, cell_type: STRING, tissue: STRING, disease: STRING, "
    "sex: STRING, development_stage: STRING, n_cells: INTEGER, n_donors: INTEGER"
)
_CELL = (
    "id: STRING, dataset: STRING, donor_id: STRING, cell_type: STRING, tissue: STRING, "
    "disease: STRING, sex: STRING, age_years: FLOAT"
)


class GraphEmbedder(Embedder):
    """Embeds questions with the very model that the graph's vectors come from.

    For the retrievers of neo4j-graphrag, and for LangChain, which calls the same methods.

    Parameters
    ----------
    db : Database
        ``graph.db``.
    """

    def __init__(self, db: Database) -> None:
        super().__init__()
        self._db = db

    def embed_query(self, text: str) -> list[float]:
        """Vector of a question: (D,) floats of unit length.

        Raises
        ------
        ConfigError
            The text is blank, nothing is embedded yet, or the model is not installed.
        """
        return embed_text(self._db, text)

    def embed_documents(self, texts: Iterable[str]) -> list[list[float]]:
        """Vectors of several texts, each as `embed_query` gives it."""
        return [self.embed_query(text) for text in texts]


def vector_index(label: str) -> str:
    """Name of the vector index of a type, ``gene_embedding`` for Gene.

    Raises
    ------
    UsageError
        The schema has no such type.
    """
    (known,) = choose_types([label])
    return vectors.index_name(known)


def fulltext_index() -> str:
    """Name of the full-text index over all entities: names, symbols, synonyms and texts."""
    return FULLTEXT_INDEX


def describe_schema_for_models(types: Iterable[str] = ()) -> str:
    """Write the schema as Text2CypherRetriever and LangChain give it to a language model.

    It names what is worth asking for, and not the vectors and the bookkeeping; no pass over the
    database is needed for it.

    Parameters
    ----------
    types : iterable of str
        Only these types of entities and what joins them; by default all, and cells.

    Raises
    ------
    UsageError
        The schema has no such type.
    """
    wanted = list(types)
    chosen = choose_types(wanted)
    lines = ["Node properties:"]
    for t in ENTITY_TYPES:
        if t.label in chosen:
            own = ", ".join(f"{n}: {ENTITY_PROPERTIES[n][0]}" for n in _properties_of(t.label))
            lines.append(f"{t.label} {{{own}}}")
    if not wanted:
        lines += [f"CellGroup {{{_GROUP}}}", f"Cell {{{_CELL}}}"]
    lines.append("Relationship properties:")
    used = {t.name: [p for p in t.pairs if {*p} <= {*chosen}] for t in RELATIONSHIP_TYPES}
    for r in RELATIONSHIP_TYPES:
        if used[r.name]:
            own = ", ".join(
                f"{n}: {RELATIONSHIP_PROPERTIES[n][0]}" for n in _EDGE_PROPERTIES
                if n in ("score", "sources") or n in r.keys or _may_have(r.name, n)
            )  # fmt: skip
            lines.append(f"{r.name} {{{own}}}")
    if not wanted:
        lines.append("EXPRESSES {mean: FLOAT, fraction: FLOAT}")
        lines.append("SIGNALS_IN {target_idx: INTEGER, type: STRING, sign: INTEGER, score: FLOAT}")
    lines.append("The relationships:")
    for name, pairs in used.items():
        lines += [f"(:{a})-[:{name}]->(:{b})" for a, b in pairs]
    if not wanted:
        lines += [
            f"(:{a})-[:{r.name}]->(:{b})"
            for r in CELL_RELATIONSHIP_TYPES
            for a, b in r.pairs
            if b != "Dataset"
        ]
    return "\n".join(lines)


def _properties_of(label: str) -> Iterator[str]:
    return (n for n in _NODE_PROPERTIES if n != "symbol" or label in ("Gene", "Protein"))


def _may_have(type_: str, name: str) -> bool:
    return name == "sign" and type_ == "PHOSPHORYLATES"
