"""Loads, builds and recipes: from source files to a written graph and its report."""
