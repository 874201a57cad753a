"""What a gate can name of a training's series: the last value, the best, and when that was."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from assent.core.direction import direction
from assent.core.scalar import Scalar, number

_SET = re.compile(
    r"(?:train|training|valid|validation|val|eval|test|learn)(?:_?\d+)?", re.IGNORECASE
)
_LEAST = 2


def best(
    name: str, values: Sequence[Scalar], steps: Sequence[Scalar]
) -> Iterator[tuple[str, Scalar]]:
    """`best.<name>` and `best_at.<name>`, the step of the first value that no other is better
    than. Nothing where it is not known which way is better, or where no value is a number.
    """
    better = direction(name)
    pairs = [
        (known, step)
        for value, step in zip(values, steps, strict=True)
        if (known := number(value)) is not None
    ]
    if better is None or not pairs:
        return
    choose = max if better == "higher" else min
    value, step = choose(pairs, key=lambda pair: pair[0])
    yield f"best.{name}", value
    yield f"best_at.{name}", step


def of_histories(series: Mapping[str, tuple[Scalar, ...]]) -> Iterator[tuple[str, Scalar]]:
    """`last.…`, `best.…` and `best_at.…` (from 1) of the series that are a training's: one of
    them is a loss (Keras), or the mapping that they are in is called like a set of data (XGBoost,
    LightGBM). The points of a curve and the values of classes are lists as well, and have no last.
    """
    for parent, names in _by_parent(series).items():
        lengths = {len(series[name]) for name in names}
        is_loss = any("loss" in name.rpartition(".")[2].lower() for name in names)
        is_set = _SET.fullmatch(parent.rpartition(".")[2]) is not None
        if len(lengths) != 1 or min(lengths) < _LEAST or not (is_loss or is_set):
            continue
        for name in names:
            values = series[name]
            if any(number(value) is not None for value in values):
                yield f"last.{name}", values[-1]
                yield from best(name, values, range(1, len(values) + 1))


def _by_parent(names: Mapping[str, object]) -> dict[str, list[str]]:
    names_below: dict[str, list[str]] = {}
    for name in names:
        names_below.setdefault(name.rpartition(".")[0], []).append(name)
    return names_below
