"""Users, groups, memberships and tokens: who is who, and who may what."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tests.gitlab.pipelines import Job
    from tests.gitlab.project import Project
    from tests.gitlab.world import GitLab

LEVELS = {
    "none": 0,
    "minimal": 5,
    "guest": 10,
    "planner": 15,
    "reporter": 20,
    "developer": 30,
    "maintainer": 40,
    "owner": 50,
}
NAMES_OF_LEVELS = {
    0: "No one",
    30: "Developers + Maintainers",
    40: "Maintainers",
    60: "Administrators",
}

State = Literal["active", "blocked", "deactivated", "ldap_blocked", "banned"]
TokenKind = Literal["personal", "project", "group", "job"]


@dataclass(eq=False)
class User:
    """A person or a bot. Only `id` never changes."""

    id: int
    username: str
    name: str
    gitlab: GitLab = field(repr=False)
    created_at: datetime
    email: str
    """What this person's commits are signed with. Nobody but an administrator is shown it."""
    state: State = "active"
    is_bot: bool = False
    public_email: str = ""
    is_admin: bool = False

    @property
    def private_email(self) -> str:
        """The address that GitLab gives to people who keep theirs to themselves."""
        return f"{self.id}-{self.username}@users.noreply.{self.gitlab.mail_host}"

    def rename(self, username: str) -> None:
        """The old name is free for anybody afterwards."""
        self.gitlab.free(username)
        self.username = username

    def block(self) -> None:
        self.state = "blocked"

    def deactivate(self) -> None:
        self.state = "deactivated"

    def delete(self) -> None:
        """The account goes, and its approvals; what it wrote is the ghost's afterwards."""
        self.gitlab.users.remove(self)
        self.gitlab.ghosts.add(self.id)
        for place in (*self.gitlab.projects, *self.gitlab.groups):
            place.members.pop(self.id, None)
        for project in self.gitlab.projects:
            for one in project.merge_requests:
                one.approvals = [given for given in one.approvals if given.user is not self]


@dataclass(eq=False)
class Membership:
    """What a person is in one project or group."""

    user: User
    level: int
    created_at: datetime
    expires_on: date | None = None
    is_pending: bool = False
    """Invited or waiting for an approval: not a member yet."""


class Members:
    """A place that has members of its own, and inherits those of the place above it."""

    members: dict[int, Membership]

    @property
    def above(self) -> Members | None:
        raise NotImplementedError

    def add(
        self, user: User, role: str, *, expires_on: date | None = None, is_pending: bool = False
    ) -> Membership:
        """Give a role; "none" takes it away."""
        made = Membership(user, LEVELS[role], user.gitlab.now, expires_on, is_pending)
        if role == "none":
            self.members.pop(user.id, None)
        else:
            self.members[user.id] = made
        return made

    def remove(self, user: User) -> None:
        self.members.pop(user.id, None)

    def all_members(self) -> dict[int, Membership]:
        """Inherited ones too; of several memberships the highest."""
        found = dict(self.above.all_members()) if self.above else {}
        for number, one in self.members.items():
            if number not in found or found[number].level < one.level:
                found[number] = one
        return found

    def level(self, user: User | None) -> int:
        """What the person may here: nothing if blocked, not yet a member or no longer one."""
        if user is None or user.state != "active":
            return 0
        if user.is_admin:
            return LEVELS["owner"]
        found = self.all_members().get(user.id)
        if found is None or found.is_pending:
            return 0
        is_over = found.expires_on is not None and found.expires_on <= user.gitlab.now.date()
        return 0 if is_over else found.level


@dataclass(eq=False)
class Group(Members):
    """A group, or a subgroup of one."""

    id: int
    path: str
    gitlab: GitLab = field(repr=False)
    parent: Group | None = None
    is_private: bool = True
    members: dict[int, Membership] = field(default_factory=dict)

    @property
    def full_path(self) -> str:
        return f"{self.parent.full_path}/{self.path}" if self.parent else self.path

    @property
    def above(self) -> Members | None:
        return self.parent


@dataclass(eq=False)
class Token:
    """What a request is made with. A project's or a group's token acts as a bot; a job's acts as
    whoever caused the job, at few endpoints, while the job runs.
    """

    id: int
    value: str
    name: str
    user: User
    kind: TokenKind
    scopes: tuple[str, ...]
    created_at: datetime
    expires_on: date | None = None
    is_revoked: bool = False
    job: Job | None = None

    @property
    def is_active(self) -> bool:
        return not self.is_revoked and not self.is_expired

    @property
    def is_expired(self) -> bool:
        return self.expires_on is not None and self.expires_on <= self.user.gitlab.now.date()

    def may(self, method: str, *more: str) -> bool:
        """Whether the scopes allow a call with this method, where `more` scopes are enough too."""
        needed = {"api", "read_api", *more} if method in ("GET", "HEAD") else {"api"}
        return self.kind == "job" or bool(needed & set(self.scopes))

    def home(self) -> Project | None:
        """The project that a job's token belongs to."""
        return self.job.pipeline.project if self.job else None
