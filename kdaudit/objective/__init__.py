"""What a student is taught to match: a sum of terms, each one value a row."""
