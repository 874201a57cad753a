"""Where outputs may lie. What is declared as one is set aside and replaced, so that nothing else
may be there: not what Git or Assent keep, not what says how a model is made, not what it is made
from. Known before a command is run, and refused before it.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

import msgspec

from assent.config.lock import FILE as LOCK
from assent.config.settings import FILE, ModelSettings
from assent.errors import UsageError
from assent.making.dvc import LOCK as DVC_LOCK
from assent.making.dvc import PIPELINE
from assent.making.existing_outputs import standing_outputs
from assent.making.outputs import data_of, is_command, literals
from assent.making.scratch import Written
from assent.making.worktree import some_of
from assent.measure.files import (
    PLACEHOLDERS,
    expand,
    path_below,
    relative_name,
    require_inside,
)
from assent.measure.patterns import UNMATCHED, base_of, covers, is_glob
from assent.setup.shell import Simple, commands, path_of, ran
from assent.workspace import Workspace

_RULES = PLACEHOLDERS | {FILE, LOCK, PIPELINE, DVC_LOCK, ".gitmodules"}
"""Files that say how models are made, and what Git does with files, in any folder."""
_UNEXPANDED = re.compile(r"~$|\$\w|\$\{")
_KEPT = "Git, Assent or Python keep their own files there"
_OWN = "give it a file or a folder of its own"


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """An output as `assent.yaml` names it, under which key."""

    key: str
    pattern: str

    @property
    def is_glob(self) -> bool:
        """Whether it names what it fits."""
        return is_glob(self.pattern)


def require_places(workspace: Workspace, model: str, made: Written) -> None:
    """Raise `UsageError` for a declared output that can never be one, or that must not be one
    because of what lies at its place once all links are followed. Runs have `made` some of it.
    """
    places = _Places(workspace, model, made)
    for output in outputs_declared(workspace.settings(model)):
        places.require(output)


def outputs_declared(settings: ModelSettings) -> tuple[Declared, ...]:
    """What the commands write, as it is declared. Without a command there is nothing."""
    if settings.train is None and not is_command(settings.evaluate):
        return ()
    named = {
        "model": () if settings.train is None else (settings.model,),
        "metrics": settings.metrics,
        "predictions": () if settings.predictions is None else (settings.predictions.path,),
        "plots": settings.plots,
    }
    return tuple(
        Declared(key=key, pattern=pattern) for key, all_ in named.items() for pattern in all_
    )


def say_shared(workspace: Workspace, model: str, doing: str) -> None:
    """Say which evidence lies in the folder of the model, where only `train` may write."""
    settings = workspace.settings(model)
    if not is_command(settings.evaluate):
        return
    folder = _plain(settings.model)
    shared = [
        output.pattern
        for output in outputs_declared(settings)
        if output.key != "model" and covers(folder, base_of(output.pattern) or ".")
    ]
    if shared:
        workspace.say(
            f"{doing}: {some_of(shared)} must be written now, because it lies in the model's "
            f"folder {settings.model}: what `evaluate` writes there would change the model"
        )


class _Places:
    """The places of one model's outputs, and what must not be there."""

    def __init__(self, workspace: Workspace, model: str, made: Written) -> None:
        self._workspace = workspace
        self._made = made
        self._settings = workspace.settings(model)
        self._root = workspace.root
        self._real_root = _real(workspace.root)

    def require(self, output: Declared) -> None:
        """Raise `UsageError` for an output that must not be."""
        try:
            self._require_possible(output)
        except UsageError as error:  # in the words of whoever reads a path
            raise UsageError(_doing(output), error.problem, hint=error.hint) from None
        fixed = _place(self._root / base_of(output.pattern))
        self._require_not_kept(output, fixed)
        if output.is_glob and not os.path.lexists(self._root / output.pattern):
            self._require_matches(
                output, is_linked=fixed != self._real_root / base_of(output.pattern)
            )
        else:
            self._require_folder(
                output, is_linked=fixed != self._real_root / base_of(output.pattern)
            )

    def _require_possible(self, output: Declared) -> None:
        """What is known by the text, and by where links lead on the way."""
        place = path_below(self._root, output.pattern)
        if not os.path.lexists(place):
            if any(_UNEXPANDED.match(part) for part in place.relative_to(self._root).parts):
                raise UsageError(
                    _doing(output),
                    "`~` and variables stand for themselves here",
                    hint="write the path itself, below the folder of assent.yaml",
                )
            if output.key == "model" and any(sign in output.pattern for sign in "*?"):
                hint = "name the folder that its files are in"
                raise UsageError(_doing(output), "a glob is no model", hint=hint)
        if not UNMATCHED.isdisjoint(part.casefold() for part in _parts(output.pattern)):
            raise UsageError(_doing(output), _KEPT, hint=_OWN)
        require_inside(self._root, self._root / base_of(output.pattern))

    def _require_not_kept(self, output: Declared, real: Path) -> None:
        """Raise for what Git and Assent keep, wherever the links to it are."""
        name = os.path.relpath(real, self._real_root)
        kept = not UNMATCHED.isdisjoint(part.casefold() for part in _parts(name))
        if kept or any(real.is_relative_to(place) for place in self._keeping):
            raise UsageError(_doing(output), f"it is {name}; {_KEPT}", hint=_OWN)

    def _require_folder(self, output: Declared, *, is_linked: bool) -> None:
        """A file, or a folder with all that is in it."""
        real = _place(self._root / output.pattern)
        kept = (self._real_root, _real(self._workspace.repository.top), *self._keeping)
        if any(place.is_relative_to(real) for place in kept):
            raise UsageError(_doing(output), "it is the repository itself, or holds it", hint=_OWN)
        self._require_no_rule(output, _parts(output.pattern), "it")
        for name, what in self._sources(output):
            if covers(_plain(output.pattern), name) or _real(self._root / name).is_relative_to(
                real
            ):
                self._refuse_source(output, name, what)
        if is_linked:
            for place, name in self._inputs.items():
                if place.is_relative_to(real):
                    self._refuse_source(output, name, "an input")

    def _refuse_source(self, output: Declared, name: str, what: str) -> None:
        problem = f"{name}, {what}, is in it, and a run replaces all of it"
        raise UsageError(_doing(output), problem, hint=_OWN)

    def _require_matches(self, output: Declared, *, is_linked: bool) -> None:
        """All that a glob fits now."""
        not_to_fit = {
            _place(self._root / name): (name, what) for name, what in self._sources(output)
        }
        if is_linked:
            not_to_fit |= {place: (name, "an input") for place, name in self._inputs.items()}
        for name in standing_outputs(self._root, [output.pattern]):
            place = _place(self._root / name)
            self._require_not_kept(output, place)
            self._require_no_rule(output, _parts(name), f"it fits {name}, which")
            if place in not_to_fit:
                source, what = not_to_fit[place]
                hint = "name the files that the run writes one by one, or give them a folder"
                raise UsageError(_doing(output), f"it fits {source}, {what}", hint=hint)

    def _require_no_rule(self, output: Declared, parts: Sequence[str], it: str) -> None:
        forges = self._workspace.forge_files
        is_rule = parts[-1] in _RULES or parts[-1] in forges.names
        if is_rule or not set(forges.folders).isdisjoint(parts):
            problem = f"{it} says how models are made, or what Git or the forge does"
            raise UsageError(_doing(output), problem, hint=_OWN)

    def _sources(self, output: Declared) -> Iterator[tuple[str, str]]:
        """What an output must not hold: what the commands run, and what is named as an input.
        Parameters a run may write beside its metrics, as a search does; data may be what was
        predicted; and of plots only those are shown that the run wrote.
        """
        for name in self._code:
            yield name, "which the commands run"
        named = {
            "model": [*literals(self._settings), *data_of(self._settings)],
            "metrics": literals(self._settings) if output.is_glob else self._inputs_by_name,
            "predictions": self._inputs_by_name,
            "plots": [] if output.is_glob else self._inputs_by_name,
        }
        for name in named[output.key]:
            yield posixpath.normpath(name), "an input"

    @cached_property
    def _inputs_by_name(self) -> list[str]:
        return [_plain(pattern) for pattern in self._settings.inputs if not is_glob(pattern)]

    @cached_property
    def _code(self) -> list[str]:
        """The scripts and modules that the commands run, without those that a run wrote."""
        settings, made = self._settings, self._made.outputs
        lines = [command for command in (settings.train, settings.evaluate) if command is not None]
        names = [name for line in lines for simple in commands(line) for name in _run_by(simple)]
        return [name for name in names if (self._root / name).is_file() and name not in made]

    @cached_property
    def _inputs(self) -> dict[Path, str]:
        """All inputs by their real places, but for what runs have left there."""
        settings, known = self._settings, (*self._made.outputs, *self._made.products)
        made = {_place(self._root / name) for name in known}
        patterns = [*settings.inputs, *settings.params, *data_of(settings)]
        by_place = {_place(path): path for path in expand(self._root, patterns)}
        return {
            place: relative_name(self._root, path)
            for place, path in by_place.items()
            if place not in made
        }

    @cached_property
    def _keeping(self) -> tuple[Path, ...]:
        """The folders of the repository and of the store, which may be anywhere."""
        store = self._workspace.config.store
        own = () if "://" in store else (self._root / store,)
        return tuple(map(_real, (self._workspace.repository.common, self._workspace.work, *own)))


def _run_by(simple: Simple) -> list[str]:
    run = ran(simple)
    if run is None:
        return []
    module = (run.module or "").replace(".", "/")
    names = [f"{module}.py", f"{module}/__main__.py"] if module else [run.script or ""]
    return [path for name in names if (path := path_of(simple, name)) is not None]


def _doing(output: Declared) -> str:
    if output.key == "model":
        return f"looking for the model {output.pattern!r}"
    return f"looking for {output.pattern!r} of `{output.key}`"


def _parts(name: str) -> tuple[str, ...]:
    return PurePosixPath(_plain(name)).parts


def _plain(name: str) -> str:
    return posixpath.normpath(name)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _place(path: Path) -> Path:
    """Where a file or folder is. A link to a file is a file itself: it is what is set aside."""
    return _real(path) if path.is_dir() else _real(path.parent) / path.name
