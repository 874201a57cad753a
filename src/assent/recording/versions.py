"""Versions of the ledger, by number and by name. Apart from the bundles, so that a verb which only
reads the ledger starts without all that reads files.
"""

from __future__ import annotations

from assent.core.digest import Digest
from assent.core.entry import decode_entry
from assent.core.nearest import meant
from assent.core.registry import Record
from assent.errors import UsageError
from assent.ports import View


def version_number(name: str) -> int | None:
    """`v12` or `12` as 12; None for anything else."""
    digits = name.removeprefix("v")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def registered_from(view: View, bundle: Digest) -> str | None:
    """The commit of the base branch that a bundle was registered from."""
    known = view.record(bundle)
    if known is None or known.registered is None:
        return None
    return decode_entry(view.entry(known.registered)).commit


def latest_from(view: View) -> str | None:
    """The commit that the newest version, retired ones apart, was registered from."""
    line = view.state.latest
    return None if line is None else registered_from(view, line.bundle)


def registered_commits(view: View, *, with_retired: bool = True) -> tuple[str, ...]:
    """The commits that the newest versions were registered from, the newest version first."""
    lines = [line for line in view.state.newest if with_retired or not line.retired]
    commits = (registered_from(view, line.bundle) for line in lines)
    return tuple(dict.fromkeys(commit for commit in commits if commit is not None))


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


def chosen_version(view: View, version: str | None) -> int:
    """The number of the version that is meant; None is the newest that is not retired."""
    doing = f"choosing the version of {view.state.model}"
    if version is None:
        if view.state.latest is None:
            raise UsageError(doing, "none is registered", hint="run `assent register` first")
        return view.state.latest.version
    number = version_number(version)
    if number is None and version in view.state.stages:
        number = view.state.stages[version].version
    if number is None:
        hint = f"write v12, or a stage{meant(version or '', view.state.stages)}"
        raise UsageError(doing, f"{version!r} is no version", hint=hint)
    record_of(view, view.state.model, number)
    return number
