"""tosg: text-omic signaling graphs of cells, from Neo4j to PyTorch tensors.

>>> import tosg
>>> graph = tosg.connect()                # doctest: +SKIP
>>> ts = tosg.TrainingSet("OUT")          # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tosg.errors import (
    ConfigError,
    DatabaseError,
    DataError,
    ExportError,
    QueryError,
    QueryTimeoutError,
    SchemaError,
    TosgError,
    TosgWarning,
)
from tosg.version import VERSION

if TYPE_CHECKING:
    from tosg.export.batches.training_set import TrainingSet
    from tosg.graph import KnowledgeGraph, connect

__all__ = [
    "ConfigError",
    "DataError",
    "DatabaseError",
    "ExportError",
    "KnowledgeGraph",
    "QueryError",
    "QueryTimeoutError",
    "SchemaError",
    "TosgError",
    "TosgWarning",
    "TrainingSet",
    "connect",
]

__version__ = VERSION

# Looked up at first use, so that `import tosg` needs neither torch nor the driver.
_LAZY = {
    "TrainingSet": "tosg.export.batches.training_set",
    "KnowledgeGraph": "tosg.graph",
    "connect": "tosg.graph",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'tosg' has no attribute {name!r}")
