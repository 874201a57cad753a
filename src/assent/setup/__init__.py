"""What `init` sees in a repository, and what it makes of it."""
