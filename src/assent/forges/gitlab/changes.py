"""Which change a run is about. Variables say at most which merge request to ask for; what it is,
who wrote it and whether it has landed is what GitLab's API says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import msgspec

from assent.core.change import Author, Change
from assent.errors import OutsideError
from assent.forges.default_branch import DefaultBranch
from assent.forges.gitlab.authors import Authors
from assent.forges.gitlab.people import MOST_OF_BRANCH, pushes_to
from assent.forges.gitlab.repository import RemoteRepository
from assent.forges.gitlab.schemas import Brought, Commit, Comparison, MergeRequest
from assent.forges.http_retries import RefusedError
from assent.forges.lag import Lag
from assent.forges.makers import (
    UNTOLD,
    distinct,
    is_beyond,
    made_together,
)
from assent.git import Repository
from assent.git.merges import Merges

_HEADS = "refs/heads/"
_NUMBERED = re.compile(r"!([0-9]{1,10})")
_NO_COMMIT = (400, 404)
"""How GitLab says that it does not have a commit."""


class Wakeup(msgspec.Struct, frozen=True, kw_only=True):
    """Why this run was started, as the CI says. All of it is a hint what to ask about."""

    merge_request: int | None = None
    note: int | None = None
    run: str | None = None
    sha: str | None = None
    ref: str | None = None
    before: str | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A change, and its merge request if it has one. `is_told`: GitLab tells who has pushed all of
    it.
    """

    change: Change
    request: MergeRequest | None = None
    is_told: bool = False


class Changes:
    """The change of a run, and changes by number."""

    def __init__(
        self,
        remote: RemoteRepository,
        checkout: Repository,
        wakeup: Wakeup,
        *,
        wait: Callable[[float], None],
    ) -> None:
        self._remote = remote
        self._checkout = checkout
        self._wakeup = wakeup
        self._history = Merges(checkout)
        self._authors = Authors(remote, self._history)
        self._known: dict[int, Found] = {}
        self._landed: dict[tuple[str, bool], Found] = {}
        self._default_branch = DefaultBranch(
            checkout, lambda: pushes_to(remote, remote.branch), most=MOST_OF_BRANCH
        )
        may_be_late = wakeup.run is not None and wakeup.merge_request is None
        self._lag = Lag(checkout, wait, may_be_late=may_be_late, before=wakeup.before)

    def current(self) -> Found | None:
        """The change of this run."""
        number = self._wakeup.merge_request
        return self._of_checkout() if number is None else self._request(number)

    def numbered(self, name: str) -> Found:
        """The change of an id such as `!7`; what was never a merge request has no reviews."""
        found = _NUMBERED.fullmatch(name)
        if found is None:
            return Found(change=Change(id=name, title="", base="", head="", authors=()))
        return self._request(int(found[1]))

    def _request(self, number: int) -> Found:
        if number in self._known:
            return self._known[number]
        path = self._remote.path("merge_requests", number)
        doing = f"reading merge request {number}"
        return self._of(self._remote.api.get(path, MergeRequest, doing=doing))

    def _of(self, request: MergeRequest) -> Found:
        if request.sha is None:
            raise OutsideError(f"reading merge request {request.iid}", "it has no commits")
        commit = self._landed_as(request)
        made = self._authors.of_request(request)
        change = Change(
            id=f"!{request.iid}",
            title=request.title,
            base=request.target_branch,
            head=request.sha,
            authors=made.authors,
            remarks=made.remarks,
            landed=commit is not None,
            landed_as=commit,
            address=request.web_url,
        )
        self._known[request.iid] = Found(change=change, request=request, is_told=made.is_told)
        return self._known[request.iid]

    def _landed_as(self, request: MergeRequest) -> str | None:
        """The commit of the default branch that a merge request has become; None if it has not.

        A fast-forward leaves no commit of its own, squashed or not.
        """
        if request.state != "merged" or request.target_branch != self._remote.branch:
            return None
        return request.merge_commit_sha or request.squash_commit_sha or request.sha

    def _of_checkout(self) -> Found | None:
        """What the working tree holds: what landed on the default branch, else the open merge
        request of the branch.
        """
        head = self._checkout.resolve("HEAD")
        if head is None:
            return None
        branch = self._branch(head)
        if branch is None or branch == self._remote.branch:
            return self.landed(head)
        doing = f"looking for the merge request of {branch}"
        found = [one for one in self._open(branch, doing) if one.sha == head]
        if found:
            return self._of(self._only(found, doing, head))
        return self._alone(branch, head, landed=False)

    def _branch(self, head: str) -> str | None:
        ref = self._wakeup.ref
        if ref is not None and ref.startswith(_HEADS) and self._wakeup.sha == head:
            return ref.removeprefix(_HEADS)
        return self._checkout.branch()

    def _open(self, branch: str, doing: str) -> Iterator[MergeRequest]:
        found = self._remote.api.pages(
            self._remote.path("merge_requests"),
            MergeRequest,
            doing=doing,
            parameters={"state": "opened", "source_branch": branch},
        )
        return (one for one in found if one.source_project_id == self._remote.facts.id)

    def _only(self, found: list[MergeRequest], doing: str, sha: str) -> MergeRequest:
        """The one among several with the same head that goes to the default branch."""
        if len(found) > 1:
            found = [one for one in found if one.target_branch == self._remote.branch]
        if len(found) != 1:
            raise OutsideError(
                doing,
                f"several merge requests have the head {sha[:12]}, none or not one of them to "
                f"{self._remote.branch}",
                hint="close all but one",
            )
        return found[0]

    def landed(self, head: str, *, is_step: bool = False) -> Found:
        """The merge request that a commit of the default branch came from. Each is looked for once.

        A commit of a fork can be read here as well, so that GitLab knows it proves nothing. It
        has landed if a merged merge request says that it became this commit, or if the default
        branch contains it, which is not asked of what is known to be a step of that (`is_step`). A
        run waits for GitLab once, however many commits it looks at.
        """
        if (head, is_step) not in self._landed:
            self._landed[head, is_step] = self._look_for_landed(head, is_step=is_step)
        return self._landed[head, is_step]

    def _look_for_landed(self, head: str, *, is_step: bool) -> Found:
        def is_it(request: MergeRequest) -> bool:
            return self._landed_as(request) == head

        merged = self._lag.read(head, lambda: self._merged_with(head), is_it)
        became = [one for one in merged if is_it(one)]
        if became:
            return self._merged_together(became, head)
        branch = self._remote.branch
        landed = is_step or self._contains(branch, head)
        return self._alone(branch, head, landed=landed, within=merged if landed else [])

    def _merged_together(self, requests: Sequence[MergeRequest], commit: str) -> Found:
        """The merge request that was merged as a commit. GitLab calls another one merged as well
        whose commits came with it, stacked on it or of the same head: the one whose head was merged
        is the change, of the project before a fork's, and who made the others made it too.
        """
        merged = (commit, *self._history.parents(commit)[1:])

        def place(one: MergeRequest) -> tuple[bool, bool, int]:
            is_own = one.source_project_id == self._remote.facts.id
            return one.sha not in merged, not is_own, one.iid

        first, *others = sorted(requests, key=place)
        found = self._request(first.iid)
        more = list(self._makers(others))
        made_from = [
            one for request in requests for one in (request.sha, request.squash_commit_sha)
        ]
        if is_beyond(commit, [one for one in made_from if one is not None], self._history):
            more += self._merged_by_hand(commit)
        if not more:
            return found
        authors = distinct([*found.change.authors, *more])
        change = msgspec.structs.replace(found.change, authors=authors)
        return msgspec.structs.replace(found, change=change)

    def _merged_by_hand(self, commit: str) -> Sequence[Author]:
        """Who made all that a commit has brought."""
        doing = f"reading the commit {commit[:12]}"
        path = self._remote.path("repository", "commits", commit)
        brought = self._brought(self._remote.api.get(path, Commit, doing=doing))
        pusher = self._default_branch.pusher(commit)
        return self._authors.of_commits(brought, is_within=False, pusher=pusher)

    def tips(self) -> frozenset[str]:
        """See `Forge.tips`."""
        return self._default_branch.tips

    def _makers(self, requests: Sequence[MergeRequest]) -> tuple[Author, ...]:
        """Who made some of several merge requests, and somebody unknown if there are too many."""
        return made_together(requests, lambda one: self._request(one.iid).change.authors)

    def _merged_with(self, commit: str) -> list[MergeRequest]:
        """The merge requests that were merged into the default branch and are of a commit."""
        remote = self._remote
        doing = f"looking for the merge request that became {commit[:12]}"
        path = remote.path("repository", "commits", commit, "merge_requests")
        try:
            found = list(remote.api.pages(path, MergeRequest, doing=doing))
        except RefusedError as error:
            if error.status in _NO_COMMIT:
                return []
            raise
        return [
            one
            for one in found
            if one.target_project_id == remote.facts.id and self._landed_as(one) is not None
        ]

    def _contains(self, branch: str, commit: str) -> bool:
        remote = self._remote
        try:
            found = remote.api.get(
                remote.path("repository", "compare"),
                Comparison,
                doing=f"asking whether {branch} contains {commit[:12]}",
                parameters={"from": branch, "to": commit},
            )
        except RefusedError as error:
            if error.status in _NO_COMMIT:
                return False
            raise
        return not found.commits

    def _alone(
        self, branch: str, head: str, *, landed: bool, within: Sequence[MergeRequest] = ()
    ) -> Found:
        """A commit that is no merge request as a whole. It may have come `within` some, as when
        each of their commits lands by itself: whoever put it on the branch has not made it then.
        """
        remote = self._remote
        doing = f"reading the commit {head[:12]}"
        commit = remote.api.find(remote.path("repository", "commits", head), Commit, doing=doing)
        authors: tuple[Author, ...] = ()
        pusher = self._default_branch.pusher(head) if landed and not within else None
        if commit is not None:
            commits = self._brought(commit) if landed else [commit]
            authors = self._authors.of_commits(commits, is_within=bool(within), pusher=pusher)
        unknown = Author(name="a commit that GitLab does not have", person=None)
        change = Change(
            id=f"{branch}@{head[:12]}",
            title=self._checkout.run("log", "-1", "--format=%s", head, doing=doing),
            base=remote.branch,
            head=head,
            authors=distinct([*authors, *self._makers(within)]) or (unknown,),
            remarks=(UNTOLD,) if landed and not within and pusher is None else (),
            landed=landed,
        )
        return Found(change=change)

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
        return [*(one for one in comparison.commits if one.id != commit.id), commit]
