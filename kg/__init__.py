"""The graph: schema, settings, server, merge, writers, reader, texts, vectors, cells, reports."""
