"""`review --waiting`: review the open changes that wait for it, from code of the default branch.

The CI of a change holds nothing that could speak in our name. It trains, leaves its bundle, and
this run fetches that: as data, from where the forge says that it is.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from assent.core.verdict import Decision
from assent.errors import AssentError, ExitCode, IdleError
from assent.judging.review import ReviewResult, require_own_base, review_bundle
from assent.making.bundle_lookup import nothing_shown
from assent.making.handover import taken
from assent.ports import PendingReason, Waiting
from assent.workspace import Workspace

MOST = 20
"""How many changes one run reviews; those that are left wait for the next one."""
_TURNS = 3
"""How often one change is reviewed because its CI has ended again meanwhile."""
_SEVERITY = (ExitCode.BUG, ExitCode.INTEGRITY, ExitCode.OUTSIDE, ExitCode.USAGE)
"""Which error a run with several ends with: the first of these, else the first that happened."""


class Reviewed(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was reviewed."""

    change: str
    result: ReviewResult


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A change that could not be reviewed, and why."""

    change: str
    doing: str
    problem: str
    hint: str | None
    code: ExitCode


class WaitingResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has reviewed, newest change first. `left` are the changes that nobody has looked
    at, because there were too many.
    """

    model: str
    reviews: tuple[Reviewed, ...] = ()
    failures: tuple[Failure, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """That of the worst error; else 10 if one is blocked, 11 if one waits, 0 otherwise."""
        codes = [failure.code for failure in self.failures]
        if codes:
            return next((code for code in _SEVERITY if code in codes), codes[0])
        decisions = {reviewed.result.decision for reviewed in self.reviews}
        if Decision.BLOCKED in decisions:
            return ExitCode.BLOCKED
        return ExitCode.WAITING if Decision.PENDING in decisions else ExitCode.DONE


def review_waiting(workspace: Workspace, model: str, job: str) -> WaitingResult:
    """Review every open change that waits with a bundle of the CI job `job`, or with a word on the
    bundle that was shown. What is wrong with one keeps no other from its review.

    Raises `PolicyError` in CI unless the code of the default branch runs.
    """
    workspace.require_trusted(f"reviewing the changes of {model} that wait")
    reviews: list[Reviewed] = []
    failures: list[Failure] = []
    left: list[str] = []
    queue = workspace.forge.review_queue
    if queue.lacking:
        workspace.say(f"no change of {model} waits here: {queue.lacking}")
    for change in queue.waiting(model, job):
        if len(reviews) + len(failures) == MOST:
            left.append(change.id)
            continue
        try:
            result = _review(workspace, model, change)
        except IdleError as error:
            workspace.say(f"{change.id}: {error}")
        except AssentError as error:
            failures.append(_failure(change, error))
        except Exception as error:  # whatever one change brings, the others are reviewed
            failures.append(_bug(change, model, error))
        else:
            reviews += [] if result is None else [Reviewed(change=change.id, result=result)]
    return WaitingResult(
        model=model, reviews=tuple(reviews), failures=tuple(failures), left=tuple(left)
    )


def _review(workspace: Workspace, model: str, change: Waiting) -> ReviewResult | None:
    """Review a change until its CI has left nothing newer."""
    own = replace(workspace, forge=change.forge)
    result = None
    reason = change.pending_reason()
    for _ in range(_TURNS):
        if reason is None:
            break
        workspace.say(f"{change.id}: {_REASONS[reason]}")
        result = _review_once(own, model, change, reason)
        reason = change.pending_reason()
        if reason is PendingReason.WORD:
            break  # of what was reviewed just now
    return result


def _review_once(
    workspace: Workspace, model: str, change: Waiting, reason: PendingReason
) -> ReviewResult:
    """Review what was left, or what was shown. A name is always given: nothing of a change is ever
    made here, because making it would run its code.
    """
    if reason is PendingReason.BUNDLE:
        name = taken(workspace, model, lambda place, most: change.fetch(place, size_bytes=most))
    else:
        name = workspace.forge.shown(model)
    if name is None:
        raise nothing_shown(model, workspace.change())
    require_own_base(workspace, model)
    place = workspace.work / "review" / model / plain(change.id)
    return review_bundle(workspace, model, name, folder=place)


def plain(change: str) -> str:
    """The id of a change as a part of the name of a file: `7` for `!7`."""
    return (
        "".join(character if character.isalnum() else "-" for character in change).strip("-")
        or "change"
    )


def _failure(change: Waiting, error: AssentError) -> Failure:
    return Failure(
        change=change.id,
        doing=error.doing,
        problem=error.problem,
        hint=error.hint,
        code=ExitCode(error.exit_code),
    )


def _bug(change: Waiting, model: str, error: Exception) -> Failure:
    return Failure(
        change=change.id,
        doing=f"reviewing {model} in {change.id}",
        problem=f"this is a bug in Assent: {type(error).__name__}: {error}",
        hint="report it, with the bundle that it was about",
        code=ExitCode.BUG,
    )


_REASONS = {
    PendingReason.BUNDLE: "its CI has left a bundle that was not reviewed yet",
    PendingReason.WORD: "somebody has said something since it was reviewed",
}
