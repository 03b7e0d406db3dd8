"""The loaders by name; a module is imported only when its loader is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tosg.errors import unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tosg.loaders.base import Loader

#: name -> (module, class)
LOADERS: dict[str, tuple[str, str]] = {
    "hetionet": ("hetionet", "Hetionet"),
    "ncbi_gene": ("ncbi_gene", "NcbiGene"),
    "hgnc": ("hgnc", "Hgnc"),
    "uniprot": ("uniprot", "UniProt"),
    "goa": ("goa", "Goa"),
    "pathways": ("pathways", "Pathways"),
    "disease_ontology": ("disease_ontology", "DiseaseOntology"),
    "mondo": ("mondo", "Mondo"),
    "cl": ("cl", "CellOntology"),
    "uberon": ("uberon", "Uberon"),
    "drugcentral": ("drugcentral", "DrugCentral"),
    "indications": ("indications", "Indications"),
    "intact": ("intact", "IntAct"),
    "trrust": ("trrust", "Trrust"),
    "demo": ("demo", "Demo"),
}


def names() -> list[str]:
    """Names of all loaders, in the order they are listed."""
    return list(LOADERS)


def loader_class(name: str) -> type[Loader]:
    """Class of a loader; an unknown name is a `UsageError` listing the nearest ones."""
    if name not in LOADERS:
        raise unknown("source", name, LOADERS)
    module, attribute = LOADERS[name]
    found: type[Loader] = getattr(
        importlib.import_module(f"tosg.loaders.sources.{module}"), attribute
    )
    return found


def make(name: str, options: Mapping[str, Any] | None = None) -> Loader:
    """Loader of a name, with its options."""
    return loader_class(name)(options)
