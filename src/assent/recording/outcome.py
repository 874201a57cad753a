"""What a verb that decides and writes gives back."""

from __future__ import annotations

import msgspec

from assent.core.clock import Clock
from assent.core.digest import Digest
from assent.core.entry import Entry
from assent.core.verdict import Decision, Verdict
from assent.errors import ExitCode


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on what was asked, and the entries that were written; none if it was refused,
    or if it stood so already (`was_so`). `clock` is the one that it was decided by. `sentence`
    says it in words. Where one run has decided on several things, the `others` are in the one that
    matters most.
    """

    model: str
    sentence: str
    verdict: Verdict
    version: int | None = None
    bundle: Digest | None = None
    stage: str | None = None
    entries: tuple[Entry, ...] = ()
    was_so: bool = False
    clock: Clock | None = None
    others: tuple[Decided, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """0 done, 10 blocked, 11 waiting for approval."""
        if self.entries or self.was_so:
            return ExitCode.DONE
        decision = self.verdict.decision
        return ExitCode.BLOCKED if decision is Decision.PASSED else decision.exit_code
