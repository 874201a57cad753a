"""In-memory forge, store and ledger for the tests of those who build on Assent."""
