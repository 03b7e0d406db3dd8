"""Claims: what one source says about one entity or relationship, in one release."""
