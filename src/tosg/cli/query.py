"""``tosg query``: a named statement, a file or Cypher, as rows on stdout."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from tosg.cli.options import (
    complete_from,
    examples,
    graph_options,
    note,
    param_option,
    timeout_option,
)
from tosg.graph import QUERY_TIMEOUT
from tosg.progress import ProgressBar

if TYPE_CHECKING:
    import pyarrow as pa

    from tosg.cypher.header import Statement
    from tosg.errors import AmbiguousNameError
    from tosg.graph import KnowledgeGraph


@click.command(
    epilog=examples(
        "tosg query --list",
        "tosg query genes_of_pathway --describe",
        'tosg query genes_of_pathway --param pathway="B Cell Receptor Signaling Pathway"',
        'tosg query "MATCH (d:Drug)-[:TARGETS]->(g:Gene) RETURN d, g ORDER BY d.id LIMIT 5"',
    )
)
@click.argument("query", required=False, shell_complete=complete_from("statements"))
@param_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "arrow"]),
    help="How rows are written (table).",
)
@click.option("--json", "as_json", is_flag=True, help="Same as --format json.")
@timeout_option(QUERY_TIMEOUT, "Stop the query after this long.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="Rows at most; 0 for all.",
)
@click.option(
    "--first", is_flag=True, help="Take the entity with most relationships for an ambiguous name."
)
@click.option("--list", "listing", is_flag=True, help="List the named statements.")
@click.option("--describe", is_flag=True, help="Show a statement's parameters and its Cypher.")
@graph_options
def query(
    query: str | None,
    params: tuple[str, ...],
    form: str | None,
    as_json: bool,
    timeout: float,
    limit: int,
    first: bool,
    listing: bool,
    describe: bool,
    graph: KnowledgeGraph,
) -> None:
    """Run QUERY: a named statement, @FILE with Cypher, or Cypher that reads."""
    if form is None:
        form = "json" if as_json else "table"
    elif as_json and form != "json":
        raise click.UsageError("--json and --format contradict each other")
    if listing:
        _list(form)
        return
    if query is None:
        raise click.UsageError("no query given: name a statement (see --list), @FILE or Cypher")
    from tosg.catalog import find_statement
    from tosg.errors import AmbiguousNameError
    from tosg.inputs import read_params

    if describe:
        if form in ("csv", "arrow"):
            raise click.UsageError(
                "--describe prints text, or JSON with --json: leave --format out"
            )
        click.echo((_as_document if form == "json" else describe_statement)(find_statement(query)))
        return
    most = limit + 1 if limit else None
    values = read_params(params, query)
    while True:
        try:
            with ProgressBar() as progress:
                progress("asking")
                table = graph.query(query, params=values, timeout=timeout, limit=most, first=first)
            break
        except AmbiguousNameError as error:
            values[error.where or ""] = choose_candidate(error)
    if limit and table.num_rows > limit:
        table = table.slice(0, limit)
        note(f"note: only the first {limit:,} rows are shown; --limit 0 shows all")
    if table.num_rows == 0:
        note("note: no rows")
    _write(table, form)


def choose_candidate(error: AmbiguousNameError) -> str:
    """Ask which of several entities is meant; without a terminal that is the error."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise error
    note(f"{error.where}: {error.found} is ambiguous")
    for number, candidate in enumerate(error.candidates, 1):
        note(f"{number:>4}  {candidate}")
    numbers = click.IntRange(1, len(error.candidates))
    return error.candidates[click.prompt("which", type=numbers, default=1, err=True) - 1].id


def _write(table: pa.Table, form: str) -> None:
    if form == "arrow":
        import pyarrow as pa

        with pa.ipc.new_stream(sys.stdout.buffer, table.schema) as out:
            out.write_table(table)
        sys.stdout.buffer.flush()
        return
    from tosg.kg.query.rows_text import as_csv, as_json, as_table

    written = {"table": as_table, "csv": as_csv, "json": as_json}[form](table)
    click.echo(written.encode())  # of text, `echo` takes away what looks like a terminal's colours


def _list(form: str) -> None:
    import pyarrow as pa

    from tosg.catalog import statements

    rows = [
        {"name": s.name, "params": " ".join(_shown(s)), "help": s.help}
        for s in statements().values()
    ]
    if form == "table":
        for row in rows:
            click.echo(f"{row['name']}  {row['params']}\n    {row['help']}")
        return
    _write(pa.Table.from_pylist(rows), form)


def _shown(statement: Statement) -> list[str]:
    return [p.name if p.required else f"[{p.name}]" for p in statement.params]


def _as_document(statement: Statement) -> str:
    whole = asdict(statement)
    document = {key: whole[key] for key in ("name", "help", "mode", "params", "returns")}
    return json.dumps({**document, "cypher": statement.cypher}, ensure_ascii=False)


def describe_statement(statement: Statement) -> str:
    """Write what a statement takes and returns, with its Cypher."""
    if not statement.declared:
        return statement.text.strip()
    lines = [f"{statement.name}: {statement.help}", "", "Parameters"]
    for p in statement.params:
        default = "" if p.required else f" (default {json.dumps(p.default)})"
        lines.append(f"  {p.name}: {p.type}{default}  {p.help}")
    lines += ["", "Returns"]
    lines += [f"  {c.name}: {c.type}  {c.help}" for c in statement.returns]
    return "\n".join([*lines, "", statement.cypher.rstrip()])
