"""Versions of the ledger, by number and by name. Apart from the bundles, so that a verb which only
reads the ledger starts without all that reads files.
"""

from __future__ import annotations

from assent.core.registry import Record
from assent.errors import UsageError
from assent.ports import View


def version_number(name: str) -> int | None:
    """`v12` or `12` as 12; None for anything else."""
    digits = name.removeprefix("v")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def record_of(view: View, model: str, version: int) -> Record:
    """The record of a version. Raises `UsageError` if there is no such version."""
    bundle = view.bundle_of(version)
    record = None if bundle is None else view.record(bundle)
    if record is None:
        raise UsageError(
            f"looking for v{version} of {model}",
            f"the newest is v{view.state.versions}"
            if view.state.versions
            else "nothing is registered yet",
        )
    return record
