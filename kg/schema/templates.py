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
