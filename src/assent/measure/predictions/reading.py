"""The team's file of predictions as compact Parquet: only the declared columns, by id."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import nullcontext
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from assent.compare.predictions.class_names import same_names
from assent.core.digest import Digest
from assent.core.evidence import Predictions, Task
from assent.errors import UsageError
from assent.measure import engine, files, fits
from assent.measure.dialect import Lines
from assent.measure.jsons import Objects
from assent.measure.pointers import require_real, require_there
from assent.measure.predictions.classes import class_meant, infer_task, ordered, positive_of
from assent.measure.predictions.database import Database, open_database
from assent.measure.predictions.limits import (
    MAX_BYTES,
    MAX_CLASSES,
    MAX_COLUMNS,
    MAX_ROWS,
    MAX_TEXT,
)
from assent.measure.predictions.several import LONG_FORM, several_labels
from assent.measure.redaction import redact_text

_PARQUET = frozenset({".parquet", ".pq"})
_LINES = {".csv": None, ".tsv": "\t"}
_OBJECTS = frozenset({".jsonl", ".ndjson"})
_KNOWN = (".csv", ".jsonl", ".ndjson", ".parquet", ".pq", ".tsv")
_WHOLE = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?")
_PLAIN = re.compile(
    r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\([0-9, ]+\)|VARCHAR|BOOLEAN|DATE"
    r"|TIME.*|UUID|ENUM\(.*\)|JSON|\"NULL\"",
    re.DOTALL,
)
_SHOWN = 40
_OF_SEVERAL = f"several labels of one example are read in the long form: {LONG_FORM}"
_MISSING = "leave them out, or give every row a value"


class Declared(Protocol):
    """What the configuration says of the file and its columns (`PredictionsSettings`)."""

    @property
    def path(self) -> str:
        """The file, below the root."""

    @property
    def id(self) -> str:
        """The column that names a row."""

    @property
    def label(self) -> str:
        """The column of the truth."""

    @property
    def prediction(self) -> str | None:
        """The column of the predicted class or number."""

    @property
    def score(self) -> str | Mapping[str, str] | None:
        """The column of scores, or one for each class."""

    @property
    def positive(self) -> str | int | bool | None:
        """The class that the score is the probability of."""

    @property
    def task(self) -> Task | None:
        """The task, where it is stated."""

    @property
    def slices(self) -> tuple[str, ...]:
        """The columns whose values are looked at apart."""

    @property
    def shown(self) -> tuple[str, ...]:
        """The columns that people may see."""

    @property
    def group(self) -> str | None:
        """The column of what belongs together."""

    @property
    def examples(self) -> int:
        """How many examples are shown."""


def read_predictions(root: Path, settings: Declared) -> tuple[Predictions, bytes]:
    """What the declared file holds, and its declared columns as Parquet: sorted by id, groups
    numbered, long text cut; the same rows give the same bytes.

    Reads Parquet, CSV, TSV and JSON Lines below `root`. Every row has an id that no other row has,
    a label, and finite numbers: a row without them is a `UsageError`, because a metric over the
    others would be of other rows. Whole numbers and text are the same id if they read the same.
    The missing value of a slice is a slice of its own.
    """
    doing = f"reading predictions from {redact_text(settings.path)}"
    path = files.path_below(root, settings.path)
    files.require_inside(root, path)
    suffix = path.suffix.lower()
    if suffix not in _KNOWN:
        known = ", ".join(_KNOWN)
        raise UsageError(doing, f"{suffix or 'no suffix'} is not read", hint=f"write {known}")
    if not path.is_file():
        require_there(root, settings.path, doing)
        raise UsageError(doing, "no such file", hint="let `evaluate` write it")
    require_real(root, [path], doing)
    name = "predictions" + suffix
    with open_database(doing, path, name) as database:
        try:
            reading = _Reading(database, settings, doing)
            reading.open(str(database.folder / name), suffix)
            return reading.read()
        except database.errors as error:
            reason = database.explain(error, name)
            raise UsageError(doing, f"it cannot be read ({reason})") from None


class _Reading:
    """One file on its way: the declared columns, checked, then copied."""

    def __init__(self, database: Database, settings: Declared, doing: str) -> None:
        self.database = database
        self.settings = settings
        self.doing = doing
        self.types: dict[str, str] = {}

    def open(self, place: str, suffix: str) -> None:
        """Read the declared columns: text as it is written, and numbers with all their digits."""
        lines = None
        candidates: dict[str, tuple[str, ...]] = {}
        if suffix in _PARQUET:
            source = f"read_parquet({engine.text(place)}, {engine.NO_FOLDERS})"
        elif suffix in _OBJECTS:
            objects = Objects(self.database.connection, [place])
            if not objects.are_objects:
                raise UsageError(self.doing, "its lines are not objects of JSON")
            source, candidates = objects.relation(), objects.candidates
            self._require_rows(objects.columns)
        else:
            shown = PurePosixPath(self.settings.path).name
            connection = self.database.connection
            lines = Lines(connection, {place: shown}, self.doing, _LINES[suffix])
            source = lines.relation()
            self._require_rows(lines.columns)
        self.database.run(f"CREATE VIEW given AS SELECT * FROM {source}")
        self._check_columns()
        declared = list(dict.fromkeys(self._declared()))
        columns = ", ".join(map(engine.name, declared))
        copied = f"CREATE TABLE raw AS SELECT {columns} FROM given LIMIT {MAX_ROWS + 1}"
        with nullcontext() if lines is None else lines.explained():
            self.database.run(copied)
        if lines is not None:
            lines.require_sound()
            if all(name in declared for name in lines.columns):
                lines.require_one_header("raw")
        tried = {name: candidates[name] for name in declared if candidates.get(name)}
        types = fits.fitted(self.database.connection, "raw", tried)
        cast = fits.cast_columns(declared, types)
        self.database.run(f"CREATE TABLE read AS SELECT {cast} FROM raw")
        self.database.run("DROP TABLE raw")
        described = self.database.rows("DESCRIBE read")
        self.types |= {str(row[0]): str(row[1]) for row in described}

    def _require_rows(self, columns: Collection[str]) -> None:
        if not columns:
            raise UsageError(self.doing, "it has no rows")

    def read(self) -> tuple[Predictions, bytes]:
        """The rows, checked, and what is kept of them."""
        settings = self.settings
        rows: int = self.database.one("SELECT count(*) FROM read")
        if rows == 0:
            raise UsageError(self.doing, "it has no rows")
        if rows > MAX_ROWS:
            raise UsageError(
                self.doing,
                f"it has more than {MAX_ROWS:,} rows",
                hint="write the predictions of a sample of the test set",
            )
        self._check_ids(rows)
        task, classes, names = self._task()
        positive = self._positive(task, classes, names)
        content = self._copy(task, classes, names, positive)
        meta = Predictions(
            attachment=Digest("sha256:" + hashlib.sha256(content).hexdigest()),
            task=task,
            rows=rows,
            positive=positive,
            classes=classes,
            slices=settings.slices,
            shown=settings.shown,
            examples=settings.examples,
        )
        return meta, content

    def _declared(self) -> list[str]:
        settings = self.settings
        scores = settings.score
        declared = [settings.id, settings.label, settings.prediction, settings.group]
        declared += [scores] if isinstance(scores, str) else [*(scores or {}).values()]
        declared += [*settings.slices, *settings.shown]
        return [column for column in declared if column is not None]

    def _check_columns(self) -> None:
        described = self.database.rows("DESCRIBE given")
        self.types = {str(row[0]): str(row[1]) for row in described}
        declared = self._declared()
        if len(declared) > MAX_COLUMNS:
            raise UsageError(self.doing, f"more than {MAX_COLUMNS} columns are declared")
        for column in declared:
            if column not in self.types:
                near = difflib.get_close_matches(column, self.types, 1)
                hint = f"did you mean {near[0]!r}?" if near else "name a column of the file"
                raise UsageError(self.doing, f"there is no column {column!r}", hint=hint)
            if not _PLAIN.fullmatch(self.types[column]):
                kind = self.types[column].split("(")[0]
                is_of_classes = column in (self.settings.label, self.settings.prediction)
                raise UsageError(
                    self.doing,
                    f"the column {column!r} holds {kind}, not plain values",
                    hint=_OF_SEVERAL if is_of_classes else None,
                )

    def _check_ids(self, rows: int) -> None:
        name = self.settings.id
        text = self._text(name)
        missing, distinct, longest = self.database.rows(
            f"SELECT count(*) - count({text}), count(DISTINCT {text}), max(length({text})) "
            "FROM read"
        )[0]
        if missing:
            raise UsageError(self.doing, f"{missing:,} rows have no {name!r}", hint=_MISSING)
        if distinct < rows:
            raise UsageError(
                self.doing,
                f"{rows - distinct:,} rows have the {name!r} of another row",
                hint="let `id` name a column that names every row once",
            )
        if longest > MAX_TEXT:
            raise UsageError(self.doing, f"an id is longer than {MAX_TEXT} characters")

    def _task(self) -> tuple[Task, tuple[str, ...], dict[str, str]]:
        """The task, its classes, and the name of each class as it is written."""
        settings = self.settings
        scores = settings.score
        for role, column in (("label", settings.label), ("prediction", settings.prediction)):
            if column is not None and self.types[column] in ("FLOAT", "DOUBLE"):
                self._number(column, role)
        labels = self._values(settings.label)
        predictions = set() if settings.prediction is None else self._values(settings.prediction)
        task = settings.task or infer_task(
            labels=labels,
            predictions=predictions,
            is_label_whole=self._is_whole(settings.label),
            is_prediction_whole=settings.prediction is not None
            and self._is_whole(settings.prediction),
            has_class_scores=isinstance(scores, Mapping),
            has_score=isinstance(scores, str),
            has_group=settings.group is not None,
        )
        self._check_task(task)
        self._require_one_label(labels, predictions)
        if task in ("regression", "ranking"):
            return task, (), {}
        if labels is None or predictions is None:
            raise UsageError(
                self.doing,
                f"more than {MAX_CLASSES:,} classes",
                hint="say `task: regression` if these are numbers",
            )
        named = set(scores) if isinstance(scores, Mapping) else set()
        names = self._names(labels, predictions, named)
        classes = ordered(names.values())
        if task == "binary" and len(classes) > 2:
            raise UsageError(
                self.doing,
                f"{len(classes)} classes in a binary classification ({_examples(classes)})",
                hint="say `task: multiclass`, or correct the column",
            )
        missing = {names[label] for label in labels} - {names[name] for name in named}
        if named and missing:
            raise UsageError(
                self.doing,
                f"the class {min(missing)!r} has no column of scores",
                hint="name one column for each class in `score`",
            )
        return task, classes, names

    def _names(self, labels: set[str], predictions: set[str], named: set[str]) -> dict[str, str]:
        """The name of each class as it is written. `positive` is one of them, or the other one of
        a file that has only one.
        """
        stated = self.settings.positive
        names = same_names(labels, predictions, named)
        if stated is None or class_meant(stated, names) is not None:
            return names
        if len(set(names.values())) < 2:
            return same_names(labels, predictions, named, {_written(stated)})
        raise UsageError(
            self.doing,
            f"`positive` is {_written(stated)!r}, the classes are {_examples(ordered(names))}",
            hint="name one of them, in quotes: YAML reads the bare words yes, no, on and off as "
            "true and false",
        )

    def _require_one_label(self, *columns: set[str] | None) -> None:
        """Refuse several labels in one value, where nobody has said that they are one class."""
        if self.settings.task is not None:
            return
        known = set().union(*(labels or () for labels in columns))
        example = several_labels(known)
        if example is not None:
            raise UsageError(
                self.doing,
                f"a value such as {example[:_SHOWN]!r} is several labels, and metrics of classes "
                "would be of none of them",
                hint=f"{_OF_SEVERAL}; or say `task: multiclass`, and each combination is a class",
            )

    def _check_task(self, task: Task) -> None:
        settings = self.settings
        if task == "regression" and isinstance(settings.score, str):
            column = settings.label
            raise UsageError(
                self.doing,
                f"a score is one of classes, and {column!r} holds numbers ({self._some(column)})",
                hint="leave `score` out, or correct the columns `label` and `prediction`",
            )
        if task == "regression" and settings.prediction is None:
            raise UsageError(self.doing, "a regression needs the column `prediction`")
        if task == "ranking" and (settings.group is None or not isinstance(settings.score, str)):
            raise UsageError(
                self.doing,
                "a ranking needs one column `score`, and the column `group` of its queries",
            )
        if task == "multiclass" and isinstance(settings.score, str):
            raise UsageError(
                self.doing,
                "one column of scores for more than two classes "
                f"({_examples(sorted(self._seen()))})",
                hint="name one column for each class: `score: {cat: p_cat, dog: p_dog}`",
            )
        if task in ("regression", "ranking") and isinstance(settings.score, Mapping):
            raise UsageError(self.doing, f"scores of classes in a {task}")

    def _positive(self, task: Task, classes: tuple[str, ...], names: dict[str, str]) -> str | None:
        if task != "binary":
            return None
        stated = self.settings.positive
        if stated is not None:
            return class_meant(stated, names)
        known = positive_of(classes)
        if known is None and self.settings.score is not None:
            shown = " or ".join(repr(name) for name in classes)
            raise UsageError(
                self.doing,
                "it is not known which class the score is the probability of",
                hint=f"say `positive:` {shown}",
            )
        return known

    def _copy(
        self, task: Task, classes: tuple[str, ...], names: dict[str, str], positive: str | None
    ) -> bytes:
        settings = self.settings
        columns = [f"{self._text(settings.id)} AS id"]
        if classes:
            self.database.run("CREATE TABLE classes (written VARCHAR, name VARCHAR)")
            for written, name in names.items():
                self.database.run("INSERT INTO classes VALUES (?, ?)", [written, name])
        for role, column in (("label", settings.label), ("prediction", settings.prediction)):
            if column is None or (role == "prediction" and task == "ranking"):
                continue
            columns.append(
                f"(SELECT name FROM classes WHERE written = {self._class(column, role)}) AS {role}"
                if classes
                else f"{self._number(column, role)} AS {role}"
            )
        columns += self._score_columns(task, classes, names, positive)
        if settings.group is not None:
            self._require(f"{engine.name(settings.group)} IS NULL", settings.group, "no value")
            group = self._text(settings.group)
            columns.append(f'(dense_rank() OVER (ORDER BY {group}) - 1)::INTEGER AS "group"')
        for sliced in settings.slices:
            text = f"coalesce(left({self._text(sliced)}, {MAX_TEXT}), '(none)')"
            columns.append(f"{text} AS {engine.name('slice.' + sliced)}")
        for shown in settings.shown:
            columns.append(f"{self._shown(shown)} AS {engine.name('shown.' + shown)}")
        self.database.run(f"CREATE TABLE kept AS SELECT {', '.join(columns)} FROM read")
        name = "kept.parquet"
        self.database.run(
            f"COPY (SELECT * FROM kept ORDER BY id) TO {self.database.place(name)} "
            "(FORMAT parquet, COMPRESSION zstd)"
        )
        place = self.database.folder / name
        size = place.stat().st_size
        if size > MAX_BYTES:
            raise UsageError(
                self.doing,
                f"{size:,} bytes of predictions; {MAX_BYTES:,} are kept",
                hint="declare fewer columns, or write the predictions of a sample",
            )
        return place.read_bytes()

    def _score_columns(
        self, task: Task, classes: tuple[str, ...], names: dict[str, str], positive: str | None
    ) -> list[str]:
        scores = self.settings.score
        if scores is None or task == "regression":
            return []
        if isinstance(scores, str):
            return [f"{self._number(scores, 'score')} AS score"]
        by_class = {names[written]: column for written, column in scores.items()}
        if task == "binary" and positive in by_class:
            return [f"{self._number(by_class[str(positive)], 'score')} AS score"]
        return [
            f"{self._number(by_class[name], 'score')} AS {engine.name('score.' + name)}"
            if name in by_class
            else f"0::DOUBLE AS {engine.name('score.' + name)}"
            for name in classes
        ]

    def _values(self, column: str) -> set[str] | None:
        """The values of a column as text; None if there are more than classes."""
        text = self._text(column)
        rows = self.database.rows(
            f"SELECT DISTINCT {text} FROM read WHERE {text} IS NOT NULL LIMIT {MAX_CLASSES + 1}"
        )
        return None if len(rows) > MAX_CLASSES else {str(row[0]) for row in rows}

    def _seen(self) -> set[str]:
        """What label and prediction hold."""
        columns = [self.settings.label, self.settings.prediction]
        return {value for name in columns if name for value in self._values(name) or ()}

    def _class(self, column: str, role: str) -> str:
        text = self._text(column)
        self._require(f"{text} IS NULL", column, f"no {role}")
        self._require(f"length({text}) > {MAX_TEXT}", column, f"a {role} that is too long")
        return text

    def _number(self, column: str, role: str) -> str:
        """The column as a number; a `UsageError` unless every row has a finite one."""
        kind = "FLOAT" if self.types[column] == "FLOAT" else "DOUBLE"
        source = engine.name(column)
        if self.types[column] == "BOOLEAN":
            source = f"{source}::INTEGER"
        number = f"TRY_CAST({source} AS {kind})"
        self._require(f"{number} IS NULL OR NOT isfinite({number})", column, f"no finite {role}")
        return number

    def _require(self, is_wrong: str, column: str, what: str) -> None:
        wrong: int = self.database.one(f"SELECT count(*) FROM read WHERE {is_wrong}")
        if wrong:
            rows = "1 row has" if wrong == 1 else f"{wrong:,} rows have"
            some = self._some(column, is_wrong)
            such = f" ({some})" if some else ""
            raise UsageError(self.doing, f"{rows} {what} in {column!r}{such}", hint=_MISSING)

    def _some(self, column: str, condition: str = "true") -> str:
        """Three values of a column as examples."""
        text = self._text(column)
        rows = self.database.rows(
            f"SELECT DISTINCT left({text}, {_SHOWN}) AS value FROM read "
            f"WHERE {text} IS NOT NULL AND ({condition}) ORDER BY value LIMIT 3"
        )
        return _examples([str(row[0]) for row in rows])

    def _text(self, column: str) -> str:
        """The column as text. Whole numbers in a column of floats are written as integers: a
        library that has read one missing value makes the whole column floats.
        """
        name, kind = engine.name(column), self.types[column]
        if kind not in ("FLOAT", "DOUBLE"):
            return f"CAST({name} AS VARCHAR)"
        whole = f"isfinite({name}) AND {name} = trunc({name}) AND abs({name}) < 9007199254740992"
        return (
            f"(CASE WHEN {whole} THEN CAST(CAST({name} AS BIGINT) AS VARCHAR) "
            f"ELSE CAST({name} AS VARCHAR) END)"
        )

    def _shown(self, column: str) -> str:
        name, kind = engine.name(column), self.types[column]
        if kind == "BOOLEAN":
            return name
        if _WHOLE.fullmatch(kind):
            is_wide = kind in ("HUGEINT", "UHUGEINT", "UBIGINT")
            return f"CAST({name} AS {'DOUBLE' if is_wide else 'BIGINT'})"
        if kind in ("FLOAT", "DOUBLE"):
            return f"CAST({name} AS DOUBLE)"
        return f"left(CAST({name} AS VARCHAR), {MAX_TEXT})"

    def _is_whole(self, column: str) -> bool:
        text = self._text(column)
        is_whole: Any = self.database.one(
            f"SELECT bool_and(regexp_full_match({text}, '[-+]?[0-9]+(\\.0*)?')) FROM read"
        )
        return bool(is_whole)


def _examples(values: Iterable[str]) -> str:
    """Three of the values, as an error shows them."""
    shown = [repr(value[:_SHOWN]) for value in islice(values, 4)]
    return ", ".join(shown[:3]) + (", …" if shown[3:] else "")


def _written(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
