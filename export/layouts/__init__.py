"""Layouts of other tools, written from a training set that stands."""
