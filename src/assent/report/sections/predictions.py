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
    predictions = diff.predictions
    if predictions is None:
        return None
    if predictions.old_rows is None:
        rows = f"{count(predictions.new_rows, 'row')}; the baseline has none to compare with"
        if diff.baseline is None:
            rows = count(predictions.new_rows, "row")
        return Section(title=_TITLE, summary=cell(Words(rows)), notes=_notes(predictions))
    tables = shapes.filled(
        _flips(predictions),
        _slices(predictions),
        _classes(predictions),
        _examples(predictions),
        _confusion(predictions),
        _calibration(predictions),
    )
    return Section(
        title=_TITLE,
        summary=_summary(predictions),
        is_unchanged=bool(predictions.joined) and predictions.sameness is not None,
        tables=tables,
        notes=_notes(predictions),
    )


def what_was_asked(predictions: PredictionsDiff) -> tuple[str, ...]:
    """What has to be known before any figure is: that the two models were asked other things."""
    if predictions.old_rows is None:
        return ()
    sentences = []
    if predictions.problem is not None:
        sentences.append(f"Predictions are not compared: {predictions.problem}.")
    missing = _of_one_model(predictions)
    if predictions.is_paired and missing:
        rows = count(missing, "row has", "rows have")
        sentences.append(f"{rows} predictions of one model only, and are not compared.")
    if predictions.labels_changed:
        rows = f"{predictions.labels_changed:,} of {count(predictions.joined, 'row')}"
        part = share(predictions.labels_changed / predictions.joined)
        meaning = (
            "so what depends on labels is not compared"
            if predictions.has_other_labels
            else "so the intervals hold for either of them"
        )
        sentences.append(
            f"The truth itself was changed: {rows} ({part}) have another label, {meaning}."
        )
    if predictions.is_regrouped:
        meaning = (
            "so rankings are not compared"
            if predictions.task == "ranking"
            else "so the intervals hold for either"
        )
        sentences.append(f"Other rows belong together than in the baseline, {meaning}.")
    return tuple(sentences)


def _of_one_model(predictions: PredictionsDiff) -> int:
    """How many rows only one of both has."""
    return (predictions.old_rows or 0) + predictions.new_rows - 2 * predictions.joined


def _summary(predictions: PredictionsDiff) -> Cell:
    if not predictions.joined:
        return cell(Words("not compared: no row has predictions of both models"))
    if predictions.sameness is not None:
        return shapes.unchanged(predictions.sameness)
    rows = f"Of {count(predictions.joined, 'row')}"
    if not predictions.is_paired or predictions.labels_changed:
        return cell(Words(_of_other_questions(predictions, rows)))
    if not predictions.disagreement:
        return cell(Words(f"{rows}, {_scored_otherwise(predictions)}"))
    if predictions.flips is not None:
        worse, better = predictions.flips.worse, predictions.flips.better
        words = (
            f"{rows}, {worse:,} ({share(predictions.flips.negative)}) were right and are wrong "
            f"now, {better:,} ({share(predictions.flips.positive)}) were wrong and are right now"
        )
        return cell(Words(words))
    return cell(Words(f"{rows}, {share(predictions.disagreement)} are predicted otherwise"))


def _of_other_questions(predictions: PredictionsDiff, rows: str) -> str:
    """In a line, where some of the rows or labels are others."""
    words = "not compared: only " if not predictions.is_paired else ""
    words += f"{predictions.joined:,} rows that both have" if not predictions.is_paired else rows
    if predictions.labels_changed:
        words += f", {share(predictions.labels_changed / predictions.joined)} have another label"
    if predictions.disagreement is not None:
        same = (
            "none is" if not predictions.disagreement else f"{share(predictions.disagreement)} are"
        )
        words += f", {same} predicted otherwise"
    return words


def _scored_otherwise(predictions: PredictionsDiff) -> str:
    """Of rows of which none, as far as is known, is predicted otherwise."""
    if predictions.disagreement is None:
        return "not compared: the two have no predictions of one kind"
    if predictions.scores_changed is None:
        return "none is predicted otherwise; scores are not compared: one side has none"
    if not predictions.scores_changed:
        return "none is predicted otherwise"
    scored = share(predictions.scores_changed / predictions.joined)
    return f"none is predicted otherwise, {scored} have another score"


def _notes(predictions: PredictionsDiff) -> tuple[Cell, ...]:
    notes: list[str] = []
    if predictions.problem is not None:
        notes.append(f"Not compared row by row: {predictions.problem}.")
    if predictions.old_rows is not None and predictions.is_paired:
        missing = _of_one_model(predictions)
        if missing:
            rows = count(missing, "row has", "rows have")
            notes.append(f"{rows} predictions of one model only, and are left out here.")
    if predictions.labels_changed:
        rows = count(predictions.labels_changed, "row has", "rows have")
        notes.append(
            f"{rows} another label than before: the truth itself was changed. Both models are "
            "measured by the labels of the candidate."
        )
    if predictions.is_regrouped:
        notes.append("Other rows belong together than in the baseline.")
    if predictions.old_rows is not None and predictions.slices_judged:
        worse = len({(change.column, change.value) for change in predictions.slices})
        slices = count(predictions.slices_judged, "slice")
        amount = f"{worse:,} of {slices}" if worse else f"None of {slices}"
        notes.append(f"{amount} got worse beyond chance, after correction for looking at all.")
    if predictions.slices_untested:
        slices = count(predictions.slices_untested, "slice", "slices")
        notes.append(f"{slices} not judged: nothing says how sure the change is.")
    if predictions.slices_too_small:
        slices = count(predictions.slices_too_small, "slice has", "slices have")
        both = "" if predictions.old_rows is None else " of both models"
        notes.append(f"{slices} fewer than {MIN_SLICE_ROWS} rows{both}: not judged.")
    if predictions.slices_left_out:
        slices = count(predictions.slices_left_out, "smaller slice was", "smaller slices were")
        notes.append(f"{slices} not looked at: there are too many.")
    return tuple(cell(Words(note)) for note in notes)


def _flips(predictions: PredictionsDiff) -> Table:
    flips = predictions.flips
    rows: list[Row] = []
    if flips is not None and (flips.worse or flips.better):
        rows = [
            (cell(Words(what)), cell(Number(f"{amount:,}")), cell(Number(share(part))))
            for what, amount, part in (
                ("right, and wrong now", flips.worse, flips.negative),
                ("wrong, and right now", flips.better, flips.positive),
                ("right in both", flips.both_right, flips.both_right / flips.rows),
                ("wrong in both", flips.both_wrong, flips.both_wrong / flips.rows),
            )
        ]
        kept = flips.compatibility
        if kept is not None:
            what = "of what was right, still is"
            rows.append(
                (
                    cell(Words(what)),
                    cell(Number(f"{flips.both_right:,}")),
                    cell(Number(share(kept))),
                )
            )
    return shapes.table("Flips", ("Rows that were", "Rows", "Share"), rows, kept=len(rows))


def _slices(predictions: PredictionsDiff) -> Table:
    return shapes.table(
        "Slices that got worse beyond chance",
        ("Slice", "Metric", "Change"),
        [_slice(change) for change in predictions.slices[: shapes.MAX_ROWS]],
        total=len(predictions.slices),
        kept=min(3, len(predictions.slices)),
    )


def _slice(change: SliceChange) -> Row:
    move = Move(
        Effect.WORSE, arrow=numbers.arrow(change.change), amount=numbers.signed(change.change)
    )
    rows = Words(f"({count(change.rows, 'row')})")
    chance = Words(f"p = {numbers.number(change.p, 2)}")
    return cell(f"{change.column} = {change.value}", rows), cell(change.metric), (move, chance)


def _classes(predictions: PredictionsDiff) -> Table:
    """Recall and precision of the classes of which most rows are told otherwise."""
    return shapes.table(
        "Recall and precision by class",
        ("Class", "Recall", "Precision"),
        [_class(change) for change in predictions.classes],
        total=predictions.classes_changed,
        fold=True,
    )


def _class(change: ClassChange) -> Row:
    rows = Words(f"({count(change.rows, 'row')})")
    recall = _moved(change.old_recall, change.new_recall)
    if change.p is not None and change.old_recall != change.new_recall:
        is_by_chance = change.p >= _CHANCE
        words = "may be chance" if is_by_chance else f"p = {numbers.number(change.p, 2)}"
        recall = (*recall, Words(words))
    return cell(change.name, rows), recall, _moved(change.old_precision, change.new_precision)


def _moved(old: float | None, new: float | None) -> Cell:
    """A share before and after, and by how much it changed; of no rows there is none."""
    if old is None or new is None:
        sides = [
            Words("no rows") if side is None else shapes.part(numbers.show(side))
            for side in (old, new)
        ]
        return sides[0], Words("→"), sides[1]
    if old == new:
        return (shapes.part(numbers.show(new)),)
    left, right, moved = numbers.level(*numbers.show_both(old, new), new - old)
    return (*shapes.both(left, right), Words(f"({moved})"))


def _examples(predictions: PredictionsDiff) -> Table:
    has_shown = any(example.shown for example in predictions.examples)
    titles = ("Example", "Label", "Prediction", "Change")
    return shapes.table(
        "Most changed examples",
        (*titles, "Known about it") if has_shown else titles,
        [_example(example, has_shown) for example in predictions.examples],
        fold=True,
    )


def _example(example: Example, has_shown: bool) -> Row:
    sides = numbers.show_both(example.old, example.new)
    change = example.change
    amount = "" if change is None else numbers.signed(change)
    has_scores = example.old_score is not None and example.new_score is not None
    if change is not None and not has_scores:
        old, new, amount = numbers.level(*sides, change)
        sides = (old, new)
    prediction: Cell = shapes.both(*sides)
    if example.old == example.new:
        prediction = (shapes.part(numbers.show(example.new)),)
    if example.old_score is not None and example.new_score is not None:
        left, right = numbers.show_both(example.old_score, example.new_score)
        if change is not None:
            left, right, amount = numbers.level(left, right, change)
        prediction = (*prediction, Break(), *shapes.both(left, right))
    arrow = "" if change is None else numbers.arrow(change)
    move = Move(_EFFECTS[example.effect], arrow=arrow, amount=amount)
    row = (cell(example.id), (shapes.part(numbers.show(example.label)),), prediction, (move,))
    return (*row, _shown(example)) if has_shown else row


def _shown(example: Example) -> Cell:
    parts: list[Part] = []
    for name, value in example.shown.items():
        if parts:
            parts.append(Break())
        parts += [Text(name), Words(":"), shapes.part(numbers.show(value))]
    return tuple(parts) or (shapes.NOTHING,)


def _confusion(predictions: PredictionsDiff) -> Table:
    """The cells whose count changed, those that changed most first."""
    old, new = predictions.old_confusion, predictions.new_confusion
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


def _is_rest(confusion: Confusion, at: int) -> bool:
    return bool(confusion.others) and at == len(confusion.classes) - 1


def _class_name(confusion: Confusion, at: int) -> Part:
    """A class; what stands for many is no name of the team's."""
    name = confusion.classes[at]
    return Words(name) if _is_rest(confusion, at) else Text(name)


def _rightness(confusion: Confusion, label: int, predicted: int) -> Cell:
    """Whether a cell is right. Of what stands for many classes nobody can say."""
    if _is_rest(confusion, label) or _is_rest(confusion, predicted):
        return (Words("not told apart"),) if label == predicted else ()
    return (Words("right" if label == predicted else "wrong"),)


def _pairs(old: Confusion, new: Confusion) -> list[list[tuple[int, int]]]:
    return [
        list(zip(before, after, strict=True))
        for before, after in zip(old.counts, new.counts, strict=True)
    ]


def _calibration(predictions: PredictionsDiff) -> Table:
    """Of the rows with scores in a bin, the share that is positive."""
    old = {bin_.low: bin_ for bin_ in predictions.old_calibration}
    new = {bin_.low: bin_ for bin_ in predictions.new_calibration}
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


def _observed(bin_: CalibrationBin | None) -> Cell:
    if bin_ is None:
        return cell(shapes.NOTHING)
    return Number(f"{bin_.observed:.1%}"), Words(f"of {count(bin_.rows, 'row')}")
