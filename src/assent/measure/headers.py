"""Whether the first row of a CSV file has names, or values already; and whether its rows have cells
that its dialect does not see.

Nothing of that can be proven from a file, so nothing is decided here: what looks wrong is said, and
whoever knows the file sets it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from assent.core.profile import MISSING_TOKENS
from assent.measure import fits

SURE = {",": "','", ";": "';'", "\t": "tabs", "|": "'|'", "~": "'~'", "^": "'^'", "\x01": "^A"}
"""What is between cells and hardly ever in all values of a column as often, as people call it."""

UNSURE = {":": "':'", " ": "white space"}
"""What may be between cells, and is in times and names as well."""

_SHARE = 0.9
_FEW = 3
_YEARS = range(1900, 2101)
_NUMBER = re.compile(f"({fits.NUMBER})|({fits.COMMA})")
_DIGITS = re.compile(r"\d+")

Rows = Sequence[Sequence[str]]


def values_in(header: Sequence[str], rows: Rows) -> tuple[str, ...]:
    """The cells of the first row that are values, as the `rows` below have them; none if it may
    well have names.

    A number stands over numbers, a text has the shape of those below it (`x7` over `x12`) or is
    there again. One cell that can only be a name says that all are: letters over numbers.
    """
    columns = [_column(header, rows, place) for place in range(len(header))]
    if any(_is_name(*pair, is_first=at == 0) for at, pair in enumerate(columns)):
        return ()
    numbers = [cell for cell, below in columns if _is_number_over_numbers(cell, below)]
    if _may_be_names(numbers, rows, is_all=len(numbers) == len(header)):
        numbers = []
    names = [
        cell
        for cell, below in columns
        if (cell in numbers if _NUMBER.fullmatch(cell) else _is_like(cell, below, len(header)))
    ]
    return tuple(names) if numbers or 2 * len(names) >= len(header) else ()


def _column(header: Sequence[str], rows: Rows, place: int) -> tuple[str, list[str]]:
    """A cell of the first row, and what is below it. Rows that are the first one again say nothing
    about it, but where they have one cell only.
    """
    cells = [
        row[place].strip()
        for row in rows
        if len(row) == len(header) and (len(header) == 1 or list(row) != list(header))
    ]
    return header[place].strip(), cells


def _is_name(cell: str, below: Sequence[str], *, is_first: bool) -> bool:
    """Whether a cell cannot be a value of its column, for all that is known."""
    there = [value for value in below if not _is_missing(value)]
    if _is_missing(cell):
        return is_first and cell == "" and len(there) == len(below) > 0  # an index of pandas
    if not there:
        return False
    if not _DIGITS.search(cell):
        return all(map(_DIGITS.search, there))
    has_point = all("." in value for value in there) and all(map(_NUMBER.fullmatch, there))
    if has_point and len(there) >= _FEW and cell.isdigit():
        return True  # the same hand would have written 5 as 5.0
    return all(map(_NUMBER.fullmatch, there)) and not _NUMBER.fullmatch(cell)


def _is_number_over_numbers(cell: str, below: Sequence[str]) -> bool:
    there = [value for value in below if not _is_missing(value)]
    return bool(_NUMBER.fullmatch(cell)) and all(map(_NUMBER.fullmatch, there))


def _may_be_names(numbers: Sequence[str], rows: Rows, *, is_all: bool) -> bool:
    """Whether numbers are likely the names of columns: the places that libraries call columns by,
    years, or others at even distances, which the rows are not.
    """
    values = [float(number.replace(",", ".")) for number in numbers]
    if not is_all and (values == [0.0] or (len(values) == 1 and values[0] in _YEARS)):
        return True
    steps = {round(after - before, 9) for before, after in pairwise(values)}
    is_even = len(steps) == 1 and steps != {0.0}
    is_likely = is_even and (len(values) >= _FEW or steps == {1.0})
    return is_likely and not any(_are_even(row, steps) for row in rows[:_FEW] if is_all)


def _are_even(row: Sequence[str], steps: set[float]) -> bool:
    if not all(map(_NUMBER.fullmatch, (cell.strip() for cell in row))):
        return False
    values = [float(cell.replace(",", ".")) for cell in row]
    return {round(after - before, 9) for before, after in pairwise(values)} == steps


def _is_like(cell: str, below: Sequence[str], columns: int) -> bool:
    """Whether a text is like those below it."""
    if _is_missing(cell):
        return False
    again = below.count(cell)
    if again >= (2 if columns == 1 else 1):
        return True
    shape = _shape(cell)
    is_shaped = shape != cell and sum(_shape(value) == shape for value in below)
    return 0 < len(below) <= 2 * is_shaped


def _shape(text: str) -> str:
    return _DIGITS.sub("9", text)


def _is_missing(cell: str) -> bool:
    return cell.strip().lower() in MISSING_TOKENS


def other_cells(own: int, sizes: Sequence[int]) -> int:
    """How many cells most rows have by another delimiter, if nearly all have as many and several:
    `sizes` are those of the rows, `own` that of the header. 0 if the rows do not say so.
    """
    if not sizes:
        return own if own > 1 else 0
    cells, rows = Counter(sizes).most_common(1)[0]
    is_told = len(sizes) >= _FEW or own == cells
    return cells if cells > 1 and is_told and rows >= _SHARE * len(sizes) else 0


def by_white_space(lines: Sequence[str]) -> int:
    """How many cells all lines have by white space, if some of them are numbers."""
    rows = [line.split() for line in lines if line.strip()]
    sizes = {len(row) for row in rows}
    if len(rows) < 2 or len(sizes) > 1 or sizes == {1}:
        return 0
    columns = zip(*rows[1:], strict=True)
    has_numbers = any(all(map(_NUMBER.fullmatch, column)) for column in columns)
    return len(rows[0]) if has_numbers else 0
