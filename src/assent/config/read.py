"""Read `assent.yaml`: strictly, with the line and the nearest valid name in every error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

import msgspec

from assent.config.allowed import allowed
from assent.config.evidence import unanswerable
from assent.config.settings import (
    MAX_NAME,
    NAME,
    Config,
    DataSettings,
    ModelSettings,
    PersonSettings,
    TopFields,
)
from assent.core.buckets import FORM, bucket_of
from assent.core.ledgers import is_in_git
from assent.core.nearest import meant
from assent.core.registries import MAX_TAG, SCHEME, too_long_for_tags
from assent.errors import UsageError
from assent.parsing import ParseError, parse_yaml_with_lines
from assent.policy.gates import GATES, Gate
from assent.policy.rules import (
    ApprovalRule,
    OverrideRule,
    Policy,
    PolicyFields,
    RollbackRule,
    StageRule,
)

T = TypeVar("T")
Path = tuple[str | int, ...]

_PATH = re.compile(r"^(?P<problem>.*) - at `(?:key in )?\$(?P<path>[^`]*)`$", re.DOTALL)
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]*)`")
_INVALID = re.compile(r"""^Invalid enum value ["']?(?P<value>.*?)["']?$""", re.DOTALL)
_MISSING = re.compile(r"missing required field `(?P<name>[^`]*)`")
_TYPES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


MAX_BYTES = 1024 * 1024
"""No file that a person writes is larger."""


def read_config(text: bytes, file: str) -> Config:
    """The configuration in `text`. `file` is the name that errors show.

    Raises `UsageError` with file, line, path and the nearest valid name.
    """
    return _Reader(text, file).config()


class _Reader:
    """One file being read: its values, and the line of each."""

    def __init__(self, text: bytes, file: str) -> None:
        self._file = file
        if len(text) > MAX_BYTES:  # it may be of a change that nobody has seen
            problem = f"it is larger than {MAX_BYTES:,} bytes"
            raise UsageError(f"reading {file}", problem, hint=_DOCS)
        try:
            self._value, self._lines = parse_yaml_with_lines(text)
        except ParseError as error:
            where = file if error.line is None else f"{file}, line {error.line}"
            raise UsageError(f"reading {where}", error.problem, hint=_DOCS) from None

    def config(self) -> Config:
        top = self._mapping(self._value, ())
        for name, value in self._mapping(top.get("models", {}), ("models",)).items():
            self._check_name(name, ("models", name), "a model")
            self._mapping(value, ("models", name))
        fields = self._convert({**top, "people": {}}, TopFields, ())
        if not is_in_git(fields.ledger) and bucket_of(fields.ledger) is None:
            self._fail(("ledger",), f"it is no address of a bucket: write it as {FORM}")
        people = self._mapping(top.get("people", {}), ("people",))
        models: dict[str, ModelSettings] = {}
        policies: dict[str, Policy] = {}
        for name, given in fields.models.items():
            models[name] = self._settings(given, ("models", name))
            policies[name] = self._policy(given, models[name], ("models", name))
            if fields.store.startswith(SCHEME):
                self._check_tags(name, policies[name].stages)
        return Config(
            models=models,
            policies=policies,
            store=fields.store,
            ledger=fields.ledger,
            people={
                name: self._convert(value, PersonSettings, ("people", name))
                for name, value in people.items()
            },
        )

    def _settings(self, given: Mapping[str, Any], path: Path) -> ModelSettings:
        known = {*ModelSettings.__struct_fields__, *Policy.__struct_fields__}
        for key in given:
            if key not in known:
                self._unknown(key, path, known)
        own = {key: value for key, value in given.items() if key in ModelSettings.__struct_fields__}
        data = self._mapping(own.pop("data", {}), (*path, "data"))
        own |= _with_named_classes(own)
        self._require_one_column(own.get("predictions"), (*path, "predictions"))
        settings = self._convert(own, ModelSettings, path)
        if settings.train is not None and not settings.inputs:
            self._fail(
                (*path, "inputs"),
                "a model with `train` needs `inputs`: the files that its training reads, so that "
                "nothing is trained again, and nothing is reused, for the wrong reason",
            )
        return msgspec.structs.replace(
            settings,
            data={name: self._data(given, (*path, "data", name)) for name, given in data.items()},
        )

    def _require_one_column(self, predictions: Any, path: Path) -> None:
        """Several columns of labels are said to be what they are, and not just the wrong type."""
        for key in ("label", "prediction"):
            if isinstance(predictions, dict) and isinstance(predictions.get(key), list):
                problem = (
                    f"`{key}` is one column; several labels of one example are read from rows:"
                )
                self._fail((*path, key), f"{problem} {_LONG_FORM}")

    def _data(self, given: Any, path: Path) -> str | DataSettings:
        if isinstance(given, str) and given:
            return given
        return self._convert(given, DataSettings, path)

    def _policy(self, given: Mapping[str, Any], settings: ModelSettings, path: Path) -> Policy:
        gates = given.get("gates")
        if not isinstance(gates, list) or not gates:
            self._fail(
                (*path, "gates"),
                "an empty policy is not a pass: give at least one gate, for example "
                "`- {metric: roc_auc, min: 0.8}`",
            )
        own = {
            key: given[key]
            for key in ("approvals", "without_baseline", "override", "directions", "primary")
            if key in given
        }
        fields = self._convert(own, PolicyFields, path)
        stages = {
            name: self._convert({} if value is None else value, StageRule, (*path, "stages", name))
            for name, value in self._mapping(given.get("stages", {}), (*path, "stages")).items()
        }
        self._check_stages(stages, (*path, "stages"))
        read = tuple(
            self._gate(gate, (*path, "gates", n), fields.directions) for n, gate in enumerate(gates)
        )
        for n, gate in enumerate(read):
            problem = unanswerable(gate, settings)
            if problem is not None:
                self._fail((*path, "gates", n), problem)
        return Policy(
            gates=read,
            approvals=fields.approvals,
            stages=stages,
            without_baseline=fields.without_baseline,
            override=fields.override,
            directions=fields.directions,
            primary=fields.primary,
        )

    def _check_stages(self, stages: Mapping[str, StageRule], path: Path) -> None:
        for name, rule in stages.items():
            self._check_name(name, (*path, name), "a stage")
            if re.fullmatch(r"v[0-9]+", name):
                self._fail((*path, name), "a stage cannot be called like a version")
            seen = [name]
            after = rule.after
            while after is not None:
                if after not in stages:
                    nearest = meant(after, stages)
                    self._fail((*path, name, "after"), f"there is no stage {after!r}{nearest}")
                if after in seen:
                    self._fail((*path, name, "after"), "stages wait for each other in a circle")
                seen.append(after)
                after = stages[after].after

    def _check_name(self, name: str, path: Path, what: str) -> None:
        """Names become branches, folders and tags: those of Git are the strictest."""
        if re.fullmatch(NAME, name) is None or len(name) > MAX_NAME:
            self._fail(
                path,
                f"the name of {what} has only a-z, 0-9, `.`, `_` and `-`, and begins with a "
                f"letter or a digit; it has at most {MAX_NAME} characters",
            )
        if ".." in name or name.endswith((".", ".lock")):
            self._fail(path, f"the name of {what} cannot hold `..` or end in `.` or `.lock`")

    def _check_tags(self, model: str, stages: Mapping[str, StageRule]) -> None:
        """In a registry names are in tags, and it is too late when one is to be written."""
        problem = f"the name is too long for tags of a registry, which have {MAX_TAG} characters"
        if too_long_for_tags(model):
            self._fail(("models", model), problem)
        for name in stages:
            if too_long_for_tags(model, name):
                self._fail(("models", model, "stages", name), problem)

    def _gate(self, given: Any, path: Path, directions: Mapping[str, str]) -> Gate:
        gate = self._mapping(given, path)
        better = directions.get(str(gate.get("metric")))
        if better is not None and gate.get("better", better) != better:
            self._fail(path, f"`directions` of the model says {better} of this metric")
        if better is not None:
            gate = {**gate, "better": better}
        for key, kind in GATES.items():
            if key in gate:
                return self._convert(gate, kind, path)
        kinds = " or ".join(f"`{key}`" for key in GATES)
        nearest = next((hint for key in gate if (hint := meant(key, GATES))), "")
        self._fail(path, f"it is not said what the gate judges: it needs {kinds}{nearest}")

    def _mapping(self, value: Any, path: Path) -> dict[str, Any]:
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return value
        self._fail(path, "expected a mapping with names as keys")

    def _convert(self, value: Any, kind: type[T], path: Path) -> T:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            match = _PATH.match(str(error))
            problem = str(error) if match is None else match["problem"]
            inner = "" if match is None else match["path"]
            full = (*path, *_path_parts(inner))
            unknown = _UNKNOWN.search(problem)
            if unknown is not None:
                names = _names(kind) if not inner else _ALL_NAMES
                self._unknown(unknown["name"], full, names)
            invalid = _INVALID.search(problem)
            if invalid is not None:
                words = allowed(kind, _path_parts(inner))
                problem = f"{invalid['value']!r} is none of {', '.join(words) or 'what it takes'}"
                problem += meant(invalid["value"], words)
            missing = _MISSING.search(problem)
            if missing is not None:
                problem = f"`{missing['name']}` is missing"
            self._fail(full, _worded(problem))

    def _unknown(self, key: str, path: Path, names: Any) -> NoReturn:
        self._fail((*path, key), f"unknown key {key!r}{meant(str(key), names)}")

    def _fail(self, path: Path, problem: str) -> NoReturn:
        known = next(
            path[:n] for n in range(len(path), -1, -1) if path[:n] in self._lines or n == 0
        )
        line = self._lines.get(known, 1)
        shown = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
        where = f"{self._file}, line {line}" + (f", {shown[1:]}" if shown else "")
        raise UsageError(f"reading {where}", problem, hint=_DOCS)


_DOCS = "docs/configuration.md describes every key"
_LONG_FORM = "one for each example and label, with 1 or 0 (docs/configuration.md, Predictions)"


def _with_named_classes(given: Mapping[str, Any]) -> dict[str, Any]:
    """`predictions` with the classes in `score` as text: most data sets number them."""
    predictions = given.get("predictions")
    scores = predictions.get("score") if isinstance(predictions, dict) else None
    if not isinstance(predictions, dict) or not isinstance(scores, dict):
        return {}
    named = {_class(name): column for name, column in scores.items()}
    return {"predictions": {**predictions, "score": named}}


def _class(name: Any) -> Any:
    if isinstance(name, bool):
        return str(name).lower()
    return str(name) if isinstance(name, int | float) else name


def _names(kind: Any) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


_ALL_NAMES = set().union(
    *(_names(kind) for kind in (ApprovalRule, StageRule, RollbackRule, OverrideRule, DataSettings))
)


def _path_parts(path: str) -> list[str | int]:
    parts = re.findall(r"\.([^.\[]+)|\[(\d+)\]", path.replace("[...]", ""))
    return [name or int(index) for name, index in parts]


def _worded(problem: str) -> str:
    """A problem in the words of the file instead of those of the type system."""
    if "length >= 1" in problem:
        return "it is empty; leave the key out or say what it holds"
    match = re.fullmatch(r"Expected `(.+?)`(.*?)(?:, got `(.+)`)?", problem)
    if match is None:
        return problem
    kinds, condition, got = match.groups()
    parts = kinds.split(" | ")
    whole = {"int"} if "float" in parts else set()
    expected = " or ".join(_TYPES.get(part, part) for part in parts if part not in whole)
    return f"expected {expected}{condition}" + (f", got {_TYPES.get(got, got)}" if got else "")
