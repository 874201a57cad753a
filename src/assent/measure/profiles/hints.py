"""Columns of text that would be numbers but for a few words, or for their decimal comma."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from assent.measure import fits
from assent.measure.profiles.words import token_in_sql

SHARE = 0.98
"""So many of the values that are no words for nothing must be numbers."""

MAX_HINTS = 20
_FIRST = 200
_MAX_WORDS = 8
_NUMBER = re.compile(f"({fits.NUMBER})|({fits.COMMA})")


def hints(connection: Any, relation: str, columns: Sequence[str]) -> list[str]:
    """What to set, so that columns of text are read as numbers. Nothing is guessed: whoever knows
    the data sets it.
    """
    likely = _likely(connection, relation, columns)
    return [hint for column in likely[:MAX_HINTS] for hint in _hints(connection, relation, column)]


def _likely(connection: Any, relation: str, columns: Sequence[str]) -> list[str]:
    """The columns at least half of whose first values are numbers."""
    if not columns:
        return []
    listed = ", ".join(map(fits.trimmed, columns))
    rows = connection.execute(f"SELECT {listed} FROM {relation} LIMIT {_FIRST}").fetchall()
    likely = []
    for place, column in enumerate(columns):
        values = [row[place] for row in rows if row[place] is not None]
        if 2 * sum(_NUMBER.fullmatch(value) is not None for value in values) >= len(values) > 0:
            likely.append(column)
    return likely


def _hints(connection: Any, relation: str, column: str) -> Iterator[str]:
    text = fits.trimmed(column)
    there, points, commas, words = connection.execute(
        f"SELECT count(t), count(*) FILTER ({fits.matches('t', fits.NUMBER)}), "
        f"count(*) FILTER ({fits.matches('t', fits.COMMA)} AND contains(t, ',')), "
        f"count(*) FILTER ({token_in_sql('t')}) FROM (SELECT {text} AS t FROM {relation})"
    ).fetchone()
    if points + commas < SHARE * (there - words):
        return
    if commas:
        yield (
            f"column {column!r} is text: {commas:,} of its {there:,} values are numbers with a "
            'decimal comma; if so, set `decimal: ","`'
        )
    if words:
        rows = connection.execute(
            f"SELECT DISTINCT lower(t) FROM (SELECT {text} AS t FROM {relation}) "
            f"WHERE {token_in_sql('t')} ORDER BY 1 LIMIT {_MAX_WORDS}"
        ).fetchall()
        listed = ", ".join(f'"{value}"' for (value,) in rows)
        yield (
            f"column {column!r} is text: {points + commas:,} of its {there:,} values are numbers, "
            f"and {words:,} say that there is none; if so, set `missing: [{listed}]`"
        )
