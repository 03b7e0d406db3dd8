"""What attaching a file of cells did, or would do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tosg.html_text import facts_html
from tosg.kg.cells.report_rows import age_rows, field_rows, variable_rows

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class AttachReport:
    """What attaching a file of cells did, or would do.

    Attributes
    ----------
    dataset, title : str
    status : str
        ``attached``, ``replaced``, ``unchanged`` or ``planned`` (a dry run).
    file, matrix, unit, mean_unit : str
        What was read, and what its numbers are.
    looked_at : list of dict
        Every matrix that was looked at: name, unit (None where it cannot be told), reason.
    cells : int
        :Cell nodes.
    measured_cells : int
        Cells of the file that they stand for; more than `cells` with meta-cells.
    left_out : dict of str to int
        Cells that were left out, by reason.
    variables : dict
        What each variable was matched to, and why the others were not; see
        `tosg.kg.cells.var.matching.VariableMap.document`. Beside it the columns of var that name
        variables, and the unmeasured ones.
    fields : dict
        Field -> where it comes from, and each distinct value with its cells and what it was
        matched to (`tosg.kg.cells.obs.outcomes.outcomes_of`); of cells that were left out only
        values that are wrong.
    ages : dict
        read_as: unit -> cells; not_read: text -> cells.
    hints : dict of str to list of str
        Fields that nothing is mapped to -> columns that may hold them.
    notes : list of str
    groups, expresses : int
        :CellGroup nodes and EXPRESSES relationships.
    min_fraction : float
        Threshold of EXPRESSES.
    markers : list of str
        Properties.
    storage : str
    bytes : int
        Of the vectors in the graph (inline), or 0.
    seconds : float
    """

    dataset: str
    status: str
    title: str = ""
    file: str = ""
    matrix: str = ""
    unit: str = ""
    mean_unit: str = ""
    looked_at: list[dict[str, Any]] = field(default_factory=list)
    cells: int = 0
    measured_cells: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    ages: dict[str, dict[str, int]] = field(default_factory=dict)
    hints: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    groups: int = 0
    expresses: int = 0
    min_fraction: float = 0.0
    markers: list[str] = field(default_factory=list)
    storage: str = ""
    bytes: int = 0
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Everything, as plain JSON content."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> AttachReport:
        """Read back what `document` gave."""
        return cls(**document)

    def _repr_html_(self) -> str:
        mapped = self.variables.get("mapped", {})
        return facts_html(
            self._head(),
            [
                ("unit", self.unit),
                ("groups", self.groups),
                ("variables mapped", sum(mapped.values()) if mapped else None),
                ("storage", self.storage),
            ],
            self.notes,
        )

    def lines(self) -> list[str]:
        """Text for people, a line each."""
        if self.status == "unchanged":
            return [f"{self.dataset}: unchanged, {self.cells:,} cells are attached already"]
        rows = [("unit", f"{self.unit}, from {self.matrix}: {self._reason()}")]
        rows += [("left out", f"{n:,} cells: {why}") for why, n in self.left_out.items()]
        rows += variable_rows(self.variables)
        for name, found in self.fields.items():
            rows += field_rows(name, found)
        rows += age_rows(self.ages)
        rows += [
            (name, f"not mapped; perhaps --map {name}={columns[0]}")
            for name, columns in self.hints.items()
        ]
        size = f", {self.bytes / 1e6:,.1f} MB" if self.storage == "inline" else ""
        rows += [
            (
                "groups",
                (
                    f"{self.groups:,}, with {self.expresses:,} EXPRESSES "
                    f"(at least {self.min_fraction:g} of a group's cells; mean in {self.mean_unit})"
                ),
            ),
            ("storage", f"{self.storage}{size}"),
        ]
        if self.markers:
            rows.append(("markers", ", ".join(self.markers)))
        rows += [("note", text) for text in self.notes]
        width = max(len(name) for name, _ in rows)
        return [self._head(), *(f"  {name:<{width}}  {text}" for name, text in rows)]

    def _head(self) -> str:
        verb = "would attach" if self.status == "planned" else self.status
        of = f" made of {self.measured_cells:,}" if self.measured_cells != self.cells else ""
        rate = f" in {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.dataset}: {verb} {self.cells:,} cells{of}{rate}"

    def _reason(self) -> str:
        return next((str(f["reason"]) for f in self.looked_at if f["matrix"] == self.matrix), "")
