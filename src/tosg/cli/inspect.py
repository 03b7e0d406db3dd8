"""``tosg schema``, ``tosg stats``, ``tosg report``, ``tosg check``: looking at a graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tosg.cli.options import echo_json, examples, graph_options, json_option, note
from tosg.json_text import json_text
from tosg.progress import ProgressBar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tosg.graph import KnowledgeGraph


@click.command(
    "schema",
    epilog=examples(
        "tosg schema", "tosg schema --json", "tosg schema --neodash neodash.json --grass tosg.grass"
    ),
)
@json_option
@click.option("--markdown", is_flag=True, help="Print the page of the documentation.")
@click.option(
    "--neodash",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a dashboard of the named statements to FILE, which NeoDash 2.4 imports.",
)
@click.option(
    "--grass",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a style sheet to FILE, which Neo4j Browser takes.",
)
def schema(as_json: bool, markdown: bool, neodash: Path | None, grass: Path | None) -> None:
    """Show the schema: types of entities and relationships, properties, indexes."""
    from tosg import catalog

    if neodash is not None or grass is not None:
        _write_for_neo4j_tools(neodash, grass, as_json)
        return
    if markdown:
        click.echo(catalog.write_schema_page(), nl=False)
        return
    document = catalog.describe_schema()
    if as_json:
        echo_json(document)
        return
    _table(
        ("entity", "prefixes", "what it is"),
        ((t["label"], ", ".join(t["prefixes"]), t["help"]) for t in document["entity_types"]),
    )
    _table(
        ("relationship", "from and to", "key", "reads"),
        (
            (t["type"], t["ends"], ", ".join(t["keys"]), t["help"])
            for t in (*document["relationship_types"], *document["cell_relationship_types"])
        ),
    )
    _table(("label", "what it is"), ((t["label"], t["help"]) for t in document["support_types"]))


def _write_for_neo4j_tools(neodash: Path | None, grass: Path | None, as_json: bool) -> None:
    from tosg import catalog
    from tosg.files import write_text

    made: dict[str, str] = {}
    if neodash is not None:
        write_text(neodash, json_text(catalog.make_neodash(), indent=2) + "\n")
        made["neodash"] = str(neodash)
    if grass is not None:
        write_text(grass, catalog.make_grass())
        made["grass"] = str(grass)
    if as_json:
        echo_json(made)
    else:
        click.echo("\n".join(made.values()))


@click.command("stats", epilog=examples("tosg stats", "tosg stats --no-sources --json"))
@click.option("--sources/--no-sources", default=True, help="Count per source too (default).")
@json_option
@graph_options
def stats(sources: bool, as_json: bool, graph: KnowledgeGraph) -> None:
    """Count what is in the graph: per label, relationship type and source."""
    counts = graph.stats()
    with ProgressBar() as progress:
        progress("counting what each source claims")
        by_source = graph.count_by_source() if sources else {}
    revision = graph.revision()
    if as_json:
        echo_json({**counts.as_dict(), "sources": by_source, "revision": revision})
        return
    _table(("label", "nodes"), ((k, f"{v:,}") for k, v in counts.nodes.items()), right=(1,))
    _table(
        ("type", "relationships"),
        ((k, f"{v:,}") for k, v in counts.relationships.items()),
        right=(1,),
    )
    if by_source:
        _table(
            ("source", "nodes", "relationships", ""),
            (
                (k, f"{v['nodes']:,}", f"{v['relationships']:,}", _share(v))
                for k, v in by_source.items()
            ),
            right=(1, 2),
        )
    click.echo(f"revision {revision}")


def _share(counts: dict[str, int]) -> str:
    """Say how much of a source is an excerpt only."""
    whole, partial = counts["nodes"] + counts["relationships"], counts["from_excerpt"]
    if not partial:
        return ""
    return "excerpt" if partial == whole else f"{partial:,} from an excerpt"


@click.command("report", epilog=examples("tosg report", "tosg report --list --json"))
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--list", "list_", is_flag=True, help="List the loads whose reports are kept.")
@json_option
@graph_options
def report(id_: str | None, list_: bool, as_json: bool, graph: KnowledgeGraph) -> None:
    """Show the report of a load, by default of the latest."""
    if list_:
        found = graph.report_ids()
        if as_json:
            echo_json(found)
        else:
            click.echo("\n".join(found))
        return
    document = graph.report(id_)
    if as_json:
        echo_json(document)
        return
    from tosg.cli.report_view import print_report

    print_report(document)


@click.command("check", epilog=examples("tosg check", "tosg check --json"))
@json_option
@graph_options
def check(as_json: bool, graph: KnowledgeGraph) -> None:
    """Check the graph against the schema and its last report; exits with 1 where they differ."""
    with ProgressBar() as progress:
        findings = graph.check(progress=progress)
    if as_json:
        echo_json([f.as_dict() for f in findings])
    elif findings:
        _table(
            ("rule", "count", "what", "example"),
            ((f.rule, f"{f.count:,}", f.what, f.example) for f in findings),
            right=(1,),
        )
    else:
        note("the graph agrees with the schema and its last report")
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
