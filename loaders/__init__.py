"""One module per source format; each turns files into Arrow batches of claims."""
