"""Tensors whose names are used more than once."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.core.inspection import Tensor
from assent.measure.models import named
from assent.measure.models.located import Located, Unread
from assent.measure.models.named import NamedTensors
from assent.measure.models.reader import ReadError

PLACE = Located(dtype="float32", shape=(2,), offset=0, size_bytes=8, path=Path("m"))
TENSOR = Tensor(name="w", dtype="float32", shape=(2,))


def test_the_second_tensor_of_a_name_is_kept_and_not_compared() -> None:
    found = NamedTensors()
    assert [found.add(TENSOR, PLACE) for _ in range(3)] == ["w", "w (2)", "w (3)"]
    assert [one.name for one in found.tensors] == ["w", "w (2)", "w (3)"]
    assert found.places["w"] == PLACE
    assert isinstance(found.places["w (2)"], Unread)
    assert (found.parameters(), found.parameters(but=("(2)",))) == (6, 4)


def test_tensors_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named, "MAX_NAMES", 1)
    found = NamedTensors()
    found.add(TENSOR, PLACE)
    with pytest.raises(ReadError, match="more than 1 tensors"):
        found.add(TENSOR, PLACE)
