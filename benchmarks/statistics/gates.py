"""What a gate with `confident: true` does, by how much the candidate is really worse."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from assent.compare.bundles import LoadedBundle, compare
from assent.compare.predictions.table import PredictionTable
from assent.core.verdict import Outcome
from assent.policy.gates.metric import MetricGate

MARGIN = 0.02
DROPS = (-0.01, 0.0, 0.01, 0.02, 0.03, 0.04)
ROWS = (500, 2_000, 8_000)


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of the samples: `passed`, `failed` and `open` (a person decides)."""

    rows: int
    drop: float
    passed: float
    failed: float
    open: float
    by_value: float


def judged(known: LoadedBundle, runs: int, seed: int = 2) -> Iterator[Judged]:
    """A gate of a margin of 0.02 on accuracies that really fell by `drop`. `known` is any bundle:
    its predictions are replaced.
    """
    confident = MetricGate(metric="accuracy", max_drop=MARGIN, confident=True)
    plain = MetricGate(metric="accuracy", max_drop=MARGIN)
    for rows in ROWS:
        for drop in DROPS:
            random = np.random.default_rng(seed)
            tally = dict.fromkeys(Outcome, 0)
            by_value = 0
            for _ in range(runs):
                pair = [
                    msgspec.structs.replace(known, predictions=model)
                    for model in _models(random, rows, drop)
                ]
                diff = compare(*pair)
                for gate in (confident, plain):
                    (finding,) = gate.judge(diff, known.evidence, without_baseline="allow")
                    if gate is confident:
                        tally[finding.outcome] += 1
                    else:
                        by_value += finding.outcome is Outcome.PASSED
            yield Judged(
                rows=rows,
                drop=drop,
                passed=tally[Outcome.PASSED] / runs,
                failed=tally[Outcome.FAILED] / runs,
                open=tally[Outcome.WAITING] / runs,
                by_value=by_value / runs,
            )


def _models(
    random: np.random.Generator, rows: int, drop: float
) -> tuple[PredictionTable, PredictionTable]:
    """Two models that differ on a tenth of the rows; the first is right on 0.85 of all."""
    label = random.integers(0, 2, size=rows)
    kind = random.choice(4, size=rows, p=[0.80, 0.10, 0.05 + drop / 2, 0.05 - drop / 2])
    was, now = np.isin(kind, (0, 2)), np.isin(kind, (0, 3))
    old, new = (
        PredictionTable(
            task="binary",
            ids=np.arange(rows),
            label=label,
            prediction=np.where(is_right, label, 1 - label),
            classes=("0", "1"),
            positive="1",
            examples=0,
        )
        for is_right in (was, now)
    )
    return old, new
