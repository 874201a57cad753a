"""The files that are the model."""

from __future__ import annotations

import stat
from collections.abc import Collection
from pathlib import Path

from assent.core.bundle import is_safe_path
from assent.errors import OutsideError, UsageError
from assent.measure import files
from assent.measure.pointers import require_real, require_there, stands_for


class NoModelError(UsageError):
    """Where the model is to be, there is nothing."""

    def __init__(self, doing: str, problem: str) -> None:
        super().__init__(doing, problem, hint="run `assent train` first")


def model_files(root: Path, declared: str, without: Collection[str] = ()) -> list[tuple[str, Path]]:
    """The files of the model declared as a file or a folder below `root`: their path in the model
    (relative to its folder, with `/`; the name of a model that is one file) and where they are,
    sorted. What keeps the folder in Git is no part of it, nor are the files `without`, by their
    names relative to `root`.

    Raises `NoModelError` if there is none, and `UsageError` for anything that cannot be served as
    it is: a link that leaves the model, a pipe or a device, a name that is not safe everywhere. It
    is a `StandInError` where only what stands for the bytes is here.
    """
    doing = f"looking for the model {declared!r}"
    place = files.path_below(root, declared)
    if not place.exists():
        require_there(root, declared, doing)
        raise NoModelError(doing, "there is no such file or folder")
    files.require_inside(root, place)
    if place.is_dir():
        files_here = [
            (path.relative_to(place).as_posix(), path) for path in files.walk(place, place)
        ]
        files_here = [
            (name, path)
            for name, path in files_here
            if path.name not in {*files.PLACEHOLDERS, ".git"}
            and path.relative_to(root).as_posix() not in without
        ]
    else:
        files_here = [(place.name, place)]
    if not files_here:
        require_there(root, declared, doing)
        raise NoModelError(doing, "the folder is empty")
    for name, path in files_here:
        if ".git" in name.split("/")[:-1]:
            raise UsageError(
                doing,
                f"it holds a repository of its own: {name.partition('.git')[0]}.git",
                hint="what it keeps, such as tokens, would be served; let the model lie elsewhere",
            )
        if not is_safe_path(name):
            raise UsageError(doing, f"{name!r} is not a name that is safe on every machine")
        if not stands_for(path):
            _require_regular(doing, name, path)
    folder = [place] if place.is_dir() else []
    require_real(root, [*folder, *(path for _, path in sorted(files_here))], doing)
    return sorted(files_here)


def is_executable(path: Path) -> bool:
    """Whether a file may be run, as Git sees it: by its owner."""
    return bool(path.stat().st_mode & stat.S_IXUSR)


def _require_regular(doing: str, name: str, path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise UsageError(doing, f"{name} is a link to nothing") from None
    except OSError as error:
        raise OutsideError(doing, f"{name}: {error.strerror}") from None
    if not stat.S_ISREG(mode):
        raise UsageError(doing, f"{name} is a pipe, a socket or a device, not a file")
