"""What lies where a run writes its outputs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from assent.measure.files import (
    PLACEHOLDERS,
    expand,
    path_below,
    relative_name,
    require_inside,
)
from assent.measure.patterns import is_glob

_NEVER = frozenset({".git", ".assent"})
"""What Git and Assent keep for themselves, in a folder or, for a submodule, in a file."""


def standing_outputs(root: Path, patterns: Sequence[str]) -> list[str]:
    """The files that lie where a run writes its outputs, links as they are, without those that
    keep a folder in Git.
    """
    names: dict[str, None] = {}
    for pattern in patterns:
        place = path_below(root, pattern)
        require_inside(root, place)
        if is_glob(pattern) and not os.path.lexists(place):
            names |= dict.fromkeys(relative_name(root, path) for path in expand(root, [pattern]))
        elif place.is_dir():
            names |= dict.fromkeys(_below(pattern, place))
        elif os.path.lexists(place):
            names[pattern] = None
    return [
        relative_name(root, root / name) for name in names if Path(name).name not in PLACEHOLDERS
    ]


def _below(pattern: str, place: Path) -> Iterator[str]:
    """The files of a folder. Where the folder itself is a link, those of what it leads to."""
    for parent, folders, files in os.walk(place):
        folders[:] = [folder for folder in folders if folder not in _NEVER]
        links = [folder for folder in folders if (Path(parent) / folder).is_symlink()]
        for name in (*(file for file in files if file not in _NEVER), *links):
            yield f"{pattern}/{(Path(parent) / name).relative_to(place).as_posix()}"
