"""Metrics files as values: every leaf kept for what it is, and every defect said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from assent import parsing
from assent.core.evidence import Problem
from assent.core.scalar import NonFinite, Scalar, scalar
from assent.errors import AssentError
from assent.measure import mlflow_runs
from assent.measure.files import declared, nothing, read_small, unreadable
from assent.measure.names import unique
from assent.measure.redaction import redact
from assent.measure.series import best, of_histories
from assent.parsing import ParseError

Value = Scalar | tuple[Scalar, ...]


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """What the metrics files say: single values, series, and what could not be read."""

    metrics: dict[str, Scalar] = {}
    series: dict[str, tuple[Scalar, ...]] = {}
    problems: tuple[Problem, ...] = ()


def read_metrics(
    root: Path, patterns: Sequence[str], is_strange: Callable[[str], bool] = nothing
) -> Metrics:
    """Read JSON, YAML, TOML and CSV files below `root`.

    Nested mappings give dotted names; a list of plain values is a series, and in any other list
    the position is part of the name. Of CSV, two columns
    `metric` (or `name`) and `value` are names and values; otherwise one row gives a value per
    column and several rows a series per column. Of a training log (its first column is `epoch`, or
    it has `epoch` and `step`) `last.<column>` is the last value as well, and of any training's
    series `best.<name>` the best and `best_at.<name>` its epoch or step, where it is known which
    way is better. Of `trainer_state.json` the last figures of its history are read, of a run in
    MLflow's file store the files of its folder `metrics`, and of text (`.txt`) lines such as
    `name: value`, if all others are headings and pictures of Markdown.
    Whatever was declared and could not be read is a problem and never an exception: so are a
    missing file and a name that two files give. What only globs cover and `is_strange`, by its
    name, is left out.
    """
    paths, problems = declared(root, patterns, is_strange)
    given: list[tuple[str, str, Value]] = []
    derived: list[tuple[str, str, Value]] = []
    for source, path in paths.items():
        try:
            values = _read(path)
            for name, value in values:
                if isinstance(value, _Unread):
                    problems.append(Problem(source=source, problem=value.problem))
                elif isinstance(value, _Derived):
                    derived.append((source, name, value.value))
                else:
                    given.append((source, name, value))
            if not values:
                problems.append(Problem(source=source, problem="there is no value in it"))
        except (AssentError, ParseError) as error:
            problems.append(unreadable(source, error))
    named, clashes = unique(given)
    named = {**unique(derived)[0], **named}  # what a file gives by this name counts
    return Metrics(
        metrics={name: value for name, value in named.items() if not isinstance(value, tuple)},
        series={name: value for name, value in named.items() if isinstance(value, tuple)},
        problems=(*problems, *clashes),
    )


class _Unread(msgspec.Struct, frozen=True):
    """A place in a file whose value is no metric."""

    problem: str


class _Derived(msgspec.Struct, frozen=True):
    """A value that no file gives by this name."""

    value: Scalar


def _derived(pairs: Iterable[tuple[str, Scalar]]) -> Iterator[tuple[str, _Derived]]:
    return ((name, _Derived(value)) for name, value in pairs)


_Read = Value | _Unread | _Derived


def _read(path: Path) -> list[tuple[str, _Read]]:
    suffix = PurePosixPath(path.name).suffix.lower()
    of_run = mlflow_runs.metric_name(path)
    if of_run is not None:
        values, steps = mlflow_runs.points(read_small(path))
        derived = best(of_run, values, steps) if len(values) > 1 else ()
        return [(of_run, values[-1]), *_derived(derived)]
    if suffix in (".csv", ".tsv"):
        rows = parsing.parse_csv(read_small(path), "," if suffix == ".csv" else "\t")
        return list(_of_rows(rows))
    if suffix == ".txt":
        return list(of_text(read_small(path)))
    if path.name == TRAINER_STATE:
        return list(of_history(parsing.parse(read_small(path), suffix)))
    if suffix in parsing.SUFFIXES:
        leaves = parsing.flatten(parsing.parse(read_small(path), suffix))
        read = [value for name, leaf in leaves for value in _of_leaf(name, leaf)]
        series = {name: value for name, value in read if isinstance(value, tuple)}
        return [*read, *_derived(of_histories(series))]
    raise ParseError(
        f"{suffix or 'no suffix'}: not a format that metrics are read from; write JSON, YAML, TOML "
        "or CSV"
    )


def _of_leaf(name: str, leaf: Any) -> Iterator[tuple[str, Value | _Unread]]:
    """A leaf as one value, or as several where a list holds more than plain values: the rows of a
    confusion matrix become `confusion.0`, `confusion.1`.
    """
    if not name:
        yield name, _Unread("not a mapping of names to values")
    elif not isinstance(leaf, list | tuple | set):
        yield name, _shown(name, scalar(leaf))
    elif not any(isinstance(item, list | tuple | set | dict) for item in leaf):
        yield name, tuple(_shown(name, scalar(item)) for item in leaf)
    else:
        for index, item in enumerate(leaf):
            for inner, value in parsing.flatten(item, f"{name}.{index}"):
                yield from _of_leaf(inner, value)


def of_text(text: bytes) -> Iterator[tuple[str, Value]]:
    """The figures of a text in which every line, or every part between commas, is `name: value` or
    `name = value`; what Markdown has beside them, headings and pictures, is passed over. Raises
    `ParseError` for any other: a figure in prose could be lost.
    """
    seen: set[str] = set()
    for number, line in enumerate(_text_lines(text), 1):
        if _MARKDOWN.fullmatch(line):
            continue
        for part in filter(None, (piece.strip() for piece in re.split(r"[,;]", line))):
            match = _TEXT_FIGURE.fullmatch(part)
            if match is None:
                raise ParseError(f"{part[:60]!r} is not `name: value`", number)
            if match["name"] in seen:
                raise ParseError(f"the name {match['name']!r} is given twice", number)
            seen.add(match["name"])
            yield match["name"], cell(match["value"])


def _text_lines(text: bytes) -> list[str]:
    try:
        lines = text.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ParseError(f"not UTF-8 text (byte {error.start})") from None
    if len(lines) > _MAX_TEXT_LINES:
        raise ParseError(f"more than {_MAX_TEXT_LINES:,} lines")
    return lines


def of_history(state: Any) -> Iterator[tuple[str, _Read]]:
    """The last figure of each name in the history of a trainer of Hugging Face, and the best and
    its step; steps and epochs say how far it was and are left out.
    """
    history = state.get("log_history") if isinstance(state, dict) else None
    if not isinstance(history, list) or not all(isinstance(entry, dict) for entry in history):
        raise ParseError("there is no `log_history` in it, as a trainer writes it")
    pairs_by_name: dict[str, list[tuple[Any, Any]]] = {}
    for entry in history:
        for name, value in entry.items():
            if name not in ("epoch", "step"):
                pairs_by_name.setdefault(name, []).append((value, entry.get("step")))
    for name, pairs in pairs_by_name.items():
        yield from _of_leaf(name, pairs[-1][0])
        if not any(isinstance(part, list | dict) for pair in pairs for part in pair):
            values, steps = ([scalar(pair[side]) for pair in pairs] for side in (0, 1))
            yield from _derived(best(name, values, steps))


def _of_rows(rows: list[list[str]]) -> Iterator[tuple[str, Value | _Derived]]:
    """The values of CSV by name. Raises `ParseError` for a name that is empty or given twice."""
    seen: set[str] = set()
    for name, value in _pairs(rows):
        if not name:
            raise ParseError("a value or a column without a name")
        if name in seen:
            raise ParseError(f"the name {name!r} is given twice")
        seen.add(name)
        yield name, value


def _pairs(rows: list[list[str]]) -> Iterator[tuple[str, Value | _Derived]]:
    if not rows:
        return
    header = [name.strip() for name in rows[0]]
    if [name.lower() for name in header] in (["metric", "value"], ["name", "value"]):
        for name, text in rows[1:]:
            yield name.strip(), _shown(name, cell(text))
        return
    for name, *texts in zip(header, *rows[1:], strict=True):
        values = tuple(_shown(name, cell(text)) for text in texts)
        if values:
            yield name, values[0] if len(values) == 1 else values
    if _is_log(header):
        yield from _last_of_each(header, rows[1:])


def _is_log(header: list[str]) -> bool:
    """Whether a table is one of a training, a row for each epoch or step: Keras and Lightning."""
    return header[0] == "epoch" or {"epoch", "step"} <= set(header)


def _last_of_each(
    header: list[str], rows: list[list[str]]
) -> Iterator[tuple[str, Value | _Derived]]:
    """The last value of each column, and the best; a row of Lightning holds those of the training
    or those of the validation, so that the others are empty in it.
    """
    at = header.index("epoch")
    for place, name in enumerate(header):
        given = [row for row in rows if row[place].strip()]
        if given and name not in ("epoch", "step"):
            yield f"last.{name}", _shown(name, cell(given[-1][place]))
            values = [cell(row[place]) for row in given]
            yield from _derived(best(name, values, [cell(row[at]) for row in given]))


def cell(text: str) -> Scalar:
    """A cell of CSV as what it looks like: nothing, a boolean, a number or text. `007` is text."""
    text = text.strip()
    lower = text.lower()
    if lower in _WORDS:
        return _WORDS[lower]
    if _INT.fullmatch(text):
        return scalar(int(text)) if len(text) <= _MAX_DIGITS else text
    if _FLOAT.fullmatch(text):
        return scalar(float(text))
    return text


def _shown(name: str, value: Scalar) -> Scalar:
    """Text is redacted; a number is a measurement, whatever its name."""
    return redact(name, value) if isinstance(value, str) else value


TRAINER_STATE = "trainer_state.json"
_MAX_TEXT_LINES = 10_000
_MARKDOWN = re.compile(r"\s*(?:#{1,6}\s[^:=]{0,300}|!\[[^\]]{0,300}\]\([^()]{0,1000}\))\s*")
_TEXT_FIGURE = re.compile(
    r"(?P<name>[A-Za-z][\w@./() -]{0,99}?) *[:=] *"
    r"(?P<value>[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?|nan|[-+]?inf)",
    re.IGNORECASE,
)
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_MAX_DIGITS = 4300  # the bound of `int`
_WORDS: dict[str, Scalar] = {
    "": None,
    "true": True,
    "false": False,
    **{
        f"{sign}{word}": scalar(float(sign + "inf"))
        for sign in ("", "+", "-")
        for word in ("inf", "infinity")
    },
    **{f"{sign}nan": NonFinite("nan") for sign in ("", "+", "-")},
}
