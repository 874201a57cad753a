"""Addresses of stores, as people are shown them."""

from __future__ import annotations

import re

_MAY_BE_SECRET = re.compile(r"[@?#&;%]")
"""What stands around a login or a signature in an address. No address of a store has any of it."""


def opening(address: str) -> str:
    """What is being done with an address that may be none. One that may hold a secret is not shown:
    what is said of it ends in logs and comments.
    """
    shown = "" if _MAY_BE_SECRET.search(address) else f" {address[:200]!r}"
    return f"opening the store{shown}"
