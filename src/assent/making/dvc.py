"""What DVC's files say of the inputs and outputs of a model, in a working tree or at a revision."""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

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
from assent.errors import AssentError, UsageError
from assent.measure.files import covers, path_below, read_small, relative_name, walk
from assent.measure.hashes import Hashes
from assent.parsing import ParseError, parse_yaml

PIPELINE, LOCK, POINTER = "dvc.yaml", "dvc.lock", ".dvc"

Read = Callable[[str], bytes | None]
"""The content of a file by its name relative to the root; None if there is none."""


class Dvc(msgspec.Struct, frozen=True, kw_only=True):
    """`stages` of the pipelines, what `locked` says they read and wrote last, and `pointers`: by
    the name of each pointer file what it stands for.
    """

    stages: tuple[Stage, ...] = ()
    locked: tuple[LockedStage, ...] = ()
    pointers: dict[str, tuple[Locked, ...]] = {}

    @property
    def outs(self) -> tuple[str, ...]:
        """Everything that the stages write, and the lock that `dvc repro` writes."""
        found: dict[str, None] = {}
        for stage in self.stages:
            found |= dict.fromkeys((*stage.outs, *stage.metrics, *stage.plots))
        return (*found, *({LOCK} if self.stages else ()))

    def pointer_of(self, name: str) -> str | None:
        """The pointer file that stands for a file, or for a folder that it is in."""
        return next(
            (
                pointer
                for pointer, targets in self.pointers.items()
                if any(covers(one.path, name) for one in targets)
            ),
            None,
        )

    def digest_of(self, path: str) -> str | None:
        """What DVC knows an input by: a pointer, or what the lock says that a stage has read; None
        for what it does not know.
        """
        known = [one for targets in self.pointers.values() for one in targets]
        known += [one for stage in self.locked for one in stage.deps]
        return next((one.digest for one in known if one.path == path), None)


def runs_dvc(command: str | None) -> bool:
    """Whether a command runs a pipeline of DVC, which leaves out what is up to date."""
    words = (command or "").replace(";", " ").replace("&", " ").split()
    return any(
        first.rsplit("/", 1)[-1] == "dvc" and second in ("repro", "exp")
        for first, second in pairwise(words)
    )


def read_dvc(read: Read, names: Iterable[str]) -> Dvc:
    """What the pipeline at the root says, and the pointers to `names`: for a path its own and
    those of the folders it is in. Raises `UsageError` for a file that DVC could not read either.
    """
    pipeline, lock = read(PIPELINE), read(LOCK)
    pointers = {
        candidate: content
        for candidate in dict.fromkeys(one for name in names for one in _pointers_to(name))
        if (content := read(candidate)) is not None
    }
    try:
        stages = () if pipeline is None else read_stages(pipeline, "", _variables(read, pipeline))
        return Dvc(
            stages=stages,
            locked=() if lock is None else read_stage_lock(lock, "", stages),
            pointers={
                name: read_pointer(content, posixpath.dirname(name))
                for name, content in pointers.items()
            },
        )
    except ParseError as error:
        raise UsageError(
            "reading what DVC knows",
            f"dvc.yaml, dvc.lock or a .dvc file: {error.problem}",
            hint="`dvc status` says more",
        ) from None


def working_tree(root: Path) -> Read:
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
    above = {one for folder in folders for one in folder.parents if one.is_relative_to(root)}
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


def _variables(read: Read, pipeline: bytes) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in variable_files(pipeline, ""):
        content = read(name)
        value = None if content is None else parse_yaml(content)
        if isinstance(value, dict):
            found |= value
    return found


def stale(root: Path, dvc: Dvc, path: str, hashes: Hashes) -> str:
    """Why an output of a stage is not what DVC would make now; empty if it is.

    Its lock must have the output as it lies there, and what the stage has read as it is now:
    known by another stage's output, by its pointer, or else by its own bytes.
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
    for dep in stage.deps:
        if not _is_current(root, dvc, dep, hashes):
            return f"{dep.path} is not what the stage {stage.name} has read when it last ran"
    return ""


def _is_current(root: Path, dvc: Dvc, dep: Locked, hashes: Hashes) -> bool:
    made = [one for stage in dvc.locked for one in stage.outs]
    pointed = [one for targets in dvc.pointers.values() for one in targets]
    known = next((one.digest for one in (*made, *pointed) if one.path == dep.path), None)
    if known is not None:
        return known == dep.digest
    return agrees(root, dep, hashes) is not False
