"""Users' Cypher: statements, parameters, the guard, and results."""
