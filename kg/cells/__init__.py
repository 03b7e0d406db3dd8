"""Cells in the graph: data sets of single cells or meta-cells, their expression and their groups.

Names are looked up at first use, so that reading expression needs neither anndata nor scipy.
"""
