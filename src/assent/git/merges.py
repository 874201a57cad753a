"""What Git itself makes of a merge, to tell one that adds nothing from one that does."""

from __future__ import annotations

from collections.abc import Iterator

from assent.errors import OutsideError
from assent.git.process import GitError
from assent.git.repository import Repository

_CONFLICT = 1
_DEPTHS = (100, 1000)
"""How many generations before a commit are fetched where a shallow clone has cut its history off:
the second where the first was not enough.
"""


class Merges:
    """Merges in the history of a clone. What is not here is fetched; what cannot be had is not
    known.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._missing: set[str] = set()

    def adds_nothing(self, result: str, first: str, other: str) -> bool | None:
        """Whether the commit `result` holds just what Git makes of merging two commits. None if
        that is not known: a commit or its history cannot be had, or this Git is too old.
        """
        is_merge: bool | None = None
        for _ in self._deeper(result, first, other):
            is_merge = self._is_merge(result, first, other)
            if is_merge:
                break
        return is_merge

    def parents(self, commit: str) -> tuple[str, ...]:
        """The parents of a commit; none if they are not known."""
        return tuple(self._repository.parents(commit)) if self._has(commit) else ()

    def contains(self, commit: str, ancestor: str) -> bool:
        """Whether a commit is known to have another one in its history."""
        return any(self._is_below(ancestor, commit) for _ in self._deeper(commit))

    def _is_merge(self, result: str, first: str, other: str) -> bool | None:
        if not all(map(self._has, (result, first, other))):
            return None
        merge = ("merge-tree", "--write-tree", first, other)
        try:
            merged = self._repository.run(*merge, doing="merging as Git would")
            return merged.splitlines()[:1] == [self._repository.tree(result)]
        except GitError as error:
            return False if error.code == _CONFLICT else None
        except OutsideError:
            return None

    def _is_below(self, ancestor: str, commit: str) -> bool:
        try:
            return self._has(commit) and self._repository.contains(commit, ancestor)
        except OutsideError:
            return False

    def _deeper(self, *commits: str) -> Iterator[None]:
        """Once for what is here, then for more and more of the history of `commits` where a shallow
        clone has cut it off: two branches may fork before that.
        """
        yield
        for most in _DEPTHS:
            if not self._repository.is_shallow() or self._missing.intersection(commits):
                return
            try:
                for commit in commits:
                    self._repository.deepen(self._remote, commit, most=most)
            except OutsideError:
                return
            yield

    def _has(self, commit: str) -> bool:
        """Whether a commit is here, or could be fetched. What could not be is not asked for
        again.
        """
        if commit not in self._missing:
            try:
                self._repository.bring(self._remote, commit)
            except OutsideError:
                self._missing.add(commit)
        return commit not in self._missing

    @property
    def _remote(self) -> str:
        return next(iter(self._repository.remotes()), "origin")
