"""Which change a run is about. The event says at most which pull request to ask for; what it is,
who wrote it and whether it has landed is what GitHub's API says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from assent.core.change import Author
from assent.errors import OutsideError, UsageError
from assent.forges.github.api import RefusedError
from assent.forges.github.people import MOST_PUSHES, asked_for_by, pushes_to, read_pushes
from assent.forges.github.repository import RemoteRepository
from assent.forges.github.schemas import Comparison, Pull, WorkflowRun
from assent.forges.makers import Made, Push, author, made_by, opened_by
from assent.forges.remote.changes import Found, RemoteChanges, Wakeup
from assent.forges.remote.commits import Account, Commit, MappedCommits
from assent.git import Repository

MOST_COMMITS = 250
"""How many commits of a pull request GitHub lists at most."""
OF_OPEN = (
    *("pull_request", "pull_request_target", "pull_request_review"),
    *("pull_request_review_comment", "issue_comment", "workflow_run", "merge_group"),
)
"""The events about something open: whatever has landed has done so before."""
WEB_FLOW = "web-flow"
"""The account that commits what is merged and edited in the browser. It is nobody."""
_QUEUED = re.compile(r"(?:refs/heads/)?gh-readonly-queue/(?P<base>.+)/pr-(?P<number>[0-9]{1,10})-")


class WorkflowWakeup(Wakeup, frozen=True, kw_only=True):
    """The same with the event of a workflow, and what it holds."""

    event: str | None = None
    payload: Mapping[str, Any] = {}


class Woken(Found[Pull], frozen=True, kw_only=True):
    """A change whose run woke this one up. `group` is the commit of the merge queue that waits for
    a word on it, `run` the run of its code.
    """

    group: str | None = None
    run: WorkflowRun | None = None


class Changes(RemoteChanges[Pull]):
    """The change of a run, and changes by number. Each is read once."""

    _remote: RemoteRepository

    def __init__(
        self,
        remote: RemoteRepository,
        checkout: Repository,
        wakeup: WorkflowWakeup,
        *,
        workflow: str,
        wait: Callable[[float], None],
    ) -> None:
        super().__init__(
            remote,
            checkout,
            wakeup,
            is_of_open=wakeup.event in OF_OPEN,
            wait=wait,
            pushes=lambda: pushes_to(remote, remote.branch),
            most=MOST_PUSHES,
        )
        self._wakeup = wakeup
        self._commits = MappedCommits(remote, private=self._private, is_of_forge=self._is_forge)
        self._workflow = workflow

    def current(self) -> Found[Pull] | None:
        """See `RemoteChanges.current`."""
        match self._wakeup.event:
            case "pull_request" | "pull_request_target" | "pull_request_review":
                return self._request(self._number("pull_request", "number"))
            case "pull_request_review_comment":
                return self._request(self._number("pull_request", "number"))
            case "issue_comment":
                if _at(self._wakeup.payload, "issue", "pull_request") is None:
                    raise UsageError(_EVENT, "the comment is not on a pull request")
                return self._request(self._number("issue", "number"))
            case "workflow_run":
                return self._of_run(self._number("workflow_run", "id"))
            case "merge_group":
                return self._queued()
            case _:
                return self._of_checkout()

    def comment(self) -> int | None:
        """The number of the new comment on a pull request that woke this run up, if one did."""
        payload = self._wakeup.payload
        is_new = self._wakeup.event == "issue_comment" and _at(payload, "action") == "created"
        if not is_new or _at(payload, "issue", "pull_request") is None:
            return None
        return self._number("comment", "id")

    def _number(self, *keys: str) -> int:
        number = _at(self._wakeup.payload, *keys)
        if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
            raise UsageError(
                _EVENT,
                f"it has no number at {'.'.join(keys)}",
                hint="does GITHUB_EVENT_PATH name the event of this run?",
            )
        return number

    def _read(self, number: int) -> Pull:
        path = self._remote.path("pulls", number)
        return self._remote.api.get(path, Pull, doing=f"reading pull request {number}")

    def _has_landed(self, request: Pull) -> bool:
        is_merged = request.merged is True or request.merged_at is not None
        return is_merged and request.target == self._remote.branch

    def _landed_as(self, request: Pull) -> str | None:
        return request.merge_commit_sha if self._has_landed(request) else None

    def _of_run(self, run_id: int) -> Woken:
        """The open pull request of a run that ran the code of one: looked for by the run's head,
        never by a number that the run has left somewhere.
        """
        remote = self._remote
        doing = f"looking for the pull request of run {run_id}"
        run = remote.run(str(run_id), doing=doing)
        if run is None:
            raise RefusedError(doing, "GitHub answered 404", status=404)
        if run.event not in ("pull_request", "pull_request_review", "merge_group"):
            raise UsageError(
                doing,
                f"it was started by {run.event!r}, not by a pull request",
                hint="let the trusted workflow wait for runs of pull requests only",
            )
        path = run.path.partition("@")[0]
        if path != self._workflow:
            raise UsageError(
                doing,
                f"it is a run of {path!r}, not of {self._workflow!r}",
                hint="if that is where Assent runs, set ASSENT_WORKFLOW to it",
            )
        source = run.head_repository
        if source is None or source.owner is None or run.head_branch is None:
            raise OutsideError(doing, "the repository it came from is gone")
        if run.event == "merge_group":
            if source.id != remote.facts.id:
                raise UsageError(doing, "a queue of another repository is none of ours")
            return _woken(self._in_queue(run.head_branch), group=run.head_sha)
        opened = remote.open_pulls(source.owner.login, run.head_branch, source.id, doing=doing)
        of_this_head = [pull for pull in opened if pull.revision == run.head_sha]
        return _woken(self._of(self._only(of_this_head, doing, run.head_sha)), run=run)

    def _queued(self) -> Found[Pull]:
        """The pull request at the head of a group of the merge queue."""
        return self._in_queue(
            _at(self._wakeup.payload, "merge_group", "head_ref") or self._wakeup.ref
        )

    def _in_queue(self, ref: object) -> Found[Pull]:
        """The pull request that a branch of the merge queue is named after."""
        match = _QUEUED.match(ref) if isinstance(ref, str) else None
        if match is None:
            raise UsageError(_EVENT, f"{ref!r} is no branch of the merge queue")
        queued = self._request(int(match["number"]))
        if queued.change.base != match["base"]:
            raise OutsideError(
                f"reading pull request {queued.change.id}",
                f"it goes to {queued.change.base!r}, the queue's branch to {match['base']!r}",
            )
        return queued

    def _merged_by_hand(self, commit: str, pusher: Push | None) -> Sequence[Author]:
        if pusher is not None and pusher.is_merge:
            return ()
        commits, is_all = self._brought(commit)
        authors = self._pushed(commits, pusher) if commits else ()
        return (*authors, *([] if is_all and commits else [self.unknown]))

    def _pushed(self, commits: Sequence[Commit], pusher: Push | None) -> tuple[Author, ...]:
        """Everybody who made commits that somebody has pushed straight to the default branch, and
        whoever that was: what a commit says of its author anybody can write.
        """
        push = None
        if pusher is not None and not pusher.is_merge:
            push = Push(by=pusher.by, before=None, after=commits[-1].sha)
        pushes = None if push is None else [push]
        return made_by(self._commits.written(commits), pushes, self._history).authors

    def _merged_with(self, commit: str) -> list[Pull]:
        remote = self._remote
        doing = f"looking for the pull request that became {commit[:12]}"
        try:
            pulls = list(
                remote.api.pages(remote.path("commits", commit, "pulls"), Pull, doing=doing)
            )
        except RefusedError as error:
            if error.status in _NO_COMMIT:
                return []
            raise
        return [
            pull
            for pull in pulls
            if self._has_landed(pull)
            and pull.base.repo is not None
            and pull.base.repo.id == remote.facts.id
        ]

    def _contains(self, branch: str, commit: str) -> bool:
        remote = self._remote
        try:
            comparison = remote.api.get(
                remote.path("compare", f"{branch}...{commit}"),
                Comparison,
                doing=f"asking whether {branch} contains {commit[:12]}",
                parameters={"per_page": "1"},
            )
        except RefusedError as error:
            if error.status in _NO_COMMIT:
                return False
            raise
        return comparison.status in ("behind", "identical")

    def _made_commit(
        self, head: str, *, landed: bool, is_within: bool, pusher: Push | None
    ) -> Sequence[Author]:
        commits, is_all = self._brought(head) if landed else (self._named(head), True)
        if is_within:
            written = self._commits.written(commits)
            bare = [msgspec.structs.replace(commit, committer=None) for commit in written]
            made = made_by(bare, None, self._history).authors
        else:
            made = self._pushed(commits, pusher) if commits else ()
        return [*made, *([] if is_all else [self.unknown])]

    def _named(self, commit: str) -> list[Commit]:
        """A commit as GitHub has it; nothing if it does not."""
        remote = self._remote
        try:
            doing = f"reading the commit {commit[:12]}"
            return [remote.api.get(remote.path("commits", commit), Commit, doing=doing)]
        except RefusedError as error:
            if error.status not in _NO_COMMIT:
                raise
        return []

    def _brought(self, commit: str) -> tuple[list[Commit], bool]:
        """The commits that one has brought to its branch, itself the last, and whether those are
        all. Somebody may have merged by hand what was never a pull request.
        """
        named = self._named(commit)
        parents = named[0].parents if named else ()
        if len(parents) < 2:
            return named, True
        remote, before = self._remote, parents[0].sha
        comparison = remote.api.get(
            remote.path("compare", f"{before}...{commit}"),
            Comparison,
            doing=f"reading what {commit[:12]} has brought",
            parameters={"per_page": "100"},
        )
        listed = [
            listed_commit for listed_commit in comparison.commits if listed_commit.sha != commit
        ]
        return [*listed, *named], len(listed) + 1 == comparison.total_commits

    def _made(self, request: Pull) -> Made:
        pull, remote = request, self._remote
        doing = f"reading the commits of pull request {pull.number}"
        path = remote.path("pulls", pull.number, "commits")
        commits = list(remote.api.pages(path, Commit, doing=doing))
        beyond = []
        # GitHub lists the oldest ones, so where the list is cut off the head is not in it.
        if len(commits) >= MOST_COMMITS or pull.head.sha not in {commit.sha for commit in commits}:
            name = f"the commits beyond the {len(commits)} that GitHub lists"
            beyond.append(Author(name=name, person=None))
        return opened_by(
            made_by(self._commits.written(commits), read_pushes(remote, pull), self._history),
            self._opener(pull),
            asked_for_by(remote, pull),
            beyond,
            is_own=lambda: pull.opener is not None and pull.opener.id == remote.own.id,
        )

    def _opener(self, pull: Pull) -> Author:
        if pull.opener is None or pull.opener.id == 0:
            return Author(name="a deleted account, which opened it", person=None)
        return author(self._remote.actor(pull.opener))

    def _private(self, address: str) -> Account | None:
        match = _PRIVATE.fullmatch(address)
        if match is None or match["host"] != self._remote.host:
            return None
        return Account(id=int(match["id"]), login=match["login"])

    def _is_forge(self, commit: Commit) -> bool:
        """Whether GitHub itself made the commit, for a merge or an edit in the browser."""
        if commit.committer is not None and commit.committer.id != 0:
            return commit.committer.login == WEB_FLOW
        signature = commit.commit.committer
        return signature is not None and signature.email == f"noreply@{self._remote.host}"


def _woken(found_pull: Found[Pull], **more: Any) -> Woken:
    return Woken(
        change=found_pull.change, request=found_pull.request, is_told=found_pull.is_told, **more
    )


def _at(payload: Mapping[str, Any], *keys: str) -> Any:
    value: Any = payload
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


_EVENT = "reading the event of this run"
_NO_COMMIT = (404, 409, 422)
"""How GitHub says that it does not have a commit: 409 for an empty repository, 422 for a SHA."""
_PRIVATE = re.compile(r"(?P<id>[0-9]{1,19})\+(?P<login>[^@+\s]+)@users\.noreply\.(?P<host>\S+)")
