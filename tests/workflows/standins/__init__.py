"""What the actions of others do, done here: the code behind `tests/workflows/actions/`."""
