"""``tosg demo``: the main job in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tosg.cli.options import connection_options, echo_json, json_option, note

if TYPE_CHECKING:
    from tosg.demo.run import Demo
    from tosg.kg.settings import Settings


@click.command("demo")
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="Of training.")
@click.option("--epochs", type=click.IntRange(1), default=20, show_default=True)
@json_option
@connection_options
def demo(settings: Settings, *, seeds: int, epochs: int, as_json: bool) -> None:
    """Run the main job on this machine: graph, cells, training set, model.

    Works on a Neo4j of its own and leaves your graph alone. A few minutes.
    """
    from tosg.demo.run import run

    result = run(settings, seeds=seeds, epochs=epochs, tell=lambda text: note(f"{text} ..."))
    if as_json:
        echo_json(result.as_dict())
    else:
        _show(result)


def _show(result: Demo) -> None:
    nodes, edges = result.counts["nodes"], result.counts["relationships"]
    _title("The graph")
    click.echo(", ".join(f"{count:,} {label}" for label, count in nodes.items() if count))
    click.echo(
        f"{sum(edges.values()):,} relationships of {len(edges)} types, "
        f"{result.cells['cells']:,} cells"
    )
    for answer in result.answers:
        _title(answer["question"])
        shown = " ".join(f"--param {key}='{value}'" for key, value in answer["params"].items())
        click.echo(f"  tosg query {answer['statement']} {shown}")
        _table(answer["columns"], answer["rows"])
    _title("The training set")
    counts = result.export["counts"]
    click.echo(
        f"{result.training_set}: {counts['nodes']:,} nodes, {counts['edges']:,} edges, "
        f"{counts['cells']:,} cells, {result.export['bytes'] / 1e6:.1f} MB"
    )
    for warning in result.export["warnings"]:
        click.echo(f"  note: {warning}")
    _title("Cell types of the test cells, mean and spread over the seeds")
    for score in result.scores:
        click.echo(f"  {score.reading:<10}{score.summary}")
    _title("Next")
    home = f"TOSG_HOME={result.home}"
    for command in (
        f"{home} tosg query --list",
        f"{home} tosg search 'interferon response in lupus' --type Gene",
        f"{home} tosg down",
        f"python examples/train_cell_type.py {result.training_set} --seeds 5",
        "tosg cells attach YOUR.h5ad --help",
    ):
        click.echo(f"  {command}")
    spent = ", ".join(f"{step} {seconds:.0f} s" for step, seconds in result.seconds.items())
    click.echo(f"\ntook {sum(result.seconds.values()):.0f} s: {spent}")


def _title(text: str) -> None:
    click.echo(f"\n{text}\n{'-' * len(text)}")


def _table(columns: list[str], rows: list[list[object]]) -> None:
    """Print a small table in columns as wide as they need, at most 40."""
    everything: list[list[Any]] = [list(columns), *rows]
    cells = [[_short(value) for value in row] for row in everything]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    for row in cells:
        line = "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True))
        click.echo(f"  {line.rstrip()}")


def _short(value: object) -> str:
    from tosg.cli.rows_view import text

    short = text(value)
    return short if len(short) <= 40 else f"{short[:39]}…"
