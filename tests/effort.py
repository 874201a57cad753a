"""How much is tried: what every change has to pass (`script/test`), or all there is
(`script/soak`). The first has every kind of thing that the second has, and fewer of a kind.
"""

from __future__ import annotations

import os

IS_SOAK = bool(os.environ.get("ASSENT_SOAK"))


def examples(whole: int) -> int:
    """How many examples a property is tried with, where `whole` are all."""
    return whole if IS_SOAK else max(whole // 5, 8)
