"""Metrics side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import hypot
from statistics import NormalDist

import msgspec
from msgspec import UNSET, UnsetType

from assent.core.diff.metrics import Better, Interval, MetricChange, Own
from assent.core.diff.sameness import NotCompared
from assent.core.direction import direction, is_turned, known_name
from assent.core.scalar import Scalar, difference, number, same

_COARSEST = 0.005
"""A metric written with fewer than two decimals is taken to have two."""
_FINEST = 1e-6
"""Sums in another order, or in single precision, differ by this share."""
_SUMMED = 1e-9
_HIGHER_IS_BETTER = re.compile(r"(?P<above>(?:.*\.)?)higher_is_better\.(?P<subject>.+)", re.DOTALL)
_RESULTS = re.compile(r"^(?P<above>(?:.*\.)?)(?:results|groups)\.", re.DOTALL)
_FILTER = re.compile(r",[A-Za-z0-9_-]+$")
_ERROR_OF = re.compile(r"(?:,[A-Za-z0-9_-]+)?$")
_OF_TASK = re.compile(r"(?P<above>(?:.*\.)?)results\.(?P<task>.+)\.[^.]+", re.DOTALL)
_FEWEST = 30
"""Rows below which the normal distribution says nothing of a mean."""
_Said = tuple[Mapping[str, Better], Mapping[str, Better]]
_DECIMALS = re.compile(r"\.(\d+)(?:e([+-]\d+))?$")


def compare_metrics(
    old: Mapping[str, Scalar] | None,
    new: Mapping[str, Scalar],
    computed: Sequence[MetricChange] = (),
) -> tuple[MetricChange, ...]:
    """Every metric of both sides, by name. `old` is None without a baseline, `computed` are those
    that the predictions give.

    A metric of the files that was computed as well keeps its values where they agree with the
    computed ones, and gets the interval; what a file has rounded is given in full, because two
    rounded values may be equal where the models are not. A side on which the files do not have it
    is filled in. Where they disagree, both are listed under the same name and marked as disputed:
    whoever reads or judges this name meets both.

    A file may say itself which way is better (`higher_is_better.<task>.<metric>`, as lm-eval
    writes it). That counts for names that are not known, and only if both sides say the same:
    a candidate does not decide alone what is good of it. What contradicts a known name leaves it
    unknown. Standard errors that the files of both sides give beside a metric
    (`acc_stderr,none` beside `acc,none`, as lm-eval writes them) give it an interval.
    """
    before = old or {}
    stated = _stated(before), _stated(new)
    by_name: dict[str, MetricChange] = {}
    changes: list[MetricChange] = []
    for change in computed:
        if change.name in by_name:  # slices `a.b` = `c` and `a` = `b.c` have one name
            changes.append(change)
        else:
            by_name[change.name] = change
    for name in sorted(before.keys() | new.keys() | by_name.keys()):
        left, right = before.get(name, UNSET), new.get(name, UNSET)
        other = by_name.get(name)
        if other is None:
            changes.append(_with_errors(metric_change(name, left, right, stated), before, new))
        elif left is UNSET and right is UNSET:
            changes.append(other)
        else:
            changes += _together(metric_change(name, left, right, stated), other, stated)
    return tuple(sorted(changes, key=lambda change: change.name))


def _with_errors(
    change: MetricChange, old: Mapping[str, Scalar], new: Mapping[str, Scalar]
) -> MetricChange:
    """With the interval by the standard errors and numbers of rows that both files give, or with
    what they lack for one. Whether the rows are the same no file says: as of different ones it is
    rather too wide.
    """
    if change.change is None:
        return change
    place, samples = _ERROR_OF.sub(r"_stderr\g<0>", change.name, count=1), _samples(change.name)
    errors = [number(side.get(place)) for side in (old, new)]
    rows = [number(side.get(samples)) for side in (old, new)]
    why_none = _why_no_interval(change.name, errors, rows)
    known, counts = ([entry for entry in both if entry is not None] for both in (errors, rows))
    if why_none is not None or len(known) < 2 or len(counts) < 2:
        return msgspec.structs.replace(change, no_interval=why_none or "")
    error, moved = hypot(*known), float(change.change)
    normal = NormalDist(moved, error)
    interval = Interval(
        low=normal.inv_cdf(0.025),
        lower=normal.inv_cdf(0.05),
        upper=normal.inv_cdf(0.95),
        high=normal.inv_cdf(0.975),
        n=int(min(counts)),
        method="standard errors of the files",
        is_paired=False,
        is_stated=True,
    )
    return msgspec.structs.replace(change, interval=interval)


def _why_no_interval(
    name: str, errors: Sequence[float | None], rows: Sequence[float | None]
) -> str | None:
    """Why the files give no interval though a standard error is in one of them, or though none
    could; None where they say nothing, or enough.
    """
    given = [error for error in errors if error is not None]
    if not given:
        return OF_CALIBRATION if is_of_calibration(name) else None
    if len(given) < 2:
        side = "candidate" if errors[1] is None else "baseline"
        return f"the metrics file of the {side} gives no standard error of it"
    if None in rows:
        return "the metrics files do not say of how many rows its standard errors are"
    if min(given) <= 0:
        return "a standard error of 0 in a metrics file says nothing of other rows"
    if min(count for count in rows if count is not None) < _FEWEST:
        return f"there are fewer than {_FEWEST} rows"
    return None


OF_CALIBRATION = (
    "chance alone makes the calibration error of a sample larger, and that of a well calibrated "
    "model more than that of another"
)
_CALIBRATION = frozenset({"ece", "mce", "calibration_error", "expected_calibration_error"})


def is_of_calibration(name: str) -> bool:
    """Whether a metric is an error of calibration, of which a change says nothing by its size."""
    return known_name(name) in _CALIBRATION


def _samples(name: str) -> str:
    """Where a file says of how many rows a metric is: that of lm-eval for each task, another beside
    the metric.
    """
    of_task = _OF_TASK.fullmatch(name)
    if of_task is None:
        above, dot, _ = name.rpartition(".")
        return f"{above}{dot}n-samples"
    return f"{of_task['above']}n-samples.{of_task['task']}.effective"


def _together(
    written: MetricChange, computed: MetricChange, stated: _Said
) -> Iterator[MetricChange]:
    """A metric of the files that the predictions give as well. What a side's file says is compared
    with what this side's predictions give by themselves, on all of their rows with their labels.
    """
    own = computed.own or Own(old=computed.old, new=computed.new)
    agrees = _agrees(written.old, own.old), _agrees(written.new, own.new)
    if not all(agrees):
        yield msgspec.structs.replace(
            written, is_disputed=True, not_compared=_why_disputed(agrees, computed)
        )
        yield msgspec.structs.replace(computed, is_disputed=True)
        return
    old, new = _in_full(written.old, own.old), _in_full(written.new, own.new)
    if computed.own is not None:  # of other rows or labels than the two are compared on
        better = metric_change(written.name, old, new, stated).better
        yield msgspec.structs.replace(computed, better=better, own=Own(old=old, new=new))
        return
    yield msgspec.structs.replace(
        metric_change(written.name, old, new, stated),
        interval=computed.interval,
        no_interval=computed.no_interval,
        rows=computed.rows,
        not_compared=computed.not_compared,
    )


def _in_full(written: Scalar | UnsetType, computed: Scalar | UnsetType) -> Scalar | UnsetType:
    """The value of a file, or the computed one where the file has none or has rounded it."""
    if written is UNSET:
        return computed
    left, right = number(written), number(computed)
    if left is None or right is None or abs(left - right) <= _FINEST * max(1.0, abs(right)):
        return written
    return computed


def _why_disputed(agrees: tuple[bool, bool], computed: MetricChange) -> NotCompared | None:
    """Why the two values of a file are not of one thing; None where they may be, as those of
    another definition of the metric are.
    """
    if any(agrees):
        side = "candidate" if agrees[0] else "baseline"
        return NotCompared(
            name=computed.name,
            reason=f"the metrics file of the {side} does not say what its predictions give",
        )
    if computed.own is None or computed.not_compared is not None:
        return computed.not_compared
    reason = "the rows or labels are others than the baseline's"
    return NotCompared(name=computed.name, reason=reason)


def is_alike(value: Scalar | UnsetType, other: Scalar | UnsetType) -> bool:
    """Whether two computed values are the same but for the order in which they were added up."""
    if value is UNSET or other is UNSET:
        return value is other
    left, right = number(value), number(other)
    if left is None or right is None:
        return same(value, other)
    return abs(left - right) <= _SUMMED * max(1.0, abs(left), abs(right))


def metric_change(
    name: str,
    left: Scalar | UnsetType,
    right: Scalar | UnsetType,
    stated: _Said = ({}, {}),
) -> MetricChange:
    """One metric on both sides; `stated` is what each side's files say of directions."""
    before, after = number(left), number(right)
    change = relative = None
    if before is not None and after is not None:
        change = difference(before, after)
        relative = change / abs(before) if before else None
    return MetricChange(
        name=name,
        old=left,
        new=right,
        change=change,
        relative=relative,
        better=None if is_turned(name, left) or is_turned(name, right) else _better(name, stated),
        is_changed=not same(left, right),
    )


def _better(name: str, stated: _Said) -> Better | None:
    """The direction of a name, unless a file contradicts what is known of it."""
    if not any(stated):
        return direction(name)
    subject = _FILTER.sub("", _RESULTS.sub(r"\g<above>", name))
    old, new = stated[0].get(subject), stated[1].get(subject)
    known = direction(name)
    if known is None:
        return new if new == old else None
    return known if {old, new} <= {known, None} else None


def _stated(metrics: Mapping[str, Scalar]) -> dict[str, Better]:
    """What a side says of its metrics' directions, by task and metric."""
    return {
        f"{match['above']}{match['subject']}": "higher" if value else "lower"
        for name, value in metrics.items()
        if isinstance(value, bool) and (match := _HIGHER_IS_BETTER.fullmatch(name))
    }


def _agrees(written: Scalar | UnsetType, computed: Scalar | UnsetType) -> bool:
    """Whether a value of a file is the computed one, rounded to the decimals it is written with.
    What is missing on one of both does not disagree.
    """
    if written is UNSET or computed is UNSET:
        return True
    left, right = number(written), number(computed)
    if left is None or right is None:
        return same(written, computed)
    allowed = max(_half_a_unit(left), _FINEST * max(1.0, abs(right)))
    return abs(left - right) <= allowed


def _half_a_unit(value: float) -> float:
    """Half of the last decimal that a value is written with."""
    match = _DECIMALS.search(repr(float(value)))
    if match is None:
        return _COARSEST
    decimals = len(match[1]) - int(match[2] or 0)
    return min(_COARSEST, 0.5000001 * 10.0**-decimals)
