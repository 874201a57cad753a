"""Whether a version may enter, return to, or leave a stage."""

from __future__ import annotations

from collections.abc import Sequence

from assent.core.clock import Clock, needs_entries, spent
from assent.core.entry import Entry
from assent.core.evidence import Run
from assent.core.registry import Record, State
from assent.core.units import show_span, span_s
from assent.core.verdict import Finding, Outcome
from assent.policy.rules import StageRule


def judge_entry(
    rule: StageRule,
    stage: str,
    record: Record,
    state: State,
    *,
    run: Run | None,
    clock: Clock,
    entries: Sequence[Entry] = (),
) -> list[Finding]:
    """Findings on promoting the version of `record` to `stage` at the time of `clock`. `entries`
    are those of `entries_wanted`.
    """
    findings = [_forward(stage, record, state, run)]
    if record.purged is not None:
        findings.append(_failed("not retired", f"v{record.version} was purged", "promote another"))
    elif record.retired:
        findings.append(_failed("not retired", f"v{record.version} is retired", "promote another"))
    if rule.after is not None:
        findings.append(_after(rule, record, clock, entries))
    return findings


def entries_wanted(rule: StageRule, record: Record, state: State, *, now: str) -> int | None:
    """From which entry on the ledger has to be read to judge a soak, where dates are in doubt."""
    if rule.after is None or rule.soak is None:
        return None
    return needs_entries(record, rule.after, state, now)


def _forward(stage: str, record: Record, state: State, run: Run | None) -> Finding:
    """Moving back is `rollback`, never a promotion: a job of last month that is run again must
    not bring last month's model back.
    """
    rule = f"{stage} moves forward"
    held = state.stages.get(stage)
    if held is not None and record.version is not None and record.version < held.version:
        return _failed(
            rule,
            f"{stage} holds v{held.version}, which is newer than v{record.version}",
            f"to go back, run `assent rollback {stage} --to v{record.version} --reason …`",
        )
    stay = record.stays.get(stage)
    if stay is not None and run is not None and run.id in stay.runs:
        return _failed(
            rule,
            f"run {run.id} promoted v{record.version} before, and {stage} has moved on since",
            "start a new run if it is meant to return",
        )
    current = "nothing" if held is None else f"v{held.version}"
    return Finding(
        rule=rule, outcome=Outcome.PASSED, reason="newer", evidence=f"{stage} holds {current}"
    )


def _after(rule: StageRule, record: Record, clock: Clock, entries: Sequence[Entry]) -> Finding:
    name = f"after {rule.after}" + (f", soak {rule.soak}" if rule.soak else "")
    stay = record.stays.get(rule.after or "")
    if stay is None:
        return _failed(
            name,
            f"v{record.version} was never in {rule.after}",
            f"run `assent promote {rule.after} v{record.version}` first",
        )
    if rule.soak is None:
        evidence = f"v{record.version} was in {rule.after}"
        return Finding(rule=name, outcome=Outcome.PASSED, reason="long enough", evidence=evidence)
    passed = spent(record, rule.after or "", clock.now, entries)
    needed = span_s(rule.soak)
    evidence = f"v{record.version} was in {rule.after} for {show_span(passed.seconds)}"
    evidence += f" {clock.words}"
    if passed.doubt is not None:
        evidence += f"; entry {passed.doubt.seq} says {passed.doubt.at}, {passed.doubt.why}"
    if passed.seconds < needed:
        remedy = f"wait; it must stay in {rule.after}"
        if passed.is_unknown:
            remedy = f'write any entry, such as `assent note "the soak of v{record.version} '
            remedy += 'counts from here"`: it counts from the next date that can be right'
        return Finding(
            rule=name,
            outcome=Outcome.WAITING,
            reason=f"{show_span(needed - passed.seconds)} are missing",
            evidence=evidence,
            remedy=remedy,
        )
    return Finding(rule=name, outcome=Outcome.PASSED, reason="long enough", evidence=evidence)


def _failed(rule: str, reason: str, remedy: str) -> Finding:
    return Finding(rule=rule, outcome=Outcome.FAILED, reason=reason, remedy=remedy)
