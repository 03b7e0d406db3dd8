"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Attributes
    ----------
    rule : str
        One of `tosg.kg.report.check.RULES`.
    what : str
        What is wrong, in a sentence.
    count : int
        How often.
    example : str
        One of them.
    """

    rule: str
    what: str
    count: int = 1
    example: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "rule": self.rule,
            "what": self.what,
            "count": self.count,
            "example": self.example,
        }
