"""The graph of an export: its nodes, its edges and the level where they meet."""
