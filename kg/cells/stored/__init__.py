"""Data sets of cells in the database: reading, switching and regrouping them."""
