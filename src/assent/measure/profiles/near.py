"""What makes two values nearly the same: rounding, white space, and the case of letters.

Numbers keep 20 of the 53 bits of a float, about six digits. They are cut by Dekker's splitting ("A
floating-point technique for extending the available precision", 1971), three operations that give
the same result to the last bit in every engine, which no rounding to decimals does. Text loses its
white space and the case of its letters; what is then empty is missing.
"""

from __future__ import annotations

from assent.measure import engine
from assent.measure.profiles.columns import Column

SPLIT = float(2**33 + 1)
"""A float multiplied with it loses the lower 33 bits of what is taken away from it again."""

MOST_SPLIT = 1e290
"""Larger numbers would overflow, and are compared as they are."""

WHITE = (" ", "\t", "\n", "\r", "\N{NO-BREAK SPACE}")
FLOATS = frozenset({"float", "double"})

MAX_DECIMALS = 6
"""Numbers that have at most so many decimals everywhere on a side are taken for rounded."""


def near(column: Column) -> str:
    """A column in SQL, so that values that are nearly the same are equal."""
    if column.type in FLOATS:
        return rounded(column.read)
    return unspaced(f"CAST({column.read} AS VARCHAR)") if column.counting == "text" else column.read


def rounded(number: str, decimals: int | None = None) -> str:
    """A number in SQL with so many decimals, or with about six digits."""
    x = f"CAST({number} AS DOUBLE)"
    if decimals is not None:
        return f"round({x}, {decimals})"
    cut = f"{x} * {SPLIT:.1f} - ({x} * {SPLIT:.1f} - {x})"
    return f"CASE WHEN abs({x}) < {MOST_SPLIT:g} THEN {cut} ELSE {x} END"


def unspaced(text: str) -> str:
    """A text in SQL without white space and capital letters; missing where nothing is left."""
    for sign in WHITE:
        text = f"replace({text}, {engine.text(sign)}, '')"
    return f"nullif(lower({text}), '')"


def as_number(text: str) -> str:
    """A text in SQL that stands beside numbers: as the number that it says, else as a text."""
    number = rounded(f"TRY_CAST({text} AS DOUBLE)")
    return f"coalesce(CAST({number} AS VARCHAR), {unspaced(text)})"


def decimals(number: str) -> str:
    """How many decimals the numbers of a column have at most, in SQL; NULL for too many."""
    x = f"CAST({number} AS DOUBLE)"
    cases = " ".join(
        f"WHEN round({x}, {places}) = {x} THEN {places}" for places in range(MAX_DECIMALS + 1)
    )
    most = f"max(CASE WHEN {x} IS NULL OR NOT isfinite({x}) THEN 0 {cases} ELSE 99 END)"
    return f"CASE WHEN {most} <= {MAX_DECIMALS} THEN {most} END"
