"""Submodules: repositories in the working tree of another one, which keeps their commits only."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import PurePosixPath

from assent.errors import AssentError
from assent.git.repository import Repository

_MODE = "160000 "


def submodules(repository: Repository) -> list[str]:
    """The folders of all submodules, fetched or not, `.gitmodules` or not."""
    entries = repository.names("ls-files", "-z", "-s", doing="looking for submodules")
    return [entry.partition("\t")[2] for entry in entries if entry.startswith(_MODE)]


def fetched(repository: Repository, name: str) -> Repository | None:
    """The repository of a submodule; None if it is not fetched."""
    place = repository.top / name
    if not os.path.lexists(place / ".git"):
        return None
    try:
        return Repository(place)
    except AssentError:
        return None  # it belongs to somebody else, say: then nothing is known of it


class Holders:
    """The repositories whose commits hold the files of a working tree: for those in a submodule its
    own. Each is opened once, for as long as nothing is fetched or removed.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._inside: dict[str, Holders | None] = {}

    def of(self, name: str) -> tuple[Repository, str]:
        """The repository that holds a file, and what it is called there."""
        for folder in map(str, reversed(PurePosixPath(name).parents[:-1])):
            if os.path.lexists(self._repository.top / folder / ".git"):
                inner = self._in(folder)
                if inner is None:
                    break  # of a repository that nobody has added nothing is committed here
                return inner.of(str(PurePosixPath(name).relative_to(folder)))
        return self._repository, name

    def _in(self, folder: str) -> Holders | None:
        if folder not in self._inside:
            inner = fetched(self._repository, folder)
            is_added = inner is not None and self._repository.commit_of(folder) is not None
            self._inside[folder] = Holders(inner) if inner is not None and is_added else None
        return self._inside[folder]


def changed_within(repository: Repository, name: str) -> list[str] | None:
    """The files of a submodule that differ from its commit, by their names in `repository`; None
    if it is none, is at another commit, or cannot be looked into.
    """
    commit = repository.commit_of(name)
    inner = None if commit is None else fetched(repository, name)
    if inner is None or inner.resolve("HEAD") != commit:
        return None
    files: list[str] = []
    for changed in inner.changed_files():
        deeper = changed_within(inner, changed)
        files += [f"{name}/{each}" for each in ([changed] if deeper is None else deeper)]
    return files


def untracked(repository: Repository, names: Collection[str]) -> list[str]:
    """The files that Git neither has nor ignores, those in submodules as well that hold one of
    `names`. A repository that nobody has added is one folder, with `/` at the end.
    """
    untracked_here = repository.names(
        *("ls-files", "-z", "--others", "--exclude-standard", "--full-name"),
        doing="looking for files",
    )
    folders = {str(folder) for name in names for folder in PurePosixPath(name).parents}
    for name in submodules(repository):
        inner = fetched(repository, name) if name in folders else None
        if inner is not None:
            own = [path.removeprefix(f"{name}/") for path in names if path.startswith(f"{name}/")]
            untracked_here += [f"{name}/{path}" for path in untracked(inner, own)]
    return untracked_here
