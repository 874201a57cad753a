"""Decisions on the record: the ledger is read, appended to, and shown where people look."""
