"""Types of the schema by their names.

Constraints, indexes, the quoting of names, ``tosg schema``, claim checks and the documentation's
tables all come from three tables: `entities`, `relationships` and `support`. A new type is one
entry.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from tosg.kg.schema.entities import ENTITY_TYPES
from tosg.kg.schema.relationships import RELATIONSHIP_TYPES
from tosg.kg.schema.support import CELL_RELATIONSHIP_TYPES, SUPPORT_TYPES

if TYPE_CHECKING:
    from tosg.kg.schema.kinds import EntityType, RelationshipType, SupportType

SCHEMA_VERSION = 1

#: Label that every knowledge node has besides its type's.
ENTITY = "Entity"

#: Put before the release of claims from an excerpt; such a release is older than a whole one.
EXCERPT_OF = "excerpt of "

#: Whose texts and scalars win where several sources describe one entity, best first; sources that
#: are not listed come after these in alphabetical order.
SOURCE_RANK: tuple[str, ...] = (
    "hgnc",
    "ncbi_gene",
    "uniprot",
    "mondo",
    "disease_ontology",
    "cl",
    "uberon",
    "drugcentral",
    "goa",
    "pathways",
    "hetionet",
    "intact",
    "trrust",
    "demo",
)


@cache
def entity_types() -> dict[str, EntityType]:
    """Entity types by label."""
    return {t.label: t for t in ENTITY_TYPES}


@cache
def relationship_types() -> dict[str, RelationshipType]:
    """Relationship types by name."""
    return {t.name: t for t in RELATIONSHIP_TYPES}


@cache
def support_types() -> dict[str, SupportType]:
    """Labels of cells and bookkeeping, by label."""
    return {t.label: t for t in SUPPORT_TYPES}


@cache
def all_relationship_types() -> dict[str, RelationshipType]:
    """Relationship types of knowledge and of cells, by name."""
    return {t.name: t for t in (*RELATIONSHIP_TYPES, *CELL_RELATIONSHIP_TYPES)}


@cache
def relationship_triples() -> tuple[tuple[str, str, str], ...]:
    """Start type, relationship type and end type of all relationships that the schema allows."""
    return tuple((a, t.name, b) for t in RELATIONSHIP_TYPES for a, b in t.pairs)


def snake(label: str) -> str:
    """Turn a label into the form that index names use: ``GeneFamily`` -> ``gene_family``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", label).lower()
