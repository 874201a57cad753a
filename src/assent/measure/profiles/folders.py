"""The columns that the names of folders give, such as `year=2026`.

They are those of the path by which people have named a file, whatever the folders above are called,
and whatever format it has. What is no whole number as it is written stays text, so that `month=01`
keeps its zero.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import Any

import msgspec

from assent.errors import UsageError
from assent.measure import engine

_NULL = "__HIVE_DEFAULT_PARTITION__"
_GLOB = frozenset("*?[]{}")
_MOST = 50
_PATH = "assent: path"
"""What the column with the path of each row's file is called, until it is left out."""

_COLUMN = re.compile(r"[^=]+=")
_WHOLE = re.compile(r"-?[1-9][0-9]{0,17}|0")


class Folders(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of folders, and whether all values of each are whole numbers."""

    columns: dict[str, bool] = {}

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.columns)

    @property
    def option(self) -> str:
        """What DuckDB's functions that read files are told, beside the files."""
        named = f", filename = {engine.text(_PATH)}" if self.columns else ""
        return engine.NO_FOLDERS + named

    def relation(self, read: str, *, leave_out: Iterable[str] = (), are_texts: bool = False) -> str:
        """What `read`, which was told the `option`, gives with these columns and without those of
        `leave_out`.
        """
        if not self.columns:
            return read
        left_out = ", ".join(map(engine.name, (_PATH, *leave_out)))
        columns = ", ".join(
            f"{_value(name, is_whole=is_whole and not are_texts)} AS {engine.name(name)}"
            for name, is_whole in self.columns.items()
        )
        return f"(SELECT * EXCLUDE ({left_out}), {columns} FROM {read})"

    def among(self, names: Collection[str]) -> list[str]:
        """The names of columns of files that folders give as well, whatever their case."""
        known = {name.lower() for name in self.columns}
        return [name for name in names if name.lower() in known]

    def require_apart(self, names: Collection[str], doing: str) -> None:
        """Refuse files that have a column of such a name themselves."""
        for name in self.among(names):
            raise _twice(name, doing)

    def require_same(self, connection: Any, read: str, names: Collection[str], doing: str) -> None:
        """Refuse files that have a column of such a name themselves, and other values in it."""
        places = {name.lower(): name for name in self.columns}
        for name in self.among(names):
            own = f"CAST({engine.name(name)} AS VARCHAR)"
            value = _value(places[name.lower()], is_whole=False)
            query = (
                f"SELECT 1 FROM {read} WHERE {own} IS DISTINCT FROM {value} AND "
                f"coalesce(TRY_CAST({own} AS DOUBLE) <> TRY_CAST({value} AS DOUBLE), true) LIMIT 1"
            )
            if connection.execute(query).fetchone() is not None:
                raise _twice(name, doing)

    def values(self, name: str) -> dict[str, int | str | None]:
        """The values of one file."""
        return {
            key: int(value) if value is not None and self.columns[key] else value
            for key, value in _pairs(name)
        }


NONE = Folders()


def folders_of(doing: str, names: Sequence[str]) -> Folders:
    """The columns of the folders in the names of files."""
    keys: dict[str, bool] = {}
    for name in names:
        pairs = _sound_pairs(doing, name)
        if name is not names[0] and pairs.keys() != keys.keys():
            raise UsageError(
                doing,
                f"{name} lies in folders of other columns ({_listed(pairs)}) than {names[0]} "
                f"({_listed(keys)})",
                hint="name files with the same folders by a glob, such as data/year=*/*.parquet",
            )
        for key, value in pairs.items():
            is_whole = value is None or _WHOLE.fullmatch(value) is not None
            keys[key] = keys.get(key, True) and is_whole
    if len(keys) > _MOST:
        raise UsageError(doing, "its folders name too many columns")
    return Folders(columns=keys)


def of_columns(name: str) -> tuple[str, ...]:
    """The folders of a file that give columns."""
    return tuple(part for part in PurePath(name).parts[:-1] if _COLUMN.match(part))


def _sound_pairs(doing: str, name: str) -> dict[str, str | None]:
    for part in of_columns(name):
        if not _GLOB.isdisjoint(part):
            raise UsageError(doing, f"the folder {part!r} holds a sign of patterns")
    try:
        pairs = list(_pairs(name))
    except UnicodeDecodeError:
        raise UsageError(doing, f"a folder of {name} stands for bytes that are no text") from None
    if len({key.lower() for key, _ in pairs}) < len(pairs):
        raise UsageError(doing, f"the folders of {name} name a column twice")
    return dict(pairs)


def _pairs(name: str) -> Iterator[tuple[str, str | None]]:
    for part in of_columns(name):
        key, _, written = part.partition("=")
        value = urllib.parse.unquote(written, errors="strict")
        yield key, None if value == _NULL else value


def _value(name: str, *, is_whole: bool) -> str:
    """The value of the column of this name, of the path of a row's file, in SQL."""
    pattern = engine.text(rf"(?s).*[/\\]{re.escape(name)}=([^/\\]*)[/\\]")
    extracted = f"regexp_extract({engine.name(_PATH)}, {pattern}, 1)"
    text = f"nullif(url_decode({extracted}), {engine.text(_NULL)})"
    return f"CAST({text} AS BIGINT)" if is_whole else text


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _twice(name: str, doing: str) -> UsageError:
    return UsageError(
        doing,
        f"its files have a column {name!r}, and so do its folders ({name}=…), with other values",
        hint="leave the column out of the files, or give it or the folders another name",
    )
