"""Tables by their header: which column of the predictions is what, and what names a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from assent.setup.file_kinds import TABLE_ENDINGS, ending
from assent.setup.seen import Predictions, Seen, Trace
from assent.setup.tree import Tree
from assent.setup.values import HOLE

_ID = ("id", "row_id", "sample_id", "example_id", "uid", "key", "index", "idx")
_LABEL = (
    *("label", "y", "y_true", "target", "truth", "actual", "true", "expected", "ground_truth"),
    *("true_label", "label_true", "y_test"),
)
_PREDICTION = (
    *("prediction", "pred", "y_pred", "yhat", "y_hat", "predicted", "predictions", "preds"),
    *("pred_label", "predicted_label", "label_pred"),
)
_SCORE = ("score", "proba", "prob", "probability", "p", "y_score", "y_prob", "y_proba")
_MAX_ROWS = 100_000


def predictions_of(tree: Tree, traces: Sequence[Trace]) -> Predictions | None:
    """The file of predictions of which the columns are known: those of the file that is there, or
    those that the script says.
    """
    for trace in traces:
        if HOLE in trace.path or ending(trace.path) not in TABLE_ENDINGS:
            continue
        columns = header(tree, trace.path) or trace.names
        lower = {name.lower(): name for name in columns}
        roles = [_first(lower, names) for names in (_ID, _LABEL, _PREDICTION, _SCORE)]
        identity, label, prediction, score = roles
        if prediction is not None or not _is_binary(tree, trace.path, label):
            score = None  # whose probability it is would have to be said
        if identity is not None and label is not None and (prediction or score):
            return Predictions(
                path=trace.path,
                id=identity,
                label=label,
                prediction=prediction,
                score=score,
                why=trace.why,
            )
    return None


def _is_binary(tree: Tree, path: str, label: str | None) -> bool:
    """Whether the labels of a file that is there are 0 and 1, so that a score is that of 1."""
    rows = _rows(tree, path, _MAX_ROWS)
    if not rows or label not in rows[0]:
        return False
    place = rows[0].index(label)
    return {row[place] for row in rows[1:] if len(row) > place} == {"0", "1"}


def _first(columns: dict[str, str], names: Sequence[str]) -> str | None:
    return next((columns[name] for name in names if name in columns), None)


def header(tree: Tree, path: str) -> tuple[str, ...]:
    """The columns of a CSV file that is there; empty for any other."""
    rows = _rows(tree, path, 1)
    return tuple(rows[0]) if rows else ()


def has_names(tree: Tree, path: str) -> bool:
    """Whether a table names its columns: a first line of numbers does not, and neither does one
    that commas do not part. What is not here, or no text, is believed.
    """
    names = header(tree, path)
    return not names or (len(names) > 1 and not any(map(_is_number, names)))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def key_of(tree: Tree, data: Seen) -> str | None:
    """The column that names a row: one called `id` in which no value is empty or given twice."""
    columns = header(tree, data.value)
    name = _first({column.lower(): column for column in columns}, ("id", "row_id", "sample_id"))
    rows = _rows(tree, data.value, _MAX_ROWS) if name is not None else []
    if name is None or not 1 < len(rows) < _MAX_ROWS:
        return None
    place = columns.index(name)
    values = [row[place] for row in rows[1:] if len(row) == len(columns)]
    is_key = len(values) == len(rows) - 1 and all(values) and len(set(values)) == len(values)
    return name if is_key else None


def _rows(tree: Tree, path: str, most: int) -> list[list[str]]:
    if ending(path) not in (".csv", ".tsv"):
        return []
    text = (tree.read(path) or b"").decode("utf-8-sig", errors="replace")
    delimiter = "\t" if ending(path) == ".tsv" else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) >= most:
                break
    except csv.Error:
        return []
    return rows
