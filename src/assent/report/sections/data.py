"""What changed in the data."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import nsmallest
from itertools import islice
from math import isfinite

from assent.compare.columns import importance
from assent.compare.types import is_reordered
from assent.core.diff.data import ColumnChange, DataChange, DataDiff, Drift, FactChange, Share
from assent.core.evidence import DataReference
from assent.core.profile import FREQUENT, ColumnKind, Overlap, RowChanges
from assent.core.units import show_moment
from assent.report import numbers
from assent.report.numbers import count
from assent.report.parts import (
    Break,
    Cell,
    Mark,
    Number,
    Pair,
    Part,
    Row,
    Section,
    State,
    Table,
    Text,
    Words,
    cell,
)
from assent.report.sections import shapes

_BLOCKS = "▁▂▃▄▅▆▇█"
_MOST_DRAWN = 30  # columns whose distribution is drawn in text: the full report draws more
_MOST_KEPT = 10
_MOST_VALUES = 3
_MOST_NAMED = 8
_MOST_NOTES = 5
_NULLS_WORTH_SAYING = 0.001


def data_section(data: DataDiff, *, has_baseline: bool = True) -> Section:
    """Data sets that differ, their columns, what they share, and those that are the same."""
    same = shapes.table(
        f"{shapes.UNCHANGED.capitalize()}: {count(len(data.same), 'data set')}",
        ("Data set", "Source", "Content"),
        [_reference(reference) for reference in data.same[: shapes.MAX_ROWS]],
        total=len(data.same),
        fold=True,
    )
    shared = [overlap for overlap in data.overlaps if _is_shared(overlap)]
    if not data.changes and not shared:
        equal = data.sameness
        words = cell(Words("None was declared.")) if equal is None else shapes.unchanged(equal)
        beside = cell(Words("; " + _nothing_shared(data))) if data.overlaps else ()
        summary = (*words, *beside)
        return Section(
            title="Data",
            summary=summary,
            is_unchanged=equal is not None,
            tables=shapes.filled(same),
        )
    changes = shapes.table(
        "Data sets that differ",
        ("Data set", "Change"),
        [_data_change(change) for change in data.changes[: shapes.MAX_ROWS]],
        total=len(data.changes),
    )
    leaks = shapes.table(
        "Shared between data sets",
        ("Data set", "Is also in", "Rows in both", "Nearly in both", "Keys in both"),
        [_overlap(overlap) for overlap in shared[: shapes.MAX_ROWS]],
        total=len(shared),
        kept=min(len(shared), _MOST_KEPT),
    )
    moved = [change.rows for change in data.changes if change.rows is not None]
    rows = shapes.table(
        "Rows by key",
        ("Data set", "Added", "Removed", "Changed", "Columns that changed most"),
        [_row_changes(row_changes) for row_changes in moved[: shapes.MAX_ROWS]],
        total=len(moved),
    )
    return Section(
        title="Data",
        summary=_summary(data, has_baseline=has_baseline),
        notes=tuple(_notes(data)),
        tables=shapes.filled(changes, *_columns(data), leaks, rows, same),
    )


def _summary(data: DataDiff, *, has_baseline: bool) -> Cell:
    if not has_baseline:
        phrases = [count(len(data.changes), "data set")]
    else:
        phrases = [count(len(data.changes), "data set differs", "data sets differ")]
    columns = [column for change in data.changes for column in change.columns]
    drifted = [column.drift for column in columns if column.drift and column.drift.level]
    if drifted:
        severe = sum(drift.level == "severe" for drift in drifted)
        told = count(len(drifted), "column has drifted", "columns have drifted")
        phrases.append(told + (f" ({severe:,} severely)" if severe else ""))
    if any(column.is_label and column.drift and column.drift.level for column in columns):
        phrases.append("the label has drifted")
    changed = sum(_is_schema(column) for column in columns)
    if changed:
        phrases.append(count(changed, "change of the schema", "changes of the schema"))
    shared = [overlap for overlap in data.overlaps if _is_shared(overlap)]
    if data.overlaps and not shared:
        phrases.append(_nothing_shared(data))
    parts: list[Part] = [Words("; ".join(phrases) + (";" if shared else ""))]
    if shared:
        parts += _most_shared(shared)
    return tuple(parts)


def _is_shared(overlap: Overlap) -> bool:
    return bool(overlap.rows or overlap.keys or overlap.near)


def _most_shared(shared: list[Overlap]) -> Iterator[Part]:
    """The pair that shares most, and how many others there are."""
    most = max(shared, key=lambda overlap: (overlap.rows, overlap.keys or 0, overlap.near or 0))
    amount, what = (most.rows, "row") if most.rows else (most.keys or 0, "key")
    place, too = "in", "too"
    if not amount:
        amount, what, place, too = most.near or 0, "row", "nearly in", ""
    yield Words(f"{count(amount, what)} of")
    yield Text(most.second)
    yield Words(f"{'is' if amount == 1 else 'are'} {place}")
    yield Text(most.first)
    if too:
        yield Words(too)
    if len(shared) > 1:
        yield Words(f"({count(len(shared) - 1, 'other pair shares', 'other pairs share')} rows)")


def _nothing_shared(data: DataDiff) -> str:
    pairs = len(data.overlaps)
    nearly = (
        ", not even nearly" if all(overlap.near is not None for overlap in data.overlaps) else ""
    )
    if pairs == 1:
        return f"no row is in two data sets{nearly}"
    return f"no row is shared{nearly} ({pairs:,} pairs)"


def _notes(data: DataDiff) -> Iterator[Cell]:
    """What a reader must know to read the tables right."""
    for change in data.changes[:_MOST_NOTES]:
        yield from _left_out(change)
    unsure = [change for change in data.changes if change.inconclusive]
    for change in unsure[:_MOST_NOTES]:
        columns = count(change.inconclusive, "column")
        yield cell(
            Words(f"For {columns} of"),
            change.name,
            Words("the rows are too few to tell whether they drifted."),
        )
    drifts = (column.drift for change in data.changes for column in change.columns)
    if any(drift is not None and drift.level and drift.is_approximate for drift in drifts):
        yield cell(
            Words(
                "Where it says about, the candidate was counted in other bins than the baseline; "
                "small changes are then not seen."
            )
        )


def _left_out(change: DataChange) -> Iterator[Cell]:
    """The columns that were not compared, by reason."""
    by_reason: dict[str, list[str]] = {}
    for skipped in change.not_compared:
        by_reason.setdefault(skipped.reason, []).append(skipped.name)
    for reason, names in islice(by_reason.items(), _MOST_NOTES):
        named = shapes.named(names, _MOST_NAMED, "and")
        yield (
            Words("Not compared in"),
            Text(change.name),
            Words(":"),
            *named,
            Words(f"({reason})."),
        )


def _columns(data: DataDiff) -> Iterator[Table]:
    """One table of all columns that differ, the most important first."""
    total = sum(len(change.columns) for change in data.changes)
    has_many = sum(bool(change.columns) for change in data.changes) > 1
    ranked = (
        (importance(column), at, change.name, column)
        for at, change in enumerate(data.changes)
        for column in change.columns
    )
    first = nsmallest(shapes.MAX_ROWS, ranked, key=lambda item: item[:2])
    rows: list[Row] = []
    for at, (_, _, name, column) in enumerate(first):
        told = (_named(column), _told(column), _drawn(column) if at < _MOST_DRAWN else ())
        rows.append((cell(name), *told) if has_many else told)
    urgent = sum(_is_urgent(column) for _, _, _, column in first)
    titles = ("Column", "Change", "Before and now")
    yield shapes.table(
        "Columns that differ",
        ("Data set", *titles) if has_many else titles,
        rows,
        total=total,
        kept=min(urgent, _MOST_KEPT),
    )


def _is_schema(column: ColumnChange) -> bool:
    if column.old is None or column.new is None or column.old_name is not None:
        return True
    old, new = column.old.type, column.new.type
    return old != new and not is_reordered(old, new)


def _is_urgent(column: ColumnChange) -> bool:
    is_severe = column.drift is not None and column.drift.level == "severe"
    return column.is_label or column.new is None or is_severe


def _named(column: ColumnChange) -> Cell:
    parts: list[Part] = [Text(column.name)]
    if column.is_label:
        parts.append(Words("(label)"))
    if column.old_name is not None:
        parts += [Break(), Words("was"), Text(column.old_name)]
    return tuple(parts)


def _told(column: ColumnChange) -> Cell:
    """Everything that changed in a column, one line each."""
    lines = list(_lines(column))
    parts: list[Part] = []
    for line in lines:
        parts += [Break(), *line] if parts else line
    return tuple(parts)


def _lines(column: ColumnChange) -> Iterator[Cell]:
    old, new = column.old, column.new
    if new is None or old is None:
        state = State(Mark.WARNED, "gone") if new is None else State(Mark.NEUTRAL, "new")
        there = old or new
        yield (state, *(() if there is None else (Words("type"), Text(there.type))))
        return
    if column.old_name is not None:
        yield (State(Mark.WARNED, "renamed"), Words("as its content tells"))
    if is_reordered(old.type, new.type):
        yield (Words("the fields are in another order"),)
    elif old.type != new.type:
        yield State(Mark.WARNED, "type"), Pair(Text(old.type), Text(new.type))
    for reason in filter(None, (column.problem, column.not_compared)):
        yield State(Mark.WARNED, "not compared:"), Words(reason)
    told = {fact.fact for fact in column.facts}
    if column.drift is not None and column.drift.level is not None:
        of_lengths = {old.kind, new.kind} <= {"text", "nested"}
        yield _drift(column.drift, is_of_lengths=of_lengths)
        is_number = old.mean is not None and new.mean is not None and old.kind == "number"
        if is_number and old.mean != new.mean and "mean" not in told:
            yield Words("mean"), *shapes.both(*numbers.show_both(old.mean, new.mean))
    yield from (_fact(fact, new.kind) for fact in column.facts)
    has_nulls = abs(old.nulls - new.nulls) >= _NULLS_WORTH_SAYING or (new.nulls and not old.nulls)
    if has_nulls and "nulls" not in told:
        yield Words("nulls"), Pair(Number(_share(old.nulls)), Number(_share(new.nulls)))
    perhaps = (Words("(perhaps by chance)"),) if column.is_by_chance else ()
    if column.added:
        yield (Words("new:"), *_values(column.added), *perhaps)
    if column.vanished:
        yield (Words("vanished:"), *_values(column.vanished))


def _fact(fact: FactChange, kind: ColumnKind) -> Cell:
    """A fact on both sides; of a range also how many rows are outside of the old one."""
    if fact.fact == "values":
        return (State(Mark.WARNED, "other values"), Words("though every count is alike"))
    if fact.fact == "frequent":
        rare = Words(f"less than {_share(FREQUENT)}")
        sides = [rare if side is None else Number(_share(side)) for side in (fact.old, fact.new)]
        return Text(fact.value), Words("makes up"), sides[0], Words("→"), sides[1]
    is_of_range = fact.fact in ("minimum", "maximum")
    is_moment = kind == "time" and (is_of_range or fact.fact == "mean")
    if fact.old is None or fact.new is None or is_moment or fact.is_share:
        show = _share if fact.is_share else show_moment
        shown = [Number("none" if side is None else show(side)) for side in (fact.old, fact.new)]
        both: Cell = (Pair(shown[0], shown[1]),)
    else:
        both = shapes.both(*numbers.show_both(fact.old, fact.new))
    rows = (Words(f"({count(fact.rows, 'row is', 'rows are')} beyond)"),) if fact.rows else ()
    what = f"{fact.fact} length" if is_of_range and kind in ("text", "nested") else fact.fact
    return Words(what), *both, *rows


def _drift(drift: Drift, *, is_of_lengths: bool) -> Cell:
    """How far; of long texts and of lists only the lengths are known."""
    mark = Mark.NEUTRAL if drift.level == "slight" else Mark.WARNED
    sizes = [f"PSI {drift.psi:.2g}"]
    if drift.ks is not None:
        sizes.append(f"KS {drift.ks:.2g}")
    if drift.shift is not None:
        sizes.append(f"moved by {drift.shift:.2g} deviations")
    about = "about " if drift.is_approximate else ""
    of_lengths = "of the lengths, " if is_of_lengths else ""
    return State(mark, f"{drift.level} drift"), Words(of_lengths + about + ", ".join(sizes))


def _values(values: tuple[tuple[str, int], ...]) -> Iterator[Part]:
    for value, rows in values[:_MOST_VALUES]:
        yield Text(value)
        yield Words(f"({count(rows, 'row')})")
    if len(values) > _MOST_VALUES:
        yield Words(f"and {count(len(values) - _MOST_VALUES, 'other')}")


def _drawn(column: ColumnChange) -> Cell:
    """The shares: of numbers as two rows of blocks, of categories those that moved most."""
    if column.new is None or not column.shares:
        return ()
    if column.new.kind == "category" or column.new.kind == "boolean":
        parts: list[Part] = []
        for share in sorted(column.shares, key=_by_move)[:_MOST_VALUES]:
            line = Text(share.label), Pair(Number(_share(share.old)), Number(_share(share.new)))
            parts += [Break(), *line] if parts else line
        return tuple(parts)
    top = max(max(share.old, share.new) for share in column.shares) or 1.0
    rows = ("".join(_block(bin_.old / top) for bin_ in column.shares),
            "".join(_block(bin_.new / top) for bin_ in column.shares))  # fmt: skip
    return Text(rows[0]), Break(), Text(rows[1])


def _by_move(share: Share) -> tuple[float, str]:
    return -abs(share.new - share.old), share.label


def _block(height: float) -> str:
    if not isfinite(height):
        return " "
    return _BLOCKS[min(len(_BLOCKS) - 1, int(height * len(_BLOCKS)))]


def _share(share: float) -> str:
    """A share as a percentage: never 0% unless it is none."""
    percent = share * 100
    if 0 < percent < 0.1:
        return f"{percent:.1g}%"
    return f"{percent:.1f}%" if percent % 1 else f"{percent:.0f}%"


def _overlap(overlap: Overlap) -> Row:
    rows: list[Part] = [Number(f"{overlap.rows:,} of {overlap.of:,}")]
    if overlap.columns is not None:
        rows.append(Words(f"by {count(overlap.columns, 'column')}"))
    near, keys = (
        cell(shapes.NOTHING if amount is None else Number(f"{amount:,}"))
        for amount in (overlap.near, overlap.keys)
    )
    return cell(overlap.second), cell(overlap.first), tuple(rows), near, keys


def _row_changes(rows: RowChanges) -> Row:
    parts: list[Part] = []
    for name, amount in rows.columns[:_MOST_VALUES]:
        parts += [Text(name), Words(f"({count(amount, 'row')})")]
    if len(rows.columns) > _MOST_VALUES:
        parts.append(Words(f"and {count(len(rows.columns) - _MOST_VALUES, 'other')}"))
    if rows.repeated_keys:
        told = count(rows.repeated_keys, "row has a key that is", "rows have a key that is")
        parts += [*([Break()] if parts else []), Words(f"{told} not unique")]
    return (
        cell(rows.data),
        cell(Number(f"{rows.added:,}")),
        cell(Number(f"{rows.removed:,}")),
        cell(Number(f"{rows.changed:,}")),
        tuple(parts) or cell(shapes.NOTHING),
    )


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
    repeated = (
        (old, change.old_duplicates, change.old_near_duplicates),
        (new, change.new_duplicates, change.new_near_duplicates),
    )
    if any(exact or near for _, exact, near in repeated):
        for facts, exact, near in repeated:
            if exact is not None or change.is_profiled:
                facts["repeated rows"] = _repeated(exact, near)
    both = [(label, old.get(label, ()), new.get(label, ())) for label in {**old, **new}]
    told = [(label, left, right) for label, left, right in both if left != right]
    if change.old_ragged or change.new_ragged:
        before, after = Number(f"{change.old_ragged:,}"), Number(f"{change.new_ragged:,}")
        told.append(("lines left out", cell(before), cell(after)))
    for label, left, right in told:
        if parts:
            parts.append(Break())
        arrow = (Words("→"),) if left and right else ()
        parts += [Words(label), *left, *arrow, *right]
    if change.old is not None and change.new is not None and change.is_profiled:
        parts += [*([Break()] if parts else []), Words(_differing(change))]
    return cell(change.name), tuple(parts)


def _repeated(exact: int | None, near: int | None) -> Cell:
    if exact is None:
        return (Words("not counted"),)
    if near is None or near <= exact:
        return (Number(f"{exact:,}"),)
    return Number(f"{exact:,}"), Words(f"({near:,} nearly)")


def _differing(change: DataChange) -> str:
    """How many columns differ, and what is known of the others: those that are close, of which
    only counts are known, or that were not compared, are not called the same. Nor are rows.
    """
    changed, close, left = len(change.columns), change.close_columns, len(change.not_compared)
    total = changed + close + change.same_columns + change.alike_columns + left
    counts = (
        (changed, "differs", "differ"),
        (close, *2 * ("by no more than chance, or little",)),
        (change.same_columns, "holds the same values", "hold the same values"),
        (change.alike_columns, "is alike in every count", "are alike in every count"),
        (left, "was not compared", "were not compared"),
    )
    amounts = [f"{n:,} {single if n == 1 else many}" for n, single, many in counts if n]
    if not amounts:
        return "no columns"
    of_rows = _OF_ROWS if _is_column_by_column(change, total) else ""
    return f"of {count(total, 'column')}: {', '.join(amounts)}{of_rows}"


_OF_ROWS = "; which values stand in one row was not compared"


def _is_column_by_column(change: DataChange, total: int) -> bool:
    """Whether all columns are the same or alike, which labels that went to other rows are too."""
    is_apart = change.same_columns + change.alike_columns == total > 1
    return is_apart and change.rows is None


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
