"""Hybrid search: vectors and words, joined by reciprocal rank."""
