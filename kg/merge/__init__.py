"""Merging claims into entities and relationships, and comparing with the stored graph."""
