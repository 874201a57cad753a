"""The verdict: its sentence, what to do next, and the gates."""

from __future__ import annotations

from itertools import islice

from assent.core.approval import ANYONE, Approvals
from assent.core.identity import unpinned
from assent.core.verdict import Decision, Finding, Outcome, Verdict
from assent.report.escape import shorten
from assent.report.numbers import count
from assent.report.parts import Cell, Mark, Part, Person, State, Text, Words, cell
from assent.report.quality import Quality
from assent.report.sections import shapes

_MAX_STEPS = 3
_MAX_NAMES = 8
_MAX_RULES = 3
_STEP_LIMIT = 200

MARKS = {
    Decision.PASSED: Mark.PASSED,
    Decision.BLOCKED: Mark.FAILED,
    Decision.PENDING: Mark.WAITING,
}
STATES = {
    Outcome.FAILED: State(Mark.FAILED, "failed"),
    Outcome.UNDECIDED: State(Mark.FAILED, "undecided"),
    Outcome.WAITING: State(Mark.WAITING, "waiting"),
    Outcome.WARNED: State(Mark.WARNED, "warning"),
    Outcome.PASSED: State(Mark.PASSED, "passed"),
    Outcome.NOT_APPLICABLE: State(Mark.NEUTRAL, "not applicable"),
}


def headline(
    model: str, verdict: Verdict, approvals: Approvals, quality: Quality | None = None
) -> Cell:
    """The verdict in a sentence, and whether the model is better or worse."""
    decided = _decided(verdict, approvals)
    if quality is None or not verdict.findings:
        return cell(model, Words(f"{decided}."))
    is_blocked = verdict.decision is Decision.BLOCKED
    joint = ", but" if (quality.is_better if is_blocked else quality.is_worse) else ";"
    return cell(model, Words(f"{decided}{joint} {quality.words}."))


def _decided(verdict: Verdict, approvals: Approvals) -> str:
    total = len(verdict.findings)
    gates = "gate" if total == 1 else "gates"
    match verdict.decision:
        case Decision.BLOCKED if not total:
            return "is blocked: no gate has judged it"
        case Decision.BLOCKED:
            return f"is blocked: {blocked_by(verdict)}"
        case Decision.PENDING if approvals.missing:
            waits = f"waits for {count(approvals.missing, 'approval')}"
            return f"{waits}{_of_others(verdict)}"
        case Decision.PENDING:
            waiting = len(verdict.of(Outcome.WAITING))
            return f"waits for a decision: {waiting:,} of {total:,} {gates} not decided"
        case Decision.PASSED:
            skipped = len(verdict.of(Outcome.NOT_APPLICABLE))
            held = f"passed: {count(total - skipped, 'gate holds', 'gates hold')}"
            return held + (f", {skipped:,} not applicable" if skipped else "")


def _of_others(verdict: Verdict) -> str:
    """What the gates say beside the approval that is waited for."""
    open_ = len(verdict.of(Outcome.WAITING)) - 1
    warned, passed = (len(verdict.of(outcome)) for outcome in (Outcome.WARNED, Outcome.PASSED))
    parts = [f"{open_:,} not decided"] if open_ > 0 else []
    parts += [count(warned, "warning")] if warned else []
    if parts:
        return f"; of the gates {passed:,} passed, {', '.join(parts)}"
    return "; every gate passed" if passed else ""


def blocked_by(verdict: Verdict) -> str:
    """How many block, of how many: `1 of 3 gates failed, 1 undecided`."""
    total = len(verdict.findings)
    counts = (
        (len(verdict.of(outcome)), outcome.value) for outcome in (Outcome.FAILED, Outcome.UNDECIDED)
    )
    (first, word), *others = [(n, word) for n, word in counts if n]
    words = f"{first:,} of {total:,} {'gate' if total == 1 else 'gates'} {word}"
    return "".join((words, *(f", {n:,} {word}" for n, word in others)))


def next_steps(verdict: Verdict, approvals: Approvals, *, notify: bool = False) -> tuple[Cell, ...]:
    """What is to be done, the most important first: by whom, where people have to decide."""
    awaited = (still_needed(approvals, notify=notify),) if approvals.missing else ()
    match verdict.decision:
        case Decision.PASSED:
            return (cell(Words("Nothing is missing. Merge when you are ready.")),)
        case Decision.PENDING:
            waiting = verdict.of(Outcome.WAITING)
            return awaited if awaited and len(waiting) == 1 else _remedies(waiting)
        case Decision.BLOCKED if not verdict.findings:
            return (cell(Words("Give the model at least one gate: nothing judged is no pass.")),)
        case Decision.BLOCKED:
            return (*_remedies(verdict.blocking), *awaited)


def _remedies(findings: tuple[Finding, ...]) -> tuple[Cell, ...]:
    """What to do about findings: each remedy once, after the rules that it is for."""
    rules: dict[str, list[str]] = {}
    for finding in findings:
        rules.setdefault(finding.remedy or "see the reason below", []).append(finding.rule)
    steps: list[Cell] = []
    for remedy, for_rules in islice(rules.items(), _MAX_STEPS):
        named = shapes.named(for_rules, _MAX_RULES, "and")
        steps.append((*named, Words(":"), Words(shorten(remedy, _STEP_LIMIT))))
    if len(rules) > _MAX_STEPS:
        steps.append(cell(Words(f"and {len(rules) - _MAX_STEPS:,} other remedies, below.")))
    return tuple(steps)


def still_needed(approvals: Approvals, *, notify: bool = False) -> Cell:
    """How many approvals are missing, and from whom; with `notify` they are called."""
    needed = Words(count(approvals.missing, "more approval is needed", "more approvals are needed"))
    if ANYONE in approvals.of:
        return (needed, Words("from anyone who may write to the repository."))
    if not approvals.of:
        return (needed, Words("."))
    named = shapes.named([unpinned(who)[0] for who in approvals.of], _MAX_NAMES, "or")
    people = (_called(part) for part in named) if notify else named
    return (needed, Words("from"), *people, Words("."))


def _called(part: Part) -> Part:
    """A name as that of somebody who is told. `codeowners` is a word of the policy."""
    if isinstance(part, Text) and part.text != "codeowners":
        return Person(part.text)
    return part
