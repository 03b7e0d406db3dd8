"""``tosg schema``, ``tosg stats``, ``tosg report``, ``tosg check``: looking at a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tosg.cli.options import connection_options, echo_json, json_option, note

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tosg.settings import Settings


@click.command("schema")
@json_option
@click.option("--markdown", is_flag=True, help="Print the documentation's page.")
def schema(as_json: bool, markdown: bool) -> None:
    """Show the schema: types of entities and relationships, properties, indexes."""
    from tosg.kg.schema import page as schema_view

    if markdown:
        click.echo(schema_view.markdown(), nl=False)
        return
    if as_json:
        echo_json(schema_view.as_dict())
        return
    from tosg.kg.schema.types import (
        CELL_RELATIONSHIP_TYPES,
        ENTITY_TYPES,
        RELATIONSHIP_TYPES,
        SUPPORT_TYPES,
    )

    _table(
        ("entity", "prefixes", "what it is"),
        ((t.label, ", ".join(t.prefixes), t.help) for t in ENTITY_TYPES),
    )
    _table(
        ("relationship", "from and to", "key", "reads"),
        (
            (t.name, schema_view.pairs_text(t), ", ".join(t.keys), t.help)
            for t in (*RELATIONSHIP_TYPES, *CELL_RELATIONSHIP_TYPES)
        ),
    )
    _table(("label", "what it is"), ((t.label, t.help) for t in SUPPORT_TYPES))


@click.command("stats")
@click.option("--sources/--no-sources", default=True, help="Count per source too (default).")
@json_option
@connection_options
def stats(sources: bool, as_json: bool, settings: Settings) -> None:
    """Count what is in the graph: per label, relationship type and source."""
    from tosg.kg.cells.stored.staging import told_in_part
    from tosg.kg.database import counts as library
    from tosg.kg.database.bookkeeping import read_meta
    from tosg.kg.server.connect import connect

    with connect(settings) as db:
        for warning in told_in_part(db):
            note(f"note: {warning}")
        counts = library.count(db)
        by_source = library.by_source(db) if sources else {}
        meta = read_meta(db)
    if as_json:
        echo_json({**counts.as_dict(), "sources": by_source, "revision": meta.revision})
        return
    _table(("label", "nodes"), ((k, f"{v:,}") for k, v in counts.nodes.items()), right=(1,))
    _table(
        ("type", "relationships"),
        ((k, f"{v:,}") for k, v in counts.relationships.items()),
        right=(1,),
    )
    if by_source:
        rows = ((k, f"{v['nodes']:,}", f"{v['relationships']:,}") for k, v in by_source.items())
        _table(("source", "nodes", "relationships"), rows, right=(1, 2))
    click.echo(f"revision {meta.revision}")


@click.command("report")
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--list", "list_", is_flag=True, help="List the loads whose reports are kept.")
@json_option
@connection_options
def report(id_: str | None, list_: bool, as_json: bool, settings: Settings) -> None:
    """Show the report of a load, by default of the latest."""
    from tosg.kg.report import kept as library
    from tosg.kg.server.connect import connect

    with connect(settings) as db:
        if list_:
            found = library.report_ids(db)
            if as_json:
                echo_json(found)
            else:
                click.echo("\n".join(found))
            return
        document = library.read_report(db, id_)
    if as_json:
        echo_json(document)
        return
    from tosg.cli.report_view import print_report

    print_report(document)


@click.command("check")
@json_option
@connection_options
def check(as_json: bool, settings: Settings) -> None:
    """Check the graph against the schema and its last report; exits with 1 where they differ."""
    from tosg.kg.report import check as library
    from tosg.kg.server.connect import connect

    with connect(settings) as db:
        findings = library.check(db)
    if as_json:
        echo_json([f.as_dict() for f in findings])
    elif findings:
        _table(
            ("rule", "count", "what", "example"),
            ((f.rule, f"{f.count:,}", f.what, f.example) for f in findings),
            right=(1,),
        )
    else:
        note("all is well: " + ", ".join(library.RULES))
    if findings:
        raise click.exceptions.Exit(1)


def _table(
    head: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[int] = ()
) -> None:
    from tosg.cli.report_view import console, table

    shown = table(*head, right=right)
    for row in rows:
        shown.add_row(*map(str, row))
    console().print(shown)
