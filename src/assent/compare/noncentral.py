"""Tails of the chi-squared distribution, central and non-central, without dependencies."""

from __future__ import annotations

from math import erfc, exp, lgamma, log, sqrt


def upper_tail(x: float, freedom: int, noncentrality: float = 0.0) -> float:
    """The probability of more than `x`."""
    if x <= 0:
        return 1.0
    if noncentrality <= _EXACT:
        return _mixture(x, freedom, max(0.0, noncentrality))
    return 0.5 * erfc(_normal(x, freedom, noncentrality) / sqrt(2))


def lower_tail(x: float, freedom: int, noncentrality: float = 0.0) -> float:
    """The probability of at most `x`."""
    if x <= 0:
        return 0.0
    if noncentrality <= _EXACT:
        return max(0.0, 1.0 - _mixture(x, freedom, max(0.0, noncentrality)))
    return 0.5 * erfc(-_normal(x, freedom, noncentrality) / sqrt(2))


_EXACT = 40.0  # up to here the exact sum is short, and above it the closed form is close


def _normal(x: float, freedom: int, noncentrality: float) -> float:
    """The standard normal value with the same tails.

    Sankaran, "Approximations to the non-central chi-square distribution", Biometrika 50 (1963),
    199-204: a power of the variable is nearly normal. Within 0.0003 of the exact probability
    above `_EXACT`.
    """
    k, c = freedom, noncentrality
    h = 1 - 2 * (k + c) * (k + 3 * c) / (3 * (k + 2 * c) ** 2)
    p = (k + 2 * c) / (k + c) ** 2
    m = (h - 1) * (1 - 3 * h)
    mean = 1 + h * p * (h - 1 - 0.5 * (2 - h) * m * p)
    deviation = h * sqrt(2 * p) * (1 + 0.5 * m * p)
    return float(((x / (k + c)) ** h - mean) / deviation)


def _mixture(x: float, freedom: int, noncentrality: float) -> float:
    """The upper tail exactly: central ones of `freedom` + 2 j, weighted by the Poisson
    probabilities of j (Abramowitz and Stegun 1964, 26.4.25); the central ones are finite sums
    (26.4.4, 26.4.5).
    """
    half, mean = x / 2, noncentrality / 2
    power = 0.5 if freedom % 2 else 0.0
    tail = erfc(sqrt(half)) if freedom % 2 else 0.0
    for _ in range(freedom // 2):
        tail += exp(power * log(half) - half - lgamma(power + 1))
        power += 1
    weight = exp(-mean)
    total = weight * tail
    for j in range(1, int(mean + 8 * sqrt(mean)) + (20 if mean else 1)):
        tail += exp(power * log(half) - half - lgamma(power + 1))
        power += 1
        weight *= mean / j
        total += weight * tail
    return min(1.0, total)
