"""Looking at a repository: what is there, what trains it, and the `assent.yaml` that says so."""
