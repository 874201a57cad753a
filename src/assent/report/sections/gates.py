"""The gates: open what nobody may overlook, and in one line those that hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assent.core.diff.metrics import MetricChange
from assent.core.scalar import number
from assent.core.verdict import Finding, Outcome
from assent.report.parts import Break, Cell, Part, Row, Section, Table, Text, Words, cell
from assent.report.review import ReviewReport
from assent.report.sections import shapes
from assent.report.sections.metrics import effect_of, figures
from assent.report.sections.verdict import STATES

_HOLD = (Outcome.PASSED, Outcome.NOT_APPLICABLE)
_BOUNDS = ("min", "max")


def gates_section(report: ReviewReport) -> Section:
    """Every finding, those that block first."""
    findings = report.verdict.findings
    if not findings:
        return Section(title="Gates", summary=cell(Words("None. Nothing was judged.")))
    metrics = _by_name(report.diff.metrics)
    ranked = [finding for outcome in STATES for finding in report.verdict.of(outcome)]
    open_ = [finding for finding in ranked if finding.outcome not in _HOLD]
    hold = [finding for finding in ranked if finding.outcome in _HOLD]
    first, others = open_[: shapes.MOST_OPEN], open_[shapes.MOST_OPEN :]
    items: list[Row] = [
        ((STATES[finding.outcome], Text(finding.rule), Words(":"), *_why(finding, metrics)),)
        for finding in first
    ]
    to_settle = shapes.table("To be settled", ("To be settled",), items, kept=len(items))
    return Section(
        title="Gates",
        summary=_tally(ranked),
        is_urgent=bool(open_),
        tables=shapes.filled(
            to_settle,
            _table(others, metrics, kept=len(others)),
            _table(hold, metrics),
        ),
    )


def _tally(findings: Sequence[Finding]) -> Cell:
    counts = [
        (sum(finding.outcome is outcome for finding in findings), state.word)
        for outcome, state in STATES.items()
    ]
    return shapes.tally(counts)


def _table(
    findings: Sequence[Finding], metrics: Mapping[str, MetricChange], *, kept: int = 0
) -> Table:
    shown = findings[: shapes.MAX_ROWS]
    told = "".join(part.text for part in _tally(findings) if isinstance(part, Words))
    return shapes.table(
        f"Gates: {told}",
        ("Result", "Gate", "Why"),
        [
            ((STATES[finding.outcome],), cell(finding.rule), _why(finding, metrics))
            for finding in shown
        ],
        total=len(findings),
        kept=min(kept, len(shown)),
        fold=True,
    )


def _by_name(metrics: Sequence[MetricChange]) -> dict[str, MetricChange]:
    """The metrics of which there is one of the name: of two that dispute it, a gate judges both."""
    return {metric.name: metric for metric in metrics if not metric.is_disputed}


def _why(finding: Finding, metrics: Mapping[str, MetricChange]) -> Cell:
    why: list[Part] = [Words(finding.reason)]
    evidence = _evidence(finding, metrics)
    if evidence:
        why += [Words("·"), *evidence]
    if finding.remedy and finding.outcome is not Outcome.PASSED:
        why += [Break(), Words("→"), Words(finding.remedy)]
    return tuple(why)


def _evidence(finding: Finding, metrics: Mapping[str, MetricChange]) -> Cell:
    """The figures of the metric as its own row has them, if that is what the gate has looked at."""
    words = (Words(finding.evidence),) if finding.evidence else ()
    change = metrics.get(finding.metric) if isinstance(finding.metric, str) else None
    if change is None or change.own is not None or change.not_compared is not None:
        return words
    if number(change.new) is None or number(change.old) is None:
        return words
    values, moved = figures(change, effect_of(change), bound=_bound(finding.rule, change.name))
    return (*values, *moved)


def _bound(rule: str, name: str) -> float | None:
    """The bound in a rule on a value, so that no rounded figure reads like it."""
    key, _, bound = rule.removeprefix(f"{name} ").partition(" ")
    try:
        return float(bound) if key in _BOUNDS else None
    except ValueError:
        return None
