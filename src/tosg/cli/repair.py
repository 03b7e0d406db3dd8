"""``tosg repair``: make a graph whole again, whatever state it was left in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tosg.cli.options import echo_json, examples, graph_options, json_option, note
from tosg.progress import ProgressBar

if TYPE_CHECKING:
    from tosg.graph import KnowledgeGraph


@click.command("repair", epilog=examples("tosg repair", "tosg repair --json"))
@click.option(
    "--start-over",
    is_flag=True,
    help="Where the managed Neo4j cannot open its data, set them aside and begin an empty graph.",
)
@json_option
@graph_options
def repair(start_over: bool, as_json: bool, graph: KnowledgeGraph) -> None:
    """Make the graph whole again after a load that stopped half way, or damage from outside.

    It ends what was interrupted, mends what keeps indexes from being filled, removes copies of
    relationships, and lets texts and cells follow. Data of other programs stay as they are.
    """
    with ProgressBar() as progress:
        report = graph.repair(start_over=start_over, progress=progress)
    if as_json:
        echo_json(report.as_dict())
        return
    if report.set_aside is not None:
        note(f"the data that could not be opened are in {report.set_aside}")
    for what, count in report.mended.items():
        click.echo(f"{count:,} {what}")
    click.echo("the graph was changed" if report.changed else "nothing had to be repaired")
    for finding in report.left:
        note(f"left: {finding.count:,} {finding.what} ({finding.example})")
