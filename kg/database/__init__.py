"""The connection, the indexes and the bookkeeping node of one database."""
