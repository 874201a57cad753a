"""CSV by a dialect that is stated and checked.

UTF-8, a header, cells in double quotes where they must be (RFC 4180). The delimiter is the one that
the header and the first rows agree on; then it is fixed, with the number of columns, and every line
is held against it. All cells are read as text: what else they are is decided of all of them
(`fits`). A first row that has no names, and rows that hold more cells than columns were found, are
refused until somebody says what is meant (`headers`).
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TextIO

import msgspec
from msgspec import structs

from assent.errors import UsageError
from assent.measure import engine, headers

DELIMITERS = (",", ";", "\t", "|")
FIRST = 200
_SHOWN = 3
_FEW = 20
_SHOWN_CHARACTERS = 40
_HINT = (
    "correct the lines, or write the file with quotes around cells that hold the delimiter, and "
    "two for each quote within"
)
_NAMES_HINT = (
    "write the names of the columns into the first line; in assent.yaml, `header: false` of the "
    "data says that there are none, `header: [a, b]` gives them, and `header: true` says that the "
    "first line has them"
)
_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
"""The first line by which Excel is told the delimiter."""

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
    b"<!DOCTYPE": "a web page",
    b"<!doctype": "a web page",
    b"<html": "a web page",
    b"\x1f\x8b": "gzip",
}


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """How one file is written: what is between two cells, the names of its columns, and the rows
    before those that hold values: empty lines, Excel's word for the delimiter, and the header,
    which may not be there.
    """

    delimiter: str
    header: tuple[str, ...]
    before: int = 1
    has_header: bool = True


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How text is read, where people say so: words that stand for nothing, whatever their case and
    the white space around them; what is before the decimals; whether lines with more or fewer
    cells than the header has are left out; what is between two cells; and whether the first line
    has the names of the columns, or what they are. None: what the file looks like.
    """

    missing: tuple[str, ...] = ()
    decimal: Literal[".", ","] = "."
    skip_ragged: bool = False
    delimiter: str | None = None
    header: bool | tuple[str, ...] | None = None

    def unused(self, format_: str) -> tuple[str, ...]:
        """The settings that say nothing about files of this format."""
        is_said = {
            "missing": bool(self.missing) and format_ not in ("csv", "tsv", "json"),
            "decimal": self.decimal != "." and format_ not in ("csv", "tsv"),
            "skip_ragged": self.skip_ragged and format_ not in ("csv", "tsv"),
            "delimiter": self.delimiter is not None and format_ not in ("csv", "tsv"),
            "header": self.header is not None and format_ not in ("csv", "tsv"),
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


_APART = (
    "store_rejects = true, rejects_table = 'first_errors', rejects_scan = 'first_scans', "
    f"{engine.NO_FOLDERS}"
)


class Lines:
    """The rows of CSV files, and what their lines say against the dialect.

    `sources` are the files as DuckDB has them, with the names that people know them by, `beside` is
    what it is told beside them, which may give `relation` a column more. `notes` are what people
    should know of what was read.
    """

    def __init__(
        self,
        connection: Any,
        sources: Mapping[str, str],
        doing: str,
        delimiter: str | None = None,
        reading: Reading = AS_WRITTEN,
        *,
        beside: str = engine.NO_FOLDERS,
    ) -> None:
        self._beside = beside
        self.connection = connection
        self.sources = dict(sources)
        self.doing = doing
        self.notes: list[str] = []
        for address, shown in self.sources.items():
            _require_text(address, shown, doing)
        self.dialects = {
            address: self._dialect(address, shown, delimiter, reading)
            for address, shown in self.sources.items()
        }
        names = [name for dialect in self.dialects.values() for name in dialect.header]
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
        faults = f"store_rejects = true, {self._beside}"
        groups: dict[Dialect, list[str]] = {}
        for address, dialect in self.dialects.items():
            groups.setdefault(dialect, []).append(address)
        reads = [
            f"SELECT * FROM {_read(dialect, addresses, self._names, faults)}"
            for dialect, addresses in groups.items()
            if dialect.header
        ]
        return f"({' UNION ALL BY NAME '.join(reads)})" if reads else ""

    def require_sound(self, *, skip_ragged: bool = False) -> tuple[int, str]:
        """Refuse files with lines that are not of the dialect. Every such line is counted. With
        `skip_ragged` those that have more or fewer cells than the header are not refused: how many
        were left out, and the first of them.
        """
        try:
            rejects = self.connection.execute(
                "SELECT file_path, line_byte_position, line, error_type, error_message, "
                "count(*) OVER (), bool_and(error_type IN ('TOO MANY COLUMNS', 'MISSING COLUMNS')) "
                "OVER () FROM (SELECT DISTINCT ON (scan_id, file_id, line_byte_position) "
                "* FROM reject_errors) JOIN reject_scans USING (scan_id, file_id) "
                f"ORDER BY scan_id, file_id, line LIMIT {_SHOWN}"
            ).fetchall()
        except engine.load(self.doing).CatalogException:
            return 0, ""  # nothing was rejected, so there is no table of it
        if not rejects:
            return 0, ""
        if any(kind == "INVALID ENCODING" for _, _, _, kind, *_ in rejects):
            for address, shown in self.sources.items():
                require_utf8(address, shown, self.doing)
        total, are_ragged = rejects[0][-2:]
        reasons = "; ".join(self._said(*row[:-2]) for row in rejects)
        more = f"; and {total - len(rejects):,} more" if total > len(rejects) else ""
        lines = "1 line is" if total == 1 else f"{total:,} lines are"
        if skip_ragged and are_ragged:
            return total, reasons + more
        raise UsageError(self.doing, f"{lines} not as the header says: {reasons}{more}", hint=_HINT)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Say of what DuckDB refuses as a whole which line it is, where lines end in two ways."""
        try:
            yield
        except engine.load(self.doing).Error:
            for address, shown in self.sources.items():
                with _unpacked(shown, self.doing):
                    _require_one_ending(address, shown, self.doing)
            raise

    def require_one_header(self, relation: str) -> None:
        """Refuse rows that are the header again: files that were put together as they are. In a
        file of one column such a row may be a value.
        """
        with_names = [dialect for dialect in self.dialects.values() if dialect.has_header]
        for header in {dialect.header for dialect in with_names if len(dialect.header) > 1}:
            is_again = " AND ".join(
                f"{engine.name(self._names[name])} = {engine.text(name)}" for name in header
            )
            query = f"SELECT count(*) FROM {relation} WHERE {is_again}"
            (count,) = self.connection.execute(query).fetchone()
            if count:
                places = (
                    f": {shown}, line {line:,}"
                    for address, shown in self.sources.items()
                    if (line := _line_again(address, self.dialects[address])) is not None
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
            case "LINE SIZE OVER MAXIMUM":
                return f"{at} has more than 2 MB, which only Parquet and JSON Lines may have"
        return f"{at}: {message[:200]}"

    def _dialect(
        self, address: str, shown: str, delimiter: str | None, reading: Reading
    ) -> Dialect:
        lines = self._first_lines(address, shown)
        try:
            chosen = dialect_of(lines, reading, delimiter)
        except UnclearError as error:
            problem = f"{self._of_several(shown)}{error}"
            raise UsageError(self.doing, problem, hint=error.hint) from None
        for place, name in enumerate(chosen.header):
            if name in chosen.header[:place]:
                raise UsageError(
                    self.doing,
                    f"the header of {shown} has the column {name!r} twice",
                    hint="give each column a name of its own",
                )
        self._require_first_row(address, shown, chosen, lines)
        of = self._of_several(shown)
        self.notes += [f"{of}{note}" for note in _notes(lines, chosen, reading)]
        return chosen

    def _of_several(self, shown: str) -> str:
        """Which file it is, where that is not known anyhow."""
        return f"{shown}: " if len(self.sources) > 1 else ""

    def _require_first_row(
        self, address: str, shown: str, dialect: Dialect, lines: Sequence[str]
    ) -> None:
        """Refuse a file whose first row of values DuckDB does not find, and so perhaps none: it is
        told where lines end by the first end there is, within quotes too, and a mark before a quote
        hides it.
        """
        rows = _rows(lines, dialect.delimiter)[dialect.before - _blank(lines) :]
        rows = rows[:-1] if _goes_on(lines) else rows
        width = len(dialect.header)
        written = [list(map(_bare, row[:width])) for row in rows if any(row)]
        if not written and (_goes_on(lines) or not width):
            return
        names = {name: str(place) for place, name in enumerate(dialect.header)}
        query = f"SELECT * FROM {_read(dialect, [address], names, _APART)} LIMIT {_FEW}"
        with self.explained():
            answer = self.connection.execute(query).fetchall()
        read = [[_bare(cell or "") for cell in row] for row in answer if any(row)]
        if read[:1] != written[:1] and not self._has_faults():
            raise UsageError(
                self.doing,
                f"the first row below the header of {shown} cannot be read as it is written",
                hint="write it with one kind of ends of lines, within quotes too, and without a "
                "byte order mark",
            )
        for table in ("first_errors", "first_scans"):
            self.connection.execute(f"DROP TABLE IF EXISTS {table}")

    def _has_faults(self) -> bool:
        """Whether lines were refused: then it is known which."""
        try:
            return self.connection.execute("SELECT 1 FROM first_errors").fetchone() is not None
        except engine.load(self.doing).CatalogException:
            return False

    def _first_lines(self, address: str, shown: str) -> list[str]:
        file = _opened(address)
        if file is not None:
            try:
                with (
                    _unpacked(shown, self.doing),
                    file,
                    io.TextIOWrapper(file, encoding="utf-8") as text,
                ):
                    lines = first_lines(text)
                return [line.removeprefix(_MARK) for line in lines[:1]] + lines[1:]
            except UnicodeError:
                require_utf8(address, shown, self.doing)
                raise
        query = (
            f"SELECT line FROM read_csv({engine.texts([address])}, auto_detect = false, "
            "header = false, delim = '\x02\x03', quote = '', escape = '', strict_mode = false, "
            f"columns = {{line: 'VARCHAR'}}, {engine.NO_FOLDERS}) LIMIT {FIRST}"
        )
        rows = self.connection.execute(query).fetchall()
        return [(row[0] or "").removeprefix(_MARK) for row in rows]


def _read(dialect: Dialect, addresses: Sequence[str], names: Mapping[str, str], faults: str) -> str:
    columns = ", ".join(f"{engine.name(names[name])}: 'VARCHAR'" for name in dialect.header)
    return (
        f"read_csv({engine.texts(addresses)}, auto_detect = false, "
        f"header = {dialect.has_header}, skip = {dialect.before - dialect.has_header}, "
        f"delim = {engine.text(dialect.delimiter)}, quote = '\"', escape = '\"', "
        f"columns = {{{columns}}}, {faults})"
    )


def _blank(lines: Sequence[str]) -> int:
    """The empty lines before the first row."""
    return next((at for at, line in enumerate(lines) if line.strip()), len(lines))


def _bare(cell: str) -> str:
    """A cell without what may be read in several ways: white space."""
    return "".join(cell.split())


class UnclearError(Exception):
    """Why a file is not read as it looks, and what to do."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.hint = hint


def dialect_of(
    lines: Sequence[str], reading: Reading = AS_WRITTEN, delimiter: str | None = None
) -> Dialect:
    """The dialect of a file that begins with `lines`. Raises `UnclearError`."""
    before = _blank(lines)
    separator = _SEPARATOR.fullmatch(lines[before].strip(" ")) if before < len(lines) else None
    rest = lines[before + (separator is not None) :]
    stated = reading.delimiter or (separator and separator[1])
    known = stated or delimiter
    chosen = choose(rest, (known,) if known else DELIMITERS)
    if not chosen.header:
        return chosen
    first, *rows = _rows(rest, chosen.delimiter)
    if stated is None and len(first) == 1:
        _require_one_column(rest, chosen.delimiter, is_by_ending=known is not None)
    before += separator is not None
    if reading.header is None or reading.header is True:
        _require_sound_header(rest, chosen.delimiter)
    if reading.header is None:
        _require_names(first, rows[:-1] if _goes_on(lines) else rows)
    if reading.header is None or reading.header is True:
        return structs.replace(chosen, before=before + 1)
    names = reading.header or tuple(f"column{place}" for place in range(1, len(first) + 1))
    if len(names) != len(first):
        raise UnclearError(
            f"`header` names {len(names):,} columns, and its first row has {len(first):,} cells",
            "name each column once",
        )
    return structs.replace(chosen, header=names, before=before, has_header=False)


def _require_one_column(lines: Sequence[str], delimiter: str, *, is_by_ending: bool) -> None:
    for other, called in headers.SURE.items():
        rows = _rows(lines, other)
        if other == delimiter or not rows:
            continue
        own, *sizes = map(len, rows[:-1] if _goes_on(lines) else rows)
        cells = headers.other_cells(own, sizes)
        if cells and (own == cells or other in DELIMITERS):
            whole = "its header is" if own > 1 else "its first line is one cell, but its rows are"
            hint = (
                "give the file the ending .csv"
                if is_by_ending and other in DELIMITERS
                else "leave out lines before the header, put quotes around text with such signs"
            )
            raise UnclearError(
                f"{whole} {cells:,} cells with {called} between them, and that is not the "
                "delimiter it would be read by",
                f"{hint}, or set `delimiter` of the data in assent.yaml",
            )


def _require_sound_header(lines: Sequence[str], delimiter: str) -> None:
    try:
        next(_reader(lines, delimiter, strict=True))
    except csv.Error:
        problem = "its header has a quote that does not end or stands inside a cell"
        raise UnclearError(problem, _HINT) from None
    except StopIteration:
        return


def _require_names(first: Sequence[str], rows: headers.Rows) -> None:
    values = headers.values_in(first, rows)
    if values:
        shown = ", ".join(repr(value[:_SHOWN_CHARACTERS]) for value in values[:_SHOWN])
        more = ", …" if len(values) > _SHOWN else ""
        raise UnclearError(
            f"its first line has no names of columns, but values as the lines below it: "
            f"{shown}{more}",
            _NAMES_HINT,
        )


def _notes(lines: Sequence[str], dialect: Dialect, reading: Reading) -> Iterator[str]:
    """What a file of one column may be, too."""
    if len(dialect.header) != 1 or reading.delimiter is not None:
        return
    sizes = {
        sign: {len(row) for row in _rows(lines, sign)} for sign in headers.UNSURE if sign != " "
    }
    cells_by_sign = [(sign, of.pop()) for sign, of in sizes.items() if len(of) == 1]
    cells_by_sign.append((" ", headers.by_white_space(lines)))
    for sign, cells in cells_by_sign:
        if cells > 1:
            yield (
                f"it was read as one column; if the {cells:,} parts of each line that "
                f"{headers.UNSURE[sign]} tells apart are cells, write it with commas between them"
            )


def choose(lines: Sequence[str], delimiters: Sequence[str]) -> Dialect:
    """The dialect of a file that begins with `lines`: the delimiter that gives the header several
    columns and the most rows as many, the earlier one of two that are as good.
    """
    best: tuple[tuple[bool, float], Dialect] | None = None
    for delimiter in delimiters:
        rows = _rows(lines, delimiter)
        header = rows[0] if rows else []
        body = rows[1:-1] if _goes_on(lines) else rows[1:]
        share = sum(len(row) == len(header) for row in body) / len(body) if body else 1.0
        dialect = Dialect(delimiter=delimiter, header=_named(header))
        rank = (len(header) > 1, share)
        if best is None or rank > best[0]:
            best = rank, dialect
    assert best is not None
    return best[1]


def first_lines(file: TextIO) -> list[str]:
    """The first lines of a file without their ends; the last one may go on."""
    lines: list[str] = []
    left, has_ended = _MOST_READ, True
    while left > 0 and (not has_ended or len(lines) < FIRST):
        piece = file.readline(min(left, _LONG))
        if not piece:
            break
        if has_ended:
            lines.append("")
        has_ended = piece.endswith(("\n", "\r"))
        lines[-1] += piece.rstrip("\r\n")
        left -= len(piece)
    return lines


def _goes_on(lines: Sequence[str]) -> bool:
    """Whether there may be more lines than these, so that the last row may go on in them."""
    return len(lines) == FIRST or sum(map(len, lines)) >= _MOST_READ - FIRST


def rows_of(file: TextIO, delimiter: str | None, reading: Reading = AS_WRITTEN) -> int | None:
    """The rows of a file without its header; a quoted cell may hold line breaks. None if it is not
    clear how it is to be read.
    """
    try:
        dialect = dialect_of(first_lines(file), reading, delimiter)
        file.seek(0)
        rows = sum(1 for row in csv.reader(file, delimiter=dialect.delimiter) if row)
    except (UnclearError, csv.Error):
        return None
    return max(0, rows - dialect.before)


def _reader(lines: Sequence[str], delimiter: str, *, strict: bool = False) -> Iterator[list[str]]:
    """Rows as DuckDB reads them: a quote may stand behind white space."""
    ended = (f"{line}\n" for line in lines)
    return csv.reader(ended, delimiter=delimiter, skipinitialspace=True, strict=strict)


def _rows(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    return [row for row in _reader(lines, delimiter) if row]


def _named(header: Sequence[str]) -> tuple[str, ...]:
    """The names, where a cell without one is called by its place: the index of pandas is one."""
    return tuple(name.strip() or f"column{place}" for place, name in enumerate(header))


def _opened(address: str) -> gzip.GzipFile | io.BufferedReader | None:
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
    with file, _unpacked(shown, doing):
        head = file.read(16)
    what = next((kind for magic, kind in _NO_TEXT.items() if head.startswith(magic)), None)
    if what is not None:
        raise UsageError(
            doing,
            f"{shown} is no text: it begins as {what} does",
            hint="give the file the ending of what it is, or unpack it",
        )
    encoding = _BOMS.get(head[:2]) or ("UTF-16" if b"\0" in head else None)
    if encoding is not None:
        raise _other_encoding(doing, f"{shown} is written in {encoding}", encoding)


def require_utf8(address: str, shown: str, doing: str) -> None:
    """Say in which line a file stops being UTF-8, and what it seems to be."""
    file = _opened(address)
    if file is None:
        return
    with file, _unpacked(shown, doing):
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
                    "WINDOWS-1252",
                ) from None


def _require_one_ending(address: str, shown: str, doing: str) -> None:
    file = _opened(address)
    if file is None:
        return
    with file:
        first = None
        for number, line in enumerate(_bounded(file), 1):
            if not line.endswith(b"\n"):
                continue
            ending = "CR LF" if line.endswith(b"\r\n") else "LF"
            if first not in (None, ending) or b"\r" in line.removesuffix(b"\r\n"):
                raise UsageError(
                    doing,
                    f"the lines of {shown} do not end alike: line {number:,} ends with {ending}, "
                    f"or holds CR, and the first with {first or ending}",
                    hint="write one ending, as `sed 's/\\r$//'` does",
                )
            first = ending


_LONG = 1 << 20
_MOST_READ = 4 << 20

csv.field_size_limit(max(csv.field_size_limit(), _MOST_READ))
"""A document in a cell is no fault of the file: the module's own limit is 128 kB."""


def _bounded(file: io.BufferedIOBase) -> Iterator[bytes]:
    while line := file.readline(_LONG):
        yield line


def _line_again(address: str, dialect: Dialect) -> int | None:
    """The line in which the first one of a file is there again."""
    file = _opened(address)
    if file is None:
        return None
    with file:
        lines = enumerate(_bounded(file), 1)
        first = itertools.islice(lines, dialect.before)
        header = [line.removeprefix(codecs.BOM_UTF8).strip() for _, line in first][-1:]
        return next((at for at, line in lines if [line.strip()] == header), None)


@contextmanager
def _unpacked(shown: str, doing: str) -> Iterator[None]:
    """Say of a file that cannot be read to where it is wanted that it cannot."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        reason = str(error) or type(error).__name__
        problem = f"{shown} cannot be unpacked: {reason[:200]}"
        raise UsageError(doing, problem, hint="write or fetch the file again") from None


def _other_encoding(doing: str, problem: str, encoding: str) -> UsageError:
    return UsageError(doing, problem, hint=f"write it as UTF-8: iconv -f {encoding} -t UTF-8")


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
