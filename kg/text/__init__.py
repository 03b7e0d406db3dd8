"""The `text` of each entity: composed from its names, its description and the graph.

It depends on no model, and changes only when its content does.
"""
