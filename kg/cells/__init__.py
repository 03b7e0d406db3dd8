"""Cells in the graph: data sets of single cells or meta-cells, their expression and their groups.

``attach.attach`` puts a file in, ``remap.detach`` takes it away, ``remap.remap`` maps it again;
``dataset.datasets`` and ``dataset.read_expression`` read it back. Reading inline expression does
not need anndata, so the modules are imported one by one.
"""
