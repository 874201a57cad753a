"""Which change a run is about. Variables say at most which merge request to ask for; what it is,
who wrote it and whether it has landed is what GitLab's API says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assent.core.change import Author
from assent.forges.gitlab.authors import Authors
from assent.forges.gitlab.people import MOST_OF_BRANCH, pushes_to
from assent.forges.gitlab.repository import RemoteRepository
from assent.forges.gitlab.schemas import Brought, Commit, Comparison, MergeRequest
from assent.forges.http_retries import RefusedError
from assent.forges.makers import Made, Push
from assent.forges.remote.changes import Found, RemoteChanges, Wakeup
from assent.git import Repository

_NO_COMMIT = (400, 404)
"""How GitLab says that it does not have a commit."""


class JobWakeup(Wakeup, frozen=True, kw_only=True):
    """The same with the numbers of a merge request and of a note on it."""

    merge_request: int | None = None
    note: int | None = None


class Changes(RemoteChanges[MergeRequest]):
    """The change of a run, and changes by number."""

    _remote: RemoteRepository

    def __init__(
        self,
        remote: RemoteRepository,
        checkout: Repository,
        wakeup: JobWakeup,
        *,
        wait: Callable[[float], None],
    ) -> None:
        super().__init__(
            remote,
            checkout,
            wakeup,
            is_of_open=wakeup.merge_request is not None,
            wait=wait,
            pushes=lambda: pushes_to(remote, remote.branch),
            most=MOST_OF_BRANCH,
        )
        self._number = wakeup.merge_request
        self._authors = Authors(remote, self._history)

    def current(self) -> Found[MergeRequest] | None:
        """See `RemoteChanges.current`."""
        return self._of_checkout() if self._number is None else self._request(self._number)

    def _read(self, number: int) -> MergeRequest:
        path = self._remote.path("merge_requests", number)
        doing = f"reading merge request {number}"
        return self._remote.api.get(path, MergeRequest, doing=doing)

    def _made(self, request: MergeRequest) -> Made:
        return self._authors.of_request(request)

    def _landed_as(self, request: MergeRequest) -> str | None:
        """A fast-forward leaves no commit of its own, squashed or not."""
        if request.state != "merged" or request.target != self._remote.branch:
            return None
        return request.merge_commit_sha or request.squash_commit_sha or request.revision

    def _merged_by_hand(self, commit: str, pusher: Push | None) -> Sequence[Author]:
        doing = f"reading the commit {commit[:12]}"
        path = self._remote.path("repository", "commits", commit)
        brought = self._brought(self._remote.api.get(path, Commit, doing=doing))
        return self._authors.of_commits(brought, is_within=False, pusher=pusher)

    def _merged_with(self, commit: str) -> list[MergeRequest]:
        remote = self._remote
        doing = f"looking for the merge request that became {commit[:12]}"
        path = remote.path("repository", "commits", commit, "merge_requests")
        try:
            requests = list(remote.api.pages(path, MergeRequest, doing=doing))
        except RefusedError as error:
            if error.status in _NO_COMMIT:
                return []
            raise
        return [
            request
            for request in requests
            if request.target_project_id == remote.facts.id and self._landed_as(request) is not None
        ]

    def _contains(self, branch: str, commit: str) -> bool:
        remote = self._remote
        try:
            comparison = remote.api.get(
                remote.path("repository", "compare"),
                Comparison,
                doing=f"asking whether {branch} contains {commit[:12]}",
                parameters={"from": branch, "to": commit},
            )
        except RefusedError as error:
            if error.status in _NO_COMMIT:
                return False
            raise
        return not comparison.commits

    def _made_commit(
        self, head: str, *, landed: bool, is_within: bool, pusher: Push | None
    ) -> Sequence[Author]:
        path = self._remote.path("repository", "commits", head)
        commit = self._remote.api.find(path, Commit, doing=f"reading the commit {head[:12]}")
        if commit is None:
            return ()
        commits = self._brought(commit) if landed else [commit]
        return self._authors.of_commits(commits, is_within=is_within, pusher=pusher)

    def _brought(self, commit: Commit) -> list[Commit]:
        """The commits that one has brought to its branch, itself the last. Somebody may have merged
        by hand what was never a merge request.
        """
        if len(commit.parent_ids) < 2:
            return [commit]
        remote, before = self._remote, commit.parent_ids[0]
        comparison = remote.api.get(
            remote.path("repository", "compare"),
            Brought,
            doing=f"reading what {commit.id[:12]} has brought",
            parameters={"from": before, "to": commit.id},
        )
        return [*(earlier for earlier in comparison.commits if earlier.id != commit.id), commit]
