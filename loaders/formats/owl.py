"""The Gene Ontology as RDF/XML of 2009: terms with definitions, synonyms, ``is_a``, ``part_of``.

Only standard parts of the format are read: ``owl:Class`` elements with ``rdf:about``, their label,
namespace, ``def``, synonyms and superclasses. External entities are never fetched.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tosg.loaders.formats.obo import Term
from tosg.loaders.formats.opening import open_bytes
from tosg.loaders.formats.xml import XmlFormat, parse_elements

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Iterator
    from pathlib import Path

    from tosg.kg.claims.log import FileLog

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_RDFS = "{http://www.w3.org/2000/01/rdf-schema#}"
_OWL = "{http://www.w3.org/2002/07/owl#}"
_FORMAT = XmlFormat("the file", "RDF/XML", f"{_RDF}RDF", "<rdf:RDF>")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def read_owl_terms(path: Path, file: FileLog) -> Iterator[Term]:
    """Terms of the file; ``line`` is the position among its classes, from 1.

    The caller counts each term as parsed or rejected.
    """
    with open_bytes(path) as stream:
        number = 0
        for element in parse_elements(stream, path, _FORMAT):
            about = element.get(f"{_RDF}about")
            if element.tag == f"{_OWL}Class" and about:
                number += 1
                file.read()
                yield _term(element, about, number)


def owl_release(path: Path) -> str:
    """Day in the file's ``date``, as 2009-05-15; "" without one."""
    with open_bytes(path) as stream:
        head = stream.read(1 << 16).decode("utf-8", "replace")
    found = re.search(r"<date[^>]*>\s*\w{3} (\w{3}) +(\d+) [\d:]+ \w+ (\d{4})", head)
    if found is None or found.group(1) not in _MONTHS:
        return ""
    month = _MONTHS.index(found.group(1)) + 1
    return f"{found.group(3)}-{month:02}-{int(found.group(2)):02}"


def _term(element: ET.Element, about: str, number: int) -> Term:
    term = Term(_id(about), number)
    for child in element:
        tag = child.tag.rpartition("}")[2]
        text = (child.text or "").strip()
        if child.tag == f"{_RDFS}subClassOf":
            _superclass(child, term)
        elif child.tag == f"{_RDFS}label":
            term.name = text
        elif tag == "def" and text:
            term.definition = text
        elif tag == "namespace":
            term.namespace = text
        elif tag == "synonym" and text:
            term.synonyms.append(text)
        elif tag == "alt_id" and text:
            term.alt_ids.append(text)
        elif tag == "deprecated":
            term.obsolete = text == "true"
    return term


def _superclass(child: ET.Element, term: Term) -> None:
    plain = child.get(f"{_RDF}resource")
    if plain:
        term.is_a.append(_id(plain))
        return
    for restriction in child.iter(f"{_OWL}Restriction"):
        of = restriction.find(f"{_OWL}onProperty")
        target = restriction.find(f"{_OWL}someValuesFrom")
        if of is None or target is None:
            continue
        kind, end = of.get(f"{_RDF}resource"), target.get(f"{_RDF}resource")
        if kind and end:
            term.relationships.append((_id(kind), _id(end)))


def _id(reference: str) -> str:
    return re.split(r"[#/]", reference)[-1]
