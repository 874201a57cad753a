"""Merge requests, and what people do with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from tests.gitlab.accounts import LEVELS, User
from tests.gitlab.records import Approval, Note, Reviewer, ReviewState, Version
from tests.standin.branches import ConflictError
from tests.standin.objects import Signature

if TYPE_CHECKING:
    from tests.gitlab.project import Project

How = Literal["merge", "squash", "ff", "rebase"]


@dataclass(eq=False)
class MergeRequest:
    """A merge request. `source_project` is None when the fork was deleted."""

    id: int
    iid: int
    project: Project
    source_project: Project | None
    source_project_id: int
    source_branch: str
    target_branch: str
    author: User
    title: str
    description: str | None
    created_at: datetime
    updated_at: datetime
    is_draft: bool = False
    state: Literal["opened", "closed", "merged"] = "opened"
    closed_at: datetime | None = None
    closed_by: User | None = None
    merged_at: datetime | None = None
    merged_by: User | None = None
    merge_commit_sha: str | None = None
    squash_commit_sha: str | None = None
    is_squashed: bool = False
    landed: tuple[str, ...] = ()
    """The commits that the merge put on the target branch, the newest last."""
    versions: list[Version] = field(default_factory=list)
    """Oldest first; the API shows the newest first."""
    approvals: list[Approval] = field(default_factory=list)
    reviewers: list[Reviewer] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    """Quick actions that GitLab took out of notes and obeyed."""

    @property
    def sha(self) -> str:
        return self.versions[-1].head

    @property
    def commits(self) -> list[str]:
        """Oldest first; the API shows the newest first."""
        newest = self.versions[-1]
        return self.project.objects.between(newest.base, newest.head)

    @property
    def has_conflicts(self) -> bool:
        target = self.project.tip(self.target_branch)
        return self.state == "opened" and (
            self.project.objects.merged_tree(target, self.sha) is None
        )

    @property
    def is_approved(self) -> bool:
        """GitLab's flag. Rules that nobody can fulfil are passed over, so that on paid tiers it
        can be true of a merge request that nobody has approved.
        """
        if self.project.gitlab.tier == "free":
            return bool(self.approvals)
        return self.approvals_left == 0

    @property
    def approvals_left(self) -> int:
        left = 0
        for rule in self.project.approval_rules:
            able = self.able(rule.users, rule.groups) if rule.kind == "regular" else None
            if able is None or able:
                given = [one for one in self.approvals if able is None or one.user.id in able]
                left += max(rule.approvals_required - len(given), 0)
        return left

    def able(self, users: list[User], groups: list[Any]) -> set[int]:
        """Who could fulfil a rule: its people, without the author where that is forbidden."""
        found = {one.id for one in users if one.state == "active"}
        for group in groups:
            found |= {one.user.id for one in group.all_members().values()}
        if not self.project.approval_settings["merge_requests_author_approval"]:
            found.discard(self.author.id)
        return found

    # --- what people do ---

    def push(self, sha: str | None = None, **made: Any) -> str:
        """A push to the source branch: the commit `sha`, or a new one (`by`, `message`, `files`).
        Whoever wrote it pushes it, or the `pusher`, with other branches if `refs` are several. It
        makes a version. On paid tiers it takes the approvals away, unless the project lets them
        stay or the change is the same as before.
        """
        source = self.source_project
        assert source is not None, "the fork is gone"
        by = made.pop("by", self.author)
        pusher, refs = made.pop("pusher", by), made.pop("refs", 1)
        if sha is None:
            sha = source.commit(by, parent=self.sha, **made)
        source.pushed(self.source_branch, self.sha, sha, pusher, refs=refs)
        old = self.versions[-1]
        self.add_version(sha)
        resets = (
            self.project.gitlab.tier != "free"
            and (self.project.approval_settings["reset_approvals_on_push"])
        )
        if resets and self.versions[-1].patch_id != old.patch_id:
            self.approvals.clear()
        self._say(pusher, "added 1 commit")
        return sha

    def rebase(self, by: User) -> str:
        """The button "Rebase": who presses it becomes the committer, and pushes."""
        project = self.project
        person = Signature(by.name, by.email, project.gitlab.now)
        made = project.replay(self.commits, project.tip(self.target_branch), person)
        return self.push(made[-1], pusher=by)

    def assign(self, person: User, by: User) -> None:
        """Make somebody responsible; GitLab says so below."""
        self.assignees.append(person)
        self._say(by, f"assigned to @{person.username}")

    def add_version(self, head: str) -> None:
        objects, gitlab = self.project.objects, self.project.gitlab
        start = self.project.tip(self.target_branch)
        base = objects.merge_base(start, head)
        patch = objects.raw("diff-tree", "-p", base, head)
        patch_id = objects.raw("patch-id", "--stable", stdin=patch).decode().partition(" ")[0]
        version = Version(
            id=gitlab.next_id(),
            head=head,
            base=base,
            start=start,
            created_at=gitlab.now,
            patch_id=patch_id,
            file_count=len(objects.changed(base, head)),
        )
        self.versions.append(version)
        objects.set_ref(f"refs/merge-requests/{self.iid}/head", head)
        self._touch()

    def approve(self, by: User) -> Approval:
        """An approval. GitLab keeps no commit with it, and a second one changes nothing."""
        found = [one for one in self.approvals if one.user is by]
        if not found:
            found = [Approval(by, self.project.gitlab.now)]
            self.approvals += found
            self._answer(by, "approved")
            self._say(by, "approved this merge request")
        return found[0]

    def unapprove(self, by: User) -> None:
        self.approvals = [one for one in self.approvals if one.user is not by]
        self._answer(by, "unapproved")
        self._say(by, "unapproved this merge request")

    def ask(self, reviewer: User) -> None:
        """Ask for a review."""
        self.reviewers.append(Reviewer(reviewer, "unreviewed", self.project.gitlab.now))

    def request_changes(self, by: User) -> None:
        """Which takes that person's approval away."""
        if not any(one.user is by for one in self.reviewers):
            self.ask(by)
        self.approvals = [one for one in self.approvals if one.user is not by]
        self._answer(by, "requested_changes")
        self._say(by, "requested changes")

    def note(self, by: User, body: str, *, internal: bool = False) -> Note:
        now = self.project.gitlab.now
        note = Note(self.project.gitlab.next_id(), self, by, body, now, now, is_internal=internal)
        self.notes.append(note)
        self._touch()
        return note

    def retarget(self, by: User, branch: str) -> None:
        """Let it go to another branch. Approvals stay; it makes a version, and GitLab says so."""
        before, self.target_branch = self.target_branch, branch
        self.add_version(self.sha)
        self._say(by, f"changed target branch from `{before}` to `{branch}`")

    def close(self, by: User | None = None) -> None:
        self.state, self.closed_by = "closed", by or self.author
        self.closed_at = self.project.gitlab.now
        self._say(self.closed_by, "closed")

    def reopen(self) -> None:
        self.state, self.closed_at, self.closed_by = "opened", None, None

    def merge(self, by: User, how: How = "merge") -> str:
        """Merge, and return the newest commit that the target branch got. "squash" leaves a merge
        commit too, unless the project's way is fast-forward; "ff" leaves no commit of its own, and
        "rebase" is the button "Rebase" and then a fast-forward.
        """
        project, now = self.project, self.project.gitlab.now
        target, person = project.tip(self.target_branch), Signature(by.name, by.email, now)
        if how == "rebase":
            self.push(project.replay(self.commits, target, person)[-1])
        tip = self.sha
        if how == "squash":
            tip = self.squash_commit_sha = self._squash(person)
            self.is_squashed = True
        if how == "merge" or (how == "squash" and project.merge_method != "ff"):
            tip = self.merge_commit_sha = self._merge_commit(target, tip, person)
        elif not project.objects.has(tip, target):
            raise ConflictError(f"merge request {self.iid} cannot be fast-forwarded")
        self.landed = tuple(project.objects.between(target, tip))
        project.pushed(self.target_branch, target, tip, by)
        self.state, self.merged_at, self.merged_by = "merged", now, by
        self._say(by, "merged")
        return tip

    def merged_as(self, sha: str, by: User) -> None:
        """Somebody has merged it with Git and pushed that: GitLab calls it merged as it."""
        project, before = self.project, self.project.tip(self.target_branch)
        self.landed = tuple(project.objects.between(before, sha))
        self.merge_commit_sha = sha
        project.pushed(self.target_branch, before, sha, by)
        self.state, self.merged_at, self.merged_by = "merged", project.gitlab.now, by

    # --- ---

    def _merge_commit(self, target: str, tip: str, person: Signature) -> str:
        tree = self.project.objects.merged_tree(target, tip)
        if tree is None:
            raise ConflictError(f"merge request {self.iid} has conflicts")
        message = (
            f"Merge branch '{self.source_branch}' into '{self.target_branch}'\n\n{self.title}\n\n"
            f"See merge request {self.project.full_name}!{self.iid}"
        )
        return self.project.objects.write(
            message=message, author=person, committer=person, parents=[target, tip], tree=tree
        )

    def _squash(self, person: Signature) -> str:
        """One commit on what the target branch had when the last version was made."""
        author = Signature(self.author.name, self.author.email, person.at)
        start = self.versions[-1].start
        tree = self.project.objects.merged_tree(start, self.sha)
        if tree is None:
            raise ConflictError(f"merge request {self.iid} has conflicts")
        return self.project.objects.write(
            message=self.title, author=author, committer=person, parents=[start], tree=tree
        )

    def _answer(self, by: User, state: ReviewState) -> None:
        for one in self.reviewers:
            if one.user is by:
                one.state = state

    def _say(self, by: User, body: str) -> None:
        """What GitLab writes below a merge request by itself."""
        self.note(by, body).is_system = True

    def _touch(self) -> None:
        self.updated_at = self.project.gitlab.now

    def can_merge(self, user: User | None) -> bool:
        protection = self.project.protection(self.target_branch)
        needed = protection.merge_level if protection else LEVELS["developer"]
        return self.project.level(user) >= needed
