"""Having what was pushed on the disk, where the remote is a folder: the pointers that follow are
flushed, and after a loss of power nothing may point to an entry that is gone.

A setting of the pushing side does not reach the receiving one, so Git is told what to start there.
A server has settings of its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from assent.disk import flush_file, flush_folder
from assent.errors import OutsideError
from assent.git import GitError, git
from assent.git.addresses import folder_at

_DURABLE = "git -c core.fsync=all -c core.fsyncMethod=fsync receive-pack"
_DURABLE_BEFORE_2_36 = "git -c core.fsyncObjectFiles=true receive-pack"
"""Git before 2.36 can flush objects and no references; what it can do now, it warns of then."""


def folder_of(address: str) -> Path | None:
    """The Git folder of a remote that is a folder of this machine; None for any other address."""
    folder = folder_at(address)
    if folder is None:
        return None
    for place in (folder / ".git", folder, Path(f"{folder}.git")):
        if place.is_file() or (place / "commondir").is_file():
            return _led_to(place)
        if (place / "objects").is_dir():
            return place
    return None


def _led_to(place: Path) -> Path | None:
    """The Git folder that another place leads to: a file in the place of `.git`, as in a linked
    worktree or a submodule, or the folder that Git keeps for such a worktree.
    """
    doing = f"looking for the Git folder of {place}"
    env = {"GIT_DIR": str(place)}
    with suppress(GitError):
        shown = git(["rev-parse", "--git-common-dir"], folder=place.parent, doing=doing, env=env)
        return place.parent / os.fsdecode(shown.removesuffix(b"\n"))
    return None


def flushes_references() -> bool:
    """Whether this Git can flush references."""
    shown = git(["version"], folder=Path("/"), doing="asking for the version of Git").decode()
    match = re.search(r"(\d+)\.(\d+)", shown)
    return match is not None and (int(match[1]), int(match[2])) >= (2, 36)


def receiving(*, with_references: bool) -> str:
    """What Git is to start where it pushes to a folder: it flushes the objects, and only then lets
    the reference, flushed as well where Git can, name them.
    """
    return _DURABLE if with_references else _DURABLE_BEFORE_2_36


def listed(folder: Path) -> dict[Path, int]:
    """When the folders of objects have changed last, to be compared after a push."""
    objects = folder / "objects"
    names = ["pack", *(f"{number:02x}" for number in range(256))]
    times: dict[Path, int] = {}
    for place in (*(objects / name for name in names), objects):
        with suppress(OSError):  # none of that name yet
            times[place] = place.stat().st_mtime_ns
    return times


def flush(folder: Path, ref: str, before: Mapping[Path, int], *, with_reference: bool) -> None:
    """Have the names that a push has made in a Git folder, as it was `listed` before, on the disk,
    and the reference last: Git flushes no folder. With `with_reference` also what is in it.
    Raises `OutsideError`.
    """
    try:
        for place, changed in listed(folder).items():
            if before.get(place) != changed:
                flush_folder(place)
        with suppress(FileNotFoundError):  # kept in another way than as a file of its own
            if with_reference:
                flush_file(str(folder / ref))
        for above in _above(ref):
            if (folder / above).is_dir():
                flush_folder(folder / above)
    except OSError as error:
        doing = f"flushing the ledger in {folder} to the disk"
        raise OutsideError(doing, error.strerror or str(error)) from None


def _above(ref: str) -> Sequence[str]:
    """The folders that lead to a reference, from its own upwards: `refs/heads/assent`, …"""
    parts = ref.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]
