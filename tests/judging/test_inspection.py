"""What is looked into is bounded over everything that a bundle holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from assent.compare.predictions import joint
from assent.compare.predictions.measures import Measured, intervals
from assent.compare.predictions.sides import Side
from assent.core.diff.metrics import Interval
from assent.core.profile import DataProfile
from assent.errors import IntegrityError
from assent.measure.profiles import encoding
from assent.measure.profiles.encoding import decode_profiles, encode_profile


@pytest.mark.threat(39)
def test_profiles_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encode_profile(DataProfile(rows=1))
    assert decode_profiles({"a": content, "b": content})["b"].rows == 1
    monkeypatch.setattr(encoding, "MAX_BYTES", 15)
    assert decode_profiles({"a": content})
    with pytest.raises(IntegrityError, match="together"):
        decode_profiles({"a": content, "b": content})


def mixed(classes: int, group: bool) -> tuple[Side, Side]:
    random = np.random.default_rng(1)
    rows = 3_000
    label = random.integers(0, classes, rows)
    sides = [
        Side(
            task="multiclass",
            label=label,
            classes=classes,
            prediction=random.integers(0, classes, rows),
            group=np.arange(rows) if group else None,
        )
        for _ in range(2)
    ]
    return sides[0], sides[1]


@pytest.mark.threat(39)
@pytest.mark.parametrize("group", [False, True])
def test_classes_that_are_mixed_at_random_need_no_memory(
    monkeypatch: pytest.MonkeyPatch, group: bool
) -> None:
    monkeypatch.setattr(joint, "MAX_TABLE", 100_000)
    old, new = mixed(50, group)
    widest = 0
    zeros = np.zeros

    def measured(*given: Any, **more: Any) -> Any:
        nonlocal widest
        made = zeros(*given, **more)
        widest = max(widest, made.size)
        return made

    monkeypatch.setattr(np, "zeros", measured)
    found = intervals(Measured(old), Measured(new), is_paired=True)
    assert widest <= 500 * 6 * 50
    accuracy = found["accuracy"]
    assert isinstance(accuracy, Interval)
    assert accuracy.low < accuracy.high
    assert isinstance(found["f1_macro"], Interval) is group  # what cannot be drawn is not made up
