"""Batches of a training set on a device: the only room that imports torch."""
