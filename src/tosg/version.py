"""The installed version of tosg, for what records how a thing was made."""

from __future__ import annotations

from importlib import metadata

VERSION = metadata.version("tosg")
