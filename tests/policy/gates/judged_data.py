"""What the tests of the gate on data are written with: two data sets, and how they are judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import numpy as np

from assent.compare.data import compare_data
from assent.core.diff import Diff, Side
from assent.core.evidence import DataReference
from assent.core.profile import DataProfile, Overlap
from assent.core.verdict import Finding, Outcome
from assent.policy.gates.data import DataGate
from tests.builders import digest
from tests.compare.known import known
from tests.compare.profiling import category, number, profile, reference

PASSED, FAILED, UNDECIDED, WAITING, WARNED, NOT_APPLICABLE = Outcome

SIDE = Side(bundle=digest("bundle"), model_digest=digest("model"))

RANDOM = np.random.default_rng(5)

ROWS = 4_000

AGE = number("age", RANDOM.normal(40, 10, ROWS))

CITY = category("city", {"berlin": 2_500, "bonn": 1_500})

OLD = profile(ROWS, AGE, CITY)

BEFORE, AFTER = reference("train", "old", ROWS), reference("train", "new", ROWS)


def gate(**fields: Any) -> DataGate:
    """As it is read from `assent.yaml`."""
    return msgspec.convert({"data": "train", **fields}, DataGate)


def judge(
    one: DataGate,
    old: DataProfile | None = OLD,
    new: DataProfile | None = OLD,
    *,
    before: DataReference | None = BEFORE,
    after: DataReference | None = AFTER,
    overlaps: Sequence[Overlap] = (),
    has_baseline: bool = True,
    without_baseline: Literal["allow", "block"] = "allow",
) -> list[Finding]:
    data = compare_data(
        [] if before is None or not has_baseline else [before],
        [] if after is None else [after],
        old_profiles={} if old is None or not has_baseline else {"train": old},
        new_profiles={} if new is None else {"train": new},
        overlaps=overlaps,
    )
    diff = Diff(model="m", candidate=SIDE, baseline=SIDE if has_baseline else None, data=data)
    return one.judge(diff, known().evidence, without_baseline=without_baseline)


def only(one: DataGate, *sides: DataProfile | None, **more: Any) -> Finding:
    (finding,) = judge(one, *sides, **more)
    assert finding.reason
    is_open = finding.outcome.blocks or finding.outcome in (WAITING, WARNED)
    assert bool(finding.remedy) == is_open, finding
    return finding
