"""What the values of a text column are: the first type that all of them fit, and lose no digit by.

`007` is no number, nor is one that has more digits than its type, nor `+49…`: they stay text. Dates
and moments are those of ISO 8601; what could be read in two ways, such as 01/02/2024, is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from assent.measure import engine

TEXT = "VARCHAR"
NUMBERS = ("BIGINT", "UBIGINT", "DOUBLE", "DECIMAL")
MOMENTS = ("DATE", "TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMPTZ")
ALL = (*NUMBERS, "BOOLEAN", *MOMENTS, "TIME")

_SAMPLE = 200
_TOGETHER = 50
_SCALES = (6, 12, 18, 24, 30)
"""Digits behind the point of decimals: few sizes, so that one more digit is no other type."""

COMMA = r"-?((0|[1-9][0-9]*)(,[0-9]*)?|,[0-9]+)([eE][-+]?[0-9]+)?"
"""A number with a decimal comma. A point in it could be one of thousands: nobody knows."""

NUMBER = r"-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?"
_NOT_FINITE = r"[-+]?([Nn]a[Nn]|NAN|[Ii]nf|INF|[Ii]nfinity)"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
_FINE = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
_ZONE = r" ?(Z|UTC|[-+][0-9]{2}(:?[0-9]{2})?)"
_WRITTEN = {
    "BIGINT": "-?[0-9]+",
    "UBIGINT": "[0-9]+",
    "DOUBLE": f"({NUMBER})|({_NOT_FINITE})",
    "DECIMAL": r"-?(0|[1-9][0-9]*)([.][0-9]*)?",
    "BOOLEAN": "[Tt]rue|[Ff]alse|TRUE|FALSE",
    "DATE": _DAY,
    "TIMESTAMP": f"{_DAY}([ T]{_CLOCK})?",
    "TIMESTAMP_NS": f"{_DAY}([ T]{_FINE})?",
    "TIMESTAMPTZ": f"{_DAY}[ T]{_CLOCK}{_ZONE}",
    "TIME": _CLOCK,
}
"""How values of a type are written, as a pattern for DuckDB and for Python alike."""

_PATTERNS = {type_: re.compile(pattern) for type_, pattern in _WRITTEN.items()}


def trimmed(column: str) -> str:
    """The text of a column without spaces around it, in SQL."""
    return f"trim({engine.name(column)})"


def cast(column: str, type_: str) -> str:
    """A column of texts as values of a type that they fit, in SQL."""
    return engine.name(column) if type_ == TEXT else f"CAST({trimmed(column)} AS {type_})"


def cast_columns(
    names: Sequence[str], types: Mapping[str, str], leave: frozenset[str] = frozenset()
) -> str:
    """The columns, each as its type, in SQL; those of `leave`, and those without one, as they are
    written.
    """
    return ", ".join(
        engine.name(name)
        if name in leave or name not in types
        else f"{cast(name, types[name])} AS {engine.name(name)}"
        for name in names
    )


def fitted(
    connection: Any, relation: str, candidates: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """For each column the first of its candidates that all values fit, as a type of DuckDB, else
    text. A column without values is text.
    """
    chosen = dict.fromkeys(candidates, TEXT)
    left = _likely(connection, relation, candidates)
    while left := {column: types for column, types in left.items() if types}:
        tried = {column: types.pop(0) for column, types in left.items()}
        for column in _fitting(connection, relation, tried):
            left.pop(column)
            chosen[column] = tried[column]
    decimals = [column for column, type_ in chosen.items() if type_ == "DECIMAL"]
    return chosen | _scaled(connection, relation, decimals)


def with_commas(
    connection: Any, relation: str, columns: Sequence[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """The columns whose values are all numbers with a decimal comma, or whole; and those with a
    point in any value, which may then mean anything.
    """
    commas: set[str] = set()
    points: set[str] = set()
    for start in range(0, len(columns), _TOGETHER):
        part = columns[start : start + _TOGETHER]
        checks = ", ".join(
            f"coalesce(bool_and({matches(trimmed(column), COMMA)}) "
            f"FILTER ({engine.name(column)} IS NOT NULL), false), "
            f"coalesce(bool_or(contains({engine.name(column)}, '.')), false)"
            for column in part
        )
        row = connection.execute(f"SELECT {checks} FROM {relation}").fetchone()
        commas |= {column for column, are in zip(part, row[::2], strict=True) if are}
        points |= {column for column, are in zip(part, row[1::2], strict=True) if are}
    return frozenset(commas), frozenset(points)


def may_fit(values: Iterable[str], types: Sequence[str]) -> bool:
    """Whether all values are written as those of one of the types: a first look."""
    left = list(types)
    for value in values:
        left = [type_ for type_ in left if _PATTERNS[type_].fullmatch(value.strip(" "))]
        if not left:
            return False
    return True


def _likely(
    connection: Any, relation: str, candidates: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """The candidates that the first rows allow: most columns are left with one."""
    columns = [column for column, types in candidates.items() if types]
    if not columns:
        return {}
    listed = ", ".join(map(trimmed, columns))
    rows = connection.execute(f"SELECT {listed} FROM {relation} LIMIT {_SAMPLE}").fetchall()
    likely: dict[str, list[str]] = {}
    for place, column in enumerate(columns):
        values = {row[place] for row in rows if row[place] is not None}
        likely[column] = [
            type_ for type_ in candidates[column] if all(map(_PATTERNS[type_].fullmatch, values))
        ]
    return likely


def _fitting(connection: Any, relation: str, tried: Mapping[str, str]) -> list[str]:
    """The columns all of whose values fit the type that is tried, and that have any."""
    fitting: list[str] = []
    columns = list(tried)
    for start in range(0, len(columns), _TOGETHER):
        part = columns[start : start + _TOGETHER]
        texts = ", ".join(f"{trimmed(column)} AS c{at}" for at, column in enumerate(part))
        checks = ", ".join(
            f"bool_and({_fits(f'c{at}', tried[column])}) FILTER (c{at} IS NOT NULL)"
            for at, column in enumerate(part)
        )
        row = connection.execute(f"SELECT {checks} FROM (SELECT {texts} FROM {relation})")
        fitting += [column for column, fits in zip(part, row.fetchone(), strict=True) if fits]
    return fitting


def _fits(text: str, type_: str) -> str:
    match type_:
        case "BIGINT" | "UBIGINT":
            return f"coalesce(CAST(TRY_CAST({text} AS {type_}) AS VARCHAR) = {text}, false)"
        case "DOUBLE":
            return _fits_float(text)
        case "DECIMAL" | "BOOLEAN":
            return matches(text, _WRITTEN[type_])
    is_written = matches(text, _WRITTEN[type_])
    return f"({is_written} AND TRY_CAST({text} AS {type_}) IS NOT NULL)"


def matches(text: str, pattern: str) -> str:
    """Whether a text is written by a pattern, in SQL."""
    return f"regexp_full_match({text}, {engine.text(pattern)})"


def _fits_float(text: str) -> str:
    """A float keeps 15 digits of any number. One with more fits if the float is written in the same
    digits, or if it has an exponent: then it was a float when it was written.
    """
    number = f"TRY_CAST({text} AS DOUBLE)"
    digits = f"{_digits(text)} = {_digits(f'CAST({number} AS VARCHAR)')}"
    return (
        f"(CASE WHEN CAST({number} AS VARCHAR) = {text} THEN true "  # most, and it is quick
        f"WHEN NOT {matches(text, NUMBER)} THEN {matches(text, _NOT_FINITE)} "
        f"WHEN {number} IS NULL OR NOT isfinite({number}) THEN false "
        f"WHEN abs({number}) < 1e-290 THEN {digits} "
        f"WHEN length({text}) <= 15 OR contains(lower({text}), 'e') THEN true "
        f"ELSE length({_digits(text)}) <= 15 OR {digits} END)"
    )


def _digits(text: str) -> str:
    """The digits of a number from its first to its last that is not 0."""
    mantissa = f"regexp_replace({text}, '[eE].*', '')"
    return f"trim(regexp_replace({mantissa}, '[^0-9]', '', 'g'), '0')"


def _scaled(connection: Any, relation: str, columns: Sequence[str]) -> dict[str, str]:
    """Decimals of 38 digits with room for all of them, where there is; else text. So are whole
    numbers of more than 64 bits, which are names rather than amounts.
    """
    types: dict[str, str] = {}
    for column in columns:
        text = trimmed(column)
        whole, behind = connection.execute(
            f"SELECT max(length(ltrim(split_part({text}, '.', 1), '-'))), "
            f"max(length(split_part({text}, '.', 2))) FROM {relation}"
        ).fetchone()
        scale = next((digits for digits in _SCALES if behind <= digits), 0)
        is_room = behind > 0 and scale > 0 and whole + scale <= 38
        types[column] = f"DECIMAL(38, {scale})" if is_room else TEXT
    return types
