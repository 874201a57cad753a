"""How wide the terminal is.

Only a terminal has a width. What goes into a file or another program is not broken into lines: a
line stays a record there.
"""

from __future__ import annotations

import shutil
import sys

NARROWEST = 40


def width() -> int | None:
    """How many columns there are; None where nobody looks at them."""
    if not sys.stdout.isatty():
        return None
    return max(shutil.get_terminal_size().columns, NARROWEST)
