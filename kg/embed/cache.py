"""Where encoders that were made of a model are kept."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def encoder_folder(name: str) -> Path:
    """Folder in the user's cache of an encoder; what no file name holds becomes a dash."""
    plain = "".join(c if c.isalnum() else "-" for c in name)
    return Path(platformdirs.user_cache_dir("tosg", appauthor=False)) / "encoders" / plain
