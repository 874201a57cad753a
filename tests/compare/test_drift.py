"""How far a distribution has moved, against SciPy and by simulation."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from assent.compare import drift
from assent.compare.adjusted import benjamini_hochberg, holm
from assent.compare.bins import OTHERS, Bins, align
from assent.compare.chance import is_beyond_chance
from assent.compare.drift import LEVELS, Moved, measure, shown_p, stable_p
from assent.compare.noncentral import lower_tail, upper_tail
from assent.core.profile import ColumnProfile
from tests.compare.profiling import category, number

SIZES = [(1_000, 1_000), (100_000, 100_000), (1_000_000, 1_000_000), (1_000, 1_000_000)]
PROBABILITIES = (1e-6, 5e-5, 1e-3, 0.01, 0.05, 0.3, 0.7, 0.95, 0.999)
FREEDOMS = (1, 2, 3, 9, 15, 19)
counts = st.lists(st.integers(0, 10_000), min_size=2, max_size=30).filter(sum)


def in_bins(old: Any, new: Any, missing: tuple[tuple[str, int, int], ...] = ()) -> Bins:
    before, after = tuple(map(float, old)), tuple(map(float, new))
    edges = tuple(map(float, range(len(before) - 1)))
    return Bins(edges=edges, old=before, new=after, nearest=after, missing=missing)


def moved(bins: Bins) -> Moved:
    return measure(bins)


def compared(old: ColumnProfile, new: ColumnProfile, rows: tuple[int, int]) -> Moved:
    bins = align(old, new, rows, is_counted=bool(new.in_bins))
    assert isinstance(bins, Bins), bins
    return measure(bins, old, new)


def shape(name: str, bins: int = 256) -> Any:
    """Shares of a quantile grid, of a column with one frequent value, and of a steep one."""
    if name == "even":
        return np.full(bins, 1 / bins)
    if name == "spike":
        shares = np.full(bins, 0.4 / (bins - 1))
        shares[3] = 0.6
        return shares
    steep = 1 / np.arange(1, bins + 1)
    return steep / steep.sum()


@pytest.mark.parametrize("freedom", FREEDOMS)
@pytest.mark.parametrize("noncentrality", [0.0, 0.5, 2.0, 39.9])
def test_tails_are_exact_where_there_are_few_rows(freedom: int, noncentrality: float) -> None:
    for p in PROBABILITIES:
        x = float(stats.ncx2.isf(p, freedom, noncentrality))
        assert upper_tail(x, freedom, noncentrality) == pytest.approx(p, rel=1e-6)
        assert lower_tail(x, freedom, noncentrality) == pytest.approx(1 - p, abs=1e-9)


@pytest.mark.parametrize("freedom", FREEDOMS)
@pytest.mark.parametrize("noncentrality", [40.1, 60.0, 200.0, 2e3, 2e4, 5e5])
def test_sankarans_closed_form_is_close_above(freedom: int, noncentrality: float) -> None:
    for p in PROBABILITIES:
        x = float(stats.ncx2.isf(p, freedom, noncentrality))
        assert upper_tail(x, freedom, noncentrality) == pytest.approx(p, abs=3e-4)
        assert lower_tail(x, freedom, noncentrality) == pytest.approx(1 - p, abs=3e-4)
        # Far out, where many columns are adjusted for, what counts is the proportion.
        assert upper_tail(x, freedom, noncentrality) == pytest.approx(p, rel=0.15)


@pytest.mark.parametrize("x", [0.1, 3.0, 50.0, 900.0])
def test_the_central_tail_is_exact(x: float) -> None:
    for freedom in FREEDOMS:
        assert upper_tail(x, freedom) == pytest.approx(float(stats.chi2.sf(x, freedom)), rel=1e-9)
    assert (upper_tail(0.0, 3), lower_tail(0.0, 3, 5.0)) == (1.0, 0.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_p_values_are_adjusted_as_others_do(values: list[float]) -> None:
    assert benjamini_hochberg(values) == pytest.approx(stats.false_discovery_control(values))
    ordered = sorted(range(len(values)), key=values.__getitem__)
    adjusted = holm(values)
    for at, place in enumerate(ordered):
        least = max(min(1.0, values[ordered[n]] * (len(values) - n)) for n in range(at + 1))
        assert adjusted[place] == pytest.approx(least)


def test_p_values_of_holm() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_nothing_to_adjust() -> None:
    assert (benjamini_hochberg([]), holm([])) == ([], [])


@given(counts, st.randoms(use_true_random=False))
def test_the_statistic_is_pearsons_for_equal_numbers_of_rows(old: list[int], random: Any) -> None:
    new = random.sample(old, len(old))
    table = np.array([old, new]) + 0.5
    expected = stats.chi2_contingency(table, correction=False).statistic
    smoothing = (sum(old) + len(old) / 2) / sum(old)
    assert drift.statistic(old, new) * smoothing == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(st.data())
def test_effect_sizes_are_those_of_scipy(data: st.DataObject) -> None:
    old = data.draw(counts)
    new = data.draw(st.lists(st.integers(0, 99), min_size=len(old), max_size=len(old)).filter(sum))
    p, q = np.array(old) / sum(old), np.array(new) / sum(new)
    assert drift.distance(old, new) == pytest.approx(float(jensenshannon(p, q, base=2)), abs=1e-6)
    assert drift.variation(old, new) == pytest.approx(float(np.abs(p - q).sum() / 2), abs=1e-12)
    p, q = np.array(old) + 0.5, np.array(new) + 0.5
    expected = stats.entropy(p, q) + stats.entropy(q, p)
    assert drift.psi(old, new) == pytest.approx(float(expected), rel=1e-9, abs=1e-12)
    assert drift.statistic(old, new) == pytest.approx(drift.statistic(new, old), rel=1e-9)


@pytest.mark.parametrize("is_counted", [True, False])
@pytest.mark.parametrize("change", [0.0, 0.1, 1.0])
def test_distances_along_the_line_are_those_of_the_rows(change: float, is_counted: bool) -> None:
    random = np.random.default_rng(3)
    before, after = random.normal(size=20_000), random.normal(change, 1 + change, size=30_000)
    old = number("x", before)
    new = number("x", after, against=old if is_counted else None)
    found = compared(old, new, (20_000, 30_000))
    assert found.ks == pytest.approx(stats.ks_2samp(before, after).statistic, abs=5e-3)
    expected = stats.wasserstein_distance(before, after) / before.std()
    assert found.shift == pytest.approx(expected, rel=0.01, abs=6e-3)


TAILS: dict[str, Any] = {
    "lognormal": lambda random, rows: random.lognormal(0, 2, rows),
    "very long": lambda random, rows: random.lognormal(0, 3, rows),
    "on both sides": lambda random, rows: random.standard_t(2, rows),
    "no mean": lambda random, rows: random.standard_cauchy(rows),
    "a far spike": lambda random, rows: np.r_[random.normal(size=rows - 40), np.full(40, 1e3)],
}


@pytest.mark.parametrize("is_counted", [True, False])
@pytest.mark.parametrize("tail", TAILS)
def test_a_long_tail_does_not_make_the_distance(tail: str, is_counted: bool) -> None:
    random = np.random.default_rng(5)
    before = TAILS[tail](random, 20_000)
    for after in (before + 0.5, TAILS[tail](random, 20_000), 1.5 * TAILS[tail](random, 20_000)):
        old = number("x", before)
        new = number("x", after, against=old if is_counted else None)
        expected = stats.wasserstein_distance(before, after) / before.std()
        found = compared(old, new, (20_000, 20_000)).shift
        assert found == pytest.approx(expected, rel=0.25, abs=5e-3)


@pytest.mark.parametrize("is_counted", [True, False])
@pytest.mark.parametrize("rows", [(5, 9), (60, 40), (250, 20_000), (20_000, 30), (300, 200)])
def test_distances_of_few_rows_are_those_of_the_rows(
    rows: tuple[int, int], is_counted: bool
) -> None:
    random = np.random.default_rng(6)
    before, after = random.normal(size=rows[0]), random.normal(0.5, size=rows[1])
    old = number("x", before)
    new = number("x", after, against=old if is_counted else None)
    found = compared(old, new, rows)
    expected = stats.ks_2samp(before, after).statistic
    assert found.ks == pytest.approx(expected, abs=1e-6 if max(rows) < 256 else 1 / 255)
    expected = stats.wasserstein_distance(before, after) / before.std()
    assert found.shift == pytest.approx(expected, rel=0.01, abs=1e-3)


def test_what_lies_apart_is_as_far_as_can_be() -> None:
    random = np.random.default_rng(7)
    old, new = (number("x", random.normal(at, 0.1, size=2_000)) for at in (5, 0))
    assert compared(old, new, (2_000, 2_000)).ks == 1.0


@pytest.mark.parametrize("is_counted", [True, False])
def test_distances_of_few_values_are_exact(is_counted: bool) -> None:
    random = np.random.default_rng(4)
    before, after = random.poisson(3, size=5_000), random.poisson(4, size=5_000)
    old = number("x", before)
    new = number("x", after, against=old if is_counted else None)
    found = compared(old, new, (5_000, 5_000))
    assert found.ks == pytest.approx(stats.ks_2samp(before, after).statistic, abs=1e-6)
    if not is_counted:
        exact = compared(old, number("x", after, against=old), (5_000, 5_000))
        assert found.test == exact.test  # values, not quantiles: nothing is approximate


def test_what_has_no_spread_has_no_distance_in_deviations() -> None:
    old, new = number("x", [1.0] * 500), number("x", [2.0] * 500)
    assert compared(old, new, (500, 500)).shift is None
    with np.errstate(all="ignore"):
        huge = number("x", np.linspace(-0.8e308, 0.8e308, 600))
        other = number("x", np.linspace(-1.7e308, 0.1, 600))
    found = compared(huge, other, (600, 600))
    assert found.shift is None
    assert found.ks == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("name", ["even", "spike", "steep"])
@pytest.mark.parametrize("rows", SIZES)
def test_no_change_is_no_alarm(name: str, rows: tuple[int, int]) -> None:
    random = np.random.default_rng(11)
    draws = 200
    shares = shape(name)
    old, new = (
        random.multinomial(rows[0], shares, draws),
        random.multinomial(rows[1], shares, draws),
    )
    tests = [moved(in_bins(*pair)).test for pair in zip(old, new, strict=True)]
    for level in LEVELS.values():
        assert sum(shown_p(test, level) < 0.05 for test in tests) <= 0.05 * draws
    assert sum(stable_p(test, drift.MATTERS) < 0.05 for test in tests) >= 0.95 * draws
    # The ordinary test, for a difference of any size: 5% and three deviations of 200 draws.
    assert sum(shown_p(test, 0.0) < 0.05 for test in tests) <= 0.05 * draws + 10


@pytest.mark.parametrize("values", [3, 50, 5_000])
@pytest.mark.parametrize("rows", SIZES)
def test_rare_categories_are_no_alarm(values: int, rows: tuple[int, int]) -> None:
    random = np.random.default_rng(12)
    shares = np.arange(1, values + 1) ** -0.7
    draws = 50
    alarms = 0
    labels = (*map(str, range(values)), OTHERS)
    for _ in range(draws):
        old, new = (
            (*map(float, random.multinomial(size, shares / shares.sum())), 0.0) for size in rows
        )
        nulls = ("(null)", int(random.poisson(rows[0] * 1e-5)), int(random.poisson(rows[1] * 1e-5)))
        bins = Bins(labels=labels, old=old, new=new, nearest=new, missing=(nulls,))
        alarms += shown_p(moved(bins).test, LEVELS["slight"]) < 0.05
    assert alarms <= 0.05 * draws


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("rows", [100, 300, 1_000, 10_000, 1_000_000])
def test_a_change_of_just_the_level_is_rarely_called_more_or_less(level: Any, rows: int) -> None:
    """The worst case that is no error: the truth lies on the line."""
    random = np.random.default_rng(13)
    half = np.sqrt(LEVELS[level])
    before = np.full(16, 1 / 16)
    after = before * np.repeat([1 + half, 1 - half], 8)
    truth = float(((before - after) ** 2 * 2 / (before + after)).sum())
    assert truth == pytest.approx(LEVELS[level], rel=0.1)
    pairs = zip(
        random.multinomial(rows, before, 400), random.multinomial(rows, after, 400), strict=True
    )
    tests = [moved(in_bins(*pair)).test for pair in pairs]
    assert sum(shown_p(test, truth) < 0.05 for test in tests) <= 0.05 * 400 + 13
    assert sum(stable_p(test, truth) < 0.05 for test in tests) <= 0.05 * 400 + 13


@pytest.mark.parametrize(
    ("shift", "rows", "level"),
    [
        (0.2, 20_000, "slight"),
        (0.2, 1_000_000, "slight"),
        (0.4, 5_000, "moderate"),
        (0.4, 1_000_000, "moderate"),
        (0.6, 10_000, "severe"),
        (0.6, 100_000, "severe"),
    ],
)
def test_a_planted_drift_is_found_at_its_level(shift: float, rows: int, level: str) -> None:
    random = np.random.default_rng(14)
    edges = stats.norm.ppf(np.arange(1, 256) / 256)
    before = np.diff(stats.norm.cdf(edges), prepend=0, append=1)
    after = np.diff(stats.norm.cdf(edges - shift), prepend=0, append=1)
    draws = 100
    found = 0
    for old, new in zip(
        random.multinomial(rows, before, draws), random.multinomial(rows, after, draws), strict=True
    ):
        (judged,) = drift.judge([moved(in_bins(old, new))])
        found += (judged.outcome, judged.level) == ("shown", level)
        assert judged.psi == pytest.approx(shift * shift, rel=0.35)
    assert found >= 0.95 * draws


def test_an_immaterial_change_is_no_alarm_however_many_rows() -> None:
    random = np.random.default_rng(15)
    edges = stats.norm.ppf(np.arange(1, 256) / 256)
    after = np.diff(stats.norm.cdf(edges - 0.05), prepend=0, append=1)
    for rows in (10_000, 1_000_000, 100_000_000):
        old, new = random.multinomial(rows, shape("even")), random.multinomial(rows, after)
        (judged,) = drift.judge([moved(in_bins(old, new))])
        assert judged.outcome == "stable"


@pytest.mark.parametrize("rows", [1_000, 100_000, 1_000_000])
def test_a_thousand_columns_do_not_cry_wolf_and_hide_nothing(rows: int) -> None:
    random = np.random.default_rng(16)
    shares = shape("even")
    steep = shape("steep")
    pairs = zip(
        random.multinomial(rows, shares, 1_000),
        random.multinomial(rows, shares, 1_000),
        strict=True,
    )
    found = [moved(in_bins(*pair)) for pair in pairs]
    assert {judged.outcome for judged in drift.judge(found)} == {"stable"}
    for at in (5, 500, 999):
        found[at] = moved(
            in_bins(random.multinomial(rows, shares), random.multinomial(rows, steep))
        )
    judged = drift.judge(found)
    assert [at for at, one in enumerate(judged) if one.outcome != "stable"] == [5, 500, 999]
    assert judged[5].level == "severe"


@pytest.mark.parametrize("edges", [255, 20])
def test_a_grid_of_its_own_raises_no_alarm_and_still_sees(edges: int) -> None:
    """Real rows; the candidate knows only its own quantiles, or far too few of them."""
    random = np.random.default_rng(17)
    alarms = found = 0
    draws = 60
    for _ in range(draws):
        old = number("x", random.lognormal(size=4_000))
        for location in (0.0, 0.6):
            rows = random.lognormal(location, size=4_000)
            coarse = np.quantile(rows, np.linspace(0, 1, edges + 1)[1:], method="inverted_cdf")
            new = number("x", rows, edges=coarse)
            result = compared(old, new, (4_000, 4_000))
            assert result.is_approximate
            if location:
                found += shown_p(result.test, LEVELS["moderate"]) < 0.05
            else:
                alarms += shown_p(result.test, 0.0) < 0.05
                exact = compared(old, number("x", rows, against=old), (4_000, 4_000))
                assert result.test.low <= exact.test.low * 1.05 + 1
    assert alarms <= 0.05 * draws
    assert found >= 0.95 * draws


def test_real_rows_in_the_baselines_bins_raise_no_alarm() -> None:
    random = np.random.default_rng(18)
    alarms = 0
    for _ in range(100):
        old = number("x", random.standard_t(3, size=2_000))
        new = number("x", random.standard_t(3, size=2_000), against=old)
        result = compared(old, new, (2_000, 2_000))
        assert not result.is_approximate
        alarms += shown_p(result.test, LEVELS["slight"]) < 0.05
    assert alarms <= 5


def test_missing_values_are_bins_of_their_own() -> None:
    same = shape("even") * 10_000
    still = moved(in_bins(same, same, (("(null)", 100, 100),)))
    more = moved(in_bins(same, same * 0.8, (("(null)", 100, 2_000), ("(NaN)", 0, 500))))
    assert shown_p(still.test, LEVELS["slight"]) > 0.9
    assert shown_p(more.test, LEVELS["moderate"]) < 0.05
    assert [group.label for group in more.groups][-2:] == ["(null)", "(NaN)"]


def test_one_row_where_there_was_none_is_no_alarm() -> None:
    for rows in SIZES:
        for count in ((0, 1), (1, 0)):
            test = moved(
                in_bins(shape("even") * rows[0], shape("even") * rows[1], (("(null)", *count),))
            ).test
            assert shown_p(test, LEVELS["slight"]) > 0.05


def test_few_rows_say_nothing() -> None:
    for rows in (0, 1, 5, 20):
        same = shape("even", 8) * rows
        (judged,) = drift.judge([moved(in_bins(same, same))])
        assert judged.outcome == "inconclusive", rows
    constant = number("x", [7.0] * 1_000)
    assert stable_p(compared(constant, constant, (1_000, 1_000)).test, drift.MATTERS) < 0.05


@pytest.mark.parametrize("bins", [2, 5, 16])
@pytest.mark.parametrize("discrepancy", [0.1, 0.25])
def test_the_rows_that_would_decide_do(bins: int, discrepancy: float) -> None:
    random = np.random.default_rng(19)
    rows = drift.rows_to_decide(bins, discrepancy)
    shares = shape("even", bins)
    pairs = zip(
        random.multinomial(rows, shares, 300), random.multinomial(rows, shares, 300), strict=True
    )
    decided = [stable_p(moved(in_bins(*pair)).test, discrepancy) < 0.05 for pair in pairs]
    assert sum(decided) >= 0.9 * 300


def test_a_test_has_few_bins_with_enough_rows() -> None:
    for name, rows in itertools.product(("even", "spike", "steep"), (60, 1_000, 1_000_000)):
        old = np.random.default_rng(20).multinomial(rows, shape(name))
        groups = drift.grouped(in_bins(old, old))
        assert 2 <= len(groups) <= 17
        assert sum(group.old for group in groups) == rows
        assert all(group.old >= 2.5 for group in groups), name
    few = drift.grouped(in_bins([500, 300, 200, 0], [400, 300, 300, 0]))
    assert [group.old for group in few] == [500, 300, 200]


def test_what_one_side_does_not_list_shares_a_bin() -> None:
    old = category("x", {"a": 500, "b": 300, "c": 200})
    listed = category("x", {"a": 480, "b": 330, "c": 190})
    cut = category("x", {"a": 480, "b": 330, "c": 190}, most=2)
    rows = (1_000, 1_000)
    assert not compared(old, listed, rows).is_approximate
    coarse = compared(old, cut, rows)
    assert coarse.is_approximate
    assert coarse.test.low <= compared(old, listed, rows).test.low + 1e-9
    assert [group.label for group in coarse.groups] == ["a", "b", OTHERS]


@pytest.mark.parametrize("n", [10, 1_000])
def test_what_is_only_on_one_side_by_chance(n: int) -> None:
    assert not is_beyond_chance(4, n, n, 1)  # 1 in 16
    assert is_beyond_chance(5, n, n, 1)
    assert not is_beyond_chance(5, n, n, 100)
    assert is_beyond_chance(1, n, 99 * n, 1)
    assert not is_beyond_chance(0, n, n, 1)
