"""The views of the page, one module each, with one function ``show``."""
