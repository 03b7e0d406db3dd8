"""Data about the graph: types, prefixes, names and index definitions."""
