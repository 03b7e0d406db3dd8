"""What is known about a cell: fields, labels and the terms they match."""
