"""Compact predictions as columns in memory. The file comes from a job that nobody trusts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assent.compare.predictions.table import PredictionTable, SliceColumn
from assent.core.evidence import Predictions
from assent.errors import IntegrityError
from assent.measure import engine
from assent.measure.predictions.database import Database, open_database
from assent.measure.predictions.limits import (
    MAX_BYTES,
    MAX_CLASSES,
    MAX_COLUMNS,
    MAX_ROWS,
    MAX_TEXT,
)

_DOING = "reading the predictions of a bundle"
_MAX_UNPACKED = 2 * 1024**3
_NUMBERS = frozenset({"FLOAT", "DOUBLE"})
_SHOWN = frozenset({"VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN"})
_MAX_EXAMPLES = 100
_MAX_SCORES = 50_000_000
"""Rows times columns of scores: a file in which they are all equal has next to no size."""


def load_predictions(content: bytes | Path, meta: Predictions) -> PredictionTable:
    """The predictions in a Parquet file as `read_predictions` writes them.

    `content` and `meta` may both be anything: columns, types, rows, classes and numbers are
    checked, and whatever is not as `meta` says is an `IntegrityError`. Memory is bounded by the
    number of rows, and nothing but this file is read.
    """
    name = "loaded.parquet"
    if isinstance(content, Path):
        size = content.stat().st_size if content.is_file() else -1
    else:
        size = len(content)
    if not 0 <= size <= MAX_BYTES:
        raise IntegrityError(_DOING, f"not a file of at most {MAX_BYTES:,} bytes")
    with open_database(_DOING, content, name) as database:
        try:
            return _load(database, database.place(name), meta)
        except database.errors as error:
            reason = database.explain(error, name)
            raise IntegrityError(_DOING, f"not the Parquet that was declared ({reason})") from None


def _load(database: Database, place: str, meta: Predictions) -> PredictionTable:
    _check_size(database, place, meta)
    database.run(f"CREATE VIEW given AS SELECT * FROM read_parquet({place}, {engine.NO_FOLDERS})")
    types = {str(row[0]): str(row[1]) for row in database.rows("DESCRIBE given")}
    scores = _check_columns(types, meta)
    if len(scores) * meta.rows > _MAX_SCORES:
        raise IntegrityError(_DOING, f"more than {_MAX_SCORES:,} scores")
    _check_values(database, types, meta)
    database.run("CREATE TABLE read AS SELECT * FROM given")
    is_class = bool(meta.classes)
    if is_class:
        database.run("CREATE TABLE names AS SELECT unnest(?::VARCHAR[]) AS name", [meta.classes])
        database.run("CREATE TYPE class AS ENUM (SELECT name FROM names)")
    columns: dict[str, Any] = {}
    ids = "id"
    if database.one(
        "SELECT bool_and(coalesce(TRY_CAST(id AS BIGINT)::VARCHAR = id, false)) FROM read"
    ):
        ids = "id::BIGINT"
    columns["id"] = _column(database, ids)
    for role in ("label", "prediction"):
        if role in types:
            sql = f"enum_code({role}::class)::BIGINT" if is_class else f"{role}::DOUBLE"
            columns[role] = _column(database, sql)
    return PredictionTable(
        task=meta.task,
        ids=columns["id"],
        label=columns["label"],
        prediction=columns.get("prediction"),
        scores=_scores(database, scores),
        classes=meta.classes,
        positive=meta.positive,
        group=_column(database, '(dense_rank() OVER (ORDER BY "group") - 1)::BIGINT')
        if "group" in types
        else None,
        slices={name: _slice(database, engine.name("slice." + name)) for name in meta.slices},
        shown={name: _shown(database, name) for name in meta.shown},
        examples=max(0, min(meta.examples, _MAX_EXAMPLES)),
    )


def _check_size(database: Database, place: str, meta: Predictions) -> None:
    rows = database.one(f"SELECT coalesce(sum(num_rows), 0) FROM parquet_file_metadata({place})")
    if not 0 < rows <= MAX_ROWS or rows != meta.rows:
        raise IntegrityError(
            _DOING, f"{rows:,} rows where {meta.rows:,} are declared, at most {MAX_ROWS:,}"
        )
    unpacked = database.one(
        f"SELECT coalesce(sum(total_uncompressed_size), 0) FROM parquet_metadata({place})"
    )
    if not 0 <= unpacked <= _MAX_UNPACKED:
        raise IntegrityError(_DOING, f"it unpacks to {unpacked:,} bytes")


def _check_columns(types: dict[str, str], meta: Predictions) -> list[str]:
    """The columns of scores. Everything else that is there must be declared, and the other way
    round.
    """
    is_class = meta.task in ("binary", "multiclass")
    if is_class != bool(meta.classes) or len(meta.classes) > MAX_CLASSES:
        raise IntegrityError(_DOING, f"{len(meta.classes)} classes for a {meta.task} task")
    if len(set(meta.classes)) < len(meta.classes) or (
        meta.positive is not None and meta.positive not in meta.classes
    ):
        raise IntegrityError(_DOING, "the declared classes contradict themselves")
    if meta.task == "binary" and len(meta.classes) > 2:
        raise IntegrityError(_DOING, "more than two classes in a binary classification")
    if len(types) > MAX_COLUMNS + MAX_CLASSES:
        raise IntegrityError(_DOING, f"{len(types):,} columns")
    value = frozenset({"VARCHAR"}) if is_class else _NUMBERS
    allowed: dict[str, frozenset[str]] = {"id": frozenset({"VARCHAR"}), "label": value}
    if "prediction" in types:
        allowed["prediction"] = value
    if "group" in types:
        allowed["group"] = frozenset({"INTEGER"})
    scores = ["score"] if "score" in types else []
    if meta.task == "multiclass" or (meta.task == "binary" and meta.positive is None):
        scores = ["score." + name for name in meta.classes if "score." + name in types]
        if scores and len(scores) < len(meta.classes):
            raise IntegrityError(_DOING, "some classes have no scores")
    allowed |= dict.fromkeys(scores, _NUMBERS)
    allowed |= {"slice." + name: frozenset({"VARCHAR"}) for name in meta.slices}
    allowed |= {"shown." + name: _SHOWN for name in meta.shown}
    wrong = sorted(
        name
        for name in types.keys() | allowed.keys()
        if types.get(name) not in allowed.get(name, ()) or "\0" in name
    )
    if wrong:
        raise IntegrityError(_DOING, f"the column {wrong[0]!r} is not as declared")
    needed = {"regression": "prediction", "ranking": "score"}.get(meta.task)
    if needed is not None and needed not in types:
        raise IntegrityError(_DOING, f"a {meta.task} without the column {needed!r}")
    if meta.task == "ranking" and "group" not in types:
        raise IntegrityError(_DOING, "a ranking without the column 'group'")
    if not scores and "prediction" not in types:
        raise IntegrityError(_DOING, "neither scores nor predictions")
    return scores


def _check_values(database: Database, types: dict[str, str], meta: Predictions) -> None:
    """Refuse nulls, numbers that are not finite, long text and ids given twice, before any value
    becomes an object in memory.
    """
    wrong = []
    for name, kind in types.items():
        column = engine.name(name)
        if not name.startswith("shown."):
            wrong.append(f"{column} IS NULL")
            if kind in _NUMBERS:
                wrong.append(f"NOT isfinite({column})")
        if kind == "VARCHAR":
            wrong.append(f"length({column}) > {MAX_TEXT}")
    if database.one(f"SELECT count(*) FROM given WHERE {' OR '.join(wrong)}"):
        raise IntegrityError(_DOING, "values that are missing, too long, or no finite numbers")
    if database.one("SELECT count(DISTINCT id) FROM given") < meta.rows:
        raise IntegrityError(_DOING, "an id is given twice")


def _column(database: Database, sql: str) -> Any:
    # Without the order, a window function would give its values in the order of its window.
    columns = database.run(f"SELECT {sql} AS value FROM read ORDER BY rowid").fetchnumpy()
    return columns["value"]


def _scores(database: Database, columns: list[str]) -> Any:
    import numpy

    if not columns:
        return None
    scores = [_column(database, f"{engine.name(column)}::DOUBLE") for column in columns]
    return scores[0] if columns == ["score"] else numpy.column_stack(scores)


def _slice(database: Database, column: str) -> SliceColumn:
    values = [
        str(row[0]) for row in database.rows(f"SELECT DISTINCT {column} FROM read ORDER BY 1")
    ]
    codes = _column(database, f"(dense_rank() OVER (ORDER BY {column}) - 1)::BIGINT")
    return SliceColumn(values=tuple(values), codes=codes)


def _shown(database: Database, name: str) -> Any:
    column = _column(database, engine.name("shown." + name))
    if not hasattr(column, "mask"):
        return column
    values = column.data.astype(object)  # missing values come as a mask; as objects they are None
    values[column.mask] = None
    return values
