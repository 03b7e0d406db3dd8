"""The graph: schema, identifiers, settings, server, merge, writers, readers, text, cells, reports."""
