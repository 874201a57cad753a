"""Profiles of data sets, what two of them share, and what changed row by row."""
