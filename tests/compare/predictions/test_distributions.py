"""Quantiles and p-values, against SciPy."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from assent.compare.predictions.distributions import (
    mcnemar_mid_p,
    t_quantile,
    two_sided_p,
)


@pytest.mark.parametrize("degrees", [9, 29, 30, 100, 10_000, math.inf])
@pytest.mark.parametrize("probability", [0.025, 0.05, 0.5, 0.95, 0.975])
def test_quantiles(degrees: float, probability: float) -> None:
    expected = stats.t.ppf(probability, degrees)
    tolerance = 2e-3 if degrees < 29 else 2e-4
    assert t_quantile(probability, degrees) == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("degrees", [29, 100, 10_000, math.inf])
@pytest.mark.parametrize("t", [0.0, 0.5, -1.96, 3.0, 6.0])
def test_p_values(degrees: float, t: float) -> None:
    expected = 2 * stats.t.sf(abs(t), degrees)
    assert two_sided_p(t, degrees) == pytest.approx(expected, rel=0.02, abs=1e-12)


@pytest.mark.parametrize("degrees", [12, 40])
def test_p_values_and_quantiles_are_inverse(degrees: float) -> None:
    assert two_sided_p(t_quantile(0.01, degrees), degrees) == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("worse", "better"), [(1, 7), (7, 1), (5, 5), (0, 3), (120, 90), (3000, 3100), (2, 40_000)]
)
def test_mcnemar_is_the_binomial_test_less_what_was_seen(worse: int, better: int) -> None:
    pairs = worse + better
    exact = stats.binomtest(worse, pairs).pvalue
    seen = stats.binom.pmf(worse, pairs, 0.5)
    expected = 1 - seen / 2 if worse == better else exact - seen
    assert mcnemar_mid_p(worse, better) == pytest.approx(expected, rel=1e-8, abs=1e-14)


def test_mcnemar_of_the_published_example() -> None:
    """Bentur et al. in Fagerland et al. 2013: 1 and 7 discordant pairs."""
    assert mcnemar_mid_p(1, 7) == pytest.approx(0.039, abs=5e-4)


def test_mcnemar_without_pairs_shows_nothing() -> None:
    assert mcnemar_mid_p(0, 0) == 1
