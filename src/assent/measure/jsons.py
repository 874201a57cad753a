"""Objects of JSON as rows, each value as it is written.

Strings stay strings: none is taken for a UUID or a number because it looks like one. Numbers are
read as text first, so that what they are is decided of all of them, and no digit is lost (`fits`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from assent.errors import UsageError
from assent.measure import engine, fits

_LONG = "[0-9]{16}"
_LONG_WHOLE = f"(^|[^0-9.eE+-])-?{_LONG}[0-9]*($|[^0-9.eE])"
"""A whole number that a float may not hold, among numbers as they are written."""

_NUMBERS = frozenset({"UBIGINT", "BIGINT", "HUGEINT", "UHUGEINT", "DOUBLE"})


@contextmanager
def explained(doing: str, sources: Mapping[str, str]) -> Iterator[None]:
    """What DuckDB says of JSON that is none, with the names that people know the files by."""
    try:
        yield
    except engine.load(doing).InvalidInputException as error:
        reason = engine.first_line(error).removeprefix("Invalid Input Error: ")
        for address, shown in sources.items():
            reason = reason.replace(f'"{address}"', shown)
        raise UsageError(
            doing,
            reason,
            hint="each line of a .jsonl file, or each item of the list in a .json file, is one "
            "object, with each key once",
        ) from None


class Objects:
    """The rows of JSON files, whose columns are the keys of all of them. `strings` are the types
    that a column of strings is tried for, `beside` is what DuckDB is told beside the files, which
    may give `relation` a column more.
    """

    def __init__(
        self,
        connection: Any,
        addresses: Sequence[str],
        *,
        strings: Sequence[str] = (),
        beside: str = engine.NO_FOLDERS,
    ) -> None:
        self._beside = beside
        self._files = engine.texts(addresses)
        self._listed = f"{self._files}, {engine.NO_FOLDERS}"
        (structure,) = connection.execute(
            f"SELECT json_group_structure(json) FROM read_json_objects({self._listed})"
        ).fetchone()
        self._structure: object = {} if structure is None else json.loads(structure)
        self._strings = tuple(strings)
        keys = list(self._structure) if isinstance(self._structure, dict) else []
        self.columns = dict(zip(keys, engine.different(keys), strict=True))
        self._as_text = self._with_long_numbers(connection)

    def _with_long_numbers(self, connection: Any) -> frozenset[str]:
        """The keys of lists and objects in which, among floats, a whole number has more digits
        than floats keep: `[0.5, 100000000000000000001]`.
        """
        if not isinstance(self._structure, dict):
            return frozenset()
        places = [(key, place) for key, of in self._structure.items() for place in _floats(of, key)]
        unasked = {key for key, place in places if place is None}
        asked = [(key, place) for key, place in places if place is not None and key not in unasked]
        if not asked:
            return frozenset(unasked)
        tests = ", ".join(
            f"coalesce(bool_or(regexp_matches(CAST(json_extract(json, {engine.text(place)}) AS "
            f"VARCHAR), {engine.text(_LONG_WHOLE)})), false)"
            for _, place in asked
        )
        (are_long,) = connection.execute(
            f"SELECT [{tests}] FROM read_json_objects({self._listed}) "
            f"WHERE regexp_matches(CAST(json AS VARCHAR), {engine.text(_LONG)})"
        ).fetchone()
        return frozenset(
            unasked.union(key for (key, _), is_long in zip(asked, are_long, strict=True) if is_long)
        )

    @property
    def are_objects(self) -> bool:
        """Whether each row is an object, and so has columns."""
        return isinstance(self._structure, dict)

    @property
    def candidates(self) -> dict[str, tuple[str, ...]]:
        """The types that columns of plain values may have, by name."""
        assert isinstance(self._structure, dict)
        types: dict[str, tuple[str, ...]] = {}
        for key, of in self._structure.items():
            if isinstance(of, str):
                is_number = of in _NUMBERS
                tried = fits.NUMBERS if is_number else self._strings if of == "VARCHAR" else ()
                types[self.columns[key]] = tuple(tried)
        return types

    def relation(self, *, is_nested: bool = True) -> str:
        """What DuckDB reads the rows by: plain values as text, booleans as they are, objects and
        lists by their structure, or as text where not `is_nested`.
        """
        assert isinstance(self._structure, dict)
        if any(key != name for key, name in self.columns.items()):
            return self._by_key()
        listed = ", ".join(
            f"{engine.name(key)}: " + engine.text(_type(of, is_nested and key not in self._as_text))
            for key, of in self._structure.items()
        )
        return f"read_json({self._files}, columns = {{{listed}}}, {self._beside})"

    def _by_key(self) -> str:
        """The same for keys that differ by their case alone, which DuckDB takes for one."""
        assert isinstance(self._structure, dict)
        listed = []
        for key, of in self._structure.items():
            place = engine.text("/" + key.replace("~", "~0").replace("/", "~1"))
            read = f"json_extract_string(json, {place})"
            if of == "BOOLEAN":
                read = f"CAST({read} AS BOOLEAN)"
            elif of == "JSON" or not isinstance(of, str):
                read = f"CAST(json_extract(json, {place}) AS VARCHAR)"
            listed.append(f"{read} AS {engine.name(self.columns[key])}")
        read = f"read_json_objects({self._files}, {self._beside})"
        return f"(SELECT {', '.join(listed)}, * EXCLUDE (json) FROM {read})"


def _type(of: Any, is_nested: bool) -> str:
    """What a value is read as, of what `json_group_structure` says of it."""
    if isinstance(of, str):
        return of if of in ("BOOLEAN", "JSON") else "VARCHAR"
    return _nested(of) if is_nested else "JSON"


def _floats(of: Any, key: str) -> Iterator[str | None]:
    """The places within a list or an object to what is read as floats; None for one that cannot be
    asked for, because a key has signs that DuckDB's paths know no way to write.
    """
    if not isinstance(of, str):
        yield from _floats_at(of, _at("$", key))


def _floats_at(of: Any, place: str | None) -> Iterator[str | None]:
    match of:
        case "DOUBLE":
            yield place
        case [inner]:
            yield from _floats_at(inner, None if place is None else f"{place}[*]")
        case {}:
            for key, inner in of.items():
                yield from _floats_at(inner, _at(place, key))


def _at(place: str | None, key: str) -> str | None:
    is_plain = place is not None and not {'"', "\\", "*"} & set(key)
    return f'{place}."{key}"' if is_plain else None


def _nested(of: Any) -> str:
    match of:
        case [inner]:
            return f"{_nested(inner)}[]"
        case {} if of and len({key.lower() for key in of}) == len(of):
            return f"STRUCT({', '.join(_field(*pair) for pair in of.items())})"
        case "UBIGINT" | "BIGINT" | "HUGEINT":  # a mix of signs is the last of these
            return "BIGINT"
        case "DOUBLE" | "BOOLEAN" | "VARCHAR":
            return str(of)
    return "JSON"


def _field(key: str, of: Any) -> str:
    return f"{engine.name(key)} {_nested(of)}"
