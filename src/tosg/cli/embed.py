"""``tosg embed`` and ``tosg search``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tosg.cli.options import connection_options, echo_json, json_option, note
from tosg.progress import ProgressBar

if TYPE_CHECKING:
    from tosg.settings import Settings

_types_option = click.option(
    "--type", "types", multiple=True, metavar="TYPE", help="Only this type; may be repeated."
)


@click.command("embed")
@click.option("--model", help="Name or folder of a sentence-transformers model.")
@_types_option
@click.option("--rebuild", is_flag=True, help="Let another model replace all vectors.")
@click.option(
    "--batch-size", type=click.IntRange(1), default=256, show_default=True, help="Texts at once."
)
@click.option("--device", help="As torch names it; by default a GPU where there is one.")
@json_option
@connection_options
def embed(
    model: str | None,
    types: tuple[str, ...],
    rebuild: bool,
    batch_size: int,
    device: str | None,
    as_json: bool,
    settings: Settings,
) -> None:
    """Embed the texts that changed.

    Stopped half way, the next run goes on from there. The vector indexes are online at the end.
    """
    from tosg.kg.embed.run import embed as run
    from tosg.kg.server.connect import connect

    with connect(settings) as db, ProgressBar() as progress:
        report = run(
            db,
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
    click.echo(f"texts      {report.texts:,} composed anew")
    click.echo(f"embedded   {report.embedded:,}, unchanged {report.unchanged:,}")
    if report.embedded:
        speed = report.encoded / max(report.seconds, 1e-9)
        note(f"{report.seconds:.1f} s on {report.device}, {speed:,.0f} texts a second")
    if report.indexes:
        note(f"vector indexes made: {', '.join(report.indexes)}")


@click.command("search")
@click.argument("text")
@_types_option
@click.option("-k", type=click.IntRange(1, 10_000), default=10, show_default=True, help="Results.")
@json_option
@connection_options
def search(text: str, types: tuple[str, ...], k: int, as_json: bool, settings: Settings) -> None:
    """Find entities by meaning and by words.

    TEXT is any text; nothing in it is syntax.
    """
    from tosg.kg.search.hybrid import note_of
    from tosg.kg.search.hybrid import search as run
    from tosg.kg.server.connect import connect

    with connect(settings) as db:
        found = run(db, text, types=list(types) or None, k=k)
    said = note_of(found)
    if said:
        note(said)
    if as_json:
        echo_json(found.to_pylist())
        return
    for row in found.to_pylist():
        name = row["name"] or row["id"]
        shown = f"{row['symbol']} - {name}" if row["symbol"] else name
        click.echo(f"{row['score']:.4f}  {row['type']:<18} {row['id']:<22} {shown}")
        if row["snippet"]:
            click.echo(f"        {row['snippet']}")
