"""What changed in parameters, packages and environment."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import nsmallest

from msgspec import UNSET, UnsetType

from assent.core.diff import Diff
from assent.core.diff.values import ValueChange, Values
from assent.core.scalar import Scalar
from assent.report import numbers
from assent.report.parts import (
    Break,
    Row,
    Section,
    Table,
    Words,
    cell,
)
from assent.report.sections import shapes


def values_section(title: str, column: str, values: Values) -> Section:
    """Named values that differ."""
    if not values.changes and not values.not_compared:
        return _alike(title, values)
    return Section(
        title=title,
        summary=cell(Words(differing(values))),
        tables=shapes.filled(value_table(title, column, values)),
    )


def environment_section(diff: Diff) -> Section:
    """Packages, and where the commands ran."""
    title = "Dependencies and environment"
    packages, environment = diff.packages, diff.environment
    tables = shapes.filled(
        value_table("Packages", "Package", packages, are_versions=True),
        value_table("Environment", "Property", environment),
    )
    if not tables and not packages.not_compared + environment.not_compared:
        both = Values(same=packages.same + environment.same)
        return _alike(title, both)
    parts = (
        f"packages: {differing(packages, are_versions=True)}",
        f"environment: {differing(environment)}",
    )
    if packages.not_compared + environment.not_compared:  # sentences, one a line
        return Section(
            title=title, summary=cell(Words(parts[0]), Break(), Words(parts[1])), tables=tables
        )
    return Section(title=title, summary=cell(Words("; ".join(parts))), tables=tables)


def _alike(title: str, values: Values) -> Section:
    same = values.sameness
    if same is None:
        return Section(title=title, summary=cell(Words("None are known.")))
    return Section(title=title, summary=shapes.unchanged(same), is_unchanged=True)


def differing(values: Values, *, are_versions: bool = False) -> str:
    """How many values differ, and how; of versions in which direction they went; and what was not
    compared, which is never called unchanged.
    """
    if not values.changes and not values.not_compared:
        return "none are known" if values.sameness is None else shapes.UNCHANGED
    tally = dict.fromkeys(_WORDS, 0)
    for change in values.changes:
        tally[_word(change, are_versions)] += 1
    words = [f"{n:,} {word}" for word, n in tally.items() if n]
    words += [f"{values.same:,} {shapes.UNCHANGED}"] if values.same else []
    return "; ".join(filter(None, (", ".join(words), *_not_compared(values))))


def _not_compared(values: Values) -> Iterator[str]:
    """What was not compared, by reason."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for skipped in values.not_compared:
        by_reason.setdefault((skipped.reason, skipped.remedy), []).append(skipped.name)
    for (reason, remedy), names in by_reason.items():
        named = ", ".join(filter(None, names)) or ("the others" if values.changes else "")
        sentence = f"{named} not compared, because {reason}".strip()
        yield f"{sentence} ({remedy})" if remedy else sentence


_WORDS = ("missing", "of another type", "down", "up", "changed", "new")


def _word(change: ValueChange, are_versions: bool) -> str:
    if change.new is UNSET:
        return "missing"
    if change.old is UNSET:
        return "new"
    if change.move == "type":
        return "of another type"
    return change.move if are_versions and change.move else "changed"


def _rank(change: ValueChange) -> tuple[bool, int]:
    """What matters first; then what went, what differs, what came."""
    if change.new is UNSET:
        return not change.matters, 0
    return not change.matters, 2 if change.old is UNSET else 1


def value_table(title: str, column: str, values: Values, *, are_versions: bool = False) -> Table:
    """Values that differ, the important ones first."""
    first = nsmallest(shapes.MAX_ROWS, values.changes, key=_rank)
    is_new = all(change.old is UNSET for change in first)
    return shapes.table(
        title,
        (column, "Value" if is_new else "Change"),
        [_value_row(change, is_new, are_versions) for change in first],
        total=len(values.changes),
        kept=sum(change.matters for change in first),
        fold=len(values.changes) > 10,
    )


def _value_row(change: ValueChange, is_new: bool, are_versions: bool) -> Row:
    if is_new:
        return cell(change.name), (shapes.part(numbers.show(change.new)),)
    if are_versions:  # always text, which needs no quotation marks to be told from a number
        both = shapes.both(numbers.show(change.old), numbers.show(change.new))
    else:
        both = shapes.both(*numbers.show_both(change.old, change.new))
    return cell(change.name), (*both, *_moved(change, are_versions))


def _moved(change: ValueChange, are_versions: bool) -> tuple[Words, ...]:
    if change.move == "type":
        return (Words(f"({_type(change.old)} became {_type(change.new)})"),)
    is_version = are_versions or isinstance(change.old, str)
    if change.move is None or not is_version:
        return ()
    return (Words("▲ up" if change.move == "up" else "▼ down"),)


def _type(value: Scalar | UnsetType) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "text" if isinstance(value, str) else "a number"
