"""`dvc.yaml`, `dvc.lock` and `*.dvc` as values: which command makes which file of which others.

The text is a stranger's. Nothing is run and no file is opened here; what is too large, nested too
deep or unfolded without end is a `ParseError`, and so is a shape that DVC itself would refuse: a
reader that skipped it would take an output for an input.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from assent.parsing import ParseError, parse_yaml

PARAMS = "params.yaml"
"""Where DVC looks for parameters and variables if nothing else is said."""

MAX_STAGES = 10_000
MAX_TEXT = 100_000

_VARIABLE = re.compile(r"\\?\$\{\s*([\w.\[\]-]+)\s*\}")
_STEP = re.compile(r"[^.\[\]]+")


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One command and its files, as paths relative to the root. `params` are the files of its
    parameters, and `keys` their names with dots by file, none for all that a file holds; `folder`
    is where the command runs. A `${…}` that nobody could resolve is kept.
    """

    name: str
    command: str
    deps: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    keys: dict[str, tuple[str, ...]] = {}
    outs: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    plots: tuple[str, ...] = ()
    folder: str = ""


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """A whole `dvc.yaml`: its stages, and what it names beside them. `artifacts` are the paths of
    what it calls an artifact by their type (`model`, or empty).
    """

    stages: tuple[Stage, ...] = ()
    params: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    plots: tuple[str, ...] = ()
    artifacts: dict[str, str] = {}


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """A path relative to the root and the digest that DVC knows it by: MD5, with `.dir` after it
    if it is a folder, or what its remote calls it.
    """

    path: str
    digest: str


class LockedStage(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage read and wrote when it last ran, with which command and which values of
    parameters: by their file and, with dots, their name.
    """

    name: str
    command: str = ""
    deps: tuple[Locked, ...] = ()
    outs: tuple[Locked, ...] = ()
    params: dict[str, dict[str, Any]] = {}


def read_stages(
    text: bytes, folder: str, variables: Mapping[str, Any] | None = None
) -> tuple[Stage, ...]:
    """The stages of the `dvc.yaml` in `folder`, `foreach` and `matrix` unfolded. See
    `read_pipeline`.
    """
    return read_pipeline(text, folder, variables).stages


def read_pipeline(text: bytes, folder: str, variables: Mapping[str, Any] | None = None) -> Pipeline:
    """The `dvc.yaml` in `folder`. `variables` are the values of the files that
    `variable_files` names; those that the file itself gives are added. A path that leaves the
    root, or that is no path (`s3://…`), is left out. Raises `ParseError`.
    """
    top = _mapping(parse_yaml(text), "dvc.yaml")
    known = {**(variables or {}), **_given(top)}
    stages: list[Stage] = []
    for name, given in _mapping(top.get("stages"), "stages").items():
        for stage in _unfolded(str(name), _mapping(given, str(name)), folder, known):
            stages.append(stage)
            if len(stages) > MAX_STAGES:
                raise ParseError(f"more than {MAX_STAGES:,} stages")
    return Pipeline(
        stages=tuple(stages),
        params=_paths(top.get("params"), folder, known),
        metrics=_paths(top.get("metrics"), folder, known),
        plots=_plots(top.get("plots"), folder, known),
        artifacts=_artifacts(top.get("artifacts"), folder, known),
    )


def variable_files(text: bytes, folder: str) -> tuple[str, ...]:
    """The files whose values `${…}` in the `dvc.yaml` of `folder` may name, relative to the root:
    `params.yaml`, if it is there, and those of `vars`.
    """
    top = _mapping(parse_yaml(text), "dvc.yaml")
    stages = _mapping(top.get("stages"), "stages").values()
    named = [PARAMS, *_files_of_vars(top)]
    for stage in stages:
        named += _files_of_vars(stage) if isinstance(stage, dict) else []
    return tuple(dict.fromkeys(path for name in named if (path := _below(name, folder))))


def read_stage_lock(
    text: bytes, folder: str, stages: Sequence[Stage] = ()
) -> tuple[LockedStage, ...]:
    """What the `dvc.lock` in `folder` says. Its paths are relative to where each stage runs, which
    only `stages`, those of the `dvc.yaml` beside it, know. Raises `ParseError`.
    """
    top = _mapping(parse_yaml(text), "dvc.lock")
    by_name = _mapping(top.get("stages"), "stages") if "schema" in top else top
    folders = {stage.name: stage.folder for stage in stages}
    return tuple(
        LockedStage(
            name=str(name),
            command=given["cmd"] if isinstance(given.get("cmd"), str) else "",
            params=_locked_params(given.get("params"), folders.get(str(name), folder)),
            deps=_locked(given.get("deps"), folders.get(str(name), folder)),
            outs=_locked(given.get("outs"), folders.get(str(name), folder)),
        )
        for name, given in ((name, _mapping(given, str(name))) for name, given in by_name.items())
    )


def _locked_params(given: Any, folder: str) -> dict[str, dict[str, Any]]:
    by_file: dict[str, dict[str, Any]] = {}
    for name, values in (given if isinstance(given, dict) else {}).items():
        path = _below(str(name), folder)
        if path is not None and isinstance(values, dict):
            by_file[path] = {str(key): value for key, value in values.items()}
    return by_file


def read_pointer(text: bytes, folder: str) -> tuple[Locked, ...]:
    """What a `.dvc` file in `folder` points to. None if it is a stage of old (it has a command):
    what that names is made. Raises `ParseError`.
    """
    top = _mapping(parse_yaml(text), "the pointer")
    if top.get("cmd"):
        return ()
    return _locked(top.get("outs"), _folder(top, folder, {}))


def _unfolded(
    name: str, given: dict[str, Any], folder: str, known: Mapping[str, Any]
) -> Iterator[Stage]:
    """The stages that one entry stands for."""
    if "foreach" in given:
        each = _resolved(given["foreach"], known)
        for key, own in _each(each):
            yield _stage(f"{name}@{key}", _mapping(given.get("do"), name), folder, {**known, **own})
    elif "matrix" in given:
        for key, own in _combinations(_mapping(given["matrix"], name), known):
            yield _stage(f"{name}@{key}", given, folder, {**known, **own})
    else:
        yield _stage(name, given, folder, known)


def _each(items: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The key and the variables of each round of `foreach`. What cannot be resolved is one round
    in which nothing is known.
    """
    if isinstance(items, dict):
        for key, item in items.items():
            yield str(key), {"item": item, "key": str(key)}
    elif isinstance(items, list):
        is_flat = not any(isinstance(item, dict | list) for item in items)
        for index, item in enumerate(items):
            yield _shown(item) if is_flat else str(index), {"item": item}
    else:
        yield "*", {}


def _combinations(
    matrix: dict[str, Any], known: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    axes: list[list[tuple[str, Any]]] = []
    count = 1
    for name, given in matrix.items():
        values = _resolved(given, known)
        if not isinstance(values, list):
            yield "*", {}
            return
        axes.append([(_axis_key(str(name), n, value), value) for n, value in enumerate(values)])
        count *= len(values)
        if count > MAX_STAGES:
            raise ParseError(f"more than {MAX_STAGES:,} stages")
    names = [str(name) for name in matrix]
    for chosen in itertools.product(*axes):
        key = "-".join(part for part, _ in chosen)
        values_of = {name: value for name, (_, value) in zip(names, chosen, strict=True)}
        yield key, {"item": values_of, "key": key}


def _axis_key(name: str, index: int, value: Any) -> str:
    return f"{name}{index}" if isinstance(value, dict | list) else _shown(value)


def _stage(name: str, given: dict[str, Any], folder: str, known: Mapping[str, Any]) -> Stage:
    known = {**known, **_given(given)}
    here = _folder(given, folder, known)
    return Stage(
        name=name,
        command=_command(given.get("cmd"), known),
        deps=_paths(given.get("deps"), here, known),
        params=tuple(keys := _params(given.get("params"), here, known)),
        keys=keys,
        outs=_paths(given.get("outs"), here, known),
        metrics=_paths(given.get("metrics"), here, known),
        plots=_paths(given.get("plots"), here, known),
        folder=here,
    )


def _command(given: Any, known: Mapping[str, Any]) -> str:
    lines = given if isinstance(given, list) else [given]
    texts = [_text(line, known, in_command=True).strip() for line in lines if line is not None]
    return " && ".join(text for text in texts if text)


def _folder(given: Mapping[str, Any], folder: str, known: Mapping[str, Any]) -> str:
    """Where a stage runs: `wdir`, below the folder of its file."""
    wdir = given.get("wdir")
    if wdir is None:
        return folder
    below = _below(_text(wdir, known), folder)
    if below is None:
        raise ParseError("a `wdir` that leaves the repository")
    return "" if below == "." else below


def _params(given: Any, folder: str, known: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The names of parameters by their files: those of `params.yaml` stand alone. A file that
    stands without names is named for all that it holds.
    """
    names_by_file: dict[str, tuple[str, ...]] = {}
    for item in _list(given):
        named = item if isinstance(item, dict) else {PARAMS: [item]}
        for name, keys in named.items():
            path = _below(_text(name, known), folder)
            texts = tuple(_text(key, known) for key in _list(keys))
            if path is not None:
                is_whole = not texts or names_by_file.get(path) == ()
                names_by_file[path] = () if is_whole else (*names_by_file.get(path, ()), *texts)
    return names_by_file


def _paths(given: Any, folder: str, known: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths as DVC lists them: a name, or a name with what is to be done with it."""
    names = []
    for item in _list(given):
        keys = list(item) if isinstance(item, dict) else [item]
        names += [_text(key, known) for key in keys]
    return _below_all(names, folder)


def _plots(given: Any, folder: str, known: Mapping[str, Any]) -> tuple[str, ...]:
    """The files of the plots of the whole file: named by their title, or in `x` and `y`."""
    names: list[str] = []
    items = [{key: value} for key, value in given.items()] if isinstance(given, dict) else given
    for item in _list(items):
        for title, options in item.items() if isinstance(item, dict) else [(item, None)]:
            axes = [options.get("x"), options.get("y")] if isinstance(options, dict) else []
            files = [_text(file, known) for axis in axes if isinstance(axis, dict) for file in axis]
            names += files or [_text(title, known)]
    return _below_all(names, folder)


def _artifacts(given: Any, folder: str, known: Mapping[str, Any]) -> dict[str, str]:
    kinds = {}
    for name, item in _mapping(given, "artifacts").items():
        fields = _mapping(item, str(name))
        path = _below(_text(fields.get("path"), known), folder)
        if path is not None:
            kinds[path] = str(fields.get("type") or "")
    return kinds


def _locked(given: Any, folder: str) -> tuple[Locked, ...]:
    """Paths with their digests. What has none yet (never pushed, never run) is left out."""
    locked = []
    for item in _list(given):
        fields = _mapping(item, "a file")
        kinds = [str(fields.get("hash")), "md5", "etag", "checksum", "sha256"]
        digest = next((fields[kind] for kind in kinds if fields.get(kind)), None)
        path = _below(str(fields.get("path", "")), folder)
        if path is not None and isinstance(digest, str):
            locked.append(Locked(path=path, digest=digest))
    return tuple(locked)


def _given(given: Mapping[str, Any]) -> dict[str, Any]:
    """The variables that stand in a file or stage itself."""
    values: dict[str, Any] = {}
    for item in _list(given.get("vars")):
        values |= item if isinstance(item, dict) else {}
    return values


def _files_of_vars(given: Mapping[str, Any]) -> list[str]:
    """The files that `vars` names, with or without the keys that are wanted (`file.yaml:key`)."""
    return [item.partition(":")[0] for item in _list(given.get("vars")) if isinstance(item, str)]


def _resolved(value: Any, known: Mapping[str, Any]) -> Any:
    """A value in which a text that is one variable alone is what that variable holds."""
    if isinstance(value, str):
        match = _VARIABLE.fullmatch(value.strip())
        return _look_up(match[1], known, value) if match else value
    if isinstance(value, list):
        return [_resolved(item, known) for item in value]
    return value


def _text(value: Any, known: Mapping[str, Any], *, in_command: bool = False) -> str:
    """A text with its variables put in, as far as they are known."""
    if isinstance(value, dict | list):
        raise ParseError("a list or a mapping where text is expected")

    def put_in(match: re.Match[str]) -> str:
        if match[0].startswith("\\"):
            return match[0][1:]
        replacement = _look_up(match[1], known, match[0])
        if isinstance(replacement, dict) and in_command:
            return _options(replacement)
        return match[0] if isinstance(replacement, dict | list) else _shown(replacement)

    parts, length, text = [], 0, _shown(value)
    for part in _pieces(text, put_in):
        length += len(part)
        if length > MAX_TEXT:
            raise ParseError(f"a text of more than {MAX_TEXT:,} characters")
        parts.append(part)
    return "".join(parts)


def _pieces(text: str, put_in: Any) -> Iterator[str]:
    """The text between variables, and what each of them stands for, one after the other."""
    place = 0
    for match in _VARIABLE.finditer(text):
        yield text[place : match.start()]
        yield put_in(match)
        place = match.end()
    yield text[place:]


def _look_up(name: str, known: Mapping[str, Any], otherwise: Any) -> Any:
    """What `model.layers[0].size` names, or `otherwise`."""
    value: Any = known
    for step in _STEP.findall(name):
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and len(step) < 8:
            if int(step) >= len(value):
                return otherwise
            value = value[int(step)]
        else:
            return otherwise
    return value


def _options(values: Mapping[str, Any], prefix: str = "") -> str:
    """A mapping in a command, which DVC spells as options: `--lr 0.1 --deep`."""
    words = []
    for name, value in values.items():
        if isinstance(value, dict):
            words.append(_options(value, f"{prefix}{name}."))
        elif isinstance(value, list):
            words.append(" ".join([f"--{prefix}{name}", *map(_shown, value)]))
        elif value is True:
            words.append(f"--{prefix}{name}")
        elif value is not False:
            words.append(f"--{prefix}{name} {_shown(value)}")
    return " ".join(words)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ParseError(f"expected a mapping at {what[:100]!r}")
    return value


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ParseError(f"expected a list instead of {str(value)[:100]!r}")
    return value


def _below_all(names: Sequence[str], folder: str) -> tuple[str, ...]:
    paths = (_below(name, folder) for name in names)
    return tuple(dict.fromkeys(path for path in paths if path is not None))


def _below(name: str, folder: str) -> str | None:
    """`name`, seen from `folder`, relative to the root; None if it is not below the root."""
    if not name or name.startswith(("/", "~")) or "://" in name or "\0" in name:
        return None
    parts: list[str] = []
    for part in [*folder.split("/"), *name.split("/")]:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts) or "."
