"""The managed server: a real Neo4j Community in its own process, with no system Java.

`ensure_server` starts or reuses it, `status` looks, `stop` ends it, `import_full` loads a whole
database at once. The server outlives the process that started it.
"""

from tosg.kg.server.import_tool import ImportResult, import_full
from tosg.kg.server.info import ServerInfo
from tosg.kg.server.lifecycle import ensure_server, is_installed, set_data_aside, status, stop
from tosg.kg.server.running import ManagedGraph, RunningServer, managed_graphs, running_servers

__all__ = [
    "ImportResult",
    "ManagedGraph",
    "RunningServer",
    "ServerInfo",
    "ensure_server",
    "import_full",
    "is_installed",
    "managed_graphs",
    "running_servers",
    "set_data_aside",
    "status",
    "stop",
]
