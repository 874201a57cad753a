"""Rows and keys that are in two data sets: the part of the gate on data that looks at a pair."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from assent.core.profile import Overlap
from assent.core.scalar import show
from assent.core.units import count, fraction
from assent.core.verdict import Finding
from assent.policy.gates.findings import bounded, failed
from assent.policy.gates.words import short

_REMEDY = "take the shared rows out of one of the data sets, and evaluate again"


def judge_leakage(
    between: tuple[str, str],
    most: int | str,
    overlaps: Iterable[Overlap],
    rows: Mapping[str, int | None],
) -> Iterator[Finding]:
    """Findings on shared rows, and on shared keys where there is a key. `rows` are those of the
    data sets, where they are known: what was counted of another number of rows, or of none, was
    not counted of this data.
    """
    rule = f"data leakage between {between[0]} and {between[1]} max {show(most)}"
    between_these = [
        overlap for overlap in overlaps if {overlap.first, overlap.second} == {*between}
    ]
    is_empty = any(rows.get(name) == 0 for name in between)
    if (
        is_empty
        or not between_these
        or not all(_is_possible(overlap, rows.get(overlap.second)) for overlap in between_these)
    ):
        yield failed(
            rule=rule,
            reason="one of the data sets has no rows"
            if is_empty
            else "what the data sets share was not counted",
            remedy="declare both under `data` with files that `evaluate` can read, and run it "
            "again with the extra `data` installed",
        )
        return
    for overlap in between_these:
        limit = overlap.of * fraction(most) if isinstance(most, str) else most
        yield bounded(
            rule,
            overlap.rows <= limit,
            "no more rows are shared than allowed",
            f"{count(overlap.rows, 'row is', 'rows are')} in both",
            _shared(overlap, overlap.rows, "rows") + _nearly(overlap),
            _REMEDY,
        )
        if overlap.keys is not None:
            yield bounded(
                f"{rule}: keys",
                overlap.keys <= limit,
                "no more keys are shared than allowed",
                f"{count(overlap.keys, 'key is', 'keys are')} in both",
                _shared(overlap, overlap.keys, "keys"),
                _REMEDY,
            )


def _is_possible(overlap: Overlap, rows: int | None) -> bool:
    shared = (overlap.rows, overlap.keys or 0)
    is_of_data = overlap.of > 0 and rows in (None, overlap.of)
    is_near = overlap.near is None or overlap.rows <= overlap.near <= overlap.of
    return is_of_data and is_near and min(shared) >= 0 and max(shared) <= overlap.of


def _shared(overlap: Overlap, number: int, what: str) -> str:
    return (
        f"{number:,} {what} of {overlap.of:,} rows of `{short(overlap.second)}` are in "
        f"`{short(overlap.first)}`"
    )


def _nearly(overlap: Overlap) -> str:
    """What is said beside the rows that are the same: of no consequence for the gate."""
    if overlap.columns is None and overlap.keys is not None:
        return " (with the same key: an earlier version has counted)"
    more = (overlap.near or 0) - overlap.rows
    if more <= 0:
        return ""
    return f", and {more:,} more but for rounding, white space or case"
