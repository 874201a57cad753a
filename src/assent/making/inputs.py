"""The inputs digest: what training and evaluating start from, under one digest each."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from assent.config.lock import FILE as LOCK
from assent.config.settings import DataSettings, ModelSettings
from assent.core.digest import Digest, digest_of_value
from assent.errors import UsageError
from assent.making.commands import SCRIPTS, mentioned
from assent.making.dvc import (
    PIPELINE,
    Dvc,
    agrees,
    made_by_dvc,
    pointers_beside,
    read_dvc,
    runs_dvc,
    working_tree,
)
from assent.making.outputs import Outputs, evidence_files, is_command, outputs_of, require_place
from assent.measure.files import covers, expand, is_glob, relative_name
from assent.measure.hashes import Hashes
from assent.measure.models.files import is_executable

_SHOWN = 3


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """`train` covers the command, the declared inputs and the parameters; `evaluate` covers
    `train`, the command of the evaluation, the data sets and what else is to be measured. `files`
    are all files by path: of what DVC keeps, the pointer; `of_training` those that training starts
    from. `left_out` are outputs that a pattern
    covers; `estranged` what is not as its pointer says, and counts as it lies there.
    """

    files: dict[str, Digest]
    train: Digest
    evaluate: Digest
    of_training: frozenset[str] = frozenset()
    left_out: tuple[str, ...] = ()
    estranged: tuple[str, ...] = ()


def read_inputs(
    root: Path,
    top: Path,
    settings: ModelSettings,
    hashes: Hashes,
    products: Mapping[str, Digest] | None = None,
    handed_on: Mapping[str, Digest] | None = None,
) -> Inputs:
    """Hash what the model of `settings` is made from. `top` is the top folder of the repository,
    `products` are files that a run has written beside its outputs: no inputs, as long as they are
    what it wrote. `handed_on` are inputs that an earlier job of the same run has read and that are
    not here.

    A file that a command names (`python evaluate.py`) is an input of that command whether it is
    declared or not, what no command makes is an input of the evaluation, and `assent.lock` never
    is one: it names what the inputs give. What the commands write is none either. Raises
    `UsageError` for a declared input that does not exist, that is an output as well, or that lies
    in the folder of the model.
    """
    sets = settings.data_sets
    data = data_of(settings)
    named = [*settings.inputs, *settings.params, *data]
    matches = {pattern: expand(root, [pattern]) for pattern in named}
    dvc = read_dvc(working_tree(root), [*named, *pointers_beside(root, matches.values())])
    outputs = outputs_of(settings, made_by_dvc(settings, dvc))
    scripts = {one: named_in(root, one, outputs) for one in (settings.train, settings.evaluate)}
    one_by_one = literals(settings)
    require_place(root, top, settings, [*one_by_one, *data, *_scripts(scripts.values())])
    own = {*one_by_one, *_scripts(scripts.values())}
    strange = {name: one for name, one in (products or {}).items() if name not in own}
    away = handed_on or {}
    found = _Found(root, outputs, dvc, hashes, strange, away, matches, frozenset(data))
    for pattern in settings.inputs:
        if not any(covers(pattern, name) for name in away):
            found.require(pattern)
    train = found.files([*settings.inputs, *settings.params, *scripts[settings.train]])
    rest = [*data, *scripts[settings.evaluate], *_made_by_nobody(settings)]
    evaluate = [path for path in found.files(rest) if path not in train]
    files = {**hashes.digests(sorted({*train, *evaluate})), **away}
    files = {name: files[name] for name in sorted(files)}
    hashes.save()
    names = {relative_name(root, path) for path in train}
    names |= {
        name
        for name in away
        if any(covers(one, name) for one in (*settings.inputs, *settings.params))
    }
    trained = digest_of_value(
        {
            "command": settings.train,
            "model": settings.model,
            "files": {name: digest for name, digest in files.items() if name in names},
            **({"python": settings.python} if settings.python else {}),
        }
    )
    return Inputs(
        files=files,
        of_training=frozenset(names & files.keys()),
        train=trained,
        evaluate=digest_of_value(
            {
                "train": trained,
                "command": settings.evaluate,
                "metrics": settings.metrics,
                "model": settings.model,
                "data": {name: [data.path, data.snapshot] for name, data in sets.items()},
                "files": {name: digest for name, digest in files.items() if name not in names},
                **_measured(settings),
                **_executable(root, settings, files),
            }
        ),
        left_out=tuple(found.left_out),
        estranged=tuple(found.estranged),
    )


def changed_names(before: Mapping[str, Digest], after: Mapping[str, Digest]) -> list[str]:
    """The files that differ, or that only one of them has."""
    return sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )


def why_changed(before: Mapping[str, Digest], after: Mapping[str, Digest]) -> str:
    """What differs between the files of two unequal inputs digests."""
    return say_changed(changed_names(before, after)) or "how it is made has changed"


def say_changed(names: Sequence[str]) -> str:
    """That these inputs have changed, the first of them by name."""
    if not names:
        return ""
    more = len(names) - _SHOWN
    shown = ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"{shown} {'has' if len(names) == 1 else 'have'} changed"


def literals(settings: ModelSettings) -> list[str]:
    """The inputs and parameters that `assent.yaml` names one by one."""
    named = (*settings.inputs, *settings.params)
    return [posixpath.normpath(pattern) for pattern in named if not is_glob(pattern)]


def _scripts(named: Iterable[Sequence[str]]) -> list[str]:
    """What commands name and run. What else they name, such as the model, they may write."""
    return [one for words in named for one in words if one.endswith(SCRIPTS)]


class _Found:
    """The files that patterns name, without the outputs among them."""

    def __init__(
        self,
        root: Path,
        outputs: Outputs,
        dvc: Dvc,
        hashes: Hashes,
        products: Mapping[str, Digest],
        away: Collection[str],
        matches: dict[str, list[Path]],
        data: frozenset[str],
    ) -> None:
        self._root = root
        self._outputs = outputs
        self._dvc = dvc
        self._pointers: dict[str, bool] = {}
        self._hashes = hashes
        self._products = products
        self._away = away
        self._matches = matches
        self._data = data
        self.left_out: dict[str, None] = {}
        self.estranged: dict[str, None] = {}

    def require(self, pattern: str) -> None:
        """Raise `UsageError` for an input that is none."""
        if self._is_literal(pattern) and self._outputs.cover(pattern, literal=True):
            raise UsageError(
                f"reading the input {pattern!r}",
                "it is an output as well: the model's commands write it",
                hint="take it out of `inputs` in assent.yaml, or declare another output",
            )
        if self._dvc.pointer_of(pattern) is not None:
            return
        names = [relative_name(self._root, path) for path in self._matching(pattern)]
        is_literal = self._is_literal(pattern)
        if not all(self._outputs.cover(name, literal=is_literal) for name in names):
            return
        what = "nothing but outputs of the model" if names else "nothing"
        raise UsageError(
            "reading the inputs of the model",
            f"{what} matches {pattern!r}",
            hint="correct `inputs` in assent.yaml, or fetch the file",
        )

    def _is_literal(self, pattern: str) -> bool:
        return not is_glob(pattern) and not (self._root / pattern).is_dir()

    def _matching(self, pattern: str) -> list[Path]:
        if pattern not in self._matches:
            self._matches[pattern] = expand(self._root, [pattern])
        return self._matches[pattern]

    def files(self, patterns: Iterable[str]) -> set[Path]:
        """The files that the patterns name: a pointer in the place of what it stands for."""
        found: set[Path] = set()
        for pattern in patterns:
            is_literal = self._is_literal(pattern) or pattern in self._data
            for path in self._matching(pattern):
                name = relative_name(self._root, path)
                if self._outputs.cover(name, literal=is_literal) or self._is_product(name, path):
                    self.left_out[name] = None
                else:
                    found.add(self._instead(name) or path)
            if self._dvc.pointer_of(pattern) is not None and pattern not in self._away:
                found.add(self._instead(pattern) or self._root / pattern)
        return {path for path in found - {self._root / LOCK} if path.is_file()}

    def _is_product(self, name: str, path: Path) -> bool:
        digest = self._products.get(name)
        return digest is not None and self._hashes.digest(path) == digest

    def _instead(self, name: str) -> Path | None:
        """The pointer that stands for a file, unless the file is another one."""
        pointer = self._dvc.pointer_of(name)
        if pointer is None or pointer == name:
            return None
        if pointer not in self._pointers:
            states = [agrees(self._root, one, self._hashes) for one in self._dvc.pointers[pointer]]
            self._pointers[pointer] = False not in states
        if not self._pointers[pointer]:
            self.estranged[name] = None
            return None
        return self._root / pointer


def _measured(settings: ModelSettings) -> dict[str, Any]:
    """What else is measured, as far as it is asked for: other evidence is another evaluation."""
    asked = {
        "params": settings.params,
        "predictions": settings.predictions,
        "profiles": {
            name: data
            for name, data in settings.data_sets.items()
            if data != DataSettings(path=data.path, snapshot=data.snapshot)
        },
        "plots": settings.plots,
        "cost": settings.cost,
    }
    found = {name: value for name, value in asked.items() if value}
    return {"measured": found} if found else {}


def _made_by_nobody(settings: ModelSettings) -> list[str]:
    """The model and its evidence as far as no command makes them: a commit of them is what a
    review is of.
    """
    if settings.train is not None:
        return []
    if is_command(settings.evaluate):
        return [settings.model]
    return [settings.model, *evidence_files(settings), *settings.plots]


def _executable(root: Path, settings: ModelSettings, names: Iterable[str]) -> dict[str, Any]:
    """What of a model that no command makes may be run: that is served with the bytes."""
    if settings.train is not None:
        return {}
    place = posixpath.normpath(settings.model)
    mine = [one for one in names if covers(place, one) and (root / one).is_file()]
    found = [one for one in mine if is_executable(root / one)]
    return {"executable": found} if found else {}


def _is_here(path: str) -> bool:
    return "://" not in path


def named_in(root: Path, command: str | None, outputs: Outputs) -> list[str]:
    """The files of the working tree that a command mentions and does not write. A pipeline of DVC
    is named by running it.
    """
    found = [PIPELINE] if runs_dvc(command) and (root / PIPELINE).is_file() else []
    names = (one for one in mentioned(command) if not outputs.cover(one, literal=True))
    return [*found, *(one for one in names if _is_file(root, one))]


def _is_file(root: Path, name: str) -> bool:
    try:
        return (root / name).is_file()
    except OSError:  # too long a word for a name
        return False


def covers_input(settings: ModelSettings, outputs: Outputs, name: str) -> bool:
    """Whether a file can be an input, by its name alone, as `read_inputs` takes it."""
    if name == LOCK:
        return False
    named = (*literals(settings), *mentioned(settings.train), *mentioned(settings.evaluate))
    if name in named:
        return not outputs.cover(name, literal=True)
    if name == PIPELINE and (runs_dvc(settings.train) or runs_dvc(settings.evaluate)):
        return True
    if any(covers(one, name) for one in data_of(settings)):
        return not outputs.cover(name, literal=True)
    return any(covers(one, name) for one in patterns_of(settings)) and not outputs.cover(name)


def patterns_of(settings: ModelSettings) -> list[str]:
    """Everything that names inputs: patterns, data sets, words of commands, and what no command
    makes.
    """
    words = (*mentioned(settings.train), *mentioned(settings.evaluate))
    declared = [*settings.inputs, *settings.params, *data_of(settings)]
    return [*declared, *_made_by_nobody(settings), *words]


def data_of(settings: ModelSettings) -> list[str]:
    """The data sets that are files here, and the earlier states that they are compared with."""
    sets = settings.data_sets.values()
    earlier = [one.previous for one in sets if one.previous is not None]
    return [path for path in (*(one.path for one in sets), *earlier) if _is_here(path)]
