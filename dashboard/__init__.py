"""The web page (optional extra)."""
