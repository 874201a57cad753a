"""What changed in the model."""

from __future__ import annotations

from msgspec import UNSET

from assent.core.diff.model import FileChange
from assent.report import numbers
from assent.report.numbers import count
from assent.report.parts import (
    Number,
    Pair,
    Row,
    Section,
    Words,
    cell,
)
from assent.report.review import ReviewReport
from assent.report.sections import shapes


def model_section(report: ReviewReport) -> Section:
    """The served files, and what is inside."""
    diff = report.diff.model_files
    if not diff.changes:
        said = f"unchanged ({count(diff.files, 'file')}, {numbers.size(diff.new_size_bytes)})"
        return Section(title="Model", summary=cell(Words(said)))
    files = count(diff.files, "file")
    if diff.old_size_bytes is None:
        said = f"{files}, {numbers.size(diff.new_size_bytes)}"
    else:
        old, new = numbers.sizes(diff.old_size_bytes, diff.new_size_bytes)
        differs = "differs" if len(diff.changes) == 1 else "differ"
        grown = f"{old} → {new}" if old != new else new
        said = f"{files}, {len(diff.changes):,} {differs}; {grown}"
    table = shapes.table(
        "Files that differ",
        ("File", "Size"),
        [_file_row(one) for one in diff.changes[: shapes.MAX_ROWS]],
        total=len(diff.changes),
        fold=len(diff.changes) > 5,
    )
    return Section(title="Model", summary=cell(Words(said)), tables=(table,))


def _file_row(change: FileChange) -> Row:
    old, new = change.old_size_bytes, change.new_size_bytes
    if old is UNSET or new is UNSET:
        word = "new" if old is UNSET else "missing"
        known = [numbers.size(one) for one in (old, new) if one is not UNSET]
        return cell(change.path), (Words(word), *(Number(one) for one in known))
    if old == new:
        return cell(change.path), (Number(numbers.size(new)), Words("other content"))
    left, right = numbers.sizes(old, new)
    return cell(change.path), (Pair(Number(left), Number(right)),)
