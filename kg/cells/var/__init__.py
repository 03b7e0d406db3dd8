"""The variables of a data set: which entity each one is, and marker columns."""
