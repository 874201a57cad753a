"""The static site: pages made of what the ledgers and the store say. Nothing here reads either."""
