"""The sections of a review, one per file."""
