"""What a run found, told to people and to machines: one document, a file a format."""
