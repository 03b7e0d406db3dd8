"""XML documents: entities of their own, faults with their line, the root of another format."""

from __future__ import annotations

import io

import pytest

from tosg.errors import DataError
from tosg.loaders.formats.gpml import parse_gpml
from tosg.loaders.formats.kgml import parse_kgml
from tosg.loaders.formats.xml import XmlFormat, parse_elements, parse_xml

FORMAT = XmlFormat("the list", "a list of parts", "list", "<list>")
BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE list [
  <!ENTITY a "aaaaaaaaaa">
  <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
]>
<list>&b;</list>
"""
PREFIXES = b"""<!DOCTYPE list [<!ENTITY go "http://x.org/GO_">]>
<list><part of="&go;1"/><part of="&go;2"/></list>
"""


@pytest.mark.parametrize("parse", [parse_gpml, parse_kgml])
def test_entities_of_a_document_are_refused(parse: object) -> None:
    assert callable(parse)
    with pytest.raises(DataError, match=r"declares XML entities[\s\S]*line 3"):
        parse(BOMB, "a.xml")


def test_a_fault_names_its_line() -> None:
    with pytest.raises(DataError, match=r"the list is not XML, or is cut off[\s\S]*a\.xml, line 3"):
        parse_xml(b"<list>\n<part/>\n<part", "a.xml", FORMAT)


def test_parts_come_one_by_one() -> None:
    parts = parse_elements(io.BytesIO(PREFIXES), "a.xml", FORMAT)
    assert [part.get("of") for part in parts] == ["http://x.org/GO_1", "http://x.org/GO_2"]


def test_parts_of_a_document_that_is_cut_off() -> None:
    parts = parse_elements(io.BytesIO(PREFIXES[:-20]), "a.xml", FORMAT)
    assert next(parts).tag == "part"
    with pytest.raises(DataError, match="line 2"):
        list(parts)


def test_another_root() -> None:
    with pytest.raises(DataError, match=r"the file is not a list of parts[\s\S]*<html>"):
        list(parse_elements(io.BytesIO(b"<html/>"), "a.xml", FORMAT))
