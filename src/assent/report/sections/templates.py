"""What changed in a model's chat templates, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import unified_diff
from itertools import islice

from assent.core.diff.model import TemplateChange
from assent.report.parts import Row, Table, Text, Words, cell
from assent.report.sections import shapes

MAX_TEMPLATES = 10
MAX_LINES = 500
"""The most lines of a side that are matched with those of the other: it takes time."""
_MAX_ROWS = 200
_MAX_LINE = 1_000
_SIGNS = {"-": "removed", "+": "added", " ": "kept"}


def template_tables(changes: Sequence[TemplateChange], has_baseline: bool) -> Iterator[Table]:
    """One table for each template that differs."""
    for change in changes[:MAX_TEMPLATES]:
        lines = list(_lines(change))
        rows: list[Row] = [
            (cell(Words(word)), (Text(line[:_MAX_LINE]),)) for word, line in lines[:_MAX_ROWS]
        ]
        yield shapes.table(
            _title(change, has_baseline),
            ("Change", "Line"),
            rows,
            total=len(lines),
            fold=not has_baseline or len(lines) > 20,
        )


def _title(change: TemplateChange, has_baseline: bool) -> str:
    what = f"Chat template {change.name} in {change.path}"
    if change.new is None:
        return f"{what}: gone"
    if change.old is None:
        return f"{what}: new" if has_baseline else what
    was = f", was in {change.old_path}" if change.old_path != change.path else ""
    return f"{what}{was}"


def _lines(change: TemplateChange) -> Iterable[tuple[str, str]]:
    """The lines that differ, with what is between them."""
    old = [] if change.old is None else change.old.splitlines()
    new = [] if change.new is None else change.new.splitlines()
    if old == new:  # they end their lines in other ways, or one ends its last line
        return [("changed", "the ends of the lines")]
    start = _shared(old, new)
    end = _shared(old[start:][::-1], new[start:][::-1])
    left, right = old[start : len(old) - end], new[start : len(new) - end]
    if not old or not new or max(len(left), len(right)) > MAX_LINES:
        return [*(("removed", line) for line in left), *(("added", line) for line in right)]
    return [
        (_SIGNS[line[0]], line[1:])
        for line in islice(unified_diff(left, right, n=1, lineterm=""), 2, None)  # names first
        if line[0] in _SIGNS
    ]


def _shared(old: Sequence[str], new: Sequence[str]) -> int:
    """How many lines both begin with."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(old), len(new)))
