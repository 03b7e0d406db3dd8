"""How long users' queries may take where nobody says otherwise, in seconds.

Commands show these in their help, so this module imports nothing.
"""

#: A query whose rows somebody waits for: ``tosg query``, `KnowledgeGraph.query`.
QUERY_TIMEOUT = 120.0

#: Each query of a selection: ``tosg-export``, `KnowledgeGraph.export`.
SELECTION_TIMEOUT = 600.0
