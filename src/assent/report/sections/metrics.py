"""What changed in the metrics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from heapq import nsmallest
from math import sqrt

from msgspec.json import encode

from assent.core.diff import Diff
from assent.core.diff.metrics import (
    Interval,
    MetricChange,
    is_about_another,
    is_of_rows,
    sameness_of,
    slice_of,
)
from assent.core.scalar import number
from assent.report import numbers
from assent.report.escape import SENTENCE_LIMIT
from assent.report.numbers import Effect, count
from assent.report.parts import (
    Cell,
    Move,
    Number,
    Pair,
    Part,
    Row,
    Section,
    Words,
    cell,
)
from assent.report.sections import shapes

_RANK_OF_EFFECT = {effect: rank for rank, effect in enumerate(Effect)}
_LAST = len(_RANK_OF_EFFECT)
_MAX_NAMED = 8
_MAX_LINE = SENTENCE_LIMIT - 2
_PLAIN_KEY = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)$)[A-Za-z_][\w./-]*", re.I | re.A)
_TO_CHOOSE = "higher or lower"
"""What stands for a direction: the settings refuse it until somebody has chosen."""
_Ranked = tuple[int, float, int, Effect, MetricChange]


def metrics_section(diff: Diff) -> Section:
    """Every metric on both sides; those of slices apart."""
    metrics = diff.metrics
    if not metrics:
        return Section(title="Metrics", summary=cell(Words("None were measured.")))
    has_baseline = diff.baseline is not None
    whole: list[_Ranked] = []
    sliced: list[_Ranked] = []
    tally = dict.fromkeys(Effect, 0)
    by_chance = 0
    for at, metric in enumerate(metrics):
        effect = effect_of(metric)
        rank = _RANK_OF_EFFECT[effect]
        if metric.is_of_small_slice:
            rank = _LAST
        elif effect is Effect.CHANGED and metric.interval is not None:
            by_chance += 1
        else:
            tally[effect] += 1
        ranked = (rank, -abs(metric.relative or 0.0), at, effect, metric)
        (whole if slice_of(metric.name) is None else sliced).append(ranked)
    same = sameness_of(metrics)
    if has_baseline and same is not None:
        is_whole = all(metric.own is None for metric in metrics)
        where = "" if is_whole else f"{same.things:,} on the rows that both have"
        summary = shapes.unchanged(same, where)
    elif has_baseline:
        counts = [(tally[effect], effect.value) for effect in Effect]
        summary = shapes.tally([*counts[:-1], (by_chance, "perhaps by chance"), counts[-1]])
    else:
        summary = cell(Words(count(len(metrics), "metric")))
    columns = ("Metric", "Value", "Change") if has_baseline else ("Metric", shapes.MEASURED)
    slices = shapes.table(
        f"Slices: {count(len(sliced), 'metric')}",
        ("Slice", *columns),
        [_slice_row(item, has_baseline) for item in nsmallest(shapes.MAX_ROWS, sliced)],
        total=len(sliced),
        fold=True,
    )
    table = shapes.table(
        "Metrics",
        columns,
        [_metric_row(item, has_baseline) for item in nsmallest(shapes.MAX_ROWS, whole)],
        total=len(whole),
        fold=same is not None,
    )
    return Section(
        title="Metrics",
        summary=summary,
        is_unchanged=has_baseline and same is not None,
        tables=shapes.filled(table, slices),
        notes=tuple(_notes(diff)),
    )


def effect_of(metric: MetricChange) -> Effect:
    """What a change means. One whose interval holds 0 may be chance, and is neither better nor
    worse; nor is one of which the predictions cannot say how sure it is.
    """
    effect = numbers.effect(metric)
    interval = metric.interval
    if effect not in (Effect.BETTER, Effect.WORSE):
        return effect
    if metric.no_interval or (interval is not None and interval.low <= 0 <= interval.high):
        return Effect.CHANGED
    return effect


_WITHOUT_RANGE = (Effect.UNCHANGED, Effect.NOT_COMPARED)


def _notes(diff: Diff) -> list[Cell]:
    metrics = diff.metrics
    notes = _lost(diff)
    unknown = _unknown(metrics)
    if unknown:
        notes.append(_asked(unknown))
    disputed = list(dict.fromkeys(metric.name for metric in metrics if metric.is_disputed))
    if disputed:
        words = "The metrics file and the predictions do not agree on"
        notes.append((Words(words), *shapes.named(disputed, _MAX_NAMED, "and"), Words(".")))
    notes += _uncompared(metrics)
    if diff.measured_on.rows == "unknown" and any(map(_told, metrics)):
        notes.append(cell(Words(_ROWS_UNKNOWN)))
    intervals = [
        metric.interval
        for metric in metrics
        if metric.interval is not None and effect_of(metric) not in _WITHOUT_RANGE
    ]
    if intervals:
        rows = max(interval.n for interval in intervals)
        words = (
            f"Each range is the {intervals[0].confidence:.0%} interval of the change, from "
            f"{count(rows, 'row')}, {_kind_of_rows(intervals)}. If it holds 0, that may be chance."
        )
        notes.append(cell(Words(words)))
    return notes


_ROWS_UNKNOWN = (
    "Not known to be on the same rows: what the metrics files of both models say. `predictions`, "
    "or the data set of the test among `data` (`test: …`), would tell."
)


def _told(metric: MetricChange) -> bool:
    """Whether a value that changed is of a file alone, and of rows that are to be the same."""
    is_of_file = not metric.is_computed and metric.rows is None
    return bool(metric.change) and is_of_file and is_of_rows(metric.name)


def _lost(diff: Diff) -> list[Cell]:
    lost = diff.lost_slices
    if not lost:
        return []
    are = "Slice of the baseline that is" if len(lost) == 1 else "Slices of the baseline that are"
    words = f"{are} gone or next to without rows:"
    return [(Words(words), *shapes.named(lost, _MAX_NAMED, "and"), Words("."))]


def _kind_of_rows(intervals: Sequence[Interval]) -> str:
    if any(interval.is_stated for interval in intervals):
        where = "" if all(interval.is_stated for interval in intervals) else "of some "
        return f"{where}by the standard errors that the metrics files give"
    kind = "the same" if all(interval.is_paired for interval in intervals) else "different"
    return f"{kind} for both models"


def _uncompared(metrics: tuple[MetricChange, ...]) -> Iterator[Cell]:
    """Why values are not compared, what those of the same rows are, and why some changes have no
    interval: each reason once, with the metrics of the whole that it is of.
    """
    whole = [
        metric for metric in metrics if slice_of(metric.name) is None and metric.change is not None
    ]
    uncompared = (
        (metric.not_compared.reason, metric.name) for metric in whole if metric.not_compared
    )
    for reason, names in _by_reason(uncompared):
        yield (Words("Not compared:"), *names, Words(f", because {reason}."))
    if any(metric.own is not None for metric in whole):
        words = (
            "Both models are measured on the rows that both have, with the labels of the "
            "candidate. Beside that stands what each says by itself, of its own rows and labels."
        )
        yield cell(Words(words))
    silent = ((metric.no_interval, metric.name) for metric in whole if metric.is_changed)
    for reason, names in _by_reason(silent):
        yield (Words("No interval, and so no verdict:"), *names, Words(f", because {reason}."))


def _by_reason(given: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Cell]]:
    reasons: dict[str, dict[str, None]] = {}
    for reason, name in given:
        if reason:
            reasons.setdefault(reason, {})[name] = None
    for reason, names in reasons.items():
        yield reason, shapes.named(list(names), _MAX_NAMED, "and")


def _unknown(metrics: tuple[MetricChange, ...]) -> list[str]:
    """The metrics that moved, and of which nobody has said which way is wanted; of slices, once."""
    names = (
        metric.name if of_slice is None else of_slice[2]
        for metric in metrics
        for of_slice in [slice_of(metric.name)]
        if metric.change and metric.better is None
        if not (metric.is_of_small_slice or is_about_another(metric.name))
    )
    return list(dict.fromkeys(names))


def _asked(names: list[str]) -> Cell:
    """The question which way is wanted, with the line that answers it for as many names as one
    line holds.
    """
    counts = range(min(len(names), _MAX_NAMED), 1, -1)
    fitting = next((n for n in counts if len(_line(names[:n])) <= _MAX_LINE), 1)
    left = len(names) - fitting
    others = (Words(f"(and {count(left, 'other')} likewise)"),) if left else ()
    words = "Not known: whether a rise is wanted or a fall. Add this line to the model in"
    return (
        Words(f"{words} `assent.yaml`, and keep one of the two words for each:"),
        Words(f"`{_line(names[:fitting])}`"),
        *others,
    )


def _line(names: list[str]) -> str:
    return f"directions: {{{', '.join(f'{_key(name)}: {_TO_CHOOSE}' for name in names)}}}"


def _key(name: str) -> str:
    """A name as YAML reads it back: JSON's quotes are YAML's. A backtick would end the code."""
    if _PLAIN_KEY.fullmatch(name):
        return name
    return encode(name).decode().replace("`", "\\u0060")


def _metric_row(ranked: _Ranked, has_baseline: bool) -> Row:
    metric = ranked[-1]
    return (cell(metric.name), *_measured(metric, ranked[-2], has_baseline))


def _slice_row(ranked: _Ranked, has_baseline: bool) -> Row:
    metric = ranked[-1]
    parts = slice_of(metric.name)
    assert parts is not None  # only those of slices are rows of this table
    column, value, name = parts
    rows = () if metric.rows is None else (Words(f"({count(metric.rows, 'row')})"),)
    return (
        cell(f"{column} = {value}", *rows),
        cell(name),
        *_measured(metric, ranked[-2], has_baseline),
    )


def _measured(metric: MetricChange, effect: Effect, has_baseline: bool) -> tuple[Cell, ...]:
    if not has_baseline:
        return ((shapes.part(numbers.show(metric.new)),),)
    extra: list[Part] = []
    if metric.is_of_small_slice:
        extra.append(Words(f"too few rows ({metric.rows}), not judged"))
        effect = Effect.CHANGED if effect in (Effect.BETTER, Effect.WORSE) else effect
    if metric.own is not None and not metric.is_of_small_slice:
        own = shapes.both(*numbers.show_both(metric.own.old, metric.own.new))
        extra += [Words("each by itself:"), *own]
    if metric.is_disputed:
        source = "from the predictions" if metric.is_computed else "from the metrics file"
        extra.append(Words(source))
    value, moved = figures(metric, effect)
    return value, (*moved, *extra)


def figures(
    metric: MetricChange, effect: Effect, *, bound: float | None = None
) -> tuple[Cell, Cell]:
    """The values of both sides, and how they moved with the interval of that: all to the same
    decimal where there is one. The new value reads like `bound` only if it is.
    """
    if effect is Effect.UNCHANGED or effect is Effect.NEW:
        return (shapes.part(numbers.show_apart(metric.new, bound)),), (Move(effect),)
    sides = numbers.show_both(metric.old, metric.new, bound)
    value = shapes.both(*sides)
    if effect is Effect.NOT_COMPARED:  # what lies between values of other things is no change
        return value, (Move(effect),)
    change, relative, interval = metric.change, metric.relative, metric.interval
    amount = ""
    told: Cell = ()
    if change is not None:
        old, new, amount = numbers.level(*sides, change)
        value = shapes.both(old, new)
    if interval is not None and change is not None:
        ends = tuple(map(_end, (interval.low, interval.high)))
        known = [number(side) for side in (metric.old, metric.new)]
        sure = [float(side) for side in known if side is not None]
        if len(sure) == 2:
            texts = numbers.aligned(
                (sure[0], sure[1]), (change, interval.low, interval.high), bound
            )
            if texts is not None:
                left, right, amount, *aligned = texts
                value, ends = (Pair(Number(left), Number(right)),), tuple(aligned)
        told = (Number(_between(ends, interval)),)
    move = Move(
        effect,
        arrow="" if change is None else numbers.arrow(change),
        amount=amount,
        percent="" if relative is None else numbers.percent(relative),
        bar=None if relative is None else _bar(relative),
    )
    return value, (move, *told)


def _between(ends: Sequence[str], interval: Interval) -> str:
    chance = ", may be chance" if interval.low <= 0 <= interval.high else ""
    return f"({interval.confidence:.0%}: {' to '.join(ends)}{chance})"


def _end(bound: float) -> str:
    """An end of an interval: two digits are as much as it is known to."""
    if not bound:
        return "0"
    return ("+" if bound > 0 else numbers.MINUS) + numbers.number(abs(bound), 2)


def _bar(relative: float) -> float:
    """The root of the change: one percent can be seen, and one hundred percent is the end."""
    length = sqrt(min(1.0, abs(relative)))
    return round(length if relative > 0 else -length, 3)
