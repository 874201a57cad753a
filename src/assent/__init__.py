"""Assent: model approval as part of ordinary CI/CD."""

__version__ = "0.1.0"
