"""How long a writer goes on that was not first: a decision without a clock of its own."""

from __future__ import annotations

from assent.core.digest import Digest
from assent.errors import OutsideError
from assent.ports import BusyError, MovedError

STALL_S = 30.0
"""How long it may be said that others are first, or busy, while the ledger stays as it is. A lock
is held for milliseconds, unless it was left by somebody who was killed."""
STALL_ATTEMPTS = 10
"""The same by what an attempt costs here: a slow remote is asked as often as a quick one."""
SHORTEST_S, LONGEST_S = 0.02, 30.0


class Retries:
    """What one writer has seen of the others. While their entries come, all is well, however long
    it takes, and there is no reason to give up; when they say that they are first and nothing
    comes, there is.
    """

    def __init__(self, began_s: float) -> None:
        self.losses = 0
        self._seen: Digest | None = None
        self._moved_s = began_s

    def pause(self, error: MovedError, head: Digest, now_s: float, *, cost_s: float) -> float:
        """The most to wait before the next attempt, after one on `head` that took `cost_s`. As
        many others may be waiting as races were lost, and each attempt takes about as long.

        Raises `OutsideError` when the ledger has not changed for too long.
        """
        if head != self._seen:
            self._seen, self._moved_s = head, now_s
        self.losses += 1
        still_s = now_s - self._moved_s
        if still_s > max(STALL_S, STALL_ATTEMPTS * cost_s):
            raise _stalled(error, still_s)
        spread_s = cost_s * 2.0 ** min(self.losses - 1, 10)
        return min(max(SHORTEST_S, spread_s), max(1.0, 16 * cost_s), LONGEST_S)


def _stalled(error: MovedError, still_s: float) -> OutsideError:
    if isinstance(error, BusyError):
        return OutsideError(error.doing, error.problem, hint=error.hint)
    return OutsideError(
        error.doing,
        f"for {still_s:.0f} seconds it was said that others are first, and nothing was written",
        hint="can the remote be written to? run the verb again; it was not written",
    )
