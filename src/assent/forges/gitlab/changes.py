"""Which change a run is about. Variables say at most which merge request to ask for; what it is,
who wrote it and whether it has landed is what GitLab's API says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

from assent.core.change import Author, Change
from assent.errors import OutsideError
from assent.forges.gitlab.authors import Authors
from assent.forges.gitlab.shapes import Commit, Comparison, MergeRequest
from assent.forges.gitlab.site import Site
from assent.forges.patience import RefusedError
from assent.git import Repository
from assent.git.merges import Merges

LAG_PAUSES_S = (1.0, 2.0, 4.0)
"""After a merge it takes GitLab some time to say which merge request a commit came from."""
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
        site: Site,
        checkout: Repository,
        wakeup: Wakeup,
        *,
        wait: Callable[[float], None],
    ) -> None:
        self._site = site
        self._checkout = checkout
        self._wakeup = wakeup
        self._wait = wait
        self._authors = Authors(site, Merges(checkout))
        self._known: dict[int, Found] = {}
        self._pauses = list(LAG_PAUSES_S) if wakeup.run is not None else []

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
        path = self._site.path("merge_requests", number)
        doing = f"reading merge request {number}"
        return self._of(self._site.api.get(path, MergeRequest, doing=doing))

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
        if request.state != "merged" or request.target_branch != self._site.branch:
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
        if branch is None or branch == self._site.branch:
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
        found = self._site.api.pages(
            self._site.path("merge_requests"),
            MergeRequest,
            doing=doing,
            parameters={"state": "opened", "source_branch": branch},
        )
        return (one for one in found if one.source_project_id == self._site.facts.id)

    def _only(self, found: list[MergeRequest], doing: str, sha: str) -> MergeRequest:
        """The one among several with the same head that goes to the default branch."""
        if len(found) > 1:
            found = [one for one in found if one.target_branch == self._site.branch]
        if len(found) != 1:
            raise OutsideError(
                doing,
                f"several merge requests have the head {sha[:12]}, none or not one of them to "
                f"{self._site.branch}",
                hint="close all but one",
            )
        return found[0]

    def landed(self, head: str) -> Found:
        """The merge request that a commit of the default branch came from.

        A commit of a fork can be read here as well, so that GitLab knows it proves nothing. It
        has landed if a merged merge request says that it became this commit, or if the default
        branch contains it. A run waits for GitLab once, however many commits it looks at.
        """
        number = self._merged_as(head)
        while number is None and self._pauses:
            self._wait(self._pauses.pop(0))
            number = self._merged_as(head)
        if number is not None:
            return self._request(number)
        branch = self._site.branch
        return self._alone(branch, head, landed=self._contains(branch, head))

    def _merged_as(self, commit: str) -> int | None:
        site = self._site
        doing = f"looking for the merge request that became {commit[:12]}"
        path = site.path("repository", "commits", commit, "merge_requests")
        try:
            found = list(site.api.pages(path, MergeRequest, doing=doing))
        except RefusedError as error:
            if error.status in _NO_COMMIT:
                return None
            raise
        numbers = [
            one.iid
            for one in found
            if one.target_project_id == site.facts.id and self._landed_as(one) == commit
        ]
        if len(numbers) > 1:
            raise OutsideError(doing, f"GitLab names several: {sorted(numbers)}")
        return numbers[0] if numbers else None

    def _contains(self, branch: str, commit: str) -> bool:
        site = self._site
        try:
            found = site.api.get(
                site.path("repository", "compare"),
                Comparison,
                doing=f"asking whether {branch} contains {commit[:12]}",
                parameters={"from": branch, "to": commit},
            )
        except RefusedError as error:
            if error.status in _NO_COMMIT:
                return False
            raise
        return not found.commits

    def _alone(self, branch: str, head: str, *, landed: bool) -> Found:
        """A commit without a merge request."""
        site = self._site
        doing = f"reading the commit {head[:12]}"
        commit = site.api.find(site.path("repository", "commits", head), Commit, doing=doing)
        unknown = Author(name="a commit that GitLab does not have", person=None)
        change = Change(
            id=f"{branch}@{head[:12]}",
            title=self._checkout.run("log", "-1", "--format=%s", head, doing=doing),
            base=site.branch,
            head=head,
            authors=(unknown,) if commit is None else self._authors.of_commit(commit),
            landed=landed,
        )
        return Found(change=change)
