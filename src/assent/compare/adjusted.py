"""p-values of many tests, adjusted for their number."""

from __future__ import annotations

from collections.abc import Sequence


def benjamini_hochberg(values: Sequence[float]) -> list[float]:
    """Adjusted so that of what is below a level, at most that share is there by chance, in the
    mean: for what is shown. Benjamini and Hochberg, "Controlling the false discovery rate",
    J. R. Stat. Soc. B 57 (1995), 289-300.
    """
    count = len(values)
    adjusted = [0.0] * count
    least = 1.0
    order = sorted(range(count), key=values.__getitem__, reverse=True)
    for left, at in zip(range(count, 0, -1), order, strict=True):
        least = min(least, values[at] * count / left)
        adjusted[at] = least
    return adjusted


def holm(values: Sequence[float]) -> list[float]:
    """Adjusted so that anything at all is below a level by chance only as often as that: for what
    blocks. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6
    (1979), 65-70.
    """
    count = len(values)
    adjusted = [0.0] * count
    most = 0.0
    order = sorted(range(count), key=values.__getitem__)
    for left, at in zip(range(count, 0, -1), order, strict=True):
        most = max(most, min(1.0, values[at] * left))
        adjusted[at] = most
    return adjusted
