"""``tosg demo``: the main job in one go."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from tosg.cli.options import connection_options, echo_json, examples, json_option, note
from tosg.progress import ProgressBar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.demo.result import DemoResult
    from tosg.settings import Settings


@click.command("demo", epilog=examples("tosg demo", "tosg demo --seeds 5 --json"))
@click.option(
    "--seeds", type=click.IntRange(1), default=3, show_default=True, help="Number of trainings."
)
@click.option(
    "--epochs", type=click.IntRange(1), default=8, show_default=True, help="Epochs of each."
)
@json_option
@connection_options
def demo(settings: Settings, *, seeds: int, epochs: int, as_json: bool) -> None:
    """Run the main job on this machine: graph, cells, training set, model.

    Works on a Neo4j of its own and leaves your graph alone. A few minutes.
    """
    from tosg.demo.run import run_demo

    with ProgressBar() as bar:
        progress = bar if bar.shown else _print_stage
        result = run_demo(settings, seeds=seeds, epochs=epochs, progress=progress)
    if as_json:
        echo_json(result.as_dict())
    else:
        _show(result)


def _print_stage(
    stage: str, done: float | None = None, total: float = 1.0, /, *, unit: str = ""
) -> None:
    """Print each step once where no bar is shown: the demo takes minutes."""
    del total, unit
    if done is None:
        note(f"{stage} ...")


def _show(result: DemoResult) -> None:
    nodes, edges = result.counts["nodes"], result.counts["relationships"]
    _title("The graph")
    click.echo(", ".join(f"{count:,} {label}" for label, count in nodes.items() if count))
    click.echo(
        f"{sum(edges.values()):,} relationships of {len(edges)} types, "
        f"{result.cells['cells']:,} cells of blood"
    )
    _title("To ask it yourself, first")
    if shutil.which("tosg") is None:
        click.echo(f"  source {quote(str(Path(sys.executable).parent / 'activate'))}")
    click.echo("  export TOSG_GRAPH=demo")
    for answer in result.answers:
        _show_answer(answer)
    _title("The training set")
    counts, warnings = result.export["counts"], result.export["warnings"]
    click.echo(
        f"{result.training_set}: {counts['nodes']:,} genes, of which these cells have "
        f"{result.export['measured_nodes']:,} measured, {counts['edges']:,} edges, "
        f"{counts['cells']:,} cells, {result.export['bytes'] / 1e6:.1f} MB"
    )
    for warning in warnings:
        click.echo(f"  note: {warning}")
    click.echo(
        "  note: the file names no donor, so the scores below may be better than on new ones"
    )
    click.echo("  note: texts of genes name cell types, so their vectors hold hints of the answer")
    _title("What a model makes of it: cell types of the test cells")
    if result.comparison is not None:
        for line in result.comparison.lines():
            click.echo(line)
        click.echo("full: the graph model on true edges, texts and abundances; the others lack one")
    _title("Next")
    for command in next_commands(result):
        click.echo(f"  {command}")
    click.echo(
        f"\nThe demo's Neo4j still runs ({result.browser}); `tosg --graph demo down` stops it."
    )
    click.echo(
        "Your own graph is another one: `unset TOSG_GRAPH`, then `tosg build`, `tosg cells`."
    )
    spent = ", ".join(f"{step} {seconds:.0f} s" for step, seconds in result.seconds.items())
    click.echo(f"took {sum(result.seconds.values()):.0f} s: {spent}")
    click.echo(f"\nThe answers as pictures: {result.page}")
    click.echo("To look around in the graph: tosg --graph demo dashboard")


def _show_answer(answer: dict[str, Any]) -> None:
    _title(answer["question"])
    click.echo(f"  {question_command(answer)}")
    rows = [
        [_short(v, k) for v, k in zip(row, answer["kinds"], strict=True)] for row in answer["rows"]
    ]
    _table(answer["columns"], rows)
    left = answer["found"] - len(answer["rows"])
    if left:
        click.echo(f"  ... and {left} more: the command shows them")
    click.echo(f"  {answer['reading']}")


def question_command(answer: dict[str, Any]) -> str:
    """What to type to ask a question of the demo again."""
    params = [f"--param {key}={quote(str(value))}" for key, value in answer["params"].items()]
    return " ".join(["tosg query", answer["statement"], *params])


def next_commands(result: DemoResult) -> list[str]:
    """What to type next, once TOSG_GRAPH is set."""
    out = quote(str(result.training_set))
    return [
        "tosg query --list",
        "tosg search 'interferon response in lupus' --type Gene",
        f"tosg-export AGAIN --from {quote(str(result.training_set / 'manifest.json'))}",
        f"python -m tosg.demo.train_cell_type {out} --seeds 5",
        "tosg cells attach --help",
    ]


def _title(text: str) -> None:
    click.echo(f"\n{text}\n{'-' * len(text)}")


def _table(columns: list[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a small table in columns as wide as they need, at most 40."""
    everything: list[Sequence[object]] = [columns, *rows]
    cells = [[_short(value) for value in row] for row in everything]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    for row in cells:
        line = "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True))
        click.echo(f"  {line.rstrip()}")


def _short(value: object, kind: str = "") -> str:
    from tosg.kg.query.rows_text import value_text

    short = value_text(value, kind)
    return short if len(short) <= 40 else f"{short[:39]}…"
