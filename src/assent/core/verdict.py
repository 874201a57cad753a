"""Findings and verdicts: what a rule says, and what all of them together say."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from assent.errors import ExitCode


class Outcome(StrEnum):
    """What one rule says."""

    PASSED = "passed"
    FAILED = "failed"  # blocks
    UNDECIDED = "undecided"  # what was to be judged could not be compared: blocks
    WAITING = "waiting"  # a person has yet to decide
    WARNED = "warning"  # worth a look; does not block
    NOT_APPLICABLE = "not applicable"  # nothing to compare with; does not block

    @property
    def blocks(self) -> bool:
        """Whether nobody's approval can help."""
        return self in (Outcome.FAILED, Outcome.UNDECIDED)


class Decision(StrEnum):
    """What all rules say together."""

    PASSED = "passed"
    BLOCKED = "blocked"
    PENDING = "pending"

    @property
    def exit_code(self) -> ExitCode:
        """The exit code that carries this decision."""
        return {
            Decision.PASSED: ExitCode.DONE,
            Decision.BLOCKED: ExitCode.BLOCKED,
            Decision.PENDING: ExitCode.WAITING,
        }[self]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule says: the rule in words, the outcome, why, the evidence looked at, and what
    to do about it (empty when nothing is to be done). `metric` is the name of the one that it is
    about, if it is about one, and `names_data` is true where the evidence has values of the data in
    it, which a ledger must not keep for ever; JSON has no such keys otherwise.
    """

    rule: str
    outcome: Outcome
    reason: str
    evidence: str = ""
    remedy: str = ""
    metric: str | msgspec.UnsetType = msgspec.UNSET
    names_data: bool | msgspec.UnsetType = msgspec.UNSET


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """All findings. No findings at all is not a pass: nobody looked."""

    findings: tuple[Finding, ...]

    @property
    def decision(self) -> Decision:
        """Blocked if any finding blocks or nothing was judged, else pending if any waits."""
        outcomes = {finding.outcome for finding in self.findings}
        if self.blocking or not outcomes:
            return Decision.BLOCKED
        if Outcome.WAITING in outcomes:
            return Decision.PENDING
        return Decision.PASSED

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """The findings that block: what failed first, then what is undecided."""
        return self.of(Outcome.FAILED) + self.of(Outcome.UNDECIDED)

    def of(self, outcome: Outcome) -> tuple[Finding, ...]:
        """The findings with this outcome, in order."""
        return tuple(finding for finding in self.findings if finding.outcome is outcome)
