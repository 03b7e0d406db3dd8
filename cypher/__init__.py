"""Cypher statements as files with checked headers, their registry, and the quoting of names."""
