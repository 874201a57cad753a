"""The ledger in a bucket of an object store."""
