"""How alike two subjects answer, one value a row."""
