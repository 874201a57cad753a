"""The few distributions that intervals and p-values need, without SciPy."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

_NORMAL = NormalDist()


def t_quantile(probability: float, degrees: float) -> float:
    """A quantile of Student's t (of the normal if `degrees` is infinite), from that of the normal
    by Wallace's bound ("Bounds on normal approximations to Student's and the chi-square
    distributions", 1959), turned round. With 29 degrees or more it is within 0.0002 of SciPy's.
    """
    z = _NORMAL.inv_cdf(probability)
    if math.isinf(degrees):
        return z
    stretched = z * (8 * degrees + 3) / (8 * degrees + 1)
    return math.copysign(math.sqrt(degrees * math.expm1(stretched**2 / degrees)), z)


def two_sided_p(t: float, degrees: float) -> float:
    """How often Student's t (the normal if `degrees` is infinite) is as far from 0."""
    z = abs(t)
    if math.isfinite(degrees):
        z = math.sqrt(degrees * math.log1p(t * t / degrees)) * (8 * degrees + 1) / (8 * degrees + 3)
    return min(1.0, math.erfc(z / math.sqrt(2)))


def mcnemar_mid_p(worse: int, better: int) -> float:
    """The two-sided mid-p value of McNemar's test: the exact conditional one, less the
    probability of what was seen (Fagerland, Lydersen and Laake, "The McNemar test for binary
    matched-pairs data: mid-p and asymptotic are better than exact conditional", 2013).
    """
    pairs, least = worse + better, min(worse, better)
    if pairs == 0:
        return 1.0
    steps = np.arange(1, least + 1)
    logs = np.concatenate(([0.0], np.cumsum(np.log((pairs - steps + 1) / steps))))
    chances = np.exp(logs - pairs * math.log(2))
    if worse == better:
        return 1.0 - float(chances[-1]) / 2
    return min(1.0, 2 * float(chances.sum()) - float(chances[-1]))
