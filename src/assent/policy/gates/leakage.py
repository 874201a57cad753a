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
    found = [one for one in overlaps if {one.first, one.second} == {*between}]
    is_empty = any(rows.get(name) == 0 for name in between)
    if is_empty or not found or not all(_is_possible(one, rows.get(one.second)) for one in found):
        yield failed(
            rule=rule,
            reason="one of the data sets has no rows"
            if is_empty
            else "what the data sets share was not counted",
            remedy="declare both under `data` with files that `evaluate` can read, and run it "
            "again with the extra `data` installed",
        )
        return
    for one in found:
        limit = one.of * fraction(most) if isinstance(most, str) else most
        yield bounded(
            rule,
            one.rows <= limit,
            "no more rows are shared than allowed",
            f"{count(one.rows, 'row is', 'rows are')} in both",
            _shared(one, one.rows, "rows") + _nearly(one),
            _REMEDY,
        )
        if one.keys is not None:
            yield bounded(
                f"{rule}: keys",
                one.keys <= limit,
                "no more keys are shared than allowed",
                f"{count(one.keys, 'key is', 'keys are')} in both",
                _shared(one, one.keys, "keys"),
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
