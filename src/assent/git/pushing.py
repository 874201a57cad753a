"""What a server says to a push, read from what `git push --porcelain` writes."""

from __future__ import annotations

import re
from typing import NamedTuple

from assent.git.process import GitError, said

_STATUS = re.compile(r"!\t[^\t]*\t\[(?P<by>[^\]]*)\](?: \((?P<reason>.*)\))?")
_BEHIND = frozenset({"fetch first", "non-fast-forward", "stale info", "needs force"})
_OVERTAKEN = re.compile(
    r"but expected|incorrect old value|reference already exists|"
    r"expected [0-9a-f]+ but|is at [0-9a-f]+"
)
_LOCKED = re.compile(r"Unable to create .*\.lock'?: File exists|\.lock: File exists")
_IN_THE_WAY = re.compile(r"exists; cannot create|directory file conflict|refname conflict")
_SHOWN_LINES = 4


class Refusal(NamedTuple):
    """Why a reference was not updated: Git's own `reason`, and `lines` that Git and the server
    have said. The words of servers differ, so only what they all say alike is read from them.
    """

    reason: str
    lines: tuple[str, ...]
    is_own: bool
    """Whether it was Git here that has refused, before anything was sent."""

    @property
    def is_overtaken(self) -> bool:
        """Whether another push was first."""
        if self.is_own:
            return self.reason in _BEHIND
        return any(map(_OVERTAKEN.search, self._all)) and not self.is_in_the_way

    @property
    def is_locked(self) -> bool:
        """Whether another process has the reference locked, or has left its lock."""
        return any(map(_LOCKED.search, self._all))

    @property
    def is_in_the_way(self) -> bool:
        """Whether a branch stands where a folder of branches must be, or the reverse."""
        return any(map(_IN_THE_WAY.search, self._all))

    @property
    def words(self) -> str:
        """The reason and what was said to it, as one line."""
        shown = [line for line in self.lines if not line.startswith("failed to push some refs")]
        return "; ".join(dict.fromkeys([self.reason, *shown[:_SHOWN_LINES]]))

    @property
    def _all(self) -> tuple[str, ...]:
        return (self.reason, *self.lines)


def refusal(error: GitError) -> Refusal | None:
    """Why the one reference of a push was refused; None if nobody has refused it: then it broke
    off before, or after it had arrived.
    """
    for line in error.stdout.splitlines():
        match = _STATUS.fullmatch(line.rstrip())
        if match is not None and match["by"] != "remote failure":
            [reason] = said(match["reason"] or match["by"]) or ["refused"]
            lines = tuple(line for line in said(error.stderr) if not line.startswith("hint:"))
            return Refusal(reason, lines, match["by"] == "rejected")
    return None
