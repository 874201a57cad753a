"""The most that compact predictions may hold, for whoever writes and whoever reads them."""

from __future__ import annotations

MAX_ROWS = 5_000_000
MAX_BYTES = 256 * 1024 * 1024
"""The size of the file."""
MAX_TEXT = 200
"""Longer ids and classes are refused, longer text of other columns is cut."""
MAX_CLASSES = 1_000
MAX_COLUMNS = 100
