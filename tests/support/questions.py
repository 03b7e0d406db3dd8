"""Questions that people ask a search, with the terms that answer them, and terms to search in.

The odd questions (first, third, ...) were looked at while search was tuned; the even ones were
written at the same time and never looked at.
"""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING, Any

import polars as pl

from tosg.kg.text.compose import ENTITIES, FACTS, compose

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Type -> question -> names of the terms that answer it; any of them counts.
QUESTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "Disease": {
        "heart attack": ("myocardial infarction",),
        "Alzheimer disease": ("Alzheimer's disease",),
        "Lou Gehrig's disease": ("amyotrophic lateral sclerosis",),
        "juvenile diabetes": ("type 1 diabetes mellitus",),
        "boys lose muscle because dystrophin is missing": ("Duchenne muscular dystrophy",),
        "mad cow disease in people": ("Creutzfeldt-Jakob disease",),
        "whooping cough": ("pertussis", "whooping cough"),
        "cancer of the white blood cells": ("leukemia",),
        "the immune system attacks myelin in the brain": ("multiple sclerosis",),
        "brittle bones from birth": ("osteogenesis imperfecta",),
        "cannot digest the sugar in milk": ("lactose intolerance",),
        "kissing disease": ("infectious mononucleosis",),
        "Sjogren syndrome": ("Sjogren's syndrome",),
        "chronic autoimmune inflammation of the joints": ("rheumatoid arthritis",),
        "tremor and loss of dopamine neurons": ("Parkinson's disease",),
        "sickle shaped red blood cells": ("sickle cell anemia", "sickle cell disease"),
        "runny nose from pollen every spring": ("allergic rhinitis", "hay fever"),
        "high blood pressure": ("hypertension",),
        "scarring of the lung without a known cause": ("idiopathic pulmonary fibrosis",),
        "butterfly rash, antibodies against DNA": ("systemic lupus erythematosus",),
    },
    "Phenotype": {
        "high blood sugar": ("Hyperglycemia",),
        "low blood sugar": ("Hypoglycemia",),
        "nose bleed": ("Epistaxis",),
        "shortness of breath": ("Dyspnea",),
        "ringing in the ears": ("Tinnitus",),
        "yellow skin and eyes": ("Jaundice",),
        "losing hair": ("Alopecia",),
        "trouble swallowing": ("Dysphagia",),
        "fainting": ("Syncope",),
        "joint pain": ("Arthralgia",),
        "small head": ("Microcephaly",),
        "heart beats too fast": ("Tachycardia",),
        "sweats too much": ("Hyperhidrosis",),
        "cannot smell anything": ("Anosmia",),
        "low platelet count": ("Thrombocytopenia",),
        "passes a lot of urine": ("Polyuria",),
        "clouding of the lens of the eye": ("Cataract",),
        "extra fingers": ("Hand polydactyly", "Polydactyly"),
        "always thirsty": ("Polydipsia",),
        "belly pain": ("Abdominal pain",),
    },
    "BiologicalProcess": {
        "programmed cell death": ("programmed cell death", "apoptotic process"),
        "apoptosis": ("apoptotic process",),
        "cells digest their own parts": ("autophagy", "macroautophagy"),
        "new blood vessels sprout from old ones": ("angiogenesis", "sprouting angiogenesis"),
        "copying of DNA": ("DNA replication",),
        "a cell engulfs bacteria": ("phagocytosis",),
        "blood clotting": ("blood coagulation",),
        "breakdown of glucose to pyruvate": ("glycolytic process",),
        "removal of introns": ("RNA splicing", "mRNA splicing, via spliceosome"),
        "making protein from messenger RNA": ("translation",),
        "one cell becomes two": ("cell division", "cytokinesis"),
        "white blood cells move to inflamed tissue": (
            "leukocyte migration",
            "leukocyte chemotaxis",
            "leukocyte migration involved in inflammatory response",
        ),
        "Krebs cycle": ("tricarboxylic acid cycle",),
        "burning of fat": ("fatty acid oxidation", "lipid catabolic process", "lipid oxidation"),
        "a wound closes": ("wound healing",),
        "antibody production": ("immunoglobulin production", "antibody production"),
    },
    "CellType": {
        "makes all other blood cells": ("hematopoietic stem cell",),
        "red blood cell": ("erythrocyte",),
        "cell that secretes antibodies": ("plasma cell",),
        "releases histamine in allergy": ("mast cell", "basophil"),
        "eats bacteria in tissue": ("macrophage",),
        "shows antigen to T cells": (
            "dendritic cell",
            "professional antigen presenting cell",
            "conventional dendritic cell",
        ),
        "makes platelets": ("megakaryocyte",),
        "precursor of red blood cells": (
            "erythroblast",
            "proerythroblast",
            "erythroid progenitor cell",
        ),
    },
}

#: Files of terms in the folder of source files, and their type; GO has several.
FILES = {
    "Disease": "disease-ontology/HumanDO.obo",
    "Phenotype": "official/hpo/hp.obo.gz",
    "BiologicalProcess": "official/gene-ontology/go-basic.obo.gz",
    "CellType": "cell-ontology/blood_and_immune_upper_slim.obo",
}

#: Terms of a type that share a word with its questions or answers, and others.
ALIKE, OTHERS = 220, 80

_COMMON = {"a", "and", "are", "by", "can", "cannot", "from", "in", "into", "no", "of", "on", "or",
           "the", "to", "too", "with"}  # fmt: skip


def questions() -> list[tuple[str, str, tuple[str, ...]]]:
    """All questions in order: type, text, names of answers."""
    return [(t, q, names) for t, of in QUESTIONS.items() for q, names in of.items()]


def terms(folder: Path, type_: str) -> list[dict[str, Any]]:
    """Terms of a type to search in: the answers, terms with words of the questions, and others."""
    everything = list(_read(folder / FILES[type_], type_))
    answers = {name for names in QUESTIONS[type_].values() for name in names}
    asked = {w for text in [*QUESTIONS[type_], *answers] for w in _words(text)}
    chosen = [row for row in everything if row["name"] in answers]
    rest = [row for row in everything if row["name"] not in answers]
    alike = [row for row in rest if asked & _words(row["name"])]
    others = [row for row in rest if not asked & _words(row["name"])]
    return [*chosen, *_spread(alike, ALIKE), *_spread(others, OTHERS)]


def _spread(rows: list[dict[str, Any]], n: int) -> list[dict[str, Any]]:
    return rows[:: max(1, len(rows) // n)][:n]


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower())) - _COMMON


def _read(path: Path, type_: str) -> Iterator[dict[str, Any]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as stream:
        stanzas = stream.read().split("\n\n")
    prefix = {"Disease": "DOID", "Phenotype": "HP", "CellType": "CL"}.get(type_, "GO")
    for stanza in stanzas:
        name = re.search(r"^name: (.+)$", stanza, re.MULTILINE)
        id_ = re.search(rf"^id: ({prefix}:\S+)$", stanza, re.MULTILINE)
        if name is None or id_ is None or "\nis_obsolete: true" in stanza:
            continue
        if type_ == "BiologicalProcess" and "namespace: biological_process" not in stanza:
            continue
        definition = re.search(r'^def: "((?:\\.|[^"\\])*)"', stanza, re.MULTILINE)
        synonyms = re.findall(r'^synonym: "((?:\\.|[^"\\])*)" (?:EXACT|RELATED)', stanza, re.M)
        row: dict[str, Any] = {"id": id_[1].lower()}
        row |= {"name": name[1], "synonyms": sorted(set(synonyms))}
        if definition is not None:
            row["description"] = definition[1]
        yield row


def composed_terms(folder: Path) -> tuple[list[str], list[str]]:
    """Names and composed texts of the terms of all types that `terms` chooses."""
    names: list[str] = []
    texts: list[str] = []
    for type_ in QUESTIONS:
        rows = [{"idx": i, **row} for i, row in enumerate(terms(folder, type_))]
        entities = pl.DataFrame(rows, schema=ENTITIES)
        names += [row["name"] for row in rows]
        texts += compose(type_, entities, pl.DataFrame(schema=FACTS))["text"].to_list()
    return names, texts
