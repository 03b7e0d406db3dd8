"""Readers of standard formats; they know no source."""
