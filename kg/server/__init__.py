"""The managed server: a real Neo4j Community in its own process, with no system Java.

`ensure` starts or reuses it, `status` looks, `stop` ends it. The server outlives the process
that started it.
"""

from tosg.kg.server.lifecycle import ServerInfo, ensure, status, stop

__all__ = ["ServerInfo", "ensure", "status", "stop"]
