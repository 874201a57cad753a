"""Metrics of classes, which are functions of the table of label and prediction, and the bootstrap
of their change.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from assent.compare.predictions.intervals import Floats, Ints
from assent.compare.predictions.resampling import SEED, draw_sums, product

_CHUNK_VALUES = 4_000_000
_MAX_VALUES = 200_000_000
_LEAST_DRAWS = 1_000
MAX_TABLE = 30_000_000
"""The most values of a table by which cells add to tallies: a quarter of a gigabyte. Thousands of
classes that are mixed up at random have more, and no drawing of whole metrics then.
"""

Metrics = dict[str, Floats]


def tally(label: Ints, prediction: Ints, classes: int) -> Floats:
    """For each class: rows of it, rows predicted as it, and rows for which that is right; one
    after the other.
    """
    right = label[label == prediction]
    parts = [np.bincount(codes, minlength=classes) for codes in (label, prediction, right)]
    return np.concatenate(parts).astype(np.float64)


def metrics_of(tallies: Floats, positive: int | None) -> Metrics:
    """Metrics by scikit-learn's names and definitions, from one tally or one a row. `positive` is
    the class that precision, recall and F1 are of; without it they are means over classes.
    """
    labels, predicted, right = np.split(tallies, 3, axis=-1)
    rows = labels.sum(-1)
    recall, precision = _ratio(right, labels), _ratio(right, predicted)
    f1 = _ratio(2 * right, labels + predicted)
    metrics: Metrics = {
        "accuracy": right.sum(-1) / rows,
        "balanced_accuracy": _mean(recall, labels > 0),
        "matthews_corrcoef": _correlation(rows, labels, predicted, right),
    }
    if positive is None:
        seen = labels + predicted > 0
        return metrics | {
            "precision_macro": _mean(precision, seen),
            "recall_macro": _mean(recall, seen),
            "f1_macro": _mean(f1, seen),
        }
    of_positive = {"precision": precision, "recall": recall, "f1": f1}
    return metrics | {name: values[..., positive] for name, values in of_positive.items()}


def is_drawable(label: Ints, old: Ints, new: Ints, classes: int, *, most: int = MAX_TABLE) -> bool:
    """Whether the table of these rows is small enough to be drawn from, in memory and in time."""
    cells = len(label)
    if cells * 3 * classes > most:
        cells = len(np.unique((label * classes + old) * classes + new))
    smoothed = 4 * len(np.unique(label))
    return (cells + smoothed) * 3 * classes <= most


def draw_paired(
    label: Ints,
    old: Ints,
    new: Ints,
    classes: int,
    positive: int | None,
    draws: int,
) -> Metrics:
    """Drawn changes of each metric, both models on the same rows: a multinomial bootstrap over
    the cells of (label, old, new), which is the bootstrap of rows, at a price that does not
    depend on their number.

    The four outcomes (right or wrong, before and now) get half a row more each, as in the interval
    of Agresti and Min ("Simple improved confidence intervals for comparing matched proportions",
    2005), so that a few rows on which the models agree are no proof that they always do.
    """
    cells, counts = _cells(label, old, new, classes)
    # The drawing depends on the order of cells. In one order for both directions, the interval of
    # the way back is exactly that of the way there with its signs changed.
    mirrored = _mirrored(cells, counts, classes)
    there, back = (side[0].tobytes() + side[1].tobytes() for side in ((cells, counts), mirrored))
    is_swapped = back < there
    if is_swapped:
        cells, counts = mirrored
    sides = []
    for codes in (cells // classes % classes, cells % classes):
        sides.append(_indicators(cells // classes**2, codes, classes))
    drawn = [
        (
            metrics_of(product(times, sides[0]), positive),
            metrics_of(product(times, sides[1]), positive),
        )
        for times in _multinomial(counts, len(label) + 2, draws)
    ]
    changes = {
        name: np.concatenate([after[name] - before[name] for before, after in drawn])
        for name in drawn[0][0]
    }
    if there == back:  # then both directions are one, and so are both signs
        return {name: np.concatenate((change, -change)) for name, change in changes.items()}
    return {name: -change if is_swapped else change for name, change in changes.items()}


def draw_alone(
    label: Ints, prediction: Ints, classes: int, positive: int | None, draws: int, seed: int
) -> Metrics:
    """Drawn values of each metric of one model. One row more is right and one wrong, as in the
    interval of Agresti and Caffo ("Simple and effective confidence intervals for proportions and
    differences of proportions result from adding two successes and two failures", 2000).
    """
    cells, counts = _cells(label, prediction, prediction, classes)
    indicators = _indicators(cells // classes**2, cells % classes, classes)
    drawn = [
        metrics_of(product(times, indicators), positive)
        for times in _multinomial(counts, len(label) + 2, draws, seed)
    ]
    return {name: np.concatenate([part[name] for part in drawn]) for name in drawn[0]}


def draw_groups(
    label: Ints,
    old: Ints,
    new: Ints,
    classes: int,
    positive: int | None,
    group: Ints,
    draws: int,
) -> Metrics:
    """Drawn changes of each metric, where whole groups of rows are drawn."""
    groups = int(group.max()) + 1
    if groups * 6 * classes > MAX_TABLE:  # dealt into blocks, as `draw_sums` would do afterwards
        blocks = max(500, MAX_TABLE // (6 * classes))
        group = (np.random.default_rng(SEED).permutation(groups) % blocks)[group]
        groups = min(groups, blocks)
    tallies = np.zeros((groups, 6 * classes))
    for at, prediction in enumerate((old, new)):
        right = label == prediction
        for shift, codes, rows in ((0, label, ...), (1, prediction, ...), (2, label, right)):
            place = group[rows] * classes + codes[rows]
            counted = np.bincount(place, minlength=groups * classes).reshape(groups, classes)
            first = (3 * at + shift) * classes
            tallies[:, first : first + classes] = counted
    drawn = draw_sums(tallies, draws)
    before, after = np.split(drawn, 2, axis=1)
    was, now = metrics_of(before, positive), metrics_of(after, positive)
    return {name: now[name] - was[name] for name in now}


def _cells(label: Ints, old: Ints, new: Ints, classes: int) -> tuple[Ints, Floats]:
    """The cells that have rows, or half a row by smoothing, and how many."""
    codes = (label * classes + old) * classes + new
    if classes <= 8:
        counts = np.bincount(codes, minlength=classes**3)
        cells = np.flatnonzero(counts)
        weights = counts[cells].astype(np.float64)
    else:
        cells, occurrences = np.unique(codes, return_counts=True)
        weights = occurrences.astype(np.float64)
    extra = _smoothing(cells, weights, classes)
    if not len(extra):
        return cells, weights
    together = np.concatenate((cells, extra))
    amounts = np.concatenate((weights, np.full(len(extra), 2 / len(extra))))
    found_cells, place = np.unique(together, return_inverse=True)
    return found_cells, np.bincount(place, weights=amounts).astype(np.float64)


def _smoothing(cells: Ints, weights: Floats, classes: int) -> Ints:
    """Four cells for each class that has rows: right or wrong, before and now. Wrong is what it
    is mostly taken for, or else the most frequent other class.
    """
    labels, old, new = cells // classes**2, cells // classes % classes, cells % classes
    totals = np.bincount(labels, weights=weights, minlength=classes)
    present = np.flatnonzero(totals)
    if classes < 2:
        return np.empty(0, dtype=np.int64)
    frequent = np.argsort(-totals, kind="stable")[:2]
    wrong = np.where(np.arange(classes) == frequent[0], frequent[1], frequent[0])
    if classes > 2:  # of two classes there is only one other
        pairs = np.concatenate((labels * classes + old, labels * classes + new))
        codes_seen, place = np.unique(pairs, return_inverse=True)
        amounts = np.bincount(place, weights=np.concatenate((weights, weights)))
        missed = codes_seen // classes != codes_seen % classes
        codes_seen, amounts = codes_seen[missed], amounts[missed]
        most_last = np.lexsort((-codes_seen, amounts))
        wrong[codes_seen[most_last] // classes] = codes_seen[most_last] % classes
    taken = wrong[present]
    return np.concatenate(
        [
            (present * classes + before) * classes + after
            for before in (present, taken)
            for after in (present, taken)
        ]
    )


def _mirrored(cells: Ints, counts: Floats, classes: int) -> tuple[Ints, Floats]:
    swapped = (cells // classes**2 * classes + cells % classes) * classes
    swapped += cells // classes % classes
    order = np.argsort(swapped)
    return swapped[order], counts[order]


def _indicators(labels: Ints, codes: Ints, classes: int) -> Floats:
    """By which each cell adds to a tally."""
    places = np.arange(len(labels))
    matrix = np.zeros((len(labels), 3 * classes))
    matrix[places, labels] = 1
    matrix[places, classes + codes] = 1
    matrix[places, 2 * classes + labels] += labels == codes
    return matrix


def _multinomial(counts: Floats, rows: int, draws: int, seed: int = SEED) -> Iterator[Floats]:
    random = np.random.default_rng(seed)
    chances = counts / counts.sum()
    draws = min(draws, max(_LEAST_DRAWS, _MAX_VALUES // len(counts)))
    step = max(1, _CHUNK_VALUES // len(counts))
    for start in range(0, draws, step):
        size = min(step, draws - start)
        yield random.multinomial(rows, chances, size=size).astype(np.float64)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """0 where there is nothing to divide by, as scikit-learn has it."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _mean(values: Floats, chosen: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
    mean: Floats = np.where(chosen, values, 0.0).sum(-1) / np.maximum(1, chosen.sum(-1))
    return mean


def _correlation(rows: Floats, labels: Floats, predicted: Floats, right: Floats) -> Floats:
    """Gorodkin's correlation coefficient for any number of classes, as scikit-learn has it."""
    together = right.sum(-1) * rows - (labels * predicted).sum(-1)
    spread = (rows**2 - (predicted**2).sum(-1)) * (rows**2 - (labels**2).sum(-1))
    return _ratio(together, np.sqrt(np.maximum(0.0, spread)))
