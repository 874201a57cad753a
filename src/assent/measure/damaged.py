"""Bytes that are not what they claim to be."""

from __future__ import annotations


class ReadError(Exception):
    """A file that cannot be read as what it claims to be; the text says why, in few words."""
