"""The branch that changes are merged into."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from assent.git.repository import Repository


class BaseBranch:
    """The branch that changes are merged into; looked up when somebody first asks, because many
    verbs never do. `remote` is the remote that it is the branch of, or None.

    With `ask`, its name is what that says (a forge knows), and its newest commit is fetched first:
    a CI job may have waited for days since its checkout.
    """

    def __init__(
        self,
        repository: Repository,
        remote: str | None,
        *,
        ask: Callable[[], str | None] | None = None,
    ) -> None:
        self._repository = repository
        self._remote = remote
        self._ask = ask

    @property
    def remote(self) -> str | None:
        """The remote that it is the branch of, or None."""
        return self._remote

    @property
    def name(self) -> str | None:
        """Its name: the remote's default branch as this clone knows it, else `main` or `master`;
        None if there is none of them.
        """
        return self._found[0]

    def was(self, *, most: int) -> tuple[str, ...]:
        """The newest commits that it is known to have ended with, as this clone has seen it."""
        place = "refs/heads" if self._remote is None else f"refs/remotes/{self._remote}"
        return () if self.name is None else self._repository.was(f"{place}/{self.name}", most=most)

    @property
    def commit(self) -> str | None:
        """Its newest commit: the remote's where there is one, because a local branch of the same
        name is whatever its owner made it.
        """
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[str | None, str | None]:
        default = self._default() if self._ask is None else self._fetched(self._ask())
        for name in ("main", "master") if default is None else (default,):
            commit = self._newest(name)
            if commit is not None:
                return name, commit
        return default, None

    def _fetched(self, name: str | None) -> str | None:
        if name is not None and self._remote is not None:
            refspec = f"+refs/heads/{name}:refs/remotes/{self._remote}/{name}"
            self._repository.fetch(self._remote, refspec, doing=f"fetching the newest {name}")
        return name

    def _default(self) -> str | None:
        if self._remote is None:
            return None
        remote = f"refs/remotes/{self._remote}/"
        doing = "reading the remote's default branch"
        head = self._repository.points_at(f"{remote}HEAD", doing=doing)
        return None if head is None else head.removeprefix(remote)

    def _newest(self, name: str) -> str | None:
        if self._remote is not None:
            commit = self._repository.resolve(f"refs/remotes/{self._remote}/{name}")
            if commit is not None:
                return commit
        return self._repository.resolve(f"refs/heads/{name}")
