"""A pipeline of GitLab that is there already, and how Assent's jobs get into it."""
