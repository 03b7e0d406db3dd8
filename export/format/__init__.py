"""The files of a training set, format 1: manifest, digests and writers."""
