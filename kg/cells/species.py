"""Species of a file, from its cells and its variables: what is not human is refused by name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tosg.errors import DataError
from tosg.kg.cells.obs.fields import is_human
from tosg.kg.cells.var.organism import organism_of_file
from tosg.kg.cells.var.variables import Variable, variables_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from tosg.kg.cells.obs.columns import FieldColumn


def read_variables(
    var: pd.DataFrame, columns: Mapping[str, FieldColumn], where: str | Path, *, organism: str
) -> list[Variable]:
    """Read the variables of a file of human cells, or of any species if asked.

    Names of another species' genes are never matched: Cd3d is no human gene, and names that are
    written alike may be other genes. With ``any``, such variables keep their species, and only
    identifiers of human genes are matched.

    Parameters
    ----------
    var : DataFrame
    columns : mapping
        Fields of the cells that are attached.
    where : str or Path
        The file, for errors.
    organism : str
        ``human`` or ``any``.

    Raises
    ------
    DataError
        The variables are of another species and the cells do not say that they are human.
    """
    variables = variables_of(var)
    species = _species_of_cells(columns)
    if species is None:
        symbols = [v.symbols[0] if v.symbols else v.name for v in variables]
        found = organism_of_file(var, symbols)
        if found is not None and organism == "human":
            raise DataError(
                "the variables are not of human genes",
                where=where,
                found=f"{found[0]}: {found[1]}",
                expected="human genes",
                hint="--organism any attaches cells of every species; if they are human, "
                "--set organism=human says so",
            )
        species = found[0] if found else "human"
    if is_human(species):
        return variables
    return [v if v.organism else replace(v, organism=species) for v in variables]


def _species_of_cells(columns: Mapping[str, FieldColumn]) -> str | None:
    """Species that cells say: human where any is; None where none says one."""
    column = columns.get("organism")
    if column is None:
        return None
    said = [text for text in column.cells() if text]
    known = {label.raw for label in column.labels if label.kind != "missing"}
    names = [text for text in said if text in known]
    return next((text for text in names if is_human(text)), names[0] if names else None)
