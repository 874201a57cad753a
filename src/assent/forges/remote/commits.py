"""Whom commits name, where a forge's own answers map the addresses in them to accounts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from assent.core.change import Author
from assent.forges.makers import WrittenCommit
from assent.forges.remote.repository import Remote
from assent.forges.remote.schemas import Schema

_CO_AUTHOR = re.compile(r"^[ \t]*co-authored-by:[ \t]*(.*)$", re.IGNORECASE | re.MULTILINE)


class Account(Schema, frozen=True, kw_only=True):
    """A user, a bot or an organization. There are answers with an empty object for nobody."""

    id: int = 0
    login: str = ""
    type: str = "User"


class GitSignature(Schema, frozen=True, kw_only=True):
    """Whom Git names in a commit."""

    name: str | None = None
    email: str | None = None


class GitCommit(Schema, frozen=True, kw_only=True):
    """What Git says of a commit."""

    message: str = ""
    author: GitSignature | None = None
    committer: GitSignature | None = None


class CommitName(Schema, frozen=True, kw_only=True):
    """A commit in a list."""

    sha: str


class Commit(Schema, frozen=True, kw_only=True):
    """A commit with the accounts that the forge maps its names to."""

    sha: str
    parents: tuple[CommitName, ...] = ()
    commit: GitCommit
    author: Account | None = None
    committer: Account | None = None


class MappedCommits:
    """The commits of one repository. `private` is the account of an address that the forge has made
    for somebody who hides their own; `is_of_forge` whether the forge itself has made a commit, for
    a merge or an edit in the browser.
    """

    def __init__(
        self,
        remote: Remote,
        *,
        private: Callable[[str], Account | None],
        is_of_forge: Callable[[Commit], bool],
    ) -> None:
        self._remote = remote
        self._private = private
        self._is_of_forge = is_of_forge

    def written(self, commits: Sequence[Commit]) -> list[WrittenCommit]:
        """The commits with the people that they name."""
        known = _addresses(commits)
        return [
            WrittenCommit(
                sha=commit.sha,
                parents=tuple(parent.sha for parent in commit.parents),
                author=self._author(commit.author, commit.commit.author, known),
                committer=None
                if self._is_of_forge(commit)
                else self._author(commit.committer, commit.commit.committer, known),
                co_authors=tuple(
                    self._co_author(trailer.strip(), known)
                    for trailer in _CO_AUTHOR.findall(commit.commit.message)
                ),
            )
            for commit in commits
        ]

    def _author(
        self, account: Account | None, signature: GitSignature | None, known: Mapping[str, Account]
    ) -> Author:
        """Whom a commit names as its author or committer."""
        signature = signature or GitSignature()
        address = (signature.email or "").lower()
        if account is None or account.id < 1:
            account = known.get(address)
        if account is None:
            name = f"{signature.name or 'nobody'} <{address}>"
            return Author(name=name, person=None, address=address)
        return Author(name=account.login, person=self._remote.actor(account))

    def _co_author(self, trailer: str, known: Mapping[str, Account]) -> Author:
        """Whom a `Co-authored-by` names. A forge maps those by their address, and says so nowhere:
        its own addresses tell the account, and so do those of other commits.
        """
        name, _, address = trailer.removesuffix(">").rpartition("<")
        address = address.strip().lower()
        account = self._private(address)
        if account is not None:
            return Author(name=account.login, person=self._remote.actor(account))
        return self._author(None, GitSignature(name=name.strip() or None, email=address), known)


def _addresses(commits: Sequence[Commit]) -> dict[str, Account]:
    """The accounts of the addresses that the forge has mapped in these commits."""
    known = {}
    for commit in commits:
        for account, signature in (
            (commit.author, commit.commit.author),
            (commit.committer, commit.commit.committer),
        ):
            if account is not None and account.id > 0 and signature is not None and signature.email:
                known[signature.email.lower()] = account
    return known
