"""The figures that decide: the metrics that the policy is about, and the slice and the class that
got worse most.
"""

from __future__ import annotations

from collections.abc import Sequence

from assent.core.diff import Diff
from assent.core.diff.metrics import MetricChange, slice_of
from assent.core.units import count
from assent.core.verdict import Finding
from assent.report import numbers
from assent.report.numbers import Effect
from assent.report.parts import Break, Cell, Move, Part, Row, Table, Words, cell
from assent.report.quality import fallen, worse_classes
from assent.report.review import ReviewReport
from assent.report.sections import shapes
from assent.report.sections.metrics import effect_of, figures
from assent.report.sections.verdict import STATES

_MAX_DECIDING = 4
_ALARMING = (Effect.MISSING, Effect.NO_NUMBER, Effect.WORSE, Effect.NOT_COMPARED)


def deciding_figures(report: ReviewReport) -> Table:
    """One row for each deciding metric, those that got worse first where there are many, then the
    slice and the class that got worse most.
    """
    metrics = _deciding(report)
    has_baseline = report.diff.baseline is not None
    rows = [_row(metric, report, has_baseline) for metric in metrics[:_MAX_DECIDING]]
    if has_baseline:
        rows += [row for row in (_slice(report), _class(report.diff)) if row is not None]
    measured = ("Before → after", "Change") if has_baseline else (shapes.MEASURED,)
    return shapes.table("What decides", ("What decides", *measured), rows, kept=len(rows))


def _deciding(report: ReviewReport) -> list[MetricChange]:
    named: dict[str, list[MetricChange]] = {}
    for metric in report.diff.metrics:
        named.setdefault(metric.name, []).append(metric)
    deciding = [metric for name in report.scope.deciding for metric in named.get(name, [])]
    if len(deciding) <= _MAX_DECIDING:
        return deciding
    return sorted(deciding, key=lambda metric: effect_of(metric) not in _ALARMING)


def _row(metric: MetricChange, report: ReviewReport, has_baseline: bool) -> Row:
    judged = _judged(metric.name, report.verdict.findings)
    name = cell(metric.name, *judged)
    if not has_baseline:
        return name, (shapes.part(numbers.show(metric.new)),)
    values, moved = figures(metric, effect_of(metric))
    return name, values, (*moved, *_why_nothing(metric))


def _why_nothing(metric: MetricChange) -> Cell:
    """Why a deciding figure says nothing of the model, or nobody knows how sure it is."""
    if metric.not_compared is not None:
        return (Words(f": {metric.not_compared.reason}"),)
    if metric.no_interval and metric.is_changed:
        return (Words(f"(no interval: {metric.no_interval})"),)
    return ()


def _judged(name: str, findings: Sequence[Finding]) -> list[Part]:
    """What the gates on a metric say: each bound with its outcome, on a line of its own."""
    parts: list[Part] = []
    of_it = (finding for finding in findings if finding.metric == name)
    for rule, outcome in dict.fromkeys((finding.rule, finding.outcome) for finding in of_it):
        parts += [Break(), STATES[outcome], Words(rule.removeprefix(f"{name} "))]
    return parts


def _slice(report: ReviewReport) -> Row | None:
    """The slice that got worse most: of those that did beyond chance, else of those of which a file
    tells no more than the values.
    """
    predictions = report.diff.predictions
    worst = _worst(worse_slices(report.diff), report.scope.deciding)
    of_slice = None if worst is None else slice_of(worst.name)
    if worst is None or of_slice is None:
        return None
    column, value, name = of_slice
    told: Cell = ()
    if predictions is not None and predictions.slices:
        worse = len({(change.column, change.value) for change in predictions.slices})
        told = (
            Words(
                f"; {worse:,} of {count(predictions.slices_judged, 'slice')} worse beyond chance"
            ),
        )
    values, moved = figures(worst, Effect.WORSE)
    return cell(Words("worst slice"), f"{column} = {value}", name), values, (*moved, *told)


def worse_slices(diff: Diff) -> list[MetricChange]:
    """Metrics of slices that got worse: beyond chance, after correction for all that were looked
    at; those of files, of which nobody knows, only where there are no predictions.
    """
    predictions = diff.predictions
    if predictions is not None and (
        predictions.slices or predictions.slices_judged or predictions.slices_untested
    ):
        names = {
            f"slices.{change.column}.{change.value}.{change.metric}"
            for change in predictions.slices
        }
        return [metric for metric in diff.metrics if metric.name in names]
    return [
        metric
        for metric in diff.metrics
        if slice_of(metric.name)
        and effect_of(metric) is Effect.WORSE
        and not metric.is_of_small_slice
    ]


def _worst(worse: Sequence[MetricChange], deciding: Sequence[str]) -> MetricChange | None:
    """The one that fell most, of a deciding metric if any did."""
    return max(
        worse,
        key=lambda metric: (
            (slice_of(metric.name) or ("", "", ""))[2] in deciding,
            abs(metric.relative or metric.change or 0.0),
        ),
        default=None,
    )


def _class(diff: Diff) -> Row | None:
    """The class of which the model finds less than before, beyond chance, by the most."""
    worst = max(worse_classes(diff), key=fallen, default=None)
    if worst is None or worst.old_recall is None or worst.new_recall is None:
        return None
    change = worst.new_recall - worst.old_recall
    shown = numbers.show_both(worst.old_recall, worst.new_recall)
    left, right, amount = numbers.level(*shown, change)
    move = Move(Effect.WORSE, arrow=numbers.arrow(change), amount=amount)
    values = shapes.both(left, right)
    rows = Words(f"({count(worst.rows, 'row')})")
    return cell(Words("worst class"), worst.name, rows, Words(": recall")), values, (move,)
