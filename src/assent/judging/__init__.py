"""Facts, rules and people brought together: what a verb may decide."""
