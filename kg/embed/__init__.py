"""Vectors of the texts: made by a sentence-transformers model, kept at the nodes.

One model per graph. A node's ``embedding_key`` is a hash of model, revision and text, so that an
unchanged text is never embedded twice and a run that was stopped goes on where it stopped.
"""
