"""What DVC's files say of the inputs and outputs of a model, in a working tree or at a revision."""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from assent.config.dvc import (
    Locked,
    LockedStage,
    Stage,
    read_pointer,
    read_stage_lock,
    read_stages,
    variable_files,
)
from assent.config.settings import ModelSettings
from assent.errors import AssentError, UsageError
from assent.measure.files import path_below, read_small, relative_name, walk
from assent.measure.hashes import Hashes
from assent.measure.patterns import covers
from assent.parsing import ParseError, parse_yaml

PIPELINE, LOCK, POINTER = "dvc.yaml", "dvc.lock", ".dvc"

_PARAMETERS = (".yaml", ".yml", ".json")
"""Files of parameters that are looked into."""

ReadText = Callable[[str], bytes | None]
"""The content of a file by its name relative to the root; None if there is none."""


class Dvc(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """`stages` of the pipelines, what `locked` says they read and wrote last, and `pointers`: by
    the name of each pointer file what it stands for.
    """

    stages: tuple[Stage, ...] = ()
    locked: tuple[LockedStage, ...] = ()
    pointers: dict[str, tuple[Locked, ...]] = {}

    @property
    def outs(self) -> tuple[str, ...]:
        """Everything that the stages write, and the lock that `dvc repro` writes."""
        outs: dict[str, None] = {}
        for stage in self.stages:
            outs |= dict.fromkeys((*stage.outs, *stage.metrics, *stage.plots))
        return (*outs, *({LOCK} if self.stages else ()))

    @cached_property
    def _targets(self) -> dict[str, str]:
        return {target.path: name for name, targets in self.pointers.items() for target in targets}

    def pointer_of(self, name: str) -> str | None:
        """The pointer file that stands for a file, or for a folder that it is in."""
        if not self.pointers:
            return None
        here = posixpath.normpath(name)
        while here not in ("", ".", "/"):
            if here in self._targets:
                return self._targets[here]
            here = posixpath.dirname(here)
        return None


def runs_dvc(command: str | None) -> bool:
    """Whether a command runs a pipeline of DVC, which leaves out what is up to date."""
    words = (command or "").replace(";", " ").replace("&", " ").split()
    return any(
        first.rsplit("/", 1)[-1] == "dvc" and second in ("repro", "exp")
        for first, second in pairwise(words)
    )


def made_by_dvc(settings: ModelSettings, dvc: Dvc) -> tuple[str, ...]:
    """What the commands of a model make by running the pipeline; nothing if they do not run it."""
    return dvc.outs if runs_dvc(settings.train) or runs_dvc(settings.evaluate) else ()


def read_dvc(read: ReadText, names: Iterable[str]) -> Dvc:
    """What the pipeline at the root says, and the pointers to `names`: for a path its own and
    those of the folders it is in. Raises `UsageError` for a file that DVC could not read either.
    """
    pipeline, lock = read(PIPELINE), read(LOCK)
    pointers = {
        candidate: content
        for candidate in dict.fromkeys(pointer for name in names for pointer in _pointers_to(name))
        if (content := read(candidate)) is not None
    }
    try:
        names_of = () if pipeline is None else _variable_files(pipeline)
        contents = map(read, names_of)
        variables = tuple(content for content in contents if content is not None)
        stages, locked = _read_pipeline(pipeline, lock, variables)
        return Dvc(
            stages=stages,
            locked=locked,
            pointers={
                name: _read_pointer(content, posixpath.dirname(name))
                for name, content in pointers.items()
            },
        )
    except ParseError as error:
        raise UsageError(
            "reading what DVC knows",
            f"dvc.yaml, dvc.lock or a .dvc file: {error.problem}",
            hint="`dvc status` says more",
        ) from None


def working_tree(root: Path) -> ReadText:
    """How files of the working tree are read: small ones, and none outside of it."""

    def read(name: str) -> bytes | None:
        try:
            path = path_below(root, name)
            return read_small(path) if path.is_file() else None
        except (AssentError, OSError):
            return None

    return read


def pointers_beside(root: Path, matches: Iterable[Iterable[Path]]) -> list[str]:
    """The pointer files in the folders of the files, and in those above them."""
    folders = {path.parent for paths in matches for path in paths}
    above = {
        parent for folder in folders for parent in folder.parents if parent.is_relative_to(root)
    }
    return [
        relative_name(root, path)
        for folder in sorted(folders | above)
        for path in sorted(folder.glob(f"?*{POINTER}"))
        if path.is_file()
    ]


def agrees(root: Path, target: Locked, hashes: Hashes) -> bool | None:
    """Whether what lies in the working tree is what DVC says; None if nothing lies there.

    A folder has the MD5 of the JSON list of its files, as DVC's own objects have it.
    """
    place = root / target.path
    if place.is_dir():
        listed = sorted(
            (relative_name(place, path), hashes.md5(path)) for path in walk(place, root)
        )
        text = json.dumps([{"md5": md5, "relpath": name} for name, md5 in listed])
        return f"{_md5(text.encode())}.dir" == target.digest
    return hashes.md5(place) == target.digest if place.is_file() else None


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _pointers_to(name: str) -> Iterable[str]:
    """The pointer files that may stand for a name: `data/a.csv.dvc`, `data.dvc`; itself if it is
    one.
    """
    if name.endswith(POINTER):
        yield name
        return
    here = posixpath.normpath(name)
    while here not in ("", ".", "/"):
        yield here + POINTER
        here = posixpath.dirname(here)


# A verb asks a dozen times, and a large lock takes a second to read: the same text is read once.


@lru_cache(maxsize=8)
def _read_pipeline(
    pipeline: bytes | None, lock: bytes | None, variables: tuple[bytes, ...]
) -> tuple[tuple[Stage, ...], tuple[LockedStage, ...]]:
    values: dict[str, object] = {}
    for content in variables:
        value = parse_yaml(content)
        if isinstance(value, dict):
            values |= value
    stages = () if pipeline is None else read_stages(pipeline, "", values)
    return stages, () if lock is None else read_stage_lock(lock, "", stages)


@lru_cache(maxsize=8)
def _variable_files(pipeline: bytes) -> tuple[str, ...]:
    return variable_files(pipeline, "")


@lru_cache(maxsize=4096)
def _read_pointer(content: bytes, folder: str) -> tuple[Locked, ...]:
    return read_pointer(content, folder)


def stale(
    root: Path, dvc: Dvc, path: str, hashes: Hashes, above: frozenset[str] = frozenset()
) -> str:
    """Why an output of a stage is not what DVC would make now; empty if it is.

    Its lock must have the output as it lies there, the command and the parameters as they are now,
    and all that the stage reads as it is: an output of another stage that is not stale itself, what
    a pointer says, or else its own bytes. `above` are the stages that ask.
    """
    wrote = next(
        ((stage, out) for stage in dvc.locked for out in stage.outs if covers(out.path, path)),
        None,
    )
    if wrote is None:
        return f"{LOCK} knows no stage that has written it"
    stage, out = wrote
    if not agrees(root, out, hashes):
        return f"it is not what {LOCK} says that the stage {stage.name} has written"
    now = next((other for other in dvc.stages if other.name == stage.name), None)
    if now is None or (stage.command and _differs(now.command, stage.command)):
        return f"{PIPELINE} has another command for the stage {stage.name} than when it last ran"
    unknown = _unknown(root, now, stage)
    if unknown:
        return f"{LOCK} does not say that the stage {stage.name} has read {unknown}"
    for name, values in stage.params.items():
        if not _are_current(root, name, values):
            return f"{name} is not what the stage {stage.name} has read when it last ran"
    for dep in stage.deps:
        if not _is_current(root, dvc, dep, hashes):
            return f"{dep.path} is not what the stage {stage.name} has read when it last ran"
        if stage.name not in above and any(_is_out(locked, dep.path) for locked in dvc.locked):
            reason = stale(root, dvc, dep.path, hashes, above | {stage.name})
            if reason:
                return f"{dep.path}: {reason}"
    return ""


def _unknown(root: Path, now: Stage, stage: LockedStage) -> str:
    """What a stage reads by now and has not read when it last ran; empty if there is nothing. What
    a variable that could not be resolved names is not known.
    """
    deps = {dep.path for dep in stage.deps}
    for path in now.deps:
        if path not in deps and "${" not in path:
            return path
    for name, keys in now.keys.items():
        locked = stage.params.get(name, {})
        for key in keys or _top_keys(root, name):
            if key not in locked and "${" not in f"{name}{key}":
                return f"{key} of {name}"
    return ""


def _top_keys(root: Path, name: str) -> tuple[str, ...]:
    """What a file of parameters holds now, as far as it is looked into."""
    try:
        parameters = _parameters(root, name) if name.endswith(_PARAMETERS) else None
    except ParseError:
        return ()
    return tuple(map(str, parameters)) if isinstance(parameters, dict) else ()


def _is_out(stage: LockedStage, path: str) -> bool:
    return any(covers(out.path, path) for out in stage.outs)


def _differs(command: str, locked: str) -> bool:
    """Whether two commands are others; not if a variable in one of them could not be resolved."""
    return "${" not in command and command.split() != locked.split()


def _are_current(root: Path, name: str, values: Mapping[str, Any]) -> bool:
    """Whether parameters have these values now. Files that are neither YAML nor JSON are not
    looked into.
    """
    if not name.endswith(_PARAMETERS):
        return True
    try:
        parameters = _parameters(root, name)
    except ParseError:
        return False
    return all(_look_up(parameters, key) == value for key, value in values.items())


def _parameters(root: Path, name: str) -> Any:
    content = working_tree(root)(name)
    return None if content is None else parse_yaml(content)


def _look_up(value: Any, key: str) -> Any:
    if isinstance(value, dict) and key in value:
        return value[key]
    first, _, rest = key.partition(".")
    if isinstance(value, dict) and first in value and rest:
        return _look_up(value[first], rest)
    if isinstance(value, list) and first.isdigit() and int(first) < len(value):
        return _look_up(value[int(first)], rest) if rest else value[int(first)]
    return None


def _is_current(root: Path, dvc: Dvc, dep: Locked, hashes: Hashes) -> bool:
    made = [out for stage in dvc.locked for out in stage.outs]
    known = next((out.digest for out in made if out.path == dep.path), None)
    if known is not None:
        return known == dep.digest
    is_here = agrees(root, dep, hashes)
    if is_here is not None:
        return is_here
    pointed = [target for targets in dvc.pointers.values() for target in targets]
    return all(target.digest == dep.digest for target in pointed if target.path == dep.path)
