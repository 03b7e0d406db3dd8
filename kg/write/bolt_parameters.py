"""Batches of columns as Cypher parameters: what does not vary is sent once.

Maps cost the driver and the server a string per value; columns do not. A statement reads row
``i`` of each column, and a column whose rows are all the same as one value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tosg.cypher.quoting import quote_property

if TYPE_CHECKING:
    import polars as pl


class Columns:
    """The columns of one batch.

    Parameters
    ----------
    frame : DataFrame
        The rows.
    numbers : sequence of str
        Columns that are always sent as columns, such as the ends.

    Attributes
    ----------
    parameters : dict
        For the query: ``c0, c1, ...``.
    """

    def __init__(self, frame: pl.DataFrame, numbers: tuple[str, ...] = ()) -> None:
        self.parameters: dict[str, Any] = {}
        self._expressions: dict[str, str] = {}
        self.rows = frame.height
        for i, name in enumerate(frame.columns):
            values = frame[name].to_list()
            parameter = f"c{i}"
            if name not in numbers and values.count(values[0]) == len(values):
                self.parameters[parameter] = values[0]
                self._expressions[name] = f"${parameter}"
            else:
                self.parameters[parameter] = values
                self._expressions[name] = f"${parameter}[i]"

    def __getitem__(self, name: str) -> str:
        """Cypher for the value of a column in row ``i``."""
        return self._expressions[name]

    def is_null(self, name: str) -> bool:
        """Whether the column is null in every row."""
        parameter = self._expressions[name].removeprefix("$")
        return self.parameters.get(parameter, 0) is None

    def assignments(self, names: list[str], variable: str) -> str:
        """``x.name = $c1[i], ...`` for ``SET``; null removes a property."""
        return ", ".join(f"{variable}.{quote_property(name)} = {self[name]}" for name in names)

    def properties(self, names: list[str]) -> str:
        """``{`name`: $c1[i], ...}`` for ``CREATE``; what is null everywhere is left out."""
        pairs = [
            f"{quote_property(name)}: {self[name]}" for name in names if not self.is_null(name)
        ]
        return "{" + ", ".join(pairs) + "}"


def same_keys(columns: Columns, keys: tuple[str, ...], variable: str) -> str:
    """Cypher condition that a relationship has the key properties of row ``i``."""
    conditions = []
    for key in keys:
        here, value = f"{variable}.{quote_property(key)}", columns[key]
        conditions.append(f" AND ({here} = {value} OR ({here} IS NULL AND {value} IS NULL))")
    return "".join(conditions)
