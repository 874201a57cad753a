"""Names in a folder whose file system may take two of them for one.

It opens `production` where `Production` is asked for, or `churn` for `churn.`. So a pointer that is
there may be another one's, and is looked for in the list of its folder, to the letter.
"""

from __future__ import annotations

import os
from pathlib import Path

from assent.errors import OutsideError
from assent.stores import layout
from assent.stores.layout import Place


class FolderNames:
    """The names below the root of a store."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._are_folded: bool | None = None

    def has_own(self, place: Place) -> bool:
        """Whether what is at a place, if anything is, has been written there."""
        return not self._may_be_folded() or _is_spelled_so(self._root, place.spelled)

    def require_own(self, place: Place) -> None:
        """Raise `OutsideError` where writing would replace what has another name."""
        if not self.has_own(place):
            raise OutsideError(
                f"writing {place.name} in {self._root}",
                "the file system takes it for another name that is there already: they differ in "
                "upper and lower case, or in a dot at the end",
                hint="give the stage or the model a name that differs otherwise, or keep the store "
                "on a file system that tells them apart",
            )

    def _may_be_folded(self) -> bool:
        """Tried with a file that each store has. As long as it is not there nobody knows."""
        file = self._root / layout.INDEX_FILE
        if self._are_folded is None and file.exists():
            self._are_folded = has_other_names(file)
        return self._are_folded is not False


def has_other_names(file: Path) -> bool:
    """Whether a file is opened under another name than its own. Nothing is written."""
    names = (file.name.swapcase(), f"{file.name}.")
    return any(os.path.lexists(file.with_name(name)) for name in names)


def _is_spelled_so(root: Path, parts: tuple[str, ...]) -> bool:
    """Whether these parts of a path are called so to the letter, or are not there at all."""
    folder = root
    for part in parts:
        above, folder = folder, folder / part
        if not os.path.lexists(folder):
            return True
        if part not in os.listdir(above):  # noqa: PTH208  # texts
            return False
    return True
