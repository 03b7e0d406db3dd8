"""Reports of loads, and checks of the stored graph."""
