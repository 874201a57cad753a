"""Which change a run is about. The event says at most which pull request to ask for; what it is,
who wrote it and whether it has landed is what GitHub's API says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from assent.core.change import Author, Change
from assent.errors import IdleError, OutsideError, UsageError
from assent.forges.default_branch import DefaultBranch
from assent.forges.github.api import RefusedError
from assent.forges.github.people import MOST_PUSHES, asked_for_by, pushes_to, read_pushes
from assent.forges.github.repository import RemoteRepository
from assent.forges.github.schemas import (
    Account,
    Commit,
    Comparison,
    GitSignature,
    Pull,
    WorkflowRun,
)
from assent.forges.lag import Lag
from assent.forges.makers import (
    UNTOLD,
    Made,
    Push,
    WrittenCommit,
    author,
    distinct,
    is_beyond,
    made_by,
    made_together,
    opened_by,
)
from assent.git import Repository
from assent.git.merges import Merges

MOST_COMMITS = 250
"""How many commits of a pull request GitHub lists at most."""
OF_OPEN = (
    *("pull_request", "pull_request_target", "pull_request_review"),
    *("pull_request_review_comment", "issue_comment", "workflow_run", "merge_group"),
)
"""The events about something open: whatever has landed has done so before."""
WEB_FLOW = "web-flow"
"""The account that commits what is merged and edited in the browser. It is nobody."""
_HEADS = "refs/heads/"
_QUEUED = re.compile(r"(?:refs/heads/)?gh-readonly-queue/(?P<base>.+)/pr-(?P<number>[0-9]{1,10})-")
_CO_AUTHOR = re.compile(r"^[ \t]*co-authored-by:[ \t]*(.*)$", re.IGNORECASE | re.MULTILINE)
_NUMBERED = re.compile(r"#([0-9]{1,10})")


class Wakeup(msgspec.Struct, frozen=True, kw_only=True):
    """Why this run was started, as the CI says. All of it is a hint what to ask about."""

    event: str | None = None
    payload: Mapping[str, Any] = {}
    run: str | None = None
    sha: str | None = None
    ref: str | None = None
    before: str | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A change, and its pull request if it has one. `group` is the commit of the merge queue that
    waits for a word on it, `run` the run of its code whose end woke this one up. `is_told`: GitHub
    tells who has pushed all of it.
    """

    change: Change
    pull: Pull | None = None
    is_told: bool = False
    group: str | None = None
    run: WorkflowRun | None = None


class Changes:
    """The change of a run, and changes by number. Each is read once."""

    def __init__(
        self,
        remote: RemoteRepository,
        checkout: Repository,
        wakeup: Wakeup,
        *,
        workflow: str,
        wait: Callable[[float], None],
    ) -> None:
        self._remote = remote
        self._checkout = checkout
        self._history = Merges(checkout)
        self._wakeup = wakeup
        self._workflow = workflow
        self._known: dict[int, Found] = {}
        self._landed: dict[tuple[str, bool], Found] = {}
        self._default_branch = DefaultBranch(
            checkout, lambda: pushes_to(remote, remote.facts.default_branch), most=MOST_PUSHES
        )
        may_be_late = wakeup.run is not None and wakeup.event not in OF_OPEN
        self._lag = Lag(checkout, wait, may_be_late=may_be_late, before=wakeup.before)

    def current(self) -> Found | None:
        """The change of this run."""
        match self._wakeup.event:
            case "pull_request" | "pull_request_target" | "pull_request_review":
                return self._pull(self._number("pull_request", "number"))
            case "pull_request_review_comment":
                return self._pull(self._number("pull_request", "number"))
            case "issue_comment":
                if _at(self._wakeup.payload, "issue", "pull_request") is None:
                    raise UsageError(_EVENT, "the comment is not on a pull request")
                return self._pull(self._number("issue", "number"))
            case "workflow_run":
                return self._of_run(self._number("workflow_run", "id"))
            case "merge_group":
                return self._queued()
            case _:
                return self._of_checkout()

    def numbered(self, name: str) -> Found:
        """The change of an id such as `#7`; one that was never a pull request has no reviews."""
        found = _NUMBERED.fullmatch(name)
        if found is None:
            return Found(change=Change(id=name, title="", base="", head="", authors=()))
        return self._pull(int(found[1]))

    def comment(self) -> int | None:
        """The number of the new comment on a pull request that woke this run up, if one did."""
        payload = self._wakeup.payload
        is_new = self._wakeup.event == "issue_comment" and _at(payload, "action") == "created"
        if not is_new or _at(payload, "issue", "pull_request") is None:
            return None
        return self._number("comment", "id")

    def _number(self, *keys: str) -> int:
        found = _at(self._wakeup.payload, *keys)
        if not isinstance(found, int) or isinstance(found, bool) or found <= 0:
            raise UsageError(
                _EVENT,
                f"it has no number at {'.'.join(keys)}",
                hint="does GITHUB_EVENT_PATH name the event of this run?",
            )
        return found

    def _pull(self, number: int) -> Found:
        if number in self._known:
            return self._known[number]
        path = self._remote.path("pulls", number)
        return self._of(self._remote.api.get(path, Pull, doing=f"reading pull request {number}"))

    def _of(self, pull: Pull) -> Found:
        made = self._made(pull)
        landed = pull.merged is True and pull.base.ref == self._remote.facts.default_branch
        change = Change(
            id=f"#{pull.number}",
            title=pull.title,
            base=pull.base.ref,
            head=pull.head.sha,
            authors=made.authors,
            remarks=made.remarks,
            landed=landed,
            landed_as=pull.merge_commit_sha if landed else None,
            address=pull.html_url,
        )
        self._known[pull.number] = Found(change=change, pull=pull, is_told=made.is_told)
        return self._known[pull.number]

    def _of_run(self, run_id: int) -> Found:
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
            return msgspec.structs.replace(self._in_queue(run.head_branch), group=run.head_sha)
        found = [
            pull
            for pull in self._open_pulls(source.owner.login, run.head_branch, doing)
            if pull.head.sha == run.head_sha
            and pull.head.repo is not None
            and pull.head.repo.id == source.id
        ]
        return msgspec.structs.replace(self._of(self._only(found, doing, run.head_sha)), run=run)

    def _open_pulls(self, owner: str, branch: str, doing: str) -> Iterator[Pull]:
        return self._remote.api.pages(
            self._remote.path("pulls"),
            Pull,
            doing=doing,
            parameters={"state": "open", "head": f"{owner}:{branch}"},
        )

    def _only(self, found: list[Pull], doing: str, sha: str) -> Pull:
        """The one among several with the same head that goes to the default branch."""
        if len(found) > 1:
            branch = self._remote.facts.default_branch
            found = [pull for pull in found if pull.base.ref == branch]
        if len(found) != 1:
            count = "no" if not found else "more than one"
            problem = OutsideError if found else IdleError
            raise problem(
                doing,
                f"{count} open pull request has the head {sha[:12]}",
                hint="it may have been closed, or have got new commits; then a newer run is on "
                "its way",
            )
        return found[0]

    def _queued(self) -> Found:
        """The pull request at the head of a group of the merge queue."""
        return self._in_queue(
            _at(self._wakeup.payload, "merge_group", "head_ref") or self._wakeup.ref
        )

    def _in_queue(self, ref: object) -> Found:
        """The pull request that a branch of the merge queue is named after."""
        found = _QUEUED.match(ref) if isinstance(ref, str) else None
        if found is None:
            raise UsageError(_EVENT, f"{ref!r} is no branch of the merge queue")
        queued = self._pull(int(found["number"]))
        if queued.change.base != found["base"]:
            raise OutsideError(
                f"reading pull request {queued.change.id}",
                f"it goes to {queued.change.base!r}, the queue's branch to {found['base']!r}",
            )
        return queued

    def _of_checkout(self) -> Found | None:
        """What the working tree holds: what landed on the default branch, else the open pull
        request of the branch.
        """
        head = self._checkout.resolve("HEAD")
        if head is None:
            return None
        branch = self._branch()
        if branch is None or branch == self._remote.facts.default_branch:
            return self.landed(head)
        doing = f"looking for the pull request of {branch}"
        owner = self._remote.facts.owner.login
        found = [pull for pull in self._open_pulls(owner, branch, doing) if pull.head.sha == head]
        if found:
            return self._of(self._only(found, doing, head))
        return self._alone(branch, head, landed=False)

    def _branch(self) -> str | None:
        ref = self._wakeup.ref
        if ref is not None and ref.startswith(_HEADS) and self._wakeup.sha is not None:
            head = self._checkout.resolve("HEAD")
            if head == self._wakeup.sha:
                return ref.removeprefix(_HEADS)
        return self._checkout.branch()

    def landed(self, head: str, *, is_step: bool = False) -> Found:
        """The pull request that a commit of the default branch came from. Each is looked for once.

        A commit of a fork can be read here as well, so that GitHub knows it proves nothing. It
        has landed if a merged pull request says that it became this commit, or if the default
        branch contains it, which is not asked of what is known to be a step of that (`is_step`). A
        run waits for GitHub once, however many commits it looks at.
        """
        if (head, is_step) not in self._landed:
            self._landed[head, is_step] = self._look_for_landed(head, is_step=is_step)
        return self._landed[head, is_step]

    def _look_for_landed(self, head: str, *, is_step: bool) -> Found:
        def is_it(pull: Pull) -> bool:
            return pull.merge_commit_sha == head

        merged = self._lag.read(head, lambda: self._merged_with(head), is_it)
        became = [pull for pull in merged if is_it(pull)]
        if became:
            return self._merged_together(became, head)
        branch = self._remote.facts.default_branch
        landed = is_step or self._contains(branch, head)
        return self._alone(branch, head, landed=landed, within=merged if landed else [])

    def _merged_together(self, pulls: Sequence[Pull], commit: str) -> Found:
        """The pull request that was merged as a commit. GitHub calls another one merged as well
        whose commits came with it, stacked on it or of the same head: the one whose head was merged
        is the change, of the repository before a fork's, and who made the others made it too.
        """
        parents = self._history.parents(commit)
        heads = (commit, *parents[1:])

        def place(pull: Pull) -> tuple[bool, bool, int]:
            is_own = pull.head.repo is not None and pull.head.repo.id == self._remote.facts.id
            return pull.head.sha not in heads, not is_own, pull.number

        first, *others = sorted(pulls, key=place)
        found = self._pull(first.number)
        more = list(self._makers(others))
        if is_beyond(commit, [pull.head.sha for pull in pulls], self._history):
            more += self._merged_by_hand(commit)
        return self._with(found, more) if more else found

    def _merged_by_hand(self, commit: str) -> Sequence[Author]:
        """Who made all that a commit has brought, unless GitHub itself has merged it."""
        pusher = self._default_branch.pusher(commit)
        if pusher is not None and pusher.is_merge:
            return ()
        commits, is_all = self._brought(commit)
        found = self._pushed(commits, pusher) if commits else ()
        return (*found, *([] if is_all and commits else [_UNKNOWN]))

    def tips(self) -> frozenset[str]:
        """See `Forge.tips`."""
        return self._default_branch.tips

    def _pushed(self, commits: Sequence[Commit], pusher: Push | None) -> tuple[Author, ...]:
        """Everybody who made commits that somebody has pushed straight to the default branch, and
        whoever that was: what a commit says of its author anybody can write.
        """
        push = None
        if pusher is not None and not pusher.is_merge:
            push = Push(by=pusher.by, before=None, after=commits[-1].sha)
        pushes = None if push is None else [push]
        return made_by(self._written(commits), pushes, self._history).authors

    def _makers(self, pulls: Sequence[Pull]) -> tuple[Author, ...]:
        """Who made some of several pull requests, and somebody unknown if there are too many."""
        return made_together(pulls, lambda pull: self._pull(pull.number).change.authors)

    def _with(self, found: Found, others: Sequence[Author]) -> Found:
        authors = distinct([*found.change.authors, *others])
        change = msgspec.structs.replace(found.change, authors=authors)
        return msgspec.structs.replace(found, change=change)

    def _merged_with(self, commit: str) -> list[Pull]:
        """The pull requests that were merged into the default branch and had a part in a commit."""
        remote = self._remote
        doing = f"looking for the pull request that became {commit[:12]}"
        try:
            found = list(
                remote.api.pages(remote.path("commits", commit, "pulls"), Pull, doing=doing)
            )
        except RefusedError as error:
            if error.status in _NO_COMMIT:
                return []
            raise
        return [
            pull
            for pull in found
            if pull.merged_at is not None
            and pull.base.ref == remote.facts.default_branch
            and pull.base.repo is not None
            and pull.base.repo.id == remote.facts.id
        ]

    def _contains(self, branch: str, commit: str) -> bool:
        remote = self._remote
        try:
            found = remote.api.get(
                remote.path("compare", f"{branch}...{commit}"),
                Comparison,
                doing=f"asking whether {branch} contains {commit[:12]}",
                parameters={"per_page": "1"},
            )
        except RefusedError as error:
            if error.status in _NO_COMMIT:
                return False
            raise
        return found.status in ("behind", "identical")

    def _alone(self, branch: str, head: str, *, landed: bool, within: Sequence[Pull] = ()) -> Found:
        """A commit that is no pull request as a whole. It may have come `within` some, as when
        each of their commits lands by itself: whoever put it on the branch has not made it then.
        """
        remote = self._remote
        commits, is_all = self._brought(head) if landed else (self._named(head), True)
        title = self._checkout.run("log", "-1", "--format=%s", head, doing=f"reading {head[:12]}")
        pusher = self._default_branch.pusher(head) if landed and not within else None
        written = self._written(commits)
        if within:
            bare = [msgspec.structs.replace(one, committer=None) for one in written]
            made = made_by(bare, None, self._history).authors
        else:
            made = self._pushed(commits, pusher) if commits else ()
        authors = [*made, *self._makers(within), *([] if is_all else [_UNKNOWN])]
        change = Change(
            id=f"{branch}@{head[:12]}",
            title=title,
            base=remote.facts.default_branch,
            head=head,
            authors=distinct(authors) or (_UNKNOWN,),
            remarks=(UNTOLD,) if landed and not within and pusher is None else (),
            landed=landed,
        )
        return Found(change=change)

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
        found = self._named(commit)
        parents = found[0].parents if found else ()
        if len(parents) < 2:
            return found, True
        remote, before = self._remote, parents[0].sha
        comparison = remote.api.get(
            remote.path("compare", f"{before}...{commit}"),
            Comparison,
            doing=f"reading what {commit[:12]} has brought",
            parameters={"per_page": "100"},
        )
        listed = [one for one in comparison.commits if one.sha != commit]
        return [*listed, *found], len(listed) + 1 == comparison.total_commits

    def _made(self, pull: Pull) -> Made:
        """Everybody who made a part of a pull request."""
        remote = self._remote
        doing = f"reading the commits of pull request {pull.number}"
        path = remote.path("pulls", pull.number, "commits")
        commits = list(remote.api.pages(path, Commit, doing=doing))
        beyond = []
        # GitHub lists the oldest ones, so where the list is cut off the head is not in it.
        if len(commits) >= MOST_COMMITS or pull.head.sha not in {one.sha for one in commits}:
            name = f"the commits beyond the {len(commits)} that GitHub lists"
            beyond.append(Author(name=name, person=None))
        return opened_by(
            made_by(self._written(commits), read_pushes(remote, pull), self._history),
            self._opener(pull),
            asked_for_by(remote, pull),
            beyond,
            is_own=lambda: pull.user is not None and pull.user.id == remote.own.id,
        )

    def _opener(self, pull: Pull) -> Author:
        if pull.user is None or pull.user.id == 0:
            return Author(name="a deleted account, which opened it", person=None)
        return author(self._remote.actor(pull.user))

    def _written(self, commits: Sequence[Commit]) -> list[WrittenCommit]:
        known = _addresses(commits)
        return [
            WrittenCommit(
                sha=commit.sha,
                parents=tuple(one.sha for one in commit.parents),
                author=self._author(commit.author, commit.commit.author, known),
                committer=None
                if self._is_forge(commit)
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
        if account is None or account.id == 0:
            account = known.get(address)
        if account is None:
            name = f"{signature.name or 'nobody'} <{address}>"
            return Author(name=name, person=None, address=address)
        return Author(name=account.login, person=self._remote.actor(account))

    def _co_author(self, trailer: str, known: Mapping[str, Account]) -> Author:
        """Whom a `Co-authored-by` names. GitHub maps those by their address, and says so nowhere:
        its own addresses tell the account, and so do those of other commits.
        """
        name, _, address = trailer.removesuffix(">").rpartition("<")
        address = address.strip().lower()
        private = _PRIVATE.fullmatch(address)
        if private is not None and private["host"] == self._remote.host:
            account = Account(id=int(private["id"]), login=private["login"])
            return Author(name=account.login, person=self._remote.actor(account))
        return self._author(None, GitSignature(name=name.strip() or None, email=address), known)

    def _is_forge(self, commit: Commit) -> bool:
        """Whether GitHub itself made the commit, for a merge or an edit in the browser."""
        if commit.committer is not None and commit.committer.id != 0:
            return commit.committer.login == WEB_FLOW
        signature = commit.commit.committer
        return signature is not None and signature.email == f"noreply@{self._remote.host}"


_UNKNOWN = Author(name="commits that GitHub does not have", person=None)


def _addresses(commits: Sequence[Commit]) -> dict[str, Account]:
    """The accounts of the addresses that GitHub has mapped in these commits."""
    known = {}
    for commit in commits:
        for account, signature in (
            (commit.author, commit.commit.author),
            (commit.committer, commit.commit.committer),
        ):
            if account is not None and account.id and signature is not None and signature.email:
                known[signature.email.lower()] = account
    return known


def _at(payload: Mapping[str, Any], *keys: str) -> Any:
    found: Any = payload
    for key in keys:
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    return found


_EVENT = "reading the event of this run"
_NO_COMMIT = (404, 409, 422)
"""How GitHub says that it does not have a commit: 409 for an empty repository, 422 for a SHA."""
_PRIVATE = re.compile(r"(?P<id>[0-9]{1,19})\+(?P<login>[^@+\s]+)@users\.noreply\.(?P<host>\S+)")
