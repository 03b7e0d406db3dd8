"""The managed server: a real Neo4j Community in its own process, with no system Java.

`ensure_server` starts or reuses it, `status` looks, `stop` ends it, `import_full` loads a whole
database at once. The server outlives the process that started it.
"""

from tosg.kg.server.import_tool import ImportResult, import_full
from tosg.kg.server.info import ServerInfo
from tosg.kg.server.lifecycle import ensure_server, set_data_aside, status, stop

__all__ = [
    "ImportResult",
    "ServerInfo",
    "ensure_server",
    "import_full",
    "set_data_aside",
    "status",
    "stop",
]
