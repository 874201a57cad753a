"""The branches and commits of one repository of a stand-in. Forks share the objects of the
repository that they come from, and keep their branches under a namespace of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from tests.standin.clock import Clock
from tests.standin.objects import Objects, Signature


class ConflictError(Exception):
    """A change cannot be merged as it is."""


class Person(Protocol):
    """Who signs a commit."""

    @property
    def name(self) -> str: ...

    @property
    def email(self) -> str: ...


class Branches:
    """What a repository is for Git."""

    id: int
    objects: Objects
    default_branch: str

    @property
    def full_name(self) -> str:
        raise NotImplementedError

    @property
    def is_fork(self) -> bool:
        raise NotImplementedError

    @property
    def clock(self) -> Clock:
        raise NotImplementedError

    def ref(self, branch: str) -> str:
        space = f"forks/{self.id}/" if self.is_fork else ""
        return f"refs/{space}heads/{branch}"

    def branch(self, name: str) -> str | None:
        return self.objects.resolve(self.ref(name))

    def tip(self, name: str) -> str:
        found = self.branch(name)
        assert found is not None, f"{self.full_name} has no branch {name}"
        return found

    def set_branch(self, name: str, sha: str) -> None:
        self.objects.set_ref(self.ref(name), sha)

    def delete_branch(self, name: str) -> None:
        self.objects.delete_ref(self.ref(name))

    def find(self, name: str) -> str | None:
        """The commit that a branch, a full ref, a tag or a SHA names. Any SHA that Git has is
        found, that of a fork's commit too.
        """
        if name in ("HEAD", ""):
            return self.branch(self.default_branch)
        if name.startswith("refs/heads/"):
            return self.branch(name.removeprefix("refs/heads/"))
        if name.startswith("refs/"):
            return self.objects.resolve(name)
        for ref in (self.ref(name.removeprefix("heads/")), f"refs/tags/{name}"):
            if found := self.objects.resolve(ref):
                return found
        is_sha = 7 <= len(name) <= 40 and all(letter in "0123456789abcdef" for letter in name)
        return self.objects.resolve(name) if is_sha else None

    def commit(
        self,
        by: Person | None,
        *,
        message: str = "work",
        files: Mapping[str, str | bytes | None] | None = None,
        parent: str | None = None,
        branch: str | None = None,
        committer: Person | None = None,
        email: str | None = None,
    ) -> str:
        """A new commit of `by` on `parent` (else on the branch, else on the default branch); with
        `branch`, that branch moves. `email` is an address that need not belong to any account.
        """
        parent = parent or self.branch(branch or "") or self.branch(self.default_branch)
        now = self.clock.now
        name = by.name if by else "Somebody"
        author = Signature(name, email or (by.email if by else "somebody@example.com"), now)
        other = Signature(committer.name, committer.email, now) if committer else author
        if files is None:
            files = {"work.txt": f"{self.clock.next_id()}\n"}
        sha = self.objects.write(
            message=message,
            author=author,
            committer=other,
            parents=[parent] if parent else [],
            files=files,
        )
        if branch:
            self.set_branch(branch, sha)
        return sha

    def push(self, by: Person, **made: Any) -> str:
        """A commit straight to the default branch."""
        return self.commit(by, branch=self.default_branch, **made)

    def replay(self, commits: Sequence[str], onto: str, committer: Signature) -> list[str]:
        """The commits one by one on `onto`: new SHAs, the same authors. Raises `ConflictError`."""
        made = []
        for sha in commits:
            old = self.objects.commit(sha)
            tree = self.objects.picked_tree(onto, sha)
            if tree is None:
                raise ConflictError(f"{sha} cannot be put on {onto}")
            onto = self.objects.write(
                message=old.message,
                author=old.author,
                committer=committer,
                parents=[onto],
                tree=tree,
            )
            made.append(onto)
        return made
