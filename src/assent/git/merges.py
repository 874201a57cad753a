"""What Git itself makes of a merge, to tell one that adds nothing from one that does."""

from __future__ import annotations

from assent.errors import OutsideError
from assent.git.process import GitError
from assent.git.repository import Repository

_CONFLICT = 1


class Merges:
    """Merges in the history of a clone. What is not here is fetched; what cannot be had is not
    known.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def adds_nothing(self, result: str, one: str, other: str) -> bool | None:
        """Whether the commit `result` holds just what Git makes of merging two commits. None if
        that is not known: a commit or its history cannot be had, or this Git is too old.
        """
        merge = ("merge-tree", "--write-tree", one, other)
        try:
            for commit in (result, one, other):
                self._bring(commit)
            merged = self._repository.run(*merge, doing="merging as Git would")
            return merged.splitlines()[:1] == [self._repository.tree(result)]
        except GitError as error:
            return False if error.code == _CONFLICT else None
        except OutsideError:
            return None

    def parents(self, commit: str) -> tuple[str, ...]:
        """The parents of a commit; none if they are not known."""
        try:
            self._bring(commit)
            return tuple(self._repository.parents(commit))
        except OutsideError:
            return ()

    def contains(self, commit: str, ancestor: str) -> bool:
        """Whether a commit is known to have another one in its history."""
        try:
            self._bring(commit)
            return self._repository.contains(commit, ancestor)
        except OutsideError:
            return False

    def _bring(self, commit: str) -> None:
        self._repository.bring(next(iter(self._repository.remotes()), "origin"), commit)
