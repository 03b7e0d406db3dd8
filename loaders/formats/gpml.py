"""GPML 2013a, the drawings of WikiPathways: nodes, groups and interactions between them.

An interaction starts and ends on a node, a group, an anchor of another interaction, or on nothing.
What it joins is resolved here: a group stands for its members, an anchor for what its interaction
leads to, a state (a drawn phosphate) for its node. What cannot be resolved says why.

Format: https://pathvisio.org/gpml.html and the schema GPML2013a.xsd of PathVisio.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tosg.loaders.formats.xml import XmlFormat, parse_xml

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Iterator

_NS = "{http://pathvisio.org/GPML/2013a}"
_BP = "{http://www.biopax.org/release/biopax-level3.owl#}"
_RDF_ID = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}id"

_FORMAT = XmlFormat("the drawing", "a drawing in GPML 2013a", f"{_NS}Pathway", f"<{_NS}Pathway>")

#: Anchors on anchors on anchors: followed this far, then given up.
MOST_ANCHORS = 8


@dataclass(frozen=True, slots=True)
class GpmlNode:
    """One drawn node: its label, what it is, and its identifier in a database."""

    ref: str
    label: str
    type: str
    database: str
    id: str
    group: str | None = None


@dataclass(frozen=True, slots=True)
class End:
    """What an end of an interaction stands for.

    Attributes
    ----------
    nodes : tuple of GpmlNode
        Empty where it stands for nothing.
    how : str
        ``node``, ``state``, ``group``, ``complex``, ``anchor``, or why there are no nodes:
        ``unconnected``, ``label or shape``, ``empty group``, ``anchor without target``.
    inverts : bool
        Whether it is an anchor on an interaction that inhibits.
    unclear : bool
        Whether it is an anchor on mere contact, so that no sign follows.
    """

    nodes: tuple[GpmlNode, ...]
    how: str
    inverts: bool = False
    unclear: bool = False


@dataclass(frozen=True, slots=True)
class GpmlInteraction:
    """One drawn line.

    Attributes
    ----------
    id : str
        Its GraphId, or its number in the file as ``#12``.
    start, end : End
    heads : tuple of (str, str)
        Arrow heads at start and end; "" for none.
    pubmed_ids : tuple of str
    """

    id: str
    start: End
    end: End
    heads: tuple[str, str]
    pubmed_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GpmlPathway:
    """One drawing.

    Attributes
    ----------
    id : str
        As ``WP100``.
    name, organism, description, revision : str
        The revision as ``r141191``.
    nodes : tuple of GpmlNode
    interactions : tuple of GpmlInteraction
    """

    id: str
    name: str
    organism: str
    description: str
    revision: str
    nodes: tuple[GpmlNode, ...]
    interactions: tuple[GpmlInteraction, ...]


def parse_gpml(data: bytes, where: str) -> GpmlPathway:
    """Read one drawing; arguments and errors are those of `tosg.loaders.formats.xml.parse_xml`."""
    return _Drawing(parse_xml(data, where, _FORMAT)).pathway()


@dataclass
class _Line:
    """An interaction before its ends are resolved."""

    id: str
    refs: tuple[str, str]
    heads: tuple[str, str]
    papers: list[str]


@dataclass
class _Drawing:
    root: ET.Element
    nodes: dict[str, GpmlNode] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    groups: dict[str, tuple[str, str]] = field(default_factory=dict)  # GraphId -> GroupId, style
    parents: dict[str, str | None] = field(default_factory=dict)  # GroupId -> GroupId around it
    anchors: dict[str, _Line] = field(default_factory=dict)

    def pathway(self) -> GpmlPathway:
        root = self.root
        self._read_nodes()
        lines = list(self._read_lines())
        papers = self._papers()
        version = root.get("Version", "")
        id_, _, revision = version.partition("_")
        interactions = tuple(
            GpmlInteraction(
                line.id,
                self._end(line.refs[0]),
                self._end(line.refs[1]),
                line.heads,
                tuple(sorted({papers[p] for p in line.papers if p in papers}, key=int)),
            )
            for line in lines
        )
        comments = root.findall(f"{_NS}Comment")
        described = [c for c in comments if c.get("Source") == "WikiPathways-description"]
        return GpmlPathway(
            id_,
            " ".join(root.get("Name", "").split()),
            root.get("Organism", ""),
            (described[0].text or "").strip() if described else "",
            revision,
            tuple(self.nodes.values()),
            interactions,
        )

    def _read_nodes(self) -> None:
        for number, element in enumerate(self.root.iter(f"{_NS}DataNode"), 1):
            ref = element.get("GraphId") or f"#{number}"
            xref = element.find(f"{_NS}Xref")
            self.nodes[ref] = GpmlNode(
                ref,
                " ".join(element.get("TextLabel", "").split()),
                element.get("Type", ""),
                "" if xref is None else xref.get("Database", "").strip(),
                "" if xref is None else xref.get("ID", "").strip(),
                element.get("GroupRef"),
            )
        for element in self.root.iter(f"{_NS}State"):
            if state := element.get("GraphId"):
                self.states[state] = element.get("GraphRef", "")
        for element in self.root.iter(f"{_NS}Group"):
            group = element.get("GroupId", "")
            self.parents[group] = element.get("GroupRef")
            if drawn := element.get("GraphId"):
                self.groups[drawn] = group, element.get("Style", "")

    def _read_lines(self) -> Iterator[_Line]:
        for number, element in enumerate(self.root.iter(f"{_NS}Interaction"), 1):
            graphics = element.find(f"{_NS}Graphics")
            points = [] if graphics is None else graphics.findall(f"{_NS}Point")
            if graphics is None or len(points) < 2:
                continue
            first, last = points[0], points[-1]
            line = _Line(
                element.get("GraphId") or f"#{number}",
                (first.get("GraphRef", ""), last.get("GraphRef", "")),
                (first.get("ArrowHead", ""), last.get("ArrowHead", "")),
                [ref.text or "" for ref in element.findall(f"{_NS}BiopaxRef")],
            )
            for anchor in graphics.findall(f"{_NS}Anchor"):
                if ref := anchor.get("GraphId"):
                    self.anchors[ref] = line
            yield line

    def _papers(self) -> dict[str, str]:
        """PubMed numbers by the ids that elements refer to."""
        found = {}
        for element in self.root.iter(f"{_BP}PublicationXref"):
            number = (element.findtext(f"{_BP}ID") or "").strip()
            if (element.findtext(f"{_BP}DB") or "").strip() == "PubMed" and number.isdecimal():
                found[element.get(_RDF_ID, "")] = number
        return found

    def _end(self, ref: str, depth: int = 0) -> End:
        if not ref:
            return End((), "unconnected")
        if ref in self.nodes:
            return End((self.nodes[ref],), "node")
        if self.states.get(ref) in self.nodes:
            return End((self.nodes[self.states[ref]],), "state")
        if ref in self.groups:
            group, style = self.groups[ref]
            members = tuple(n for n in self.nodes.values() if self._is_in(n.group, group))
            how = "complex" if style == "Complex" else "group"
            return End(members, how) if members else End((), "empty group")
        if ref in self.anchors and depth < MOST_ANCHORS:
            return self._anchored(self.anchors[ref], depth)
        return End((), "label or shape")

    def _anchored(self, line: _Line, depth: int) -> End:
        """What the interaction under an anchor leads to: its end with the arrow head."""
        from_start = bool(line.heads[0]) and not line.heads[1]
        target = self._end(line.refs[0 if from_start else 1], depth + 1)
        if not target.nodes:
            return End((), "anchor without target")
        head = line.heads[0 if from_start else 1]
        return End(
            target.nodes,
            "anchor",
            inverts=target.inverts != (sign_of(head) == -1),
            unclear=target.unclear or head in CONTACT,
        )

    def _is_in(self, group: str | None, wanted: str) -> bool:
        seen: set[str] = set()
        while group is not None and group not in seen:
            if group == wanted:
                return True
            seen.add(group)
            group = self.parents.get(group)
        return False


#: Arrow heads with a sign. ``Arrow`` says no more than a direction: in these drawings it stands
#: for activation, conversion and transport alike.
_SIGNS = {
    "mim-stimulation": 1,
    "mim-necessary-stimulation": 1,
    "mim-catalysis": 1,
    "mim-transcription-translation": 1,
    "mim-inhibition": -1,
    "TBar": -1,
}


#: Arrow heads of mere contact: what acts on such a line need not change what it leads to.
CONTACT = frozenset({"", "mim-binding", "mim-covalent-bond"})


def sign_of(head: str) -> int:
    """Sign of an arrow head: 1 raises, -1 lowers, 0 says only a direction."""
    return _SIGNS.get(head, 0)
