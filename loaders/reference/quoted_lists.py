"""Lists as PharmGKB writes them inside a field: values with commas between, quoted or not."""

from __future__ import annotations

import csv
from functools import lru_cache


@lru_cache(1 << 14)
def parse_quoted_list(text: str) -> tuple[str, ...]:
    """Values of a list.

    >>> parse_quoted_list('"Drug","Biological Intermediate"')
    ('Drug', 'Biological Intermediate')
    """
    row = next(csv.reader([text]), [])
    return tuple(dict.fromkeys(value.strip() for value in row if value.strip()))
