"""Headers of statements are checked both ways; tokens are cut where Cypher cuts them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tosg.cypher.header import make_plain_statement, parse_statement
from tosg.cypher.quoting import quote, quote_property
from tosg.cypher.registry import read, read_folder
from tosg.cypher.tokens import (
    calls,
    commands,
    limit_without_order,
    misread_escape,
    parameters,
    parts,
    tokens,
    with_aliases,
)
from tosg.errors import SchemaError, UsageError
from tosg.kg.query import page as statement_page
from tosg.kg.schema import names

LABELS = frozenset({"Gene", "Entity"})

GOOD = """\
// name: probe
// mode: read
// param gene: Gene - id or symbol
// param limit: INTEGER = 5 - rows
// returns gene: NODE - the gene
// help: A statement for tests.
CYPHER 5
MATCH (gene:Entity {id: $gene}) // not a header: $other
RETURN gene, '$text' LIMIT $limit
"""


def test_a_header_is_read() -> None:
    statement = parse_statement(GOOD, "probe.cypher", LABELS)
    assert statement.name == "probe"
    assert [(p.name, p.type, p.required, p.default) for p in statement.params] == [
        ("gene", "Gene", True, None),
        ("limit", "INTEGER", False, 5),
    ]
    assert [c.name for c in statement.returns] == ["gene"]
    assert statement.cypher.startswith("CYPHER 5\nMATCH")
    assert statement.text == GOOD


@pytest.mark.parametrize(
    ("old", "new", "what", "where"),
    [
        ("$limit", "$limit + $more", "a parameter is not declared", "probe.cypher:9"),
        ("LIMIT $limit", "LIMIT 5", "a declared parameter is not used", "probe.cypher:4"),
        ("// mode: read\n", "", "the header has no mode", "probe.cypher"),
        ("// mode: read", "// mode: fast", "the mode is unknown", "probe.cypher:2"),
        ("// returns gene: NODE - the gene\n", "", "what is returned", "probe.cypher"),
        ("// help: A", "// help:", "does not", ""),
        ("gene: Gene -", "gene: Gnee -", "the type of a parameter is unknown", "probe.cypher:3"),
        ("gene: Gene - id or symbol", "gene Gene", "a parameter does not parse", "probe.cypher:3"),
        ("INTEGER = 5", "INTEGER = five", "is not JSON", "probe.cypher:4"),
        ("// help", "// hlep", "is not understood", "probe.cypher:6"),
        ("// mode: read", "// mode: read\n// mode: read", "stands twice", "probe.cypher:3"),
        ("// returns", "// param gene: Gene - x\n// returns", "declared twice", "probe.cypher:5"),
        ("gene: NODE - the gene", "gene NODE", "a column does not parse", "probe.cypher:5"),
        ("// name: probe", "// name: Probe 1", "the name does not fit", "probe.cypher:1"),
        ("// help", "// after: x(nothing)\n// help", "not declared", "probe.cypher"),
    ],
)
def test_a_wrong_header_is_refused_with_file_and_line(
    old: str, new: str, what: str, where: str
) -> None:
    text = GOOD.replace(old, new)
    assert text != GOOD
    if old == "// help: A":
        text = GOOD.replace("// help: A statement for tests.", "// help:")
        what, where = "the header's help is empty", "probe.cypher:6"
    with pytest.raises(SchemaError) as caught:
        parse_statement(text, "probe.cypher", LABELS)
    assert what in str(caught.value)
    assert caught.value.where == where


def test_a_parameter_that_only_the_finishing_step_takes_counts_as_used() -> None:
    text = GOOD.replace("LIMIT $limit", "").replace("// help", "// after: cut(limit)\n// help")
    assert parse_statement(text, "probe.cypher", LABELS).after == "cut"


def test_the_file_must_have_the_name_of_the_statement(tmp_path: Path) -> None:
    (tmp_path / "probe.cypher").write_text(GOOD)
    assert list(read_folder(tmp_path)) == ["probe"]
    other = tmp_path / "other.cypher"
    other.write_text(GOOD)
    with pytest.raises(SchemaError, match="not that of the file"):
        read(other)


def test_cypher_without_header_takes_the_parameters_of_its_text() -> None:
    statement = make_plain_statement(
        "MATCH (n {a: $a, b: $`b c`, c: '$d'}) RETURN n // $e", "the query"
    )
    assert [p.name for p in statement.params] == ["a", "b c"]
    assert not statement.declared


def test_strings_comments_and_quoted_names_are_single_tokens() -> None:
    text = "RETURN 'it\\'s // no', \"a\\\"b\" /* $x */ AS `odd ``name`` // here` // $y"
    kinds = [(t.kind, t.text) for t in tokens(text)]
    assert kinds == [
        ("word", "RETURN"),
        ("string", "'it\\'s // no'"),
        ("symbol", ","),
        ("string", '"a\\"b"'),
        ("word", "AS"),
        ("quoted", "`odd ``name`` // here`"),
    ]
    assert parameters(text) == {}


@pytest.mark.parametrize(
    ("text", "prefix", "body", "several"),
    [
        ("MATCH (n) RETURN n", "", "MATCH (n) RETURN n", False),
        (" cypher 25 MATCH (n) RETURN n ; ; // end", "cypher 25", "MATCH (n) RETURN n", False),
        (
            "CYPHER 5 runtime=slotted RETURN 1 AS x",
            "CYPHER 5 runtime=slotted",
            "RETURN 1 AS x",
            False,
        ),
        ("CYPHER planner = cost RETURN 1 AS x;", "CYPHER planner = cost", "RETURN 1 AS x", False),
        ("RETURN ';' AS x; RETURN 2 AS y", "", "RETURN ';' AS x", True),
        ("// nothing", "", "", False),
    ],
)
def test_a_statement_is_taken_apart(text: str, prefix: str, body: str, several: bool) -> None:
    found = parts(text)
    assert (found.prefix, found.body, found.several) == (prefix, body, several)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MATCH (n) RETURN n LIMIT 5", True),
        ("MATCH (n) RETURN n ORDER BY n.id LIMIT 5", False),
        ("MATCH (n) RETURN n", False),
        ("MATCH (n) WITH n LIMIT 5 RETURN n", True),
        ("MATCH (n) WITH n ORDER BY n.id SKIP 2 LIMIT 5 RETURN n", False),
        ("MATCH (n) WITH n ORDER BY n.id RETURN n SKIP 5", True),
        ("MATCH (n) CALL (n) { MATCH (n)--(m) RETURN m LIMIT 1 } RETURN n, m", True),
        ("MATCH (n) WHERE n.limit > 5 RETURN n.limit, {limit: 1} AS x", False),
        ("MATCH (n:Limit) RETURN n // LIMIT 5", False),
        ("WITH 1 AS limit RETURN limit", False),
        ("WITH 1 AS x, 2 AS skip RETURN x, skip", False),
        ("WITH 1 AS limit RETURN limit + limit LIMIT 1", True),
        ("MATCH (n) RETURN n // all\rLIMIT 5", True),
    ],
)
def test_limit_without_order_is_seen(text: str, expected: bool) -> None:
    assert limit_without_order(text) is expected


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("RETURN '\\u0041 \\\\u0027' AS x", None),
        ('RETURN "\\u00b0" AS `a\\b`', None),
        ("RETURN '\\u0027' AS x", 8),
        ("RETURN '\\u0060' AS x", 8),
        ("RETURN '\\\\\\u005C' AS x", 10),
        ("RETURN 1 AS `\\u0041`", 13),
        ("RETURN 1 AS x // \\u000a UNION", 17),
        ("\\u0053HOW INDEXES", 0),
    ],
)
def test_escapes_that_neo4j_reads_before_strings_are_seen(text: str, at: int | None) -> None:
    assert misread_escape(text) == at


def test_calls_and_commands_are_seen_at_any_depth() -> None:
    text = """
        CALL db . `labels` () YIELD label // CALL no.no()
        CALL (label) { RETURN [x IN [1] | COUNT { call a.b.c('CALL no.no()') }] AS y }
        MATCH (n:Load {show: 1}) WHERE n.call = n.load RETURN n.show AS `SHOW all`
    """
    assert list(calls(text)) == ["db.labels", "a.b.c"]
    assert list(commands(text)) == []
    text = "RETURN [EXISTS { load /* */ CSV FROM '' AS l RETURN l }, COUNT { SHOW INDEXES }] AS x"
    assert list(commands(text)) == ["LOAD CSV", "SHOW INDEXES"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("MATCH (n) RETURN n", "MATCH (n) RETURN n"),
        ("MATCH (n) RETURN n.id, n AS m", "MATCH (n) RETURN n.id AS `n.id`, n AS m"),
        (
            "MATCH p=()--() RETURN DISTINCT nodes(p)",
            "MATCH p=()--() RETURN DISTINCT nodes(p) AS `nodes(p)`",
        ),
        (
            "RETURN [1, 2], {a: 1, b: [3]}",
            "RETURN [1, 2] AS `[1, 2]`, {a: 1, b: [3]} AS `{a: 1, b: [3]}`",
        ),
        ("MATCH (n) RETURN *", "MATCH (n) RETURN *"),
        (
            "MATCH (n) RETURN n.a ORDER BY n.a LIMIT 2",
            "MATCH (n) RETURN n.a AS `n.a` ORDER BY n.a LIMIT 2",
        ),
        (
            "MATCH (a) RETURN a.x UNION MATCH (b) RETURN b.x",
            "MATCH (a) RETURN a.x AS `a.x` UNION MATCH (b) RETURN b.x AS `b.x`",
        ),
        (
            "CALL () { RETURN 1 AS x } RETURN x + 1",
            "CALL () { RETURN 1 AS x } RETURN x + 1 AS `x + 1`",
        ),
        ("MATCH (n) RETURN n.`a b`", "MATCH (n) RETURN n.`a b` AS `n.``a b```"),
        ("RETURN true, Null AS n, NaN", "RETURN true AS `true`, Null AS n, NaN AS `NaN`"),
        ("RETURN 'a\\\\b', 1 AS limit, 2", "RETURN 'a\\\\b' AS `'a\\\\b'`, 1 AS limit, 2 AS `2`"),
    ],
)
def test_returned_items_get_names(body: str, expected: str) -> None:
    assert with_aliases(body) == expected


def test_only_names_of_the_schema_are_quoted() -> None:
    assert quote("Gene", {"Gene"}) == "`Gene`"
    assert names.label("Cell") == "`Cell`"
    assert names.pattern_types(["REGULATES", "EXPRESSES"]) == ":`REGULATES`|`EXPRESSES`"
    assert quote_property("expr_HLA-DRA") == "`expr_HLA-DRA`"
    for bad in ("Gene) DETACH DELETE n //", "gene", "", "`"):
        with pytest.raises(UsageError, match="unknown name"):
            quote(bad, {"Gene"})
    with pytest.raises(UsageError, match="unknown label") as caught:
        names.label("Gnee")
    assert "did you mean Gene" in str(caught.value)
    with pytest.raises(UsageError, match="unknown relationship type"):
        names.relationship_type("REGULATE")


@pytest.mark.parametrize("bad", ["", "a`b", "a\\u0060b", "a\nb", "a\x00"])
def test_a_property_name_that_could_end_its_quotation_is_refused(bad: str) -> None:
    with pytest.raises(SchemaError, match="cannot be used in Cypher"):
        quote_property(bad)
    with pytest.raises(SchemaError):
        quote_property(bad)


def test_the_page_of_statements_is_made_from_their_headers() -> None:
    page = Path(__file__).resolve().parents[1] / "docs" / "statements.md"
    assert page.read_text(encoding="utf-8") == statement_page.page(), (
        "run python -m tosg.kg.query.page > docs/statements.md"
    )
