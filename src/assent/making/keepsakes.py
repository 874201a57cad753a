"""What people keep in the folders of outputs and commands seldom write: placeholders, documents."""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from assent.measure.files import PLACEHOLDERS, is_environment
from assent.measure.patterns import UNMATCHED, base_of

_DOCUMENT = re.compile(
    r"(?:readme|licen[sc]e|copying|notice|changelog|citation|authors|contributors|contributing"
    r"|model[-_]?card)(?:[-_.][\w-]+)*?(?:\.(?:md|rst|txt|adoc|cff|bib|html))?",
    re.IGNORECASE,
)
_CODE = (".py", ".sh", ".json", ".yaml", ".yml", ".csv", ".bin", ".pt", ".pkl", ".joblib", ".onnx")
_MOST_BYTES = 1 << 20


def is_document(name: str) -> bool:
    """Whether a file is for people, by its name: `README.md`, `LICENSE`."""
    last = PurePosixPath(name).name
    return _DOCUMENT.fullmatch(last) is not None and not last.endswith(_CODE)


def beside_outputs(root: Path, patterns: Iterable[str]) -> list[str]:
    """Placeholders and documents in the folders that outputs lie in, below `root`."""
    paths: dict[Path, None] = {}
    for pattern in patterns:
        base = base_of(pattern)
        place = root / base
        if place.is_dir():
            paths |= dict.fromkeys(_in(place, is_deep=_is_deep(pattern, base)))
        else:
            paths |= dict.fromkeys(_in(place.parent, is_deep=False))
    names = (path.relative_to(root).as_posix() for path in paths)
    return sorted(name for name in names if "/" in name)


def _is_deep(pattern: str, base: str) -> bool:
    """Whether outputs may lie in folders below the base of a pattern: not those of `out/*.json`."""
    rest = PurePosixPath(posixpath.normpath(pattern)).parts[len(PurePosixPath(base).parts) :]
    return len(rest) != 1 or "**" in rest or pattern.endswith("/")


def _in(folder: Path, *, is_deep: bool) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [
            folder
            for folder in folders
            if is_deep and folder not in UNMATCHED and not is_environment(Path(parent, folder))
        ]
        yield from (
            Path(parent, name) for name in files if name in PLACEHOLDERS or is_document(name)
        )


class Keepsakes:
    """Files that a command may take away with their folder, and that come back after it."""

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self._root = root
        self._known: dict[str, tuple[bytes, int]] = {}
        for name in names:
            with suppress(OSError):  # what cannot be read is not there to be lost
                status = (root / name).lstat()
                if stat.S_ISREG(status.st_mode) and status.st_size <= _MOST_BYTES:
                    self._known[name] = ((root / name).read_bytes(), stat.S_IMODE(status.st_mode))

    def restore(self) -> list[str]:
        """Put back those that are gone; their names. What is in the way stays."""
        back: list[str] = []
        for name, (content, mode) in self._known.items():
            place = self._root / name
            if os.path.lexists(place):
                continue
            with suppress(OSError):
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
                place.chmod(mode)
                back.append(name)
        return back
