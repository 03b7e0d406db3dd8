"""What is said where a tool is not installed."""

from __future__ import annotations

from tosg.errors import ConfigError


def missing_extra(tool: str, extra: str, error: ImportError) -> ConfigError:
    """Make the error that names the package and the line that installs it.

    Parameters
    ----------
    tool : str
        What was asked for.
    extra : str
        Of tosg, that brings it.
    error : ImportError
        What importing it said.
    """
    return ConfigError(
        f"{tool} is not installed",
        found=f"no package {error.name}" if error.name else str(error),
        hint=f"pip install 'tosg[{extra}]'",
    )
