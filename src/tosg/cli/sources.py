"""``tosg sources`` and ``tosg fetch``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tosg.cli.options import complete_from, echo_json, examples, json_option, note
from tosg.progress import ProgressBar

if TYPE_CHECKING:
    from tosg.catalog import PlannedFile
    from tosg.loaders.base import Loader


@click.command(epilog=examples("tosg sources", "tosg sources hetionet --json"))
@click.argument(
    "names",
    nargs=-1,
    metavar="[SOURCE]...",
    shell_complete=complete_from("source_names"),
)
@json_option
def sources(names: tuple[str, ...], as_json: bool) -> None:
    """List the sources, what each needs and where to get it."""
    from tosg.catalog import sources as list_sources

    loaders = list_sources(names)
    if as_json:
        echo_json([_as_dict(loader) for loader in loaders])
        return
    click.echo("\n\n".join(_as_text(loader) for loader in loaders))


@click.command(epilog=examples("tosg fetch hgnc", "tosg fetch hgnc uniprot --to data --json"))
@click.argument(
    "names",
    nargs=-1,
    required=True,
    metavar="SOURCE...",
    shell_complete=complete_from("source_names"),
)
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Folder to put the files in.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Fetch nothing: show what the cache of `tosg build` has, and what is newer.",
)
@json_option
def fetch(names: tuple[str, ...], folder: Path, check: bool, as_json: bool) -> None:
    """Download a source's files, with checked hashes."""
    from tosg import catalog

    if check:
        _show_state(catalog.check_fetched(names), as_json)
        return
    loaders = catalog.sources(names)
    results: list[dict[str, Any]] = []
    with ProgressBar() as progress:
        for loader in loaders:
            for spec, path, what in catalog.fetch(loader.name, folder, progress=progress):
                results.append(
                    {
                        "source": loader.name,
                        "file": spec.filename,
                        "path": None if path is None else str(path),
                        "result": what,
                    }
                )
    if as_json:
        echo_json(results)
        return
    for row in results:
        click.echo(f"{row['source']}  {row['path'] or row['file']}  {row['result']}")
    if any(row["path"] is None for row in results):
        note("some files have no address to fetch from; `tosg sources` says what they are")


def _show_state(files: list[PlannedFile], as_json: bool) -> None:
    rows = [
        {
            "source": file.source,
            "file": file.name,
            "bytes": file.bytes,
            "license": file.license,
            "state": _state(file),
        }
        for file in files
    ]
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        size = "size unknown" if row["bytes"] is None else f"{row['bytes']:,} bytes"
        click.echo(f"{row['source']}  {row['file']}  {size}  {row['license']}  {row['state']}")


def _state(file: PlannedFile) -> str:
    if file.url is None:
        return "to be downloaded by hand"
    if file.path is None:
        return "not fetched"
    return "newer at its address" if file.newer else "in the cache"


def _as_dict(loader: type[Loader]) -> dict[str, Any]:
    return {
        "name": loader.name,
        "title": loader.title,
        "homepage": loader.homepage,
        "license": loader.license,
        "files": [
            {
                "key": spec.key,
                "names": list(spec.names),
                "required": spec.required,
                "help": spec.help,
                "url": spec.url,
                "sha256": spec.sha256,
            }
            for spec in loader.files
        ],
        "options": {
            option.name: {"type": option.type_name, "default": option.default, "help": option.help}
            for option in loader.all_options()
        },
    }


def _as_text(loader: type[Loader]) -> str:
    lines = [
        f"{loader.name}: {loader.title}",
        f"  {loader.homepage}  licence: {loader.license}",
    ]
    for spec in loader.files:
        need = "needs" if spec.required else "may use"
        lines.append(f"  {need} {spec.filename}: {spec.help}")
        lines.append(f"    {spec.url or 'no address known; see the homepage'}")
    lines += [
        f"  option {option.name} ({option.type_name}; {option.default!s}): {option.help}"
        for option in loader.options
    ]
    return "\n".join(lines)
