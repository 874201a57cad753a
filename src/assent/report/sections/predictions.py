"""What changed in the predictions: how many, for whom, and which examples most."""

from __future__ import annotations

from assent.core.diff import Diff
from assent.core.diff.metrics import MIN_SLICE_ROWS
from assent.core.diff.predictions import (
    CalibrationBin,
    ClassChange,
    Confusion,
    Example,
    PredictionsDiff,
    SliceChange,
)
from assent.report import numbers
from assent.report.numbers import Effect, count, share
from assent.report.parts import (
    Break,
    Cell,
    Move,
    Number,
    Part,
    Row,
    Section,
    Table,
    Text,
    Words,
    cell,
)
from assent.report.sections import shapes

_TITLE = "Predictions"
_MAX_CONFUSIONS = 20
_CHANCE = 0.05
_EFFECTS = {"better": Effect.BETTER, "worse": Effect.WORSE, "other": Effect.CHANGED}


def predictions_section(diff: Diff) -> Section | None:
    """Flips, slices that got worse, the most changed examples, confusion and calibration. None
    without predictions.
    """
    found = diff.predictions
    if found is None:
        return None
    if found.old_rows is None:
        said = f"{count(found.new_rows, 'row')}; the baseline has none to compare with"
        if diff.baseline is None:
            said = count(found.new_rows, "row")
        return Section(title=_TITLE, summary=cell(Words(said)), notes=_notes(found))
    tables = shapes.filled(
        _flips(found),
        _slices(found),
        _classes(found),
        _examples(found),
        _confusion(found),
        _calibration(found),
    )
    return Section(title=_TITLE, summary=_summary(found), tables=tables, notes=_notes(found))


def what_was_asked(found: PredictionsDiff) -> tuple[str, ...]:
    """What has to be known before any figure is: that the two models were asked other things."""
    if found.old_rows is None:
        return ()
    said = []
    if found.problem is not None:
        said.append(f"Predictions are not compared: {found.problem}.")
    missing = _of_one_model(found)
    if found.is_paired and missing:
        rows = count(missing, "row has", "rows have")
        said.append(f"{rows} predictions of one model only, and are not compared.")
    if found.labels_changed:
        rows = f"{found.labels_changed:,} of {count(found.joined, 'row')}"
        part = share(found.labels_changed / found.joined)
        meaning = (
            "so what depends on labels is not compared"
            if found.has_other_labels
            else "so the intervals hold for either of them"
        )
        said.append(f"The truth itself was changed: {rows} ({part}) have another label, {meaning}.")
    if found.is_regrouped:
        meaning = (
            "so rankings are not compared"
            if found.task == "ranking"
            else "so the intervals hold for either"
        )
        said.append(f"Other rows belong together than in the baseline, {meaning}.")
    return tuple(said)


def _of_one_model(found: PredictionsDiff) -> int:
    """How many rows only one of both has."""
    return (found.old_rows or 0) + found.new_rows - 2 * found.joined


def _summary(found: PredictionsDiff) -> Cell:
    if not found.joined:
        return cell(Words("not compared: no row has predictions of both models"))
    if found.sameness is not None:
        return shapes.unchanged(found.sameness)
    rows = f"Of {count(found.joined, 'row')}"
    if not found.is_paired or found.labels_changed:
        return cell(Words(_of_other_questions(found, rows)))
    if not found.disagreement:
        return cell(Words(f"{rows}, {_scored_otherwise(found)}"))
    if found.flips is not None:
        worse, better = found.flips.worse, found.flips.better
        said = (
            f"{rows}, {worse:,} ({share(found.flips.negative)}) were right and are wrong "
            f"now, {better:,} ({share(found.flips.positive)}) were wrong and are right now"
        )
        return cell(Words(said))
    return cell(Words(f"{rows}, {share(found.disagreement)} are predicted otherwise"))


def _of_other_questions(found: PredictionsDiff, rows: str) -> str:
    """In a line, where some of the rows or labels are others."""
    said = "not compared: only " if not found.is_paired else ""
    said += f"{found.joined:,} rows that both have" if not found.is_paired else rows
    if found.labels_changed:
        said += f", {share(found.labels_changed / found.joined)} have another label"
    if found.disagreement is not None:
        same = "none is" if not found.disagreement else f"{share(found.disagreement)} are"
        said += f", {same} predicted otherwise"
    return said


def _scored_otherwise(found: PredictionsDiff) -> str:
    """Of rows of which none, as far as is known, is predicted otherwise."""
    if found.disagreement is None:
        return "not compared: the two have no predictions of one kind"
    if found.scores_changed is None:
        return "none is predicted otherwise; scores are not compared: one side has none"
    if not found.scores_changed:
        return "none is predicted otherwise"
    scored = share(found.scores_changed / found.joined)
    return f"none is predicted otherwise, {scored} have another score"


def _notes(found: PredictionsDiff) -> tuple[Cell, ...]:
    notes: list[str] = []
    if found.problem is not None:
        notes.append(f"Not compared row by row: {found.problem}.")
    if found.old_rows is not None and found.is_paired:
        missing = _of_one_model(found)
        if missing:
            rows = count(missing, "row has", "rows have")
            notes.append(f"{rows} predictions of one model only, and are left out here.")
    if found.labels_changed:
        rows = count(found.labels_changed, "row has", "rows have")
        notes.append(
            f"{rows} another label than before: the truth itself was changed. Both models are "
            "measured by the labels of the candidate."
        )
    if found.is_regrouped:
        notes.append("Other rows belong together than in the baseline.")
    if found.old_rows is not None and found.slices_judged:
        worse = len({(one.column, one.value) for one in found.slices})
        slices = count(found.slices_judged, "slice")
        said = f"{worse:,} of {slices}" if worse else f"None of {slices}"
        notes.append(f"{said} got worse beyond chance, after correction for looking at all.")
    if found.slices_untested:
        slices = count(found.slices_untested, "slice", "slices")
        notes.append(f"{slices} not judged: nothing says how sure the change is.")
    if found.slices_too_small:
        slices = count(found.slices_too_small, "slice has", "slices have")
        both = "" if found.old_rows is None else " of both models"
        notes.append(f"{slices} fewer than {MIN_SLICE_ROWS} rows{both}: not judged.")
    if found.slices_left_out:
        slices = count(found.slices_left_out, "smaller slice was", "smaller slices were")
        notes.append(f"{slices} not looked at: there are too many.")
    return tuple(cell(Words(note)) for note in notes)


def _flips(found: PredictionsDiff) -> Table:
    flips = found.flips
    rows: list[Row] = []
    if flips is not None and (flips.worse or flips.better):
        rows = [
            (cell(Words(said)), cell(Number(f"{amount:,}")), cell(Number(share(part))))
            for said, amount, part in (
                ("right, and wrong now", flips.worse, flips.negative),
                ("wrong, and right now", flips.better, flips.positive),
                ("right in both", flips.both_right, flips.both_right / flips.rows),
                ("wrong in both", flips.both_wrong, flips.both_wrong / flips.rows),
            )
        ]
        kept = flips.compatibility
        if kept is not None:
            said = "of what was right, still is"
            rows.append(
                (
                    cell(Words(said)),
                    cell(Number(f"{flips.both_right:,}")),
                    cell(Number(share(kept))),
                )
            )
    return shapes.table("Flips", ("Rows that were", "Rows", "Share"), rows, kept=len(rows))


def _slices(found: PredictionsDiff) -> Table:
    return shapes.table(
        "Slices that got worse beyond chance",
        ("Slice", "Metric", "Change"),
        [_slice(one) for one in found.slices[: shapes.MAX_ROWS]],
        total=len(found.slices),
        kept=min(3, len(found.slices)),
    )


def _slice(one: SliceChange) -> Row:
    move = Move(Effect.WORSE, arrow=numbers.arrow(one.change), amount=numbers.signed(one.change))
    rows = Words(f"({count(one.rows, 'row')})")
    chance = Words(f"p = {numbers.number(one.p, 2)}")
    return cell(f"{one.column} = {one.value}", rows), cell(one.metric), (move, chance)


def _classes(found: PredictionsDiff) -> Table:
    """Recall and precision of the classes of which most rows are told otherwise."""
    return shapes.table(
        "Recall and precision by class",
        ("Class", "Recall", "Precision"),
        [_class(one) for one in found.classes],
        total=found.classes_changed,
        fold=True,
    )


def _class(one: ClassChange) -> Row:
    rows = Words(f"({count(one.rows, 'row')})")
    recall = _moved(one.old_recall, one.new_recall)
    if one.p is not None and recall:
        is_by_chance = one.p >= _CHANCE
        words = "may be chance" if is_by_chance else f"p = {numbers.number(one.p, 2)}"
        recall = (*recall, Words(words))
    return cell(one.name, rows), recall, _moved(one.old_precision, one.new_precision)


def _moved(old: float | None, new: float | None) -> Cell:
    """A share before and after, and by how much it changed; of no rows there is none."""
    if old is None or new is None:
        sides = [Words("no rows") if one is None else Words(f"{one:.1%}") for one in (old, new)]
        return sides[0], Words("→"), sides[1]
    if old == new:
        return cell(Number(f"{new:.1%}"))
    return (*shapes.both(*numbers.show_both(old, new)), Words(f"({numbers.signed(new - old)})"))


def _examples(found: PredictionsDiff) -> Table:
    has_shown = any(one.shown for one in found.examples)
    titles = ("Example", "Label", "Prediction", "Change")
    return shapes.table(
        "Most changed examples",
        (*titles, "Known about it") if has_shown else titles,
        [_example(one, has_shown) for one in found.examples],
        fold=True,
    )


def _example(one: Example, has_shown: bool) -> Row:
    prediction = shapes.both(*numbers.show_both(one.old, one.new))
    if one.old == one.new:
        prediction = (shapes.part(numbers.show(one.new)),)
    if one.old_score is not None and one.new_score is not None:
        scores = numbers.show_both(one.old_score, one.new_score)
        prediction = (*prediction, Break(), *shapes.both(*scores))
    change = one.change
    move = Move(
        _EFFECTS[one.effect],
        arrow="" if change is None else numbers.arrow(change),
        amount="" if change is None else numbers.signed(change),
    )
    row = (cell(one.id), (shapes.part(numbers.show(one.label)),), prediction, (move,))
    return (*row, _shown(one)) if has_shown else row


def _shown(one: Example) -> Cell:
    parts: list[Part] = []
    for name, value in one.shown.items():
        if parts:
            parts.append(Break())
        parts += [Text(name), Words(":"), shapes.part(numbers.show(value))]
    return tuple(parts) or (shapes.NOTHING,)


def _confusion(found: PredictionsDiff) -> Table:
    """The cells whose count changed, those that changed most first."""
    old, new = found.old_confusion, found.new_confusion
    cells: list[tuple[int, int, int, int, int]] = []
    if old is not None and new is not None and old.classes == new.classes:
        cells = sorted(
            (-abs(after - before), at_label, at, before, after)
            for at_label, pairs in enumerate(_pairs(old, new))
            for at, (before, after) in enumerate(pairs)
            if before != after
        )
    return shapes.table(
        "Confusion",
        ("Label", "Predicted", "Rows"),
        [
            (
                cell(_class_name(new, label)),
                (_class_name(new, at), *_rightness(new, label, at)),
                shapes.both(*numbers.show_both(before, after)),
            )
            for _, label, at, before, after in cells[:_MAX_CONFUSIONS]
            if new is not None
        ],
        total=len(cells),
        fold=True,
    )


def _is_rest(found: Confusion, at: int) -> bool:
    return bool(found.others) and at == len(found.classes) - 1


def _class_name(found: Confusion, at: int) -> Part:
    """A class; what stands for many is no name of the team's."""
    name = found.classes[at]
    return Words(name) if _is_rest(found, at) else Text(name)


def _rightness(found: Confusion, label: int, predicted: int) -> Cell:
    """Whether a cell is right. Of what stands for many classes nobody can say."""
    if _is_rest(found, label) or _is_rest(found, predicted):
        return (Words("not told apart"),) if label == predicted else ()
    return (Words("right" if label == predicted else "wrong"),)


def _pairs(old: Confusion, new: Confusion) -> list[list[tuple[int, int]]]:
    return [
        list(zip(before, after, strict=True))
        for before, after in zip(old.counts, new.counts, strict=True)
    ]


def _calibration(found: PredictionsDiff) -> Table:
    """Of the rows with scores in a bin, the share that is positive."""
    old = {one.low: one for one in found.old_calibration}
    new = {one.low: one for one in found.new_calibration}
    rows: list[Row] = []
    if old != new:
        rows = [
            (
                cell(Number(f"{low:.0%} to {low + 0.1:.0%}")),
                _observed(old.get(low)),
                _observed(new.get(low)),
            )
            for low in sorted(old.keys() | new.keys())
        ]
    return shapes.table(
        "Calibration",
        ("Score", "Positive before", "Positive now"),
        rows,
        fold=True,
    )


def _observed(one: CalibrationBin | None) -> Cell:
    if one is None:
        return cell(shapes.NOTHING)
    return Number(f"{one.observed:.1%}"), Words(f"of {count(one.rows, 'row')}")
