"""What can be there by chance, whatever the distribution."""

from __future__ import annotations

from math import log

from assent.compare.drift import ALPHA


def is_beyond_chance(count: int, here: int, there: int, looks: int) -> bool:
    """Whether `count` rows with something that only one side has are too many for chance, among
    `looks` things looked at (Bonferroni).

    Without a change each of them could as well be on the other side. Of n + m rows, the
    probability that all `count` are among the n of this side is a product of fractions that are at
    most n / (n + m), hence at most (n / (n + m)) ** count.
    """
    if count <= 0 or here <= 0 or there <= 0:
        return False
    return count * (log(here) - log(here + there)) < log(ALPHA / max(1, looks))
