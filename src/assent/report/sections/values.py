"""What changed in parameters, packages and environment."""

from __future__ import annotations

from heapq import nsmallest

from msgspec import UNSET

from assent.core.diff.values import ValueChange, Values
from assent.report import numbers
from assent.report.parts import (
    Row,
    Section,
    Table,
    Words,
    cell,
)
from assent.report.review import ReviewReport
from assent.report.sections import shapes


def values_section(title: str, column: str, values: Values) -> Section:
    """Named values that differ."""
    if not values.changes:
        return Section(title=title, summary=cell(Words(_same(values))))
    return Section(
        title=title,
        summary=cell(Words(_differing(values))),
        tables=(_value_table(title, column, values),),
    )


def environment_section(report: ReviewReport) -> Section:
    """Packages, and where the commands ran."""
    title = "Dependencies and environment"
    packages, environment = report.diff.packages, report.diff.environment
    tables = shapes.filled(
        _value_table("Packages", "Package", packages),
        _value_table("Environment", "Property", environment),
    )
    if not tables:
        both = Values(same=packages.same + environment.same)
        return Section(title=title, summary=cell(Words(_same(both))))
    said = f"packages: {_differing(packages)}; environment: {_differing(environment)}"
    return Section(title=title, summary=cell(Words(said)), tables=tables)


def _same(values: Values) -> str:
    return f"unchanged ({values.same:,})" if values.same else "None are known."


def _differing(values: Values) -> str:
    if not values.changes:
        return "unchanged"
    tally = [0, 0, 0]
    for change in values.changes:
        tally[_presence(change)] += 1
    words = [f"{n:,} {word}" for n, word in zip(tally, _PRESENCE, strict=True) if n]
    return ", ".join([*words, f"{values.same:,} unchanged"] if values.same else words)


_PRESENCE = ("missing", "changed", "new")


def _presence(change: ValueChange) -> int:
    if change.new is UNSET:
        return 0
    return 2 if change.old is UNSET else 1


def _value_table(title: str, column: str, values: Values) -> Table:
    first = nsmallest(shapes.MAX_ROWS, values.changes, key=_presence)
    is_new = all(change.old is UNSET for change in first)
    return shapes.table(
        title,
        (column, "Value" if is_new else "Change"),
        [_value_row(change, is_new) for change in first],
        total=len(values.changes),
        fold=len(values.changes) > 10,
    )


def _value_row(change: ValueChange, is_new: bool) -> Row:
    if is_new:
        return cell(change.name), (shapes.part(numbers.show(change.new)),)
    return cell(change.name), shapes.both(*numbers.show_both(change.old, change.new))
