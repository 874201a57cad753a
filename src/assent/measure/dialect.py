"""CSV by a dialect that is stated and checked.

UTF-8, a header, cells in double quotes where they must be (RFC 4180). The delimiter is the one that
the header and the first rows agree on; then it is fixed, with the number of columns, and every line
is held against it. All cells are read as text: what else they are is decided of all of them
(`fits`).
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, TextIO

import msgspec

from assent.errors import UsageError
from assent.measure import engine

DELIMITERS = (",", ";", "\t", "|")
_FIRST = 200
_SHOWN = 3
_HINT = "correct the lines, or write the file with quotes around cells that hold the delimiter"
_BOMS = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_NO_TEXT = {
    b"PAR1": "Parquet",
    b"PK\x03\x04": "a ZIP file or an Excel sheet",
    b"\xd0\xcf\x11\xe0": "an old Excel sheet",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"ARROW1\0\0": "Arrow",
    b"SQLite format 3\0": "SQLite",
}


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """How one file is written: what is between two cells, and the names of its columns."""

    delimiter: str
    header: tuple[str, ...]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How text is read, where people say so: words that stand for nothing, whatever their case and
    the white space around them; what is before the decimals; and whether lines with more or fewer
    cells than the header has are left out.
    """

    missing: tuple[str, ...] = ()
    decimal: Literal[".", ","] = "."
    skip_ragged: bool = False

    def unused(self, format_: str) -> tuple[str, ...]:
        """The settings that say nothing about files of this format."""
        is_said = {
            "missing": bool(self.missing) and format_ not in ("csv", "tsv", "json"),
            "decimal": self.decimal != "." and format_ not in ("csv", "tsv"),
            "skip_ragged": self.skip_ragged and format_ not in ("csv", "tsv"),
        }
        return tuple(name for name, is_unused in is_said.items() if is_unused)

    def value(self, column: str) -> str:
        """A text of a column, or nothing where it stands for that, in SQL."""
        quoted = engine.name(column)
        if not self.missing:
            return quoted
        words = engine.texts([word.strip(_WHITE).lower() for word in self.missing])
        white = " || ".join(f"chr({ord(sign)})" for sign in _WHITE)
        is_word = f"list_contains({words}, lower(trim({quoted}, {white})))"
        return f"CASE WHEN {is_word} THEN NULL ELSE {quoted} END AS {quoted}"


AS_WRITTEN = Reading()
_WHITE = " \t\n\r"


class Lines:
    """The rows of CSV files, and what their lines say against the dialect.

    `sources` are the files as DuckDB has them, with the names that people know them by.
    """

    def __init__(
        self, connection: Any, sources: Mapping[str, str], doing: str, delimiter: str | None = None
    ) -> None:
        self.connection = connection
        self.sources = dict(sources)
        self.doing = doing
        for address, shown in self.sources.items():
            _require_text(address, shown, doing)
        self.dialects = {
            address: self._dialect(address, shown, delimiter)
            for address, shown in self.sources.items()
        }
        names = [name for one in self.dialects.values() for name in one.header]
        listed = list(dict.fromkeys(names))
        self._names = dict(zip(listed, engine.different(listed), strict=True))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of all files. One that another name has but for its case, which
        DuckDB ignores, gets a number.
        """
        return tuple(self._names.values())

    def relation(self) -> str:
        """What DuckDB reads the rows by: all text, columns by name. Once they were read, ask
        `require_sound`.
        """
        groups: dict[Dialect, list[str]] = {}
        for address, dialect in self.dialects.items():
            groups.setdefault(dialect, []).append(address)
        reads = [f"SELECT * FROM {self._read(*pair)}" for pair in groups.items() if pair[0].header]
        return f"({' UNION ALL BY NAME '.join(reads)})" if reads else ""

    def _read(self, dialect: Dialect, addresses: Sequence[str]) -> str:
        columns = ", ".join(
            f"{engine.name(self._names[name])}: 'VARCHAR'" for name in dialect.header
        )
        return (
            f"read_csv({engine.texts(addresses)}, auto_detect = false, header = true, "
            f"delim = {engine.text(dialect.delimiter)}, quote = '\"', escape = '\"', "
            f"columns = {{{columns}}}, store_rejects = true)"
        )

    def require_sound(self, *, skip_ragged: bool = False) -> tuple[int, str]:
        """Refuse files with lines that are not of the dialect. Every such line is counted. With
        `skip_ragged` those that have more or fewer cells than the header are not refused: how many
        were left out, and the first of them.
        """
        try:
            found = self.connection.execute(
                "SELECT file_path, line_byte_position, line, error_type, error_message, "
                "count(*) OVER (), bool_and(error_type IN ('TOO MANY COLUMNS', 'MISSING COLUMNS')) "
                "OVER () FROM (SELECT DISTINCT ON (scan_id, file_id, line_byte_position) "
                "* FROM reject_errors) JOIN reject_scans USING (scan_id, file_id) "
                f"ORDER BY scan_id, file_id, line LIMIT {_SHOWN}"
            ).fetchall()
        except engine.load(self.doing).CatalogException:
            return 0, ""  # nothing was rejected, so there is no table of it
        if not found:
            return 0, ""
        if any(kind == "INVALID ENCODING" for _, _, _, kind, *_ in found):
            for address, shown in self.sources.items():
                require_utf8(address, shown, self.doing)
        total, are_ragged = found[0][-2:]
        said = "; ".join(self._said(*row[:-2]) for row in found)
        more = f"; and {total - len(found):,} more" if total > len(found) else ""
        lines = "1 line is" if total == 1 else f"{total:,} lines are"
        if skip_ragged and are_ragged:
            return total, said + more
        raise UsageError(self.doing, f"{lines} not as the header says: {said}{more}", hint=_HINT)

    def require_one_header(self, relation: str) -> None:
        """Refuse rows that are the header again: files that were put together as they are. In a
        file of one column such a row may be a value.
        """
        for header in {one.header for one in self.dialects.values() if len(one.header) > 1}:
            is_again = " AND ".join(
                f"{engine.name(self._names[name])} = {engine.text(name)}" for name in header
            )
            query = f"SELECT count(*) FROM {relation} WHERE {is_again}"
            (count,) = self.connection.execute(query).fetchone()
            if count:
                places = (
                    f": {shown}, line {line:,}"
                    for address, shown in self.sources.items()
                    if (line := _line_again(address)) is not None
                )
                times = "once" if count == 1 else f"{count:,} times"
                raise UsageError(
                    self.doing,
                    f"the header is there again {times} among the rows{next(places, '')}",
                    hint="leave out the header where files are put together",
                )

    def _said(self, path: str, place: int | None, line: int, kind: str, message: str) -> str:
        shown = self.sources.get(path, path)
        counted = _line_at(path, place)
        header = len(self.dialects[path].header) if path in self.dialects else 0
        at = f"{shown}, line {counted or line:,}"
        match kind:
            case "TOO MANY COLUMNS" | "MISSING COLUMNS":
                return f"{at} has {message.rpartition(' ')[2]} cells in place of {header:,}"
            case "UNQUOTED VALUE":
                return f"{at} has a quote that does not end or stands inside a cell"
            case "INVALID ENCODING":
                return f"{at} is not UTF-8"
        return f"{at}: {message[:200]}"

    def _dialect(self, address: str, shown: str, delimiter: str | None) -> Dialect:
        query = (
            f"SELECT line FROM read_csv({engine.texts([address])}, auto_detect = false, "
            "header = false, delim = '\x01', quote = '', escape = '', strict_mode = false, "
            f"columns = {{line: 'VARCHAR'}}) LIMIT {_FIRST}"
        )
        try:
            found = self.connection.execute(query).fetchall()
        except (engine.load(self.doing).Error, ValueError):
            require_utf8(address, shown, self.doing)
            raise
        lines = [row[0] or "" for row in found]
        chosen = choose(lines, (delimiter,) if delimiter else DELIMITERS)
        for place, name in enumerate(chosen.header):
            if name in chosen.header[:place]:
                raise UsageError(
                    self.doing,
                    f"the header of {shown} has the column {name!r} twice",
                    hint="give each column a name of its own",
                )
        return chosen


def choose(lines: Sequence[str], delimiters: Sequence[str]) -> Dialect:
    """The dialect of a file that begins with `lines`: the delimiter that gives the header several
    columns and the most rows as many, the earlier one of two that are as good.
    """
    best: tuple[tuple[bool, float], Dialect] | None = None
    for delimiter in delimiters:
        rows = _rows(lines, delimiter)
        header = rows[0] if rows else []
        body = rows[1:-1] if len(lines) == _FIRST else rows[1:]  # the last may go on
        share = sum(len(row) == len(header) for row in body) / len(body) if body else 1.0
        dialect = Dialect(delimiter=delimiter, header=_named(header))
        rank = (len(header) > 1, share)
        if best is None or rank > best[0]:
            best = rank, dialect
    assert best is not None
    return best[1]


def delimiter_of(file: TextIO) -> str:
    """The delimiter of a file, by its first lines."""
    lines = itertools.islice(iter(partial(file.readline, _LONG), ""), _FIRST)
    return choose([line.rstrip("\r\n") for line in lines], DELIMITERS).delimiter


def _rows(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    try:
        rows = csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)
        return [row for row in rows if row]
    except csv.Error:
        return []  # a cell of more than 128 kB: no header of ours


def _named(header: Sequence[str]) -> tuple[str, ...]:
    """The names, where a cell without one is called by its place: the index of pandas is one."""
    return tuple(name.strip() or f"column{place}" for place, name in enumerate(header))


def _opened(address: str) -> io.BufferedIOBase | None:
    """A file whose bytes can be looked at, or None."""
    path = Path(address)
    if "://" in address or not path.is_file() or path.suffix.lower() == ".zst":
        return None
    if path.suffix.lower() == ".gz":
        return gzip.open(path)
    return path.open("rb")


def _require_text(address: str, shown: str, doing: str) -> None:
    file = _opened(address)
    if file is None:
        return
    with file:
        try:
            head = file.read(16)
        except (OSError, EOFError):
            return  # whoever reads the rows says it
    what = next((kind for magic, kind in _NO_TEXT.items() if head.startswith(magic)), None)
    if what is not None:
        raise UsageError(
            doing,
            f"{shown} is no text: it begins as {what} does",
            hint="give the file the ending of what it is, or unpack it",
        )
    encoding = _BOMS.get(head[:2]) or ("UTF-16" if b"\0" in head else None)
    if encoding is not None:
        raise _other_encoding(doing, f"{shown} is written in {encoding}")


def require_utf8(address: str, shown: str, doing: str) -> None:
    """Say in which line a file stops being UTF-8, and what it seems to be."""
    file = _opened(address)
    if file is None:
        return
    with file:
        for number, line in enumerate(_bounded(file), 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                if error.end == len(line) and len(line) >= _LONG:
                    continue  # a character that goes on in the next piece
                byte = line[error.start]
                raise _other_encoding(
                    doing,
                    f"{shown}, line {number:,} holds the byte 0x{byte:02X}, which is no UTF-8; "
                    "it seems to be Latin-1 or Windows-1252",
                ) from None


_LONG = 1 << 20


def _bounded(file: io.BufferedIOBase) -> Iterator[bytes]:
    while line := file.readline(_LONG):
        yield line


def _line_again(address: str) -> int | None:
    """The line in which the first one of a file is there again."""
    file = _opened(address)
    if file is None:
        return None
    with file:
        lines = _bounded(file)
        header = next(lines, b"").removeprefix(codecs.BOM_UTF8).strip()
        return next((at for at, line in enumerate(lines, 2) if line.strip() == header), None)


def _other_encoding(doing: str, problem: str) -> UsageError:
    return UsageError(doing, problem, hint="write it as UTF-8: iconv -f <encoding> -t UTF-8")


def _line_at(address: str, place: int | None) -> int | None:
    """The line that begins at a byte: DuckDB counts rows, and a quoted cell may have more lines."""
    file = None if place is None else _opened(address)
    if file is None or place is None:
        return None
    lines = 1
    with file:
        left = place
        while left and (piece := file.read(min(left, _LONG))):
            lines += piece.count(b"\n")
            left -= len(piece)
    return lines
