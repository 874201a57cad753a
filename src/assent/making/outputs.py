"""What the commands of a model write, as `assent.yaml` and DVC's pipelines declare it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from assent.config.settings import ModelSettings
from assent.errors import UsageError
from assent.making.commands import mentions
from assent.making.dvc import Dvc, made_by_dvc
from assent.making.keepsakes import is_document
from assent.measure.files import PLACEHOLDERS
from assent.measure.patterns import UNMATCHED, covers, is_glob


class Outputs(msgspec.Struct, frozen=True, kw_only=True):
    """Patterns of files, relative to the folder of `assent.yaml`. `model` is what `train` writes,
    `measured` what it or `evaluate` writes: metrics, predictions and plots. `plots` are those of
    them that nothing is decided by. `derived` are files that a pipeline tool makes on the way, and
    `written` files by name that the commands say they write, and pointers to outputs. `foreign` is
    what other models of the same `assent.yaml` declare one by one.
    """

    model: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    plots: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """All patterns."""
        return (*self.model, *self.measured, *self.plots, *self.derived)

    @property
    def own(self) -> tuple[str, ...]:
        """What the commands themselves write, without what a pipeline tool makes on the way."""
        return (*self.model, *self.measured, *self.plots)

    def cover(self, name: str, *, literal: bool = False) -> bool:
        """Whether the file is an output. With `literal` it was named by somebody as an input, who
        is right against a glob that happens to cover it.
        """
        if not literal and name in self.written:
            return True
        if PurePosixPath(name).name in PLACEHOLDERS:
            return False
        patterns = [
            pattern
            for pattern in self.all
            if not (literal and is_glob(pattern)) and covers(pattern, name)
        ]
        return bool(patterns) and not (all(map(is_glob, patterns)) and self.is_foreign(name))

    def is_foreign(self, name: str) -> bool:
        """Whether another model declares the file, by its name or that of a folder it is in."""
        return any(covers(pattern, name) for pattern in self.foreign)

    def is_strange(self, name: str) -> bool:
        """Whether a glob of outputs covers a file that is none: another model's, or a document."""
        return self.is_foreign(name) or is_document(name)

    def keep(self, patterns: Sequence[str], names: Iterable[str]) -> list[str]:
        """Those of `names`, which `patterns` cover, that are not another model's."""
        mine = [pattern for pattern in patterns if not is_glob(pattern)]
        return [
            name
            for name in names
            if not self.is_foreign(name) or any(covers(pattern, name) for pattern in mine)
        ]


def known_outputs(
    settings: ModelSettings, dvc: Dvc, others: Iterable[ModelSettings] = ()
) -> Outputs:
    """What the commands of the model write, and DVC's files that stand for nothing else. `others`
    are the other models of the same `assent.yaml`.
    """
    outputs = outputs_of(settings, made_by_dvc(settings, dvc))
    pointers = [
        name
        for name, targets in dvc.pointers.items()
        if targets and all(outputs.cover(target.path) for target in targets)
    ]
    return msgspec.structs.replace(
        outputs,
        written=(
            *outputs.written,
            *(pointer for pointer in pointers if pointer not in literals(settings)),
        ),
        foreign=tuple(
            pattern for other in others for pattern in outputs_of(other).own if not is_glob(pattern)
        ),
    )


def outputs_of(settings: ModelSettings, derived: Iterable[str] = ()) -> Outputs:
    """What the commands of the model write. What no command makes is no output but an input: a
    model without `train`, and the evidence of one without any command. What is declared as an
    input is one, although a command says that it writes it.
    """
    if settings.train is None and not is_command(settings.evaluate):
        return Outputs()
    return Outputs(
        model=() if settings.train is None else (_plain(settings.model),),
        measured=tuple(map(_plain, evidence_files(settings))),
        plots=tuple(map(_plain, settings.plots)),
        derived=tuple(derived),
        written=tuple(_written(settings)),
    )


def _written(settings: ModelSettings) -> list[str]:
    mentioned = (*mentions(settings.train).written, *mentions(settings.evaluate).written)
    declared, data = literals(settings), data_of(settings)
    return [
        name
        for name in mentioned
        if name not in declared and not any(covers(place, name) for place in data)
    ]


def literals(settings: ModelSettings) -> list[str]:
    """The inputs and parameters that `assent.yaml` names one by one."""
    named = (*settings.inputs, *settings.params)
    return [posixpath.normpath(pattern) for pattern in named if not is_glob(pattern)]


def declared_by(settings: ModelSettings) -> list[str]:
    """Everything in the working tree that `assent.yaml` says the model is made from."""
    return [*settings.inputs, *settings.params, *data_of(settings)]


def data_of(settings: ModelSettings) -> list[str]:
    """The data sets that are files here, and the earlier states that they are compared with."""
    sets = settings.data_sets.values()
    earlier = [data_set.previous for data_set in sets if data_set.previous is not None]
    return [path for path in (*(data_set.path for data_set in sets), *earlier) if "://" not in path]


def is_command(command: str | None) -> bool:
    """Whether a command can write anything: the shell's `true` and `:` stand for none."""
    return command is not None and command.strip() not in ("true", ":")


def evidence_files(settings: ModelSettings) -> tuple[str, ...]:
    """Patterns of the files that evidence is read from, plots apart."""
    predictions = () if settings.predictions is None else (settings.predictions.path,)
    return (*settings.metrics, *predictions)


def _plain(pattern: str) -> str:
    """`./a//b/` as `a/b`: the text that names are compared with."""
    return posixpath.normpath(pattern)


def require_place(root: Path, top: Path, settings: ModelSettings, named: Sequence[str]) -> None:
    """Raise `UsageError` unless the model may be replaced where `assent.yaml` says that it lies:
    not the repository, not what Git or Assent keep, and no folder that holds one of `named`, the
    files that the model is made from.
    """
    declared = settings.model
    doing = f"looking for the model {declared!r}"
    hint = "give the model a folder or a file of its own"
    parts = PurePosixPath(posixpath.normpath(declared)).parts
    if not UNMATCHED.isdisjoint(parts):
        raise UsageError(doing, "Git, Assent or Python keep their own files there", hint=hint)
    place = (root / declared).resolve()
    if any(kept.is_relative_to(place) for kept in (root.resolve(), top.resolve())):
        raise UsageError(doing, "it is the repository itself, or holds it", hint=hint)
    if settings.train is None:
        return
    inside = [name for name in named if covers(_plain(declared), _plain(name))]
    if inside:
        raise UsageError(
            doing,
            f"{inside[0]}, which it is made from, is in it, and `train` writes it",
            hint=hint,
        )
