"""The inputs digest: what training and evaluating start from, under one digest each."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import msgspec

from assent.config.lock import FILE as LOCK
from assent.config.settings import DataSettings, ModelSettings
from assent.core.digest import Digest, digest_of_value
from assent.errors import UsageError
from assent.measure.files import digests, expand


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """`train` covers the command, the declared inputs and the parameters; `evaluate` covers
    `train`, the command of the evaluation, the data sets and what else is to be measured. `files`
    are all files by path.
    """

    files: dict[str, Digest]
    train: Digest
    evaluate: Digest


def read_inputs(root: Path, settings: ModelSettings) -> Inputs:
    """Hash what the model of `settings` is made from.

    A file that a command names (`python evaluate.py`) is an input of that command whether it is
    declared or not, and `assent.lock` never is one: it names what the inputs give. Raises
    `UsageError` for a declared input that does not exist.
    """
    declared = [*settings.inputs, *settings.params]
    for pattern in settings.inputs:
        if not expand(root, [pattern]):
            raise UsageError(
                f"reading the inputs of the model {settings.model}",
                f"nothing matches {pattern!r}",
                hint="correct `inputs` in assent.yaml, or fetch the file",
            )
    lock = {root / LOCK}
    train_files = set(expand(root, [*declared, *_named(root, settings.train)])) - lock
    sets = settings.data_sets
    data_files = set(expand(root, [data.path for data in sets.values() if _is_here(data.path)]))
    evaluate_files = (data_files | set(expand(root, _named(root, settings.evaluate)))) - lock
    files = digests(root, sorted(train_files | evaluate_files))
    chosen = {name: digest for name, digest in files.items() if root.joinpath(name) in train_files}
    train = digest_of_value({"command": settings.train, "files": chosen})
    evaluate = digest_of_value(
        {
            "train": train,
            "command": settings.evaluate,
            "metrics": settings.metrics,
            "model": settings.model,
            "data": {name: [data.path, data.snapshot] for name, data in sets.items()},
            "files": {name: digest for name, digest in files.items() if name not in chosen},
            **_measured(settings),
        }
    )
    return Inputs(files=files, train=train, evaluate=evaluate)


def _measured(settings: ModelSettings) -> dict[str, Any]:
    """What else is measured, as far as it is asked for: other evidence is another evaluation."""
    asked = {
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


def _is_here(path: str) -> bool:
    return "://" not in path


def _named(root: Path, command: str | None) -> list[str]:
    """The words of a command that are files of the working tree."""
    try:
        words = shlex.split(command or "", comments=True)
    except ValueError:
        words = (command or "").split()
    found = []
    for word in words:
        path = Path(word)
        if not path.is_absolute() and ".." not in path.parts and (root / path).is_file():
            found.append(word)
    return found
