"""One module per source; the file name is the name of the source."""
