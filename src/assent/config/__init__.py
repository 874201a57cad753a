"""The text of `assent.yaml` as values."""
