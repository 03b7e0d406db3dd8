"""KGML, the maps of KEGG as XML: entries, the groups that they form, and relations between them.

An entry is a box: it names one gene or several that may stand there (paralogs), compounds, or
another map. A group is a complex of boxes. Relations join entries; their subtypes say how.

Format: https://www.kegg.jp/kegg/xml/docs/ (version 0.7.2)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tosg.loaders.formats.xml import XmlFormat, parse_xml

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

_FORMAT = XmlFormat(
    "the map",
    "a map in KGML",
    "pathway",
    '<pathway name="path:hsa04010" ...>',
    "KGML comes from `get/PATHWAY/kgml` of KEGG's REST service",
)

#: Subtypes with a sign. A phosphorylation or an indirect effect alone says only a direction.
KGML_SIGNS = {"activation": 1, "expression": 1, "inhibition": -1, "repression": -1}

#: Subtypes of mere contact.
KGML_CONTACT = frozenset({"binding/association", "dissociation"})

#: A relation with this subtype is one that a mutation has removed.
KGML_MISSING = "missing interaction"


@dataclass(frozen=True, slots=True)
class KgmlEntry:
    """One box, circle or group.

    Attributes
    ----------
    id : str
        Its number in the map.
    type : str
        ``gene``, ``compound``, ``group``, ``map``, ``ortholog``, ...
    names : tuple of str
        What may stand there, as ``hsa:5594``; none of a group.
    components : tuple of str
        Numbers of the entries that form a group.
    label : str
    """

    id: str
    type: str
    names: tuple[str, ...]
    components: tuple[str, ...]
    label: str


@dataclass(frozen=True, slots=True)
class KgmlRelation:
    """One relation between two entries.

    Attributes
    ----------
    start, end : str
        Numbers of the entries.
    type : str
        ``PPrel`` (proteins), ``GErel`` (expression), ``PCrel`` (protein and compound), ``ECrel``
        (successive enzymes) or ``maplink``.
    kinds : tuple of str
        Names of the subtypes, as ``activation``.
    compounds : tuple of str
        Numbers of the entries that a subtype ``compound`` or ``hidden compound`` names.
    """

    start: str
    end: str
    type: str
    kinds: tuple[str, ...]
    compounds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KgmlPathway:
    """One map.

    Attributes
    ----------
    id : str
        As ``hsa04010``.
    organism : str
        KEGG's code, as ``hsa``; ``ko``, ``ec`` and ``rn`` are maps of no organism.
    title : str
    entries : dict
        By number.
    relations : tuple of KgmlRelation
    """

    id: str
    organism: str
    title: str
    entries: dict[str, KgmlEntry]
    relations: tuple[KgmlRelation, ...]


def parse_kgml(data: bytes, where: str) -> KgmlPathway:
    """Read one map; arguments and errors are those of `tosg.loaders.formats.xml.parse_xml`."""
    root = parse_xml(data, where, _FORMAT)
    if not root.get("name", "").startswith("path:"):
        raise _FORMAT.wrong_root(root, where)
    return KgmlPathway(
        root.get("name", "").removeprefix("path:"),
        root.get("org", ""),
        " ".join(root.get("title", "").split()),
        {entry.id: entry for entry in map(_entry, root.iter("entry"))},
        tuple(map(_relation, root.iter("relation"))),
    )


def _entry(element: ET.Element) -> KgmlEntry:
    graphics = element.find("graphics")
    return KgmlEntry(
        element.get("id", ""),
        element.get("type", ""),
        tuple(name for name in element.get("name", "").split() if name != "undefined"),
        tuple(c.get("id", "") for c in element.iter("component")),
        "" if graphics is None else graphics.get("name", "").strip(),
    )


def _relation(element: ET.Element) -> KgmlRelation:
    subtypes = [(s.get("name", ""), s.get("value", "")) for s in element.iter("subtype")]
    return KgmlRelation(
        element.get("entry1", ""),
        element.get("entry2", ""),
        element.get("type", ""),
        tuple(sorted({name for name, _ in subtypes})),
        tuple(value for name, value in subtypes if name in ("compound", "hidden compound")),
    )
