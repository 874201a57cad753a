# ruff: noqa: A005 - a part of `benchmarks`, never imported by its last name alone
"""How often the intervals and gates of predictions are wrong, by simulation.

Usage: python -m benchmarks.statistics [--runs N] [--only NAME] [--write]
"""
