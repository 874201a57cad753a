"""How often an interval misses the truth, and how often there is none."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from assent.compare.predictions.measures import Measured, intervals
from assent.core.diff.metrics import Interval
from benchmarks.statistics.populations import LARGE, Pair, Population

DRAWS = 1_000
_PIECES = 20
"""The truth of groups is the mean over so many large samples: groups differ, and are not many."""


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Of `runs` samples: the share whose interval lies above and below the truth, and the share
    that has none.
    """

    population: str
    metric: str
    rows: int
    runs: int
    above: float
    below: float
    silent: float
    width: float

    @property
    def covered(self) -> float:
        """Of the samples that have an interval, the share in which it holds the truth."""
        given = 1 - self.silent
        return 1 - (self.above + self.below) / given if given else 1.0


def coverage(population: Population, runs: int, seed: int = 1) -> Iterator[Coverage]:
    """The coverage of every metric of one population."""
    random = np.random.default_rng(seed)
    truth = _truth(population, random)
    by_metric: dict[str, list[tuple[bool, bool, bool, float]]] = {}
    for _ in range(runs):
        pair = population.draw(random, population.rows)
        got = intervals(Measured(pair[0]), Measured(pair[1]), is_paired=True, draws=DRAWS)
        for name in population.metrics:
            interval = got.get(name, "")
            if isinstance(interval, Interval):
                missed = interval.low > truth[name], interval.high < truth[name]
                by_metric.setdefault(name, []).append(
                    (*missed, False, interval.high - interval.low)
                )
            else:
                by_metric.setdefault(name, []).append((False, False, True, 0.0))
    for name, rows in by_metric.items():
        above, below, silent, width = np.array(rows, dtype=np.float64).mean(axis=0).tolist()
        yield Coverage(
            population=population.name,
            metric=name,
            rows=population.rows,
            runs=runs,
            above=above,
            below=below,
            silent=silent,
            width=width / (1 - silent) if silent < 1 else 0.0,
        )


def _truth(population: Population, random: np.random.Generator) -> dict[str, float]:
    changes: list[dict[str, float]] = []
    for _ in range(_PIECES if population.unit > 1 else 4):
        pair = population.draw(random, LARGE if population.unit == 1 else LARGE // 4)
        changes.append(_changes(pair, population.metrics))
    return {
        name: float(np.mean([change[name] for change in changes])) for name in population.metrics
    }


def _changes(pair: Pair, names: tuple[str, ...]) -> dict[str, float]:
    old, new = Measured(pair[0]).values, Measured(pair[1]).values
    return {name: new[name] - old[name] for name in names}
