"""The cells of an export: their table, targets, splits and data sets."""
