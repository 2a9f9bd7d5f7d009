"""New inputs around the rows that there are, always inside the domain."""
