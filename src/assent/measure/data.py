"""Data sets as references: what they are called, and the digest of what they hold."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assent.core.digest import Digest, digest_of_value
from assent.core.evidence import DataReference, Problem
from assent.errors import AssentError, UsageError
from assent.measure import dialect, files, pointers
from assent.measure.dialect import AS_WRITTEN, Reading
from assent.measure.hashes import Hashes
from assent.measure.profiles.databases import is_database
from assent.measure.redaction import redact_text

MAX_COUNTED_BYTES = 64 * 1024 * 1024
"""Rows are counted in text files up to this size."""


def read_data(
    root: Path,
    name: str,
    source: str,
    snapshot: str | None = None,
    *,
    count_rows: bool = True,
    hashes: Hashes | None = None,
    reading: Reading = AS_WRITTEN,
) -> tuple[DataReference | None, Problem | None]:
    """The reference to a data set, or the problem with it; never an exception.

    A file, a folder or a glob below `root` is hashed: one file has its own digest, several that
    of their names and digests. An address (`s3://…`), or anything that is not there but has a
    `snapshot`, is kept as it is, without secrets; only the snapshot says which data it was. Rows
    need not be counted where a profile will, nor is a file read whose digest `hashes` knows.
    """
    snapshot = None if snapshot is None else redact_text(snapshot)
    shown = redact_text(source)
    try:
        if (
            "://" in source
            or is_database(source)
            or (snapshot is not None and not _exists(root, source))
        ):
            return DataReference(name=name, source=shown, kind="opaque", snapshot=snapshot), None
        paths = files.expand(root, [source])
        if not paths:
            kind = pointers.why_missing(root, source)
            problem = "no such file" if kind is None else pointers.said(kind)
            return None, Problem(source=shown, problem=f"data {name}: {problem}")
        absent = [*files.missing(root, [source]), *pointers.stand_ins(root, paths)]
        if absent:
            raise pointers.error_of(f"reading data {name}", absent)
        digests = (hashes or Hashes(root)).digests(paths)
        return (
            DataReference(
                name=name,
                source=shown,
                kind=_kind(root, source),
                digest=_digest(digests),
                snapshot=snapshot,
                files=len(paths),
                size_bytes=sum(path.stat().st_size for path in paths),
                rows=_rows(paths, reading) if count_rows else None,
            ),
            None,
        )
    except AssentError as error:
        problem = pointers.whole(error)
        return None, Problem(source=shown, problem=f"data {name}: {problem}")
    except OSError as error:
        return None, Problem(source=shown, problem=f"data {name}: {error.strerror or error}")


def _exists(root: Path, source: str) -> bool:
    try:
        return files.path_below(root, source).exists()
    except (UsageError, OSError):
        return False


def _kind(root: Path, source: str) -> str:
    place = root / source
    if place.is_dir():
        return "folder"
    return "file" if place.exists() else "glob"


def _digest(digests: dict[str, Digest]) -> Digest:
    if len(digests) == 1:
        return next(iter(digests.values()))
    return digest_of_value(sorted([name, digest] for name, digest in digests.items()))


def _rows(paths: Sequence[Path], reading: Reading) -> int | None:
    """The rows of all files together; None unless every one of them can be counted cheaply."""
    total = 0
    for path in paths:
        count = _rows_of(path, reading)
        if count is None:
            return None
        total += count
    return total


def _rows_of(path: Path, reading: Reading) -> int | None:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _parquet_rows(path)
    if path.stat().st_size > MAX_COUNTED_BYTES:
        return None
    match suffix:
        case ".csv":
            return _csv_rows(path, None, reading)
        case ".tsv":
            return _csv_rows(path, "\t", reading)
        case ".jsonl" | ".ndjson":
            with path.open("rb") as file:
                return sum(1 for line in file if line.strip())
        case _:
            return None


def _csv_rows(path: Path, delimiter: str | None, reading: Reading) -> int | None:
    """Rows as profiles read them."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            return dialect.rows_of(file, delimiter, reading)
    except OSError:
        return None


def _parquet_rows(path: Path) -> int | None:
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        return None
    try:
        rows: int = parquet.read_metadata(path).num_rows
    except (ValueError, OSError, RuntimeError):  # a file that only says it is Parquet
        return None
    return rows
