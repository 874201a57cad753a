"""Workflows of GitHub that are there already, and those of Assent for several models."""
