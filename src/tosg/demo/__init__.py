"""The demo: a hand-compiled immune graph, real blood cells, and the main job run on them."""
