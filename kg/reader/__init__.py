"""The one columnar reader: bulk reads of nodes and relationships as Arrow batches."""
