"""Readers of expression files: one module per format, and one that chooses."""
