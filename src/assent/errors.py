"""The family of errors, and the exit codes of every verb.

A verdict is a value and an error is an exception; they never share an exit code, so a
pipeline can tell "blocked" from "crashed".
"""

from __future__ import annotations

from enum import IntEnum


def to_install(extra: str) -> str:
    """The command that installs what an extra of Assent needs, for a hint."""
    return f"pip install 'assent-ml[{extra}]'"


class ExitCode(IntEnum):
    """What a verb's exit code means. The list is complete and each number has one meaning."""

    DONE = 0  # done, or the verdict passed
    BUG = 1  # a defect in Assent
    USAGE = 2  # your configuration or usage
    OUTSIDE = 3  # the outside world: forge, store, network, disk
    INTEGRITY = 4  # the ledger or the store does not verify
    BLOCKED = 10  # blocked by a gate or by policy
    WAITING = 11  # waiting for approval


class AssentError(Exception):
    """Something went wrong: what was being done, what happened, and what to do next.

    `doing` is a phrase such as "reading assent.yaml", `problem` says what went wrong and
    `hint`, when there is one, what to do next.
    """

    exit_code: int = ExitCode.BUG

    def __init__(self, doing: str, problem: str, *, hint: str | None = None) -> None:
        super().__init__(f"{doing}: {problem}")
        self.doing = doing
        self.problem = problem
        self.hint = hint


class UsageError(AssentError):
    """The configuration, the arguments or the working tree are not what the verb needs."""

    exit_code = ExitCode.USAGE


class OutsideError(AssentError):
    """The forge, the store, the network or the disk did not do what was asked of it."""

    exit_code = ExitCode.OUTSIDE


class IdleError(OutsideError):
    """There is nothing to judge: what it needs has not come yet, or is over. Nothing is wrong, and
    another run will do the work if there is any left.
    """


class IntegrityError(AssentError):
    """The ledger or the store does not verify. Nothing is written on top of it."""

    exit_code = ExitCode.INTEGRITY


class PolicyError(AssentError):
    """The policy refuses what was asked, whatever the evidence says."""

    exit_code = ExitCode.BLOCKED


class CommandError(AssentError):
    """The team's own command failed; its exit code is passed on."""

    def __init__(
        self, doing: str, problem: str, *, exit_code: int, hint: str | None = None
    ) -> None:
        super().__init__(doing, problem, hint=hint)
        self.exit_code = exit_code
