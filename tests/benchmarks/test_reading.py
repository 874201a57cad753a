"""Each byte of the inputs is read once by a review, and not at all by what decides after it."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.context import Context
from benchmarks.project import environment
from benchmarks.reading import measure


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="this system counts no reads")
def test_inputs_are_read_once(tmp_path: Path) -> None:
    figures = list(measure(Context(tmp_path, environment(tmp_path), True, False)))
    assert [figure.value for figure in figures if not figure.met] == []
    assert len(figures) == 5
