"""``tosg embed`` and ``tosg search``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tosg.cli.options import complete_from, echo_json, examples, graph_options, json_option, note
from tosg.progress import ProgressBar

if TYPE_CHECKING:
    from tosg.graph import KnowledgeGraph

_types_option = click.option(
    "--type",
    "types",
    multiple=True,
    metavar="TYPE",
    help="Only this type; may be repeated.",
    shell_complete=complete_from("type_names"),
)


@click.command(
    "embed",
    epilog=examples("tosg embed", "tosg embed --type Gene --device cuda"),
)
@click.option(
    "--model",
    help="Name or folder of a sentence-transformers model; static: quick, and finds less.",
)
@_types_option
@click.option("--rebuild", is_flag=True, help="Let another model replace all vectors.")
@click.option(
    "--batch-size", type=click.IntRange(1), default=256, show_default=True, help="Texts at once."
)
@click.option("--device", help="As torch names it; by default a GPU where there is one.")
@json_option
@graph_options
def embed(
    model: str | None,
    types: tuple[str, ...],
    rebuild: bool,
    batch_size: int,
    device: str | None,
    as_json: bool,
    graph: KnowledgeGraph,
) -> None:
    """Embed the texts that changed.

    A run that was stopped continues where it was. The vector indexes are online at the end.
    """
    with ProgressBar() as progress:
        report = graph.embed(
            model,
            types=list(types) or None,
            rebuild=rebuild,
            batch_size=batch_size,
            device=device,
            progress=progress,
        )
    if as_json:
        echo_json(report.as_dict())
        return
    click.echo(f"model      {report.model.name} (revision {report.model.revision})")
    click.echo(f"texts      {report.texts:,} composed")
    click.echo(f"embedded   {report.embedded:,}, unchanged {report.unchanged:,}")
    if report.embedded:
        speed = report.encoded / max(report.seconds, 1e-9)
        note(f"{report.seconds:.1f} s on {report.device}, {speed:,.0f} texts a second")
    if report.indexes:
        note(f"vector indexes made: {', '.join(report.indexes)}")


@click.command(
    "search",
    epilog=examples(
        'tosg search "interferon response in lupus" --type Gene',
        "tosg search IL-2/STAT5 -k 5 --json",
    ),
)
@click.argument("text")
@_types_option
@click.option("-k", type=click.IntRange(1, 10_000), default=10, show_default=True, help="Results.")
@json_option
@graph_options
def search(text: str, types: tuple[str, ...], k: int, as_json: bool, graph: KnowledgeGraph) -> None:
    """Find entities by name, by meaning and by words.

    TEXT is any text; no character in it has a special meaning. Entities that have it as symbol,
    name or synonym come first, then those with a name that begins with it.
    """
    with ProgressBar() as progress:
        progress("searching")
        found = graph.search(text, types=list(types) or None, k=k)
    if several := (found.schema.metadata or {}).get(b"ambiguity"):
        note(f"note: {several.decode()}")
    if as_json:
        echo_json(found.to_pylist())
        return
    for row in found.to_pylist():
        name = row["name"] or row["id"]
        shown = f"{row['symbol']} - {name}" if row["symbol"] else name
        if row["match"]:
            shown += f"  [{row['match']}: {row['matched']}]"
        click.echo(f"{row['score']:.4f}  {row['type']:<18} {row['id']:<22} {shown}")
        if row["snippet"]:
            click.echo(f"        {row['snippet']}")
