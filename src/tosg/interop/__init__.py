"""The graph in other tools: networkx, neo4j-viz, py2neo, neo4j-graphrag, LangChain, MCP, NeoDash.

Each module needs the extra of its name and imports the tool; the facade imports the module when it
is asked for.
"""
