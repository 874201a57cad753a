"""Addresses of ledgers: `git`, `git:upstream`, or those of buckets."""

from __future__ import annotations

GIT = "git"
PATTERN = r"^(git(:[A-Za-z0-9._-]+)?|(s3|gs|az)://.+)$"


def is_in_git(address: str) -> bool:
    """Whether a ledger is kept on branches of a Git repository."""
    return address == GIT or address.startswith(f"{GIT}:")


def remote_of(address: str) -> str:
    """The remote that the address of a ledger in Git names; empty where it names none."""
    return address.partition(":")[2] if is_in_git(address) else ""


def place_of(address: str) -> str:
    """An address as it can be compared: that of `origin` need not be named."""
    return GIT if address == f"{GIT}:origin" else address.rstrip("/")


def is_within(address: str, other: str) -> bool:
    """Whether one of two addresses of buckets is the other, or below it."""
    short, long = sorted((f"{address.rstrip('/')}/", f"{other.rstrip('/')}/"), key=len)
    return long.startswith(short)
