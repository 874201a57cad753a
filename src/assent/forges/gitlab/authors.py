"""Who wrote a change: from the addresses in its commits to accounts.

GitLab's REST API names no accounts of a commit. Its GraphQL API names the author's, by any address
that the account has confirmed; the committer's and a co-author's is then known by the same address,
by GitLab's own private address, or by an address that its owner shows to everybody. Nothing else is
believed: a display name is whatever its owner has typed. Who is not found this way is nobody known,
and nobody's independence of the change is known then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from assent.core.change import Author
from assent.errors import OutsideError
from assent.forges.gitlab.bots import GHOST
from assent.forges.gitlab.people import asked_for_by, read_pushes
from assent.forges.gitlab.repository import RemoteRepository
from assent.forges.gitlab.schemas import Commit, MergeRequest, User
from assent.forges.http_retries import MAX_PAGES
from assent.forges.makers import (
    History,
    Made,
    Push,
    WrittenCommit,
    author,
    made_by,
    opened_by,
)
from assent.forges.remote.schemas import Schema

MOST_ASKED = 20
"""Of how many commits that somebody has merged by hand GitLab is asked who wrote them."""
_OF_REQUEST = """
query($project: ID!, $iid: String!, $after: String) {
  project(fullPath: $project) {
    mergeRequest(iid: $iid) {
      commits(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { sha authorEmail author { id username } }
      }
    }
  }
}
"""
_OF_COMMIT = """
query($project: ID!, $sha: String!) {
  project(fullPath: $project) {
    repository { tree(ref: $sha) { lastCommit { sha authorEmail author { id username } } } }
  }
}
"""
_GLOBAL_ID = re.compile(r"gid://gitlab/User/([0-9]{1,19})")
_CO_AUTHOR = re.compile(r"^[ \t]*co-authored-by:[ \t]*(.*)$", re.IGNORECASE | re.MULTILINE)
_PRIVATE = re.compile(r"(?P<id>[0-9]{1,19})-(?P<login>[^@\s]+)@users\.noreply\.(?P<host>\S+)")

Known = Mapping[str, User]
"""Accounts by address, in lower case."""


class _Account(Schema, frozen=True, kw_only=True):
    id: str
    username: str


class _WrittenCommits(Schema, frozen=True, kw_only=True):
    sha: str
    authorEmail: str | None = None  # noqa: N815  # GraphQL's own name
    author: _Account | None = None


class _PageInfo(Schema, frozen=True, kw_only=True, rename="camel"):
    has_next_page: bool = False
    end_cursor: str | None = None


class _Commits(Schema, frozen=True, kw_only=True, rename="camel"):
    nodes: tuple[_WrittenCommits, ...] = ()
    page_info: _PageInfo = _PageInfo()


class _Request(Schema, frozen=True, kw_only=True):
    commits: _Commits


class _Tree(Schema, frozen=True, kw_only=True, rename="camel"):
    last_commit: _WrittenCommits | None = None


class _Repository(Schema, frozen=True, kw_only=True):
    tree: _Tree | None = None


class _Project(Schema, frozen=True, kw_only=True, rename="camel"):
    merge_request: _Request | None = None
    repository: _Repository | None = None


class _Data(Schema, frozen=True, kw_only=True):
    project: _Project | None = None


class Authors:
    """The people behind the commits of one project."""

    def __init__(self, remote: RemoteRepository, history: History) -> None:
        self._remote = remote
        self._history = history
        self._public: dict[str, User | None] = {}

    def of_request(self, request: MergeRequest) -> Made:
        """Everybody who made a part of a merge request, whoever opened it included."""
        remote = self._remote
        path = remote.path("merge_requests", request.number, "commits")
        doing = f"reading the commits of merge request {request.number}"
        commits = list(remote.api.pages(path, Commit, doing=doing))
        written = self._written(commits, self._known_in(request)) if commits else []
        beyond = []
        if request.revision not in {commit.id for commit in commits}:
            name = f"the commits beyond the {len(commits)} that GitLab lists"
            beyond.append(Author(name=name, person=None))
        return opened_by(
            made_by(written, read_pushes(remote, request), self._history),
            self._opener(request),
            asked_for_by(remote, request),
            beyond,
            is_own=lambda: request.opener is not None and request.opener.id == remote.own.id,
        )

    def of_commits(
        self, commits: Sequence[Commit], *, is_within: bool, pusher: Push | None = None
    ) -> tuple[Author, ...]:
        """Everybody who wrote some commits, and whoever has pushed them straight to the default
        branch (`pusher`): what a commit says of its author anybody can write. Of too many commits,
        somebody unknown as well. If they came with a merge request (`is_within`), who committed
        one may only have put it on another base.
        """
        asked = commits[-MOST_ASKED:]
        written = self._written(asked, _accounts(self._written_in(asked)))
        if is_within:
            written = [msgspec.structs.replace(commit, committer=None) for commit in written]
        push = None if pusher is None else Push(by=pusher.by, before=None, after=asked[-1].id)
        authors = made_by(written, None if push is None else [push], self._history).authors
        if len(asked) < len(commits):
            more = f"the commits before the newest {MOST_ASKED} of a merge"
            authors = (*authors, Author(name=more, person=None))
        return authors

    def _written_in(self, commits: Sequence[Commit]) -> list[_WrittenCommits]:
        written = [self._written_as(commit.id) for commit in commits]
        return [commit for commit in written if commit is not None]

    def _written_as(self, commit: str) -> _WrittenCommits | None:
        data = self._remote.api.query(
            _OF_COMMIT,
            {"project": self._remote.facts.path_with_namespace, "sha": commit},
            _Data,
            doing=f"asking who wrote {commit[:12]}",
        )
        tree = data.project and data.project.repository and data.project.repository.tree
        written = tree.last_commit if tree else None
        return written if written and written.sha == commit else None

    def _opener(self, request: MergeRequest) -> Author:
        opener = request.opener
        if opener is None or opener.username == GHOST:
            return Author(name="a deleted account, which opened it", person=None)
        return author(self._remote.actor(opener))

    def _known_in(self, request: MergeRequest) -> Known:
        doing = f"asking who wrote the commits of merge request {request.number}"
        written: list[_WrittenCommits] = []
        after: str | None = None
        for _ in range(MAX_PAGES):
            data = self._remote.api.query(
                _OF_REQUEST,
                {
                    "project": self._remote.facts.path_with_namespace,
                    "iid": str(request.number),
                    "after": after,
                },
                _Data,
                doing=doing,
            )
            data_request = data.project and data.project.merge_request
            if not data_request:
                raise OutsideError(doing, "GitLab does not show it", hint=_SEE)
            written += data_request.commits.nodes
            page = data_request.commits.page_info
            if not page.has_next_page or page.end_cursor == after:
                return _accounts(written)
            after = page.end_cursor
        raise OutsideError(doing, f"there are more than {MAX_PAGES} pages")

    def _written(self, commits: Sequence[Commit], known: Known) -> list[WrittenCommit]:
        return [
            WrittenCommit(
                sha=commit.id,
                parents=commit.parent_ids,
                author=self._author(commit.author_name, commit.author_email, known),
                committer=self._author(commit.committer_name, commit.committer_email, known),
                co_authors=tuple(
                    self._co_author(trailer, known)
                    for trailer in _CO_AUTHOR.findall(commit.message)
                ),
            )
            for commit in commits
        ]

    def _co_author(self, trailer: str, known: Known) -> Author:
        name, _, address = trailer.strip().removesuffix(">").rpartition("<")
        return self._author(name.strip(), address.strip(), known)

    def _author(self, name: str, address: str, known: Known) -> Author:
        """Whom a commit names."""
        address = address.lower()
        user = known.get(address) or self._private(address) or self._showing(address)
        if user is None:
            shown = f"{name or 'nobody'} <{address}>"
            return Author(name=shown, person=None, address=address)
        return Author(name=user.username, person=self._remote.actor(user))

    def _private(self, address: str) -> User | None:
        """The account of an address that GitLab has made for somebody who hides their own."""
        match = _PRIVATE.fullmatch(address)
        if match is None or match["host"] != self._remote.host:
            return None
        return self._remote.user(int(match["id"]))

    def _showing(self, address: str) -> User | None:
        """The account that shows this address to everybody."""
        if "@" not in address:
            return None
        if address not in self._public:
            users = self._remote.api.pages(
                "/users",
                User,
                doing=f"looking for the account of {address}",
                parameters={"search": address},
            )
            accounts = [self._remote.user(user.id) for user in users]
            self._public[address] = next(
                (
                    account
                    for account in accounts
                    if account and (account.public_email or "").lower() == address
                ),
                None,
            )
        return self._public[address]


_SEE = "ASSENT_GITLAB_TOKEN needs the scope `read_api` and the role Reporter in the project"


def _accounts(written: Iterable[_WrittenCommits]) -> Known:
    """The accounts of the addresses that GitLab has mapped."""
    known = {}
    for commit in written:
        number = _GLOBAL_ID.fullmatch(commit.author.id) if commit.author else None
        if commit.author and number and commit.authorEmail:
            known[commit.authorEmail.lower()] = User(
                id=int(number[1]), username=commit.author.username
            )
    return known
