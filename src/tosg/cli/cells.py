"""``tosg cells``: attach cells to the graph, list them, map them again, remove them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tosg.cli.options import dataset_options, echo_json, examples, graph_options, json_option, note
from tosg.progress import ProgressBar

if TYPE_CHECKING:
    from tosg.graph import KnowledgeGraph


@click.group(
    epilog=examples("tosg cells attach mine.h5ad --map donor_id=patient", "tosg cells list --json")
)
def cells() -> None:
    """Attach cells to the graph, list them, remove them."""


@cells.command(
    epilog=examples(
        "tosg cells attach mine.h5ad --map donor_id=patient --set tissue=blood",
        "tosg cells attach filtered.h5 --markers CD3D,MS4A1 --dry-run --json",
    )
)
@click.argument("path", type=click.Path())
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="FILE.yaml|FIELD=COLUMN|FIELD:LABEL=NAME",
    help="Which column of obs holds a field (donor_id, cell_type, tissue, disease, sex, "
    "development_stage, age, assay, organism, n_counts, ...), several as dataset_id+donor_id; or "
    "what a label means, as 'disease:CD=Crohn disease'; may be repeated.",
)
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="FIELD=VALUE",
    help="One value for every cell, as tissue=blood; may be repeated.",
)
@click.option(
    "--keep", default="", metavar="COLUMN,...", help="Further columns to copy to the cells."
)
@click.option("--id", "id_", metavar="ID", help="Id of the data set; by default the file's name.")
@click.option("--title", default="", help="Title; by default the file's own.")
@click.option("--license", "license_", default="", help="Licence, as an SPDX id.")
@click.option(
    "--storage",
    type=click.Choice(["auto", "inline", "linked"]),
    default="auto",
    show_default=True,
    help="Expression in the graph, or read from the file; auto: in the graph up to 1 GiB.",
)
@click.option(
    "--markers",
    default="",
    metavar="GENE,...",
    help="Genes as numbers on the cells; CD4:gene or CD4:protein where both are measured.",
)
@click.option(
    "--unit",
    help="What the values are, where it is not certain: counts, corrected_counts, "
    "normalized_counts, cp10k, cpm, log1p_cp10k, log1p, log2p1, log10p1 or scaled.",
)
@click.option(
    "--matrix",
    help="X, raw.X, a layer, or layers to add as spliced+unspliced; by default where counts are "
    "found.",
)
@click.option("--allow-scaled", is_flag=True, help="Attach z-scores, if there is nothing else.")
@click.option("--round", "round", is_flag=True, help="Round corrected counts to whole numbers.")
@click.option(
    "--organism",
    type=click.Choice(["human", "any"]),
    default="human",
    show_default=True,
    help="Cells of other species are left out and counted, or attached.",
)
@click.option("--metacells", type=int, default=0, metavar="N", help="Sum about N cells to one.")
@click.option(
    "--metacell-method",
    type=click.Choice(["kmeans", "random"]),
    default="kmeans",
    show_default=True,
    help="Which cells of one donor, tissue, disease and cell type are summed.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the meta-cells.")
@click.option(
    "--min-fraction",
    type=float,
    default=0.1,
    show_default=True,
    help="A group EXPRESSES a gene that this share of its cells has.",
)
@click.option("--replace", "replace_existing", is_flag=True, help="Replace a data set of this id.")
@click.option("--dry-run", is_flag=True, help="Read and check everything, write nothing.")
@json_option
@graph_options
def attach(
    graph: KnowledgeGraph,
    path: str,
    maps: tuple[str, ...],
    sets: tuple[str, ...],
    keep: str,
    id_: str | None,
    license_: str,
    markers: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Attach a file of cells.

    PATH is an h5ad (also .gz), zarr (folder or .zip), h5mu or Loom file, a 10x .h5 (Cell Ranger 2
    and later, CellBender) or a 10x folder of matrix, barcodes and features, with or without a
    prefix, or a table of counts (CSV, TSV, Parquet). What is not read is named, with the line that
    converts it.
    """
    from tosg.inputs import read_mapping

    mapping = read_mapping(maps, sets, _list(keep))
    with ProgressBar() as progress:
        report = graph.attach_cells(
            path,
            mapping,
            progress=progress,
            id=id_,
            license=license_,
            markers=_list(markers),
            **options,
        )
    if as_json:
        echo_json(report.as_dict())
    else:
        click.echo("\n".join(report.lines()))


@cells.command("list", epilog=examples("tosg cells list", "tosg cells list --json"))
@json_option
@graph_options
def list_(graph: KnowledgeGraph, as_json: bool) -> None:
    """List the data sets that are attached."""
    rows = [
        {
            "id": d.id,
            "title": d.title,
            "cells": d.n_cells,
            "variables": len(d.variables),
            "mapped": sum(e is not None for e in d.variable_entities),
            "unit": d.unit,
            "storage": d.storage,
            "license": d.license,
        }
        for d in graph.datasets()
    ]
    if as_json:
        echo_json(rows)
        return
    if not rows:
        note("no cells are attached; `tosg cells attach FILE.h5ad` attaches some")
    for r in rows:
        click.echo(
            f"{r['id']}\t{r['cells']:,} cells\t{r['mapped']:,} of {r['variables']:,} variables "
            f"mapped\t{r['unit']}\t{r['storage']}\t{r['title']}"
        )


@cells.command(epilog=examples("tosg cells show mine", "tosg cells show mine --json"))
@dataset_options
def show(graph: KnowledgeGraph, id_: str, as_json: bool) -> None:
    """Show what attaching a data set found."""
    report = graph.cells_report(id_)
    if as_json:
        echo_json(report.as_dict())
    else:
        click.echo("\n".join(report.lines()))


@cells.command(epilog=examples("tosg cells remap mine", "tosg cells remap mine --json"))
@dataset_options
def remap(graph: KnowledgeGraph, id_: str, as_json: bool) -> None:
    """Map variables and labels again, to the graph as it is now."""
    report = graph.remap_cells(id_)
    if as_json:
        echo_json(report.as_dict())
        return
    click.echo(
        f"{id_}: {report.status}; {report.mapped:,} variables mapped "
        f"({len(report.gained):,} gained, {len(report.lost):,} lost, {len(report.moved):,} moved), "
        f"{report.expresses:,} EXPRESSES made, {report.links:,} links of groups made"
    )


@cells.command(epilog=examples("tosg cells detach mine", "tosg cells detach mine --json"))
@dataset_options
def detach(graph: KnowledgeGraph, id_: str, as_json: bool) -> None:
    """Remove a data set, with its cells and groups."""
    n = graph.detach_cells(id_)
    if as_json:
        echo_json({"dataset": id_, "cells": n})
    else:
        click.echo(f"{id_}: detached, {n:,} cells")


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
