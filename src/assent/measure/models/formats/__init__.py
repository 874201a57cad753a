"""The readers: one format per file."""
