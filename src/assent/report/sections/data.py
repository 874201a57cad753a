"""What changed in the data."""

from __future__ import annotations

from assent.core.diff.data import DataChange
from assent.core.evidence import DataReference
from assent.report import numbers
from assent.report.numbers import count
from assent.report.parts import (
    Break,
    Cell,
    Number,
    Part,
    Row,
    Section,
    Words,
    cell,
)
from assent.report.review import ReviewReport
from assent.report.sections import shapes


def data_section(report: ReviewReport) -> Section:
    """Data sets that differ, and those that are the same."""
    data = report.diff.data
    same = shapes.table(
        f"Unchanged: {count(len(data.same), 'data set')}",
        ("Data set", "Source", "Content"),
        [_reference(one) for one in data.same[: shapes.MAX_ROWS]],
        total=len(data.same),
        fold=True,
    )
    if not data.changes:
        said = "unchanged" if data.same else "None was declared."
        return Section(title="Data", summary=cell(Words(said)), tables=shapes.filled(same))
    changes = shapes.table(
        "Data sets that differ",
        ("Data set", "Change"),
        [_data_change(one) for one in data.changes[: shapes.MAX_ROWS]],
        total=len(data.changes),
    )
    summary = f"{count(len(data.changes), 'data set differs', 'data sets differ')}"
    if report.diff.baseline is None:
        summary = count(len(data.changes), "data set")
    return Section(title="Data", summary=cell(Words(summary)), tables=shapes.filled(changes, same))


def _reference(data: DataReference) -> Row:
    return cell(data.name), cell(data.source), _facts(data).get("content", cell(shapes.NOTHING))


def _data_change(change: DataChange) -> Row:
    old = {} if change.old is None else _facts(change.old)
    new = {} if change.new is None else _facts(change.new)
    parts: list[Part] = []
    if change.new is None:
        parts = [Words("missing")]
    elif change.old is None:
        parts = [Words("new")]
    if change.old is not None and change.new is not None:
        old["size"], new["size"] = _data_sizes(change.old, change.new)
    for label in dict.fromkeys((*old, *new)):
        left, right = old.get(label, ()), new.get(label, ())
        if left == right:
            continue
        if parts:
            parts.append(Break())
        arrow = (Words("→"),) if left and right else ()
        parts += [Words(label), *left, *arrow, *right]
    return cell(change.name), tuple(parts)


def _facts(data: DataReference) -> dict[str, Cell]:
    facts: dict[str, Cell] = {}
    if data.rows is not None:
        facts["rows"] = (Number(f"{data.rows:,}"),)
    if data.size_bytes is not None:
        facts["size"] = (Number(numbers.size(data.size_bytes)),)
    if data.files is not None and data.files != 1:
        facts["files"] = (Number(f"{data.files:,}"),)
    content = shapes.digits(data.digest) if data.digest else data.snapshot
    if content:
        facts["content"] = cell(content)
    facts["kind"] = cell(data.kind)
    facts["source"] = cell(data.source)
    return facts


def _data_sizes(old: DataReference, new: DataReference) -> tuple[Cell, Cell]:
    """Both sizes, with as many digits as it takes to tell them apart."""
    if old.size_bytes is None or new.size_bytes is None:
        return _facts(old).get("size", ()), _facts(new).get("size", ())
    left, right = numbers.sizes(old.size_bytes, new.size_bytes)
    return (Number(left),), (Number(right),)
