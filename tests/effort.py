"""How much is tried: what every change has to pass (`script/test`), or all there is
(`script/soak`). The first has every kind of thing that the second has, and fewer of a kind.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from _pytest.mark import ParameterSet

IS_SOAK = bool(os.environ.get("ASSENT_SOAK"))


def examples(whole: int) -> int:
    """How many examples a property is tried with, where `whole` are all."""
    return whole if IS_SOAK else max(whole // 5, 8)


def more_in_soak(*rows: Any) -> list[ParameterSet]:
    """Rows of a table of whose kind the table has others: each one value, or a tuple of several."""
    return [
        pytest.param(*(row if isinstance(row, tuple) else (row,)), marks=pytest.mark.soak)
        for row in rows
    ]
