"""What the commands of a model write, as `assent.yaml` and DVC's pipelines declare it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from assent.config.settings import ModelSettings
from assent.errors import UsageError
from assent.measure.files import PLACEHOLDERS, UNMATCHED, covers, is_glob


class Outputs(msgspec.Struct, frozen=True, kw_only=True):
    """Patterns of files, relative to the folder of `assent.yaml`. `model` is what `train` writes,
    `measured` what it or `evaluate` writes: metrics, predictions and plots. `plots` are those of
    them that nothing is decided by. `derived` are files that a pipeline tool makes on the way.
    """

    model: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    plots: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()

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
        if PurePosixPath(name).name in PLACEHOLDERS:
            return False
        return any(
            covers(pattern, name) for pattern in self.all if not (literal and is_glob(pattern))
        )


def outputs_of(settings: ModelSettings, derived: Iterable[str] = ()) -> Outputs:
    """What the commands of the model write. What no command makes is no output but an input: a
    model without `train`, and the evidence of one without any command.
    """
    if settings.train is None and not is_command(settings.evaluate):
        return Outputs()
    return Outputs(
        model=() if settings.train is None else (_plain(settings.model),),
        measured=tuple(map(_plain, evidence_files(settings))),
        plots=tuple(map(_plain, settings.plots)),
        derived=tuple(derived),
    )


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
