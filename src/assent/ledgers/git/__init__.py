"""The ledger on branches of a Git repository."""
