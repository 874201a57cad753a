"""Stands in for Kedro's Python side."""
