"""Baseline and candidate as one diff. Pure: one file per section of the report."""
