"""How the text of an entity is composed: data, and nothing of any model. Each type has one.

A text is a sequence of parts, the most informative first: a sentence that names the entity and
its type, other names, the source's description, then lists from the graph. Each list has a share
of the characters, so that one long list cannot push out what follows.
"""

from __future__ import annotations

from dataclasses import dataclass

#: No text is longer, in characters. Sentence encoders read 256 tokens or more, which is about
#: this much of biomedical English.
BOUND = 1200

#: A name longer than this is cut at a word: the one part that may be cut, since a text without
#: its name would be worth nothing.
NAME_BOUND = 400


@dataclass(frozen=True, slots=True)
class Section:
    """A list from the graph, as it stands in a text.

    Attributes
    ----------
    key : str
        Its name in the frame of facts (`tosg.kg.text.facts`).
    heading : str
        How it begins in the text.
    share : int
        Characters that its items may take.
    """

    key: str
    heading: str
    share: int


@dataclass(frozen=True, slots=True)
class Template:
    """How a type's text is composed.

    Attributes
    ----------
    noun : str
        The type with its article, as in "a gene".
    synonyms, description : int
        Characters that these may take.
    sections : tuple of Section
        Lists from the graph, in their order.
    """

    noun: str
    synonyms: int = 200
    description: int = 900
    sections: tuple[Section, ...] = ()


#: What is told of an entity of which there is nothing else to tell: its relationships.
KNOWN = Section("known", "Known", 400)

GENE_SECTIONS = (
    Section("functions", "Functions", 140),
    Section("processes", "Processes", 140),
    Section("locations", "Locations", 80),
    Section("pathways", "Pathways", 160),
    Section("diseases", "Diseases", 120),
    Section("drugs", "Drugs", 120),
)

DRUG_SECTIONS = (
    Section("treats", "Treats", 160),
    Section("targets", "Targets", 120),
)

#: Of pathways, processes, functions and locations.
TERM_SECTIONS = (Section("genes", "Genes", 240),)

DISEASE_SECTIONS = (
    Section("genes", "Genes", 160),
    Section("drugs", "Drugs", 120),
    Section("phenotypes", "Phenotypes", 160),
)

PHENOTYPE_SECTIONS = (
    Section("diseases", "Diseases", 160),
    Section("genes", "Genes", 120),
    Section("drugs", "Drugs", 120),
)

#: Of complexes and families.
GROUP_SECTIONS = (Section("members", "Members", 240),)
