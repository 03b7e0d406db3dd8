"""``tosg export`` and ``tosg-export``: a selection of the graph to a training set."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tosg.cli.options import (
    echo_json,
    examples,
    graph_options,
    json_option,
    note,
    param_option,
    timeout_option,
)
from tosg.graph import SELECTION_TIMEOUT
from tosg.progress import ProgressBar

if TYPE_CHECKING:
    from tosg.export.selection import Selection
    from tosg.export.write.result import ExportResult
    from tosg.graph import KnowledgeGraph

_QUERY = "CYPHER|@FILE|NAME"


@click.command(
    "export",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "tosg-export OUT --level gene --target cell_type --split donor --seed 7",
        "tosg-export OUT --level gene --no-cells --dry-run --json",
        "tosg-export OUT --param pathway='B Cell Receptor Signaling Pathway' \\",
        "  --nodes 'MATCH (p:Pathway {name: $pathway})<-[:PARTICIPATES_IN]-(g:Gene) RETURN g'",
        "tosg-export OUT --each pathway=@pathways.txt --nodes @pathway.cypher --level gene",
    ),
)
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--nodes", metavar=_QUERY, help="What returns the nodes; default the whole graph.")
@click.option("--edges", metavar=_QUERY, help="What returns the edges; default those induced.")
@click.option(
    "--edge-type",
    "edge_types",
    multiple=True,
    metavar="TYPE",
    help="Keep only this relationship type; may be repeated.",
)
@click.option("--cells", metavar=_QUERY, help="What returns the cells; default every cell.")
@click.option("--no-cells", is_flag=True, help="Export a plain graph.")
@param_option
@click.option(
    "--level",
    metavar="LEVEL",
    help="as-stored, gene or protein: lift edges and values through ENCODES.",
)
@click.option("--target", metavar="FIELD", help="Property of cells to learn.")
@click.option(
    "--split",
    metavar="none|donor|cell|FIELD",
    help="What stays whole when cells go to train, val and test.",
)
@click.option("--fractions", metavar="TRAIN,VAL,TEST", help="Default 0.8,0.1,0.1.")
@click.option("--seed", type=int, help="Of the split, the sample and the order; default 0.")
@click.option(
    "--balance",
    metavar="FIELD,...",
    help="Make training classes equal within each combination of these.",
)
@click.option("--sample", type=int, metavar="N", help="Keep N cells, drawn with the seed.")
@click.option(
    "--primary-only/--all-cells",
    default=None,
    help="Leave out copies (is_primary_data false); the default.",
)
@click.option("--normalize", metavar="none|log1p_cp10k", help="What the reader of it applies.")
@click.option("--text-dtype", metavar="float32|float16", help="Of the text vectors.")
@click.option("--shard-size", type=int, metavar="CELLS", help="Cells per shard; default 8192.")
@click.option("--spec", type=click.Path(path_type=Path), help="All of the above as YAML.")
@click.option(
    "--from",
    "manifest",
    type=click.Path(path_type=Path),
    metavar="MANIFEST",
    help="Repeat an earlier export; other options change it.",
)
@click.option(
    "--layout",
    default="tosg",
    show_default=True,
    metavar="tosg|celltosg|anndata|mudata|text",
    help="Of the files: a training set, the OmniCellTOSG layout, .h5ad, .h5mu, or cells as text.",
)
@click.option(
    "--workers",
    type=int,
    metavar="N",
    help="Tasks at once: local processes, default 1; on Ray one for each CPU.",
)
@click.option(
    "--engine",
    default="local",
    show_default=True,
    metavar="local|ray",
    help="What runs them: this machine, or the Ray cluster at RAY_ADDRESS (extra ray).",
)
@click.option(
    "--each",
    multiple=True,
    metavar="KEY=VALUE|KEY=@FILE",
    help="A training set in OUT for each value of a parameter (a line of FILE each); they share "
    "the reading of the cells; may be repeated.",
)
@click.option(
    "--grow",
    type=click.Path(path_type=Path),
    metavar="OLD",
    help="Export OLD's selection again: its rows stay, its shards are linked, new cells are added.",
)
@click.option("--resume", is_flag=True, help="Go on with an export that did not end.")
@click.option("--dry-run", is_flag=True, help="Count and estimate, write nothing.")
@timeout_option(SELECTION_TIMEOUT, "Stop each query of the selection after this long.")
@json_option
@graph_options
def export(
    graph: KnowledgeGraph,
    out: Path,
    *,
    layout: str,
    workers: int | None,
    engine: str,
    each: tuple[str, ...],
    grow: Path | None,
    resume: bool,
    dry_run: bool,
    timeout: float,
    as_json: bool,
    **options: Any,
) -> None:
    """Turn a selection of the graph and its cells into a training set in OUT.

    Queries are Cypher, @file.cypher, or the name of a statement.
    """
    if grow is not None:
        given = [n for n, v in options.items() if v not in (None, (), False)]
        if given or each or layout != "tosg":
            raise click.UsageError(
                "--grow uses the selection of OLD: leave the options of a selection out"
            )
    selection = None if grow is not None else _selection(options)
    how: dict[str, Any] = {
        "workers": workers, "engine": engine, "resume": resume, "dry_run": dry_run,
        "timeout": timeout,
    }  # fmt: skip
    with ProgressBar() as progress:
        if each and selection is not None:
            from tosg.inputs import read_each

            asked = read_each(each, selection)
            results = graph.export_each(out, asked, layout=layout, **how, progress=progress)
        else:
            how |= {"layout": layout, "grow": grow}
            results = {"": graph.export(out, selection, **how, progress=progress)}
    for name, result in results.items():
        for warning in result.warnings:
            note(f"warning: {f'{name}: ' if name else ''}{warning}")
    if as_json:
        documents = {name: _document(result) for name, result in results.items()}
        echo_json(documents if each else documents[""])
        return
    for result in results.values():
        _show(result)


def _selection(options: dict[str, Any]) -> Selection:
    from tosg.inputs import read_selection

    spec, manifest, params = (options.pop(name) for name in ("spec", "manifest", "params"))
    if options.pop("no_cells"):
        if options["cells"] is not None:
            raise click.UsageError("--cells and --no-cells contradict each other")
        options["cells"] = False
    given = {name: value for name, value in options.items() if value is not None and value != ()}
    if "fractions" in given:
        given["fractions"] = _numbers(given["fractions"])
    if "edge_types" in given:
        given["edge_types"] = list(given["edge_types"])
    return read_selection(given, params, spec=spec, manifest=manifest, where="the command line")


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is not three numbers, as in 0.8,0.1,0.1", param_hint="--fractions"
        ) from error


def _document(result: ExportResult) -> dict[str, Any]:
    return {**dataclasses.asdict(result), "folder": str(result.folder)}


def _show(result: ExportResult) -> None:
    click.echo(f"{result.folder}{' (dry run, nothing written)' if result.dry_run else ''}")
    for name, count in result.counts.items():
        click.echo(f"{name.replace('_', ' '):<16}{count:>14,}")
    for line in result.coverage_lines():
        click.echo(line)
    size = "about " if result.dry_run else ""
    click.echo(f"{'size':<16}{size + f'{result.bytes / 1e6:,.1f} MB':>14}")
