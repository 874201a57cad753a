"""What changed in the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import islice
from math import inf

from msgspec import UNSET

from assent.core.diff.model import (
    FieldChange,
    FileChange,
    ModelDiff,
    PartChange,
    SignatureChange,
    TensorChange,
    WeightChange,
)
from assent.core.diff.values import ValueChange, Values
from assent.core.inspection import Field, Tensor
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
from assent.report.sections.templates import template_tables
from assent.report.sections.values import value_table

MAX_NAMED = 10
"""The most features that a sentence names."""
MAX_WEIGHTS = 20
"""The most tensors whose weights are shown."""

_VERDICTS = {
    "same": State(Mark.PASSED, "same"),
    "compatible": State(Mark.PASSED, "compatible"),
    "breaking": State(Mark.FAILED, "breaking"),
    "unknown": State(Mark.NEUTRAL, "unknown: only one side states what it takes"),
}


def model_section(diff: ModelDiff) -> Section:
    """The served files, and what is inside: first what could harm, then what callers notice."""
    if diff.sameness is not None:
        size = f"{count(diff.files, 'file')}, {numbers.size(diff.new_size_bytes)}"
        dangers = _danger_table(diff)
        return Section(
            title="Model",
            summary=(*shapes.unchanged(diff.sameness, size), *_danger_words(diff)),
            is_unchanged=not dangers.rows,
            tables=shapes.filled(dangers),
        )
    changed = [part for part in diff.parts if part.is_changed]
    has_baseline = diff.old_size_bytes is not None
    tables = shapes.filled(
        _danger_table(diff),
        _import_table(diff, has_baseline),
        _signature_table(diff.signature, has_baseline),
        _file_table(diff),
        _uncompared_table(diff),
        _part_table(changed, has_baseline),
        _values_table("Hyper-parameters and facts", "Setting in the file", changed, "settings"),
        _values_table("Versions in the files", "Version in the file", changed, "versions"),
        _feature_table(changed, has_baseline),
        _tensor_table(changed, has_baseline),
        _weight_table(diff),
        *template_tables(diff.templates, has_baseline),
    )
    return Section(
        title="Model",
        summary=(
            Words(_size(diff)),
            *_parameters(diff),
            *_verdict(diff),
            *_uncompared(diff),
            *_danger_words(diff),
        ),
        tables=tables,
        notes=tuple(_notes(diff)),
    )


def _size(diff: ModelDiff) -> str:
    files = count(diff.files, "file")
    if diff.old_size_bytes is None:
        return f"{files}, {numbers.size(diff.new_size_bytes)}"
    old, new = numbers.sizes(diff.old_size_bytes, diff.new_size_bytes)
    grown = f"{old} → {new}" if old != new else new
    return f"{files}: {_presences(diff)}; {grown}"


def _presences(diff: ModelDiff) -> str:
    """How many files are new, missing or other ones than before."""
    added = sum(change.old_size_bytes is UNSET for change in diff.changes)
    gone = sum(change.new_size_bytes is UNSET for change in diff.changes)
    other = len(diff.changes) - added - gone
    tally = ((other, "differs" if other == 1 else "differ"), (added, "new"), (gone, "missing"))
    return ", ".join(f"{n:,} {word}" for n, word in tally if n)


def _parameters(diff: ModelDiff) -> tuple[Part, ...]:
    old, new = diff.old_parameters, diff.new_parameters
    if new is None:
        return ()
    if old is None or old == new:
        return (Words(f"; {count(new, 'parameter')}"),)
    return (Words(f"; parameters {old:,} → {new:,}"),)


def _verdict(diff: ModelDiff) -> tuple[Part, ...]:
    is_told = diff.signature is not None and diff.signature.verdict != "unknown"
    if diff.signature is None or not is_told or diff.old_size_bytes is None:
        return ()
    return (Words(f"; signature {diff.signature.verdict}"),)


def _uncompared(diff: ModelDiff) -> tuple[Part, ...]:
    left = len(diff.not_compared)
    return (Words(f"; {left:,} not compared"),) if left else ()


def _uncompared_table(diff: ModelDiff) -> Table:
    """What may be the same or not, because nobody looked; together what has one reason."""
    reasons: dict[str, list[str]] = {}
    for skipped in diff.not_compared:
        reasons.setdefault(skipped.reason, []).append(skipped.name)
    rows: list[Row] = [
        (shapes.named(names, MAX_NAMED, "and"), cell(Words(why)))
        for why, names in islice(reasons.items(), shapes.MAX_ROWS)
    ]
    return shapes.table(
        f"Not compared: {len(diff.not_compared):,}",
        ("What", "Why"),
        rows,
        total=len(reasons),
        kept=min(len(rows), 5),
        fold=len(rows) > 10,
    )


def _danger_words(diff: ModelDiff) -> tuple[Part, ...]:
    dangers = sum(len(part.dangers) for part in diff.parts)
    imports = sum(len(part.added_imports) for part in diff.parts)
    words: list[Part] = []
    if imports and diff.old_size_bytes is not None:
        words.append(Words(f"; {count(imports, 'new import')}"))
    if dangers:
        words.append(Words(f"; {count(dangers, 'danger')}"))
    return tuple(words)


def _danger_table(diff: ModelDiff) -> Table:
    """What is a reason to block, whatever was approved before."""
    dangers = [(part.path, danger) for part in diff.parts for danger in part.dangers]
    rows: list[Row] = [
        (
            (State(Mark.WARNED, "danger"),),
            cell(path),
            (Text(danger.what), Break(), Words(danger.detail))
            if danger.detail
            else (Text(danger.what),),
        )
        for path, danger in dangers[: shapes.MAX_ROWS]
    ]
    return shapes.table(
        "Dangers", ("Result", "File", "What"), rows, total=len(dangers), kept=len(rows)
    )


def _import_table(diff: ModelDiff, has_baseline: bool) -> Table:
    """Names that loading would look up: those that no approved model asked for, then others."""
    added = [(part.path, name) for part in diff.parts for name in part.added_imports]
    gone = [(part.path, name) for part in diff.parts for name in part.removed_imports]
    word = "new" if has_baseline else "imports"
    told = (
        (word, import_) for word, imports in ((word, added), ("gone", gone)) for import_ in imports
    )
    rows: list[Row] = [
        (cell(name), cell(path), cell(Words(what)))
        for what, (path, name) in islice(told, shapes.MAX_ROWS)
    ]
    return shapes.table(
        "Imported when the model is loaded",
        ("Import", "File", "Change"),
        rows,
        total=len(added) + len(gone),
        kept=min(len(rows), len(added)) if has_baseline else 0,
        fold=not has_baseline or not added,
    )


def _signature_table(signature: SignatureChange | None, has_baseline: bool) -> Table:
    fields = () if signature is None or not has_baseline else signature.fields
    first = nsmallest(shapes.MAX_ROWS, fields, key=lambda field: not field.is_breaking)
    verdict = _VERDICTS["unknown" if signature is None else signature.verdict].word
    return shapes.table(
        f"Inputs and outputs: {verdict}",
        ("Result", "Input or output", "Change"),
        [_field_row(field) for field in first],
        total=len(fields),
        kept=sum(field.is_breaking for field in first),
        fold=len(fields) > 10,
    )


def _field_row(change: FieldChange) -> Row:
    state = _VERDICTS["breaking" if change.is_breaking else "compatible"]
    return (
        (state,),
        (Words(change.side), Text(change.name)),
        _field_change(change.old, change.new),
    )


def _field_change(old: Field | None, new: Field | None) -> Cell:
    if old is None or new is None:
        known = old or new
        word = "removed" if new is None else "added"
        return (Words(word), *(() if known is None else _described(known)))
    if old == new:
        return (Words("at another place"),)
    return (*_described(old), Words("→"), *_described(new))


def _described(field: Field) -> Cell:
    """The type, the shape and whether it may be left out."""
    text = " ".join(part for part in (field.type, _shape(field.shape)) if part)
    return (
        *((Text(text),) if text else ()),
        *((Words("optional"),) if field.is_optional else ()),
        *((Words("required"),) if not text and not field.is_optional else ()),
    )


def _shape(shape: Sequence[int | None] | None) -> str:
    if shape is None:
        return ""
    return "[" + ", ".join("?" if size is None else str(size) for size in shape[:12]) + "]"


def _file_table(diff: ModelDiff) -> Table:
    return shapes.table(
        "Files that differ",
        ("File", "Size"),
        [_file_row(change) for change in diff.changes[: shapes.MAX_ROWS]],
        total=len(diff.changes),
        fold=len(diff.changes) > 5,
    )


def _file_row(change: FileChange) -> Row:
    old, new = change.old_size_bytes, change.new_size_bytes
    if old is UNSET or new is UNSET:
        word = "new" if old is UNSET else "missing"
        known = [numbers.size(size) for size in (old, new) if size is not UNSET]
        return cell(change.path), (Words(word), *(Number(size) for size in known))
    became = () if change.became is None else (Words(f"now {change.became}"),)
    if not change.has_other_bytes:
        return cell(change.path), (Number(numbers.size(new)), *became)
    if old == new:
        return cell(change.path), (Number(numbers.size(new)), Words("other content"), *became)
    left, right = numbers.sizes(old, new)
    return cell(change.path), (Pair(Number(left), Number(right)), *became)


def _part_table(changed: Sequence[PartChange], has_baseline: bool) -> Table:
    rows = [
        (cell(part.path), inside)
        for part in islice(changed, shapes.MAX_ROWS)
        if (inside := tuple(_inside(part, has_baseline)))
    ]
    return shapes.table(
        "Inside the files",
        ("File", "Change" if has_baseline else "Holds"),
        list(rows),
        total=max(len(rows), len(changed) if len(changed) > shapes.MAX_ROWS else 0),
        fold=len(rows) > 10,
    )


def _inside(part: PartChange, has_baseline: bool) -> Iterator[Part]:
    """Format, sizes and what could not be read, one line each."""
    lines = [line for line in _lines(part, has_baseline) if line]
    for at, line in enumerate(lines):
        if at:
            yield Break()
        yield from line


def _lines(part: PartChange, has_baseline: bool) -> Iterator[Cell]:
    old, new = part.old_format, part.new_format
    if part.problem is not None:
        yield (State(Mark.WARNED, "not read"), Words(part.problem))
    if part.not_read is not None:
        yield (State(Mark.WARNED, "not read"), Words(part.not_read))
    for note in part.notes:
        yield (State(Mark.WARNED, "odd"), Words(note))
    if part.old_path is not None:
        yield (Words("was"), Text(part.old_path))
    if new is None:
        yield (Words("missing"), *(() if old is None else (Text(old),)))
        return
    if old is not None and old != new:
        yield (Words("format"), Text(old), Words("→"), Text(new))
    else:
        yield (*((Words("new"),) if old is None and has_baseline else ()), Text(new))
    counts = _counts("parameters", part.old_parameters, part.new_parameters)
    yield (*counts, *_counted(part)) if counts else ()
    yield _counts("trees", part.old_trees, part.new_trees)
    if part.tensors or part.same_tensors:
        yield (Words(_tensor_words(part)),)
    if part.compression is not None:
        yield (Words("compressed with"), Text(part.compression))
    if part.code:
        yield (Words("code:"), *shapes.named(part.code, MAX_NAMED, "and"))


def _counted(part: PartChange) -> Cell:
    """What the parameters are: whole numbers may be several values packed into one."""
    if part.counted is None or part.new_parameters is None:
        return ()
    whole = f"; {part.integers:,} of them whole numbers" if part.integers else ""
    return (Words(f"({part.counted}{whole})"),)


def _counts(word: str, old: int | None, new: int | None) -> Cell:
    if new is None and old is None:
        return ()
    if old is None or new is None or old == new:
        known = old if new is None else new
        gone = (Words("in the baseline only"),) if new is None else ()
        return (Words(word), Number(f"{known:,}"), *gone)
    return (Words(word), Pair(Number(f"{old:,}"), Number(f"{new:,}")))


def _tensor_words(part: PartChange) -> str:
    tally = [0, 0, 0]
    for change in part.tensors:
        tally[_presence(change)] += 1
    words = [f"{n:,} {word}" for n, word in zip(tally, _PRESENCE, strict=True) if n]
    same = [f"{part.same_tensors:,} of the same type and shape"] if part.same_tensors else []
    return "tensors: " + ", ".join([*words, *same])


_PRESENCE = ("removed", "reshaped or retyped", "added")


def _presence(change: TensorChange) -> int:
    if change.new is None:
        return 0
    return 2 if change.old is None else 1


def _values_table(title: str, column: str, changed: Sequence[PartChange], which: str) -> Table:
    """The values of all files in one table; the file is named where there are several."""
    renamed: list[ValueChange] = []
    total = same = 0
    with_values = [part for part in changed if getattr(part, which).changes]
    for part in with_values:
        values: Values = getattr(part, which)
        total += len(values.changes)
        same += values.same
        for change in islice(values.changes, max(0, shapes.MAX_ROWS - len(renamed))):
            named = change if len(with_values) == 1 else _named(part.path, change)
            renamed.append(named)
    table = value_table(
        title, column, Values(changes=tuple(renamed), same=same), are_versions=which == "versions"
    )
    return Table(
        title=table.title,
        columns=table.columns,
        rows=table.rows,
        total=total,
        is_folded=total > 10 or all(change.old is UNSET for change in renamed),
    )


def _named(path: str, change: ValueChange) -> ValueChange:
    return ValueChange(
        name=f"{path}: {change.name}",
        old=change.old,
        new=change.new,
        move=change.move,
        matters=change.matters,
    )


def _feature_table(changed: Sequence[PartChange], has_baseline: bool) -> Table:
    if not has_baseline:
        changed = ()
    rows: list[Row] = []
    total = 0
    for part in changed:
        for word, names in (("removed", part.removed_features), ("added", part.added_features)):
            total += len(names)
            room = max(0, shapes.MAX_ROWS - len(rows))
            rows += [(cell(name), cell(part.path), (Words(word),)) for name in names[:room]]
        if part.are_features_reordered:
            total += 1
            rows.append((cell(Words("all")), cell(part.path), (Words("in another order"),)))
    return shapes.table(
        "Features", ("Feature", "File", "Change"), rows, total=total, fold=total > 10
    )


def _tensor_table(changed: Sequence[PartChange], has_baseline: bool) -> Table:
    changes = (change for part in changed for change in part.tensors)
    first = nsmallest(shapes.MAX_ROWS, changes, key=_presence)
    total = sum(len(part.tensors) for part in changed)
    return shapes.table(
        f"Tensors: {count(total, 'differs', 'differ') if has_baseline else f'{total:,}'}",
        ("Tensor", "Change" if has_baseline else "Is"),
        [(cell(change.name), _tensor_change(change, has_baseline)) for change in first],
        total=total,
        fold=total > 10 or not has_baseline,
    )


def _tensor_change(change: TensorChange, has_baseline: bool) -> Cell:
    old, new = change.old, change.new
    if old is None or new is None:
        known = old or new
        word = (Words("removed" if new is None else "added"),) if has_baseline else ()
        return (*word, *(() if known is None else (Text(_tensor(known)),)))
    return (Pair(Text(_tensor(old)), Text(_tensor(new))),)


def _tensor(tensor: Tensor) -> str:
    return f"{tensor.dtype} {_shape(tensor.shape)}"


def _weight_table(diff: ModelDiff) -> Table:
    first = nsmallest(MAX_WEIGHTS, diff.weights, key=_how_little)
    moved = sum(_is_moved(change) for change in diff.weights)
    compared = max(diff.weights_compared, moved)
    return shapes.table(
        f"Weights that moved most ({moved:,} of {compared:,} that were compared)",
        ("Tensor", "Distance", "Cosine"),
        [_weight_row(change) for change in first if _is_moved(change)],
        total=moved,
        fold=True,
    )


def _is_moved(change: WeightChange) -> bool:
    return bool(change.nonfinite) or change.distance is None or change.distance > 0


def _how_little(change: WeightChange) -> tuple[bool, float]:
    """What is no number any more comes first, then what moved farthest."""
    return not change.nonfinite, -inf if change.distance is None else -change.distance


def _weight_row(change: WeightChange) -> Row:
    nothing: Cell = (shapes.NOTHING,)
    distance: Cell = nothing
    if change.distance is not None:
        distance = (Number(numbers.share(change.distance)),)
    if change.nonfinite:
        bad = f"{count(change.nonfinite, 'value')} not finite"
        distance = (State(Mark.WARNED, bad), *distance)
    cosine = nothing if change.cosine is None else (Number(numbers.number(change.cosine)),)
    return cell(change.name), distance, cosine


def _notes(diff: ModelDiff) -> Iterable[Cell]:
    """Hints that no rule asks for: features that the model never uses."""
    for part in islice((part for part in diff.parts if part.unused), 5):
        features = count(len(part.unused), "feature")
        is_one = len(part.unused) == 1
        yield (
            Words(f"{features} {'has' if is_one else 'have'} no weight and no split in"),
            Text(part.path),
            Words(":"),
            *shapes.named(part.unused, MAX_NAMED, "and"),
        )
