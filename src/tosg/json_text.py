"""Values as JSON that every reader takes: it has no bytes, no NaN and no infinities."""

from __future__ import annotations

import base64
import json
import math
from typing import Any


def json_value(value: Any) -> Any:
    """Replace bytes by base64, and NaN and infinities by null, at any depth."""
    if isinstance(value, dict):
        return {k: json_value(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(v) for v in value]
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def json_text(value: Any, *, indent: int | None = None) -> str:
    """Write a value as JSON, whole; what JSON has no type for as its text."""
    return json.dumps(
        json_value(value), indent=indent, ensure_ascii=False, allow_nan=False, default=str
    )
