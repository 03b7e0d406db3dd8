"""``tosg load`` and ``tosg build``: sources into the graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tosg.cli.options import complete_from, echo_json, examples, graph_options, json_option, note
from tosg.progress import ProgressBar

if TYPE_CHECKING:
    from tosg.catalog import PlannedFile
    from tosg.graph import KnowledgeGraph

_exclude_option = click.option(
    "--exclude-license",
    "exclude",
    multiple=True,
    metavar="PATTERN",
    help="Leave out claims under a licence, as 'CC BY-NC*' or unstated; may be repeated.",
)


@click.command(
    "load",
    epilog=examples(
        "tosg load hgnc data/hgnc",
        "tosg load hetionet data/hetionet --exclude-license 'CC BY-NC*' --json",
        "tosg load table mine.tsv --config map.yaml --dry-run",
    ),
)
@click.argument("source", shell_complete=complete_from("source_names"))
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--option", "options", multiple=True, metavar="KEY=VALUE", help="An option of the source."
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="MAP.yaml",
    help="The map of the columns, for the source `table`.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Read and check the files, show the first claims, write nothing.",
)
@_exclude_option
@click.option(
    "--prune",
    is_flag=True,
    help="Withdraw what the source claimed before and these files do not say; without PATHS, all.",
)
@click.option(
    "--text/--no-text",
    default=True,
    help="Let texts and the mapping of cells follow at once (default), or with a later load.",
)
@json_option
@graph_options
def load(
    source: str,
    paths: tuple[Path, ...],
    options: tuple[str, ...],
    config: Path | None,
    dry_run: bool,
    exclude: tuple[str, ...],
    prune: bool,
    text: bool,
    as_json: bool,
    graph: KnowledgeGraph,
) -> None:
    """Load one source into the graph.

    PATHS are its files, or folders that have them; `tosg sources` lists what each source needs.
    Loading the same files again changes nothing; a newer release updates what changed.
    """
    if config is not None:
        paths = (*paths, config)
    if dry_run:
        found = graph.preview(source, *paths, source_options=_options(options))
        _show_preview(found.as_dict(), as_json)
        return
    with ProgressBar() as progress:
        report = graph.load(
            source,
            *paths,
            source_options=_options(options),
            prune=prune,
            exclude_licenses=exclude,
            settle=text,
            progress=progress,
        )
    _show(report.as_dict(), as_json)


@click.command(
    "build",
    epilog=examples(
        "tosg build open-human",
        "tosg build open-human --data data",
        "tosg build mine.yaml --data data --no-embed",
    ),
)
@click.argument("recipe", shell_complete=complete_from("recipe_names"))
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder below which the recipe's files lie; without it, they are fetched.",
)
@_exclude_option
@click.option(
    "--include-license",
    "include",
    multiple=True,
    metavar="PATTERN",
    help="Also fetch sources under a licence that forbids commercial use, as 'CC BY-NC*'.",
)
@click.option("--yes", is_flag=True, help="Fetch without asking.")
@click.option("--no-embed", is_flag=True, help="Leave the vectors for later (`tosg embed`).")
@json_option
@graph_options
def build(
    recipe: str,
    data: Path | None,
    exclude: tuple[str, ...],
    include: tuple[str, ...],
    yes: bool,
    no_embed: bool,
    as_json: bool,
    graph: KnowledgeGraph,
) -> None:
    """Build a graph from a recipe, whole or from where it stopped.

    RECIPE is a YAML file or the name of one that comes with tosg: open-human, open-human-full,
    signaling, demo. Without --data, files come from the cache and from the sources' own addresses;
    what is fetched is listed first.
    """
    with ProgressBar() as progress:
        result = graph.build(
            recipe,
            data,
            exclude_licenses=exclude,
            include_licenses=include,
            confirm=lambda files: _confirm(files, yes),
            embed=False if no_embed else None,
            progress=progress,
        )
    if as_json:
        echo_json(result.as_dict())
        return
    for report in result.reports:
        _show(report.as_dict(), as_json=False)
    for line in result.lines():
        note(line)


def _confirm(files: list[PlannedFile], yes: bool) -> bool:
    """List what is to be fetched, and ask."""
    for file in files:
        note(f"{file.source}  {file.name}  {shown_size(file.bytes)}  {file.license}  {file.url}")
    known = sum(file.bytes or 0 for file in files)
    note(f"{len(files)} files, {shown_size(known)} or more")
    return yes or click.confirm("Fetch them?", err=True)


def shown_size(size: int | None) -> str:
    """A number of bytes for people."""
    return "size unknown" if size is None else f"{size / 1e6:,.1f} MB"


def _options(pairs: tuple[str, ...]) -> dict[str, str]:
    """Options as text; the source says of what type each is."""
    from tosg.errors import ConfigError

    options: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(
                "an option has no value", where="--option", found=pair, expected="KEY=VALUE"
            )
        options[key.strip()] = value
    return options


def _show(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        echo_json(report)
        return
    from tosg.cli.report_view import print_report

    print_report(report)


def _show_preview(found: dict[str, Any], as_json: bool) -> None:
    """What a load would read: counts, the first claims, and what would be rejected."""
    if as_json:
        echo_json(found)
        return
    for name, count in found["counts"].items():
        click.echo(f"{count:,} claims: {name}")
    for claim in found["first"]:
        shown = {k: v for k, v in claim.items() if v not in (None, [], "")}
        click.echo("  " + ", ".join(f"{key}={value}" for key, value in shown.items()))
    for file in found["files"]:
        click.echo(f"{file['file']}: {file['read']:,} rows read, {file['rejected']:,} rejected")
        for r in file["rejections"]:
            click.echo(f"  {r['count']:,} rejected, {r['kind']}: line {r['line']}, {r['example']}")
        for n in file["notes"]:
            click.echo(f"  {n['count']:,} noted, {n['kind']}: {', '.join(n['examples'])}")
    for r in found["refused"]:
        click.echo(
            f"{r['count']:,} claims refused by the schema, {r['kind']}: "
            f"{r['file']} line {r['line']}, {r['example']}"
        )
    note("nothing was written")
