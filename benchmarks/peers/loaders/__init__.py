"""Loaders of cells, each a script that runs in an environment of its own (`benchmarks.loaders`).

``python SCRIPT.py prepare FOLDER HOME`` writes the peer's own files of the cells of a training set;
``python SCRIPT.py run FOLDER HOME KIND BATCH`` reads two epochs and prints one JSON object.
"""
