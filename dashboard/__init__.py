"""The web page: look at the graph, ask it, and start an export (extra ``dashboard``)."""
