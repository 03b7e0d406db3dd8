"""What the demo did."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.demo.train_cell_type import Comparison


@dataclass
class DemoResult:
    """What the demo did.

    Attributes
    ----------
    home, training_set : Path
        Where its server and its training set are.
    counts : dict
        ``nodes`` per type and ``relationships`` per type, cells aside.
    cells : dict
        The report of attaching them.
    answers : list of dict
        ``question``, ``reading``, ``statement``, ``params``, ``columns``, ``kinds`` of columns,
        ``rows`` (a list of values each, those that are shown), ``found``, how many there are, and
        ``paths``, where the statement returns paths.
    dots : list of dict
        ``group``, ``gene``, ``mean``, ``fraction``: genes across the groups of cells.
    dot_unit : str
        Of these means.
    export : dict
        ``counts``, ``bytes``, ``warnings`` and ``measured_nodes``.
    page : Path
        The answers as one HTML page with pictures.
    comparison : Comparison
        The readings of the cells and how they differ.
    browser : str
        Address of the server's own page.
    seconds : dict
        Time of each step.
    """

    home: Path
    training_set: Path
    page: Path
    browser: str = ""
    counts: dict[str, Any] = field(default_factory=dict)
    cells: dict[str, Any] = field(default_factory=dict)
    embedded: int = 0
    answers: list[dict[str, Any]] = field(default_factory=list)
    dots: list[dict[str, Any]] = field(default_factory=list)
    dot_unit: str = ""
    export: dict[str, Any] = field(default_factory=dict)
    comparison: Comparison | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)
