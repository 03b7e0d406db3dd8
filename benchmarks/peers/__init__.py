"""What a user without tosg would write: the other side of each comparison."""
