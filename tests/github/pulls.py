"""Pull requests, their reviews and their comments, and what people do with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from tests.github.accounts import QUEUE_BOT_ID, Account
from tests.standin.branches import ConflictError
from tests.standin.objects import Signature

if TYPE_CHECKING:
    from tests.github.repository import Repository

How = Literal["merge", "squash", "rebase", "queue"]
Opinion = Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"]
PULL_COMMITS = 250
"""GitHub lists no more commits of a pull request than these."""


@dataclass(eq=False)
class Review:
    """One review. `commit_id` is the head that the reviewer saw; a push never changes it."""

    id: int
    pull: Pull
    author: Account
    state: Opinion
    body: str
    commit_id: str
    submitted_at: datetime | None

    def dismiss(self) -> None:
        """What a maintainer does to it. The opinion it had is gone from the API."""
        self.state = "DISMISSED"


@dataclass(eq=False)
class Comment:
    """A comment in the conversation of a pull request."""

    id: int
    pull: Pull
    author: Account
    body: str
    created_at: datetime
    updated_at: datetime
    is_minimized: bool = False
    reactions: list[tuple[int, Account, str]] = field(default_factory=list)

    @property
    def node_id(self) -> str:
        return f"IC_{self.id}"

    def edit(self, body: str) -> None:
        self.body = body
        self.updated_at = self.pull.repository.github.now

    def delete(self) -> None:
        self.pull.comments.remove(self)


@dataclass(frozen=True)
class Event:
    """What somebody did to a pull request, that concerns another one."""

    id: int
    name: Literal["assigned", "review_requested"]
    by: Account
    about: Account
    at: datetime


@dataclass(eq=False)
class Pull:
    """A pull request. `head_repository` is None when the fork was deleted."""

    id: int
    number: int
    repository: Repository
    head_repository: Repository | None
    head_owner: Account
    head_ref: str
    head_sha: str
    base_ref: str
    author: Account
    title: str
    body: str | None
    created_at: datetime
    updated_at: datetime
    is_draft: bool = False
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: Account | None = None
    landed: tuple[str, ...] = ()
    """The commits that the merge put on the base branch, the last one newest."""
    frozen_base: str | None = None
    group: tuple[str, list[str]] | None = None
    """In the merge queue: the branch of its group, and the commits that would land."""
    reviews: list[Review] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def is_merged(self) -> bool:
        return self.merged_at is not None

    @property
    def base_sha(self) -> str:
        return self.frozen_base or self.repository.tip(self.base_ref)

    @property
    def fork_point(self) -> str:
        return self.repository.objects.merge_base(self.base_sha, self.head_sha)

    @property
    def commits(self) -> list[str]:
        """All commits, oldest first; the API shows the first 250."""
        return self.repository.objects.between(self.base_sha, self.head_sha)

    @property
    def merge_commit_sha(self) -> str | None:
        """Of a merged pull request the commit that it became; of another one the test merge that
        GitHub keeps: that the field has a value proves nothing.
        """
        if self.landed:
            return self.landed[-1]
        return self.repository.test_merge(self)

    # --- what people do ---

    def push(self, sha: str | None = None, **made: object) -> str:
        """A push to the head branch: the commit `sha`, or a new one (`by`, `message`, `files`).
        Whoever wrote it pushes it, or the `pusher`.
        """
        by = made.pop("by", self.author)
        pusher = made.pop("pusher", by)
        if sha is None:
            sha = self.repository.commit(by, parent=self.head_sha, **made)  # type: ignore[arg-type]  # passed by name
        self._moved(sha, pusher)  # type: ignore[arg-type]  # an account
        return sha

    def update_branch(self, by: Account, how: Literal["merge", "rebase"] = "merge") -> str:
        """The button "Update branch": `by` brings in what the base branch got."""
        objects, now = self.repository.objects, self.repository.github.now
        base, person = self.base_sha, Signature(by.name, by.email, now)
        if how == "rebase":
            self._moved(self.repository.replay(self.commits, base, person)[-1], by)
            return self.head_sha
        tree = objects.merged_tree(self.head_sha, base)
        if tree is None:
            raise ConflictError(f"pull request {self.number} has conflicts with {self.base_ref}")
        sha = objects.write(
            message=f"Merge branch '{self.base_ref}' into {self.head_ref}",
            author=person,
            committer=Signature("GitHub", "noreply@github.com", now),
            parents=[self.head_sha, base],
            tree=tree,
        )
        self._moved(sha, by)
        return sha

    def assign(self, person: Account, by: Account) -> None:
        """Make somebody responsible, as the people and the agents of a repository can."""
        github = self.repository.github
        self.events.append(Event(github.next_id(), "assigned", by, person, github.now))

    def request_review(self, person: Account, by: Account) -> None:
        """Ask somebody for a review."""
        github = self.repository.github
        self.events.append(Event(github.next_id(), "review_requested", by, person, github.now))

    def _moved(self, sha: str, by: Account) -> None:
        before, self.head_sha = self.head_sha, sha
        if self.head_repository is not None:
            self.head_repository.pushed(self.head_ref, before, sha, by)
        self.repository.objects.set_ref(f"refs/pull/{self.number}/head", sha)
        self._touch()

    def review(
        self,
        by: Account,
        state: Opinion = "APPROVED",
        *,
        body: str = "",
        commit_id: str | None = None,
    ) -> Review:
        """A review of the present head, or of an older commit that the reviewer still looks at."""
        github = self.repository.github
        review = Review(
            id=github.next_id(),
            pull=self,
            author=by,
            state=state,
            body=body,
            commit_id=commit_id or self.head_sha,
            submitted_at=None if state == "PENDING" else github.now,
        )
        self.reviews.append(review)
        self._touch()
        return review

    def comment(self, by: Account, body: str) -> Comment:
        github = self.repository.github
        comment = Comment(github.next_id(), self, by, body, github.now, github.now)
        self.comments.append(comment)
        self._touch()
        return comment

    def retarget(self, base: str) -> str:
        """Let it go to another branch; returns the one that it went to before. Reviews stay."""
        before, self.base_ref = self.base_ref, base
        self._touch()
        return before

    def close(self) -> None:
        self.frozen_base = self.base_sha
        self.closed_at = self.repository.github.now
        self._touch()

    def reopen(self) -> None:
        self.frozen_base, self.closed_at = None, None
        self._touch()

    def merge(
        self, by: Account, how: How = "merge", *, queue_with: Literal["merge", "squash"] = "merge"
    ) -> str:
        """Merge, and return the newest commit that the base branch got. Through the queue a bot
        is the one who merged.
        """
        repository, github = self.repository, self.repository.github
        base = self.base_sha
        if how == "queue":
            if self.group is None:
                self.enqueue(by, queue_with)
            assert self.group is not None
            branch, commits = self.group
            repository.delete_branch(branch)
            self.group = None
        else:
            commits = landing(self, base, by, how)
        self.landed = tuple(commits)
        self.frozen_base = base
        kind = "merge_queue_merge" if how == "queue" else "pr_merge"
        repository.pushed(self.base_ref, base, self.landed[-1], by, kind=kind)
        self.merged_at = self.closed_at = github.now
        self.merged_by = github.account(QUEUE_BOT_ID) if how == "queue" else by
        self._touch()
        return self.landed[-1]

    def merged_as(self, sha: str, by: Account) -> None:
        """Somebody has merged it with Git and pushed that: GitHub calls it merged as it."""
        before = self.base_sha
        self.frozen_base, self.landed, self.merged_by = before, (sha,), by
        self.repository.pushed(self.base_ref, before, sha, by)
        self.merged_at = self.closed_at = self.repository.github.now
        self._touch()

    def enqueue(self, by: Account, how: Literal["merge", "squash"] = "merge") -> tuple[str, str]:
        """Put it into the merge queue: the ref of the group, as GitHub names it, and its head.
        `merge(by, "queue")` is what happens when the checks pass.
        """
        commits = landing(self, self.base_sha, by, how)
        name = f"gh-readonly-queue/{self.base_ref}/pr-{self.number}-{self.base_sha}"
        self.repository.set_branch(name, commits[-1])
        self.group = name, commits
        return f"refs/heads/{name}", commits[-1]

    def _touch(self) -> None:
        self.updated_at = self.repository.github.now


def landing(pull: Pull, base: str, by: Account, how: How) -> list[str]:
    """New commits for the base branch, made as GitHub's own committer, web-flow, makes them."""
    objects, now = pull.repository.objects, pull.repository.github.now
    flow = Signature("GitHub", "noreply@github.com", now)
    person = Signature(by.name, by.email, now)
    author = Signature(pull.author.name, pull.author.email, now)
    if how == "rebase":
        return pull.repository.replay(pull.commits, base, person)
    tree = objects.merged_tree(base, pull.head_sha)
    if tree is None:
        raise ConflictError(f"pull request {pull.number} has conflicts with {pull.base_ref}")
    if how == "merge":
        message = (
            f"Merge pull request #{pull.number} from {pull.head_owner.login}/{pull.head_ref}\n\n"
            f"{pull.title}"
        )
        parents = [base, pull.head_sha]
        return [
            objects.write(
                message=message, author=person, committer=flow, parents=parents, tree=tree
            )
        ]
    commits = [objects.commit(sha) for sha in pull.commits]
    others = {(one.author.name, one.author.email) for one in commits}
    others.discard((author.name, author.email))
    lines = [f"{pull.title} (#{pull.number})", ""]
    lines += [f"* {one.message.splitlines()[0]}" for one in commits if len(commits) > 1]
    lines += ["", *(f"Co-authored-by: {name} <{email}>" for name, email in sorted(others))]
    message = "\n".join(lines).strip()
    return [
        objects.write(message=message, author=author, committer=flow, parents=[base], tree=tree)
    ]


def landed_mapping(pulls: list[Pull]) -> Mapping[str, list[Pull]]:
    """Which merged pull requests brought a commit of the base branch."""
    found: dict[str, list[Pull]] = {}
    for pull in pulls:
        if not pull.is_merged:
            continue
        newest = pull.repository.objects.commit(pull.landed[-1])
        brought = [*pull.landed, *(pull.commits if len(newest.parents) > 1 else [])]
        for sha in brought:
            found.setdefault(sha, []).append(pull)
    return found
