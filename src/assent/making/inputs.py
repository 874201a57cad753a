"""The inputs digest: what training and evaluating start from, under one digest each."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from assent.config.lock import FILE as LOCK
from assent.config.settings import DataSettings, ModelSettings
from assent.core.digest import Digest, digest_of_value
from assent.errors import AssentError, UsageError
from assent.files import as_text
from assent.making.commands import SCRIPTS, mentioned, mentions
from assent.making.dvc import (
    PIPELINE,
    Dvc,
    agrees,
    pointers_beside,
    read_dvc,
    runs_dvc,
    working_tree,
)
from assent.making.notebooks import cells_digest
from assent.making.outputs import (
    Outputs,
    data_of,
    declared_by,
    evidence_files,
    is_command,
    known_outputs,
    literals,
    outputs_of,
    require_place,
)
from assent.making.upstream import Others
from assent.measure.files import (
    expand,
    is_environment,
    is_in_environment,
    leads_out,
    links_to,
    relative_name,
)
from assent.measure.hashes import Hashes
from assent.measure.model_files import is_executable
from assent.measure.patterns import base_of, covers, is_glob, relates
from assent.measure.pointers import StandIn, is_folder, not_here, require_there

_SHOWN = 3


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """`train` covers the command, the declared inputs and the parameters; `evaluate` covers
    `train`, the command of the evaluation, the data sets and what else is to be measured. `files`
    are all files by path: of what DVC keeps, the pointer, and of a notebook that is executed in
    place, its cells; `of_training` those that training starts from. `left_out` are outputs that a
    pattern covers; `products` what runs have written beside their outputs; `estranged` what is not
    as its pointer says, and counts as it lies there.
    """

    files: dict[str, Digest]
    train: Digest
    evaluate: Digest
    of_training: frozenset[str] = frozenset()
    left_out: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    estranged: tuple[str, ...] = ()


def read_inputs(
    root: Path,
    top: Path,
    settings: ModelSettings,
    hashes: Hashes,
    products: Mapping[str, Digest] | None = None,
    handed_on: Mapping[str, Digest] | None = None,
    others: Sequence[ModelSettings] = (),
    environ: Mapping[str, str] | None = None,
) -> Inputs:
    """Hash what the model of `settings` is made from. `top` is the top folder of the repository,
    `products` are files that a run has written beside its outputs: no inputs, as long as they are
    what it wrote. `handed_on` are inputs that an earlier job of the same run has read and that are
    not here. `others` are the other models of the same `assent.yaml`, and `environ` is what the
    commands run with.

    A file that a command names (`python evaluate.py`) is an input of that command whether it is
    declared or not, what no command makes is an input of the evaluation, and `assent.lock` never
    is one: it names what the inputs give. What the commands write is none either. Raises
    `UsageError` for a declared input that does not exist, that is an output as well, or that lies
    in the folder of the model.
    """
    data = data_of(settings)
    named = [*settings.inputs, *settings.params, *data]
    around = Others(others)
    above = around.above(named)
    more = [path for model in above for path in declared_by(model)]
    matches = {pattern: expand(root, [pattern]) for pattern in [*named, *more]}
    beside = [*outputs_of(settings).own, *pointers_beside(root, matches.values())]
    dvc = read_dvc(working_tree(root), [*named, *more, *beside])
    outputs = known_outputs(settings, dvc, others)
    named_by = partial(named_in, root, outputs=outputs, environ=environ)
    train_names, evaluate_names = named_by(settings.train), named_by(settings.evaluate)
    commands = (command for stage in above for command in (stage.train, stage.evaluate))
    above_names = [name for command in commands for name in named_by(command)]
    ties = _ties(root, [*train_names, *evaluate_names, *above_names])
    scripts = _scripts([*train_names, *evaluate_names])
    one_by_one = literals(settings)
    require_place(root, top, settings, [*one_by_one, *data, *scripts])
    kept = {*one_by_one, *scripts}
    strange = {name: product for name, product in (products or {}).items() if name not in kept}
    away = handed_on or {}
    all_data = frozenset([*data, *(path for model in above for path in data_of(model))])
    reading = _Found(root, outputs, dvc, hashes, strange, away, matches, all_data, around)
    for pattern in settings.inputs:
        if not _covered(away, [pattern]):
            reading.require(pattern)
    more += [name for name in above_names if name not in ties]
    started_from = [name for name in train_names if name not in ties]
    train = reading.files([*settings.inputs, *settings.params, *started_from, *more])
    tested_with = [name for name in evaluate_names if name not in ties]
    rest = [*data, *tested_with, *_made_by_nobody(settings)]
    evaluate = [path for path in reading.files(rest) if path not in train]
    files = {**hashes.digests(sorted({*train, *evaluate})), **away, **ties}
    files |= _cells(root, [settings, *above], files.keys() - away.keys())
    hashes.save()
    names = {relative_name(root, path) for path in train}
    names |= ties.keys() & {*train_names, *above_names}
    names |= _covered(away, [*settings.inputs, *settings.params, *more])
    return _inputs(root, settings, above, dict(sorted(files.items())), names, reading)


def _covered(names: Iterable[str], patterns: Sequence[str]) -> set[str]:
    """The names that one of the patterns means."""
    return {name for name in names if any(covers(pattern, name) for pattern in patterns)}


def _inputs(
    root: Path,
    settings: ModelSettings,
    above: Sequence[ModelSettings],
    files: dict[str, Digest],
    names: AbstractSet[str],
    reading: _Found,
) -> Inputs:
    """The files with both digests, where `names` are those that the training is made from."""
    made = {"above": [_how(model) for model in above]} if above else {}
    trained = digest_of_value(
        {
            "command": settings.train,
            "model": settings.model,
            "files": {name: digest for name, digest in files.items() if name in names},
            **({"python": settings.python} if settings.python else {}),
            **made,
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
                "data": _snapshots(settings),
                "files": {name: digest for name, digest in files.items() if name not in names},
                **_measured(settings),
                **_executable(root, settings, files),
            }
        ),
        left_out=tuple(reading.left_out),
        products=tuple(reading.products),
        estranged=tuple(reading.estranged),
    )


def _snapshots(settings: ModelSettings) -> dict[str, list[str | None]]:
    return {
        name: [data_set.path, data_set.snapshot] for name, data_set in settings.data_sets.items()
    }


def _how(settings: ModelSettings) -> list[Any]:
    """How a model is made whose outputs may be read for another one."""
    return [settings.train, settings.evaluate, settings.model, _snapshots(settings)]


def _cells(
    root: Path, models: Iterable[ModelSettings], names: Collection[str]
) -> dict[str, Digest]:
    """The notebooks among the inputs that a command executes in place: what it writes into them is
    no input.
    """
    read = working_tree(root)
    texts = {name: read(name) for stage in models for name in rerun(stage) if name in names}
    digests = {name: cells_digest(text) for name, text in texts.items() if text is not None}
    return {name: digest for name, digest in digests.items() if digest is not None}


def rerun(settings: ModelSettings) -> tuple[str, ...]:
    """The notebooks that the commands execute in place."""
    return (*mentions(settings.train).rerun, *mentions(settings.evaluate).rerun)


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


def _scripts(named: Iterable[str]) -> list[str]:
    """What commands name and run. What else they name, such as the model, they may write."""
    return [name for name in named if name.endswith(SCRIPTS)]


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
        others: Others,
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
        self._others = others
        self.left_out: dict[str, None] = {}
        self.products: dict[str, None] = {}
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
        if not all(self._is_output(pattern, name, literal=is_literal) for name in names):
            return
        if not names:
            require_there(self._root, pattern, "reading the inputs of the model")
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
        paths: set[Path] = set()
        for pattern in patterns:
            is_literal = self._is_literal(pattern) or pattern in self._data
            for path in self._matching(pattern):
                name = relative_name(self._root, path)
                if self._is_output(pattern, name, literal=is_literal):
                    self.left_out[name] = None
                elif self._is_product(name, path):
                    self.products[name] = None
                else:
                    paths.add(self._instead(name, literal=is_literal) or path)
            if self._dvc.pointer_of(pattern) is not None and pattern not in self._away:
                paths.add(self._instead(pattern, literal=True) or self._root / pattern)
        return {path for path in paths - {self._root / LOCK} if path.is_file()}

    def _is_output(self, pattern: str, name: str, *, literal: bool) -> bool:
        if self._outputs.cover(name, literal=literal):
            return True
        return not literal and self._others.claim(pattern, name)

    def _is_product(self, name: str, path: Path) -> bool:
        digest = self._products.get(name)
        return digest is not None and self._hashes.digest(path) == digest

    def _instead(self, name: str, *, literal: bool) -> Path | None:
        """The pointer that stands for a file, unless the file is another one, or the pointer is
        what the commands write.
        """
        pointer = self._dvc.pointer_of(name)
        if pointer is None or pointer == name:
            return None
        if not literal and self._outputs.cover(pointer):
            return None
        if pointer not in self._pointers:
            states = [
                agrees(self._root, locked, self._hashes) for locked in self._dvc.pointers[pointer]
            ]
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
    asked_for = {name: value for name, value in asked.items() if value}
    return {"measured": asked_for} if asked_for else {}


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
    mine = [name for name in names if covers(place, name) and (root / name).is_file()]
    executables = [name for name in mine if is_executable(root / name)]
    return {"executable": executables} if executables else {}


def named_in(
    root: Path, command: str | None, outputs: Outputs, environ: Mapping[str, str] | None = None
) -> list[str]:
    """The files of the working tree that a command mentions and does not write. A pipeline of DVC
    is named by running it. What lies in an environment is a program, known by its packages.
    """
    names = [PIPELINE] if runs_dvc(command) and (root / PIPELINE).is_file() else []
    here = {name: _from_root(root, value) for name, value in (environ or {}).items()}
    for mention in mentioned(None if command is None else _from_root(root, command), here):
        if not is_glob(mention):
            names += (
                [mention] if _is_file(root, mention) and not _is_written(outputs, mention) else []
            )
        else:
            names += [name for name in _fitting(root, mention) if not outputs.cover(name)]
    return [name for name in names if not is_in_environment(root, name)]


def _is_written(outputs: Outputs, word: str) -> bool:
    """Whether a word of a command names what it writes: what outputs cover, although only a glob
    does (`--metrics out/m.json`). Code is read.
    """
    return outputs.cover(word, literal=word.endswith(SCRIPTS))


def _ties(root: Path, names: Iterable[str]) -> dict[str, Digest]:
    """Those of `names` that links lead out of `root`, where nobody knows what changes, by the
    digest of the links.
    """
    return {
        name: digest_of_value(
            {link: as_text(os.fsdecode(text)) for link, text in links_to(root, name).items()}
        )
        for name in names
        if leads_out(root, root / name)
    }


def _from_root(root: Path, text: str) -> str:
    """A text with paths below the root as the commands, which start there, may name them."""
    return re.sub(rf"{re.escape(str(root))}(?:/|(?=$|[\s'\";:]))", "./", text)


def _fitting(root: Path, pattern: str) -> list[str]:
    """The files that a word of a command may mean, and the links among them that lead out of
    `root`: nobody has declared those, so that they are no reason to refuse.
    """
    strays: list[Path] = []

    def is_apart(path: Path) -> bool:
        if path.is_symlink() and leads_out(root, path):
            strays.append(path)
            return True
        return is_environment(path)

    try:
        base = base_of(pattern)
        if base and leads_out(root, root / base):
            return [base] if os.path.lexists(root / base) else []
        paths = [*expand(root, [pattern], is_apart), *strays]
        return [relative_name(root, path) for path in paths]
    except AssentError:
        return []  # it is no pattern that somebody declared


def _is_file(root: Path, name: str) -> bool:
    try:
        return (root / name).is_file()
    except OSError:  # too long a word for a name
        return False


class _Names(msgspec.Struct, frozen=True, kw_only=True):
    """Everything by which one model names its inputs."""

    literal: frozenset[str]
    words: frozenset[str]
    data: tuple[str, ...]
    patterns: tuple[str, ...]
    is_pipeline: bool

    @classmethod
    def of(cls, settings: ModelSettings) -> _Names:
        """Those of these settings."""
        return cls(
            literal=frozenset(literals(settings)),
            words=frozenset((*mentioned(settings.train), *mentioned(settings.evaluate))),
            data=tuple(data_of(settings)),
            patterns=(*settings.inputs, *settings.params, *_made_by_nobody(settings)),
            is_pipeline=runs_dvc(settings.train) or runs_dvc(settings.evaluate),
        )


class InputNames:
    """Which files can be inputs of a model, by their names alone, as `read_inputs` takes them.
    `models` are the model itself and those whose own inputs count for it.
    """

    def __init__(
        self, settings: ModelSettings, outputs: Outputs, others: Sequence[ModelSettings] = ()
    ) -> None:
        self._outputs = outputs
        self.others = Others(others)
        self.models = (settings, *self.others.above(declared_by(settings)))
        self._all = [_Names.of(model) for model in self.models]

    def cover(self, name: str) -> bool:
        """Whether a file can be an input."""
        return name != LOCK and any(self._are(names, name) for names in self._all)

    def _are(self, names: _Names, name: str) -> bool:
        if name in names.literal:
            return not self._outputs.cover(name, literal=True)
        if name in names.words:
            return not _is_written(self._outputs, name)
        if name == PIPELINE and names.is_pipeline:
            return True
        if any(covers(data, name) for data in names.data):
            return not self._outputs.cover(name, literal=True)
        if self._outputs.cover(name):
            return False
        if any(covers(word, name) for word in names.words):
            return True
        return any(
            covers(pattern, name) and not self.others.claim(pattern, name)
            for pattern in names.patterns
        )


def inputs_not_here(
    root: Path, settings: ModelSettings, outputs: Outputs, others: Sequence[ModelSettings] = ()
) -> list[tuple[str, StandIn]]:
    """What Git holds and is not here of what may be inputs, by name: submodules that are not
    fetched, and files that a sparse checkout has left out. What a command only mentions is looked
    for by whoever runs it, but a file that Git holds under that very name is meant.
    """
    inputs = InputNames(settings, outputs, others)
    patterns = [
        path for each in inputs.models for path in (*declared_by(each), *_made_by_nobody(each))
    ]
    return [
        (name, kind)
        for name, kind in not_here(root)
        if (
            not outputs.cover(name)
            and any(
                relates(pattern, name) and not inputs.others.claim(pattern, name)
                for pattern in patterns
            )
            if is_folder(kind)
            else inputs.cover(name)
        )
    ]


def patterns_of(settings: ModelSettings) -> list[str]:
    """Everything that names inputs: patterns, data sets, words of commands, and what no command
    makes.
    """
    words = (*mentioned(settings.train), *mentioned(settings.evaluate))
    return [*declared_by(settings), *_made_by_nobody(settings), *words]
