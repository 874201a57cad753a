"""The CI run that Assent is part of, read once from its environment."""
