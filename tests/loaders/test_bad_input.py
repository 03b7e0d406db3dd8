"""Bad input, kind by kind: one clear report, nothing half done.

Which test shows what, over the fixtures of all sources where it is a contract:

- a file in the layout of another source: `test_contract.test_a_file_of_another_source`
- a wrong release: `test_contract.test_columns_in_another_order_and_renamed` (columns of another
  release), `test_download.test_another_hash` (another file than that of the release at an address),
  `loading/test_settling.test_what_a_newer_release_leaves_out_is_counted`, and
  `test_merge.test_a_newer_release_replaces_what_it_repeats` (an older file loaded later)
- a truncated gzip: `test_contract.test_compressed_and_cut_off`
- a header renamed, columns in another order:
  `test_contract.test_columns_in_another_order_and_renamed`
- a BOM: `test_contract.test_byte_order_mark`
- CRLF: `test_contract.test_windows_line_ends_change_nothing`
- an HTML page, a Git LFS pointer: `test_contract.test_another_file`
- rows of other species, negated rows, withdrawn identifiers, identifiers that went through a
  spreadsheet: below
- NaN scores: `test_contract.test_a_number_that_is_none_is_told_and_no_score`
- nothing half done: `loading/test_pipeline.test_a_wrong_file_leaves_the_graph_as_it_was`
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.sources import FILES, FIXTURES, read_source, source_of, write_source

from tosg.errors import DataError
from tosg.loaders import registry
from tosg.loaders.reference.ontology import Ontology

if TYPE_CHECKING:
    from pathlib import Path

TABLES = [(name, key) for name, fixture in FIXTURES.items() for key in fixture.tables]
_SPECIES = re.compile(r"(?i)tax|species|organism")
_NEGATED = re.compile(r"(?i)qualifier|negat")
#: What looks like an identifier: a number, or letters and a number, with or without a prefix.
_IDENTIFIER = re.compile(r"(?:\w+:)?[A-Z_]{0,12}\d[\w.:-]*")
#: What spreadsheets make of numbers and of symbols such as MARCH1.
CHANGED = ("1956.0", "1-Mar", "2.31E+13")


def table(name: str, key: str) -> tuple[int, list[str], list[list[str]]]:
    """Position of the header of a fixture's table, its columns, and all lines as fields."""
    separator = FIXTURES[name].tables[key]
    lines = [line.split(separator) for line in FILES[name][key][1].splitlines()]
    head = max(range(len(lines)), key=lambda i: len(lines[i]))
    return head, [cell.strip('#" ') for cell in lines[head]], lines


@pytest.mark.parametrize(("name", "key"), TABLES)
def test_columns_of_species_and_negations_are_obeyed(name: str, key: str) -> None:
    """A layout with such a column has a row for it, whose rejection the contract checks."""
    _, columns, _ = table(name, key)
    rejected = FIXTURES[name].rejected
    if any(map(_SPECIES.search, columns)):
        assert "other species" in rejected
    if any(map(_NEGATED.search, columns)):
        assert any(kind.startswith("negated") for kind in rejected)


@pytest.mark.parametrize(("name", "key"), TABLES)
def test_identifiers_that_went_through_a_spreadsheet_are_none(
    name: str, key: str, tmp_path: Path
) -> None:
    separator = FIXTURES[name].tables[key]
    head, columns, lines = table(name, key)
    body = [i for i in range(head + 1, len(lines)) if len(lines[i]) == len(columns)]
    for place, column in enumerate(columns):
        cells = [lines[i][place].strip('"') for i in body]
        if not cells or not all(map(_IDENTIFIER.fullmatch, filter(None, cells))):
            continue
        changed = [list(line) for line in lines]
        for n, i in enumerate(body):
            changed[i][place] = CHANGED[n % len(CHANGED)]
        text = "\n".join(separator.join(line) for line in changed) + "\n"
        write_source(name, tmp_path / str(place), {key: text.encode()})
        try:
            batches, _ = read_source(name, tmp_path / str(place))
        except DataError:  # no other row is left
            continue
        found = {
            id_
            for batch in batches
            for end in ("id", "start", "end")
            if end in batch.schema.names
            for id_ in batch[end].to_pylist()
        }
        taken = {id_ for id_ in found if id_.partition(":")[2] in CHANGED}
        assert not taken, f"{column}: {taken}"


ONTOLOGIES = [
    (name, key)
    for name, files in FILES.items()
    if issubclass(registry.loader_class(source_of(name)), Ontology)
    for key, (file, text) in files.items()
    if "[Term]" in text and not file.endswith(".json")
]


@pytest.mark.parametrize(("name", "key"), ONTOLOGIES)
def test_withdrawn_terms_are_told_and_claim_nothing(name: str, key: str, tmp_path: Path) -> None:
    loader = registry.loader_class(source_of(name))
    assert issubclass(loader, Ontology)
    text = FILES[name][key][1]
    local = re.findall(rf"(?mi)^id: ({re.escape(loader.prefix)}:\d+)", text)[0]
    prefix, _, number = local.partition(":")
    gone = f"{prefix}:{'9' * len(number)}"
    text += f"\n[Term]\nid: {gone}\nname: obsolete thing\nis_obsolete: true\n"
    write_source(name, tmp_path, {key: text.encode()})
    batches, log = read_source(name, tmp_path)
    assert not any(gone.lower() in b["id"].to_pylist() for b in batches if "id" in b.schema.names)
    assert any("obsolete" in r.kind for r in log.rejections)
