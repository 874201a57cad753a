"""Accounts, teams and tokens: who is who, and who may what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tests.github.world import GitHub

Kind = Literal["User", "Bot", "Organization"]
ROLES = ("none", "read", "triage", "write", "maintain", "admin")
"""From least to most."""

GHOST_ID = 10137
WEB_FLOW_ID = 19864447
ACTIONS_BOT_ID = 41898282
QUEUE_BOT_ID = 118344674
DEPENDABOT_ID = 49699333
ACTIONS_APP_ID = 15368


@dataclass(eq=False)
class Account:
    """A person, a bot or an organization. Only `id` never changes."""

    id: int
    login: str
    kind: Kind
    name: str
    emails: set[str]
    github: GitHub = field(repr=False)
    is_deleted: bool = False
    is_suspended: bool = False

    @property
    def email(self) -> str:
        """What this person's commits are signed with."""
        return f"{self.id}+{self.login}@users.noreply.github.com"

    @property
    def is_found(self) -> bool:
        """Whether the API still shows the account."""
        return not (self.is_deleted or self.is_suspended)

    def rename(self, login: str) -> None:
        """The old login is free for anybody afterwards."""
        self.github.free(login)
        self.emails.add(self.email)  # commits of before still belong to the account
        self.login = login

    def delete(self) -> None:
        """The account goes; what it wrote is shown as a ghost's."""
        self.is_deleted = True
        for roles in (one.roles for one in self.github.repositories):
            roles.pop(self.id, None)
        for team in self.github.teams:
            team.members.pop(self.id, None)

    def suspend(self) -> None:
        self.is_suspended = True


@dataclass(eq=False)
class Team:
    """A team of an organization. `members` says how the membership stands: active or pending."""

    id: int
    slug: str
    organization: Account
    members: dict[int, Literal["active", "pending"]] = field(default_factory=dict)
    children: list[Team] = field(default_factory=list)

    def add(self, person: Account, *, pending: bool = False) -> None:
        self.members[person.id] = "pending" if pending else "active"

    def remove(self, person: Account) -> None:
        self.members.pop(person.id, None)

    def membership(self, person: int) -> Literal["active", "pending"] | None:
        """Members of a child team are members of the parent."""
        if person in self.members:
            return self.members[person]
        found = [child.membership(person) for child in self.children]
        return next((one for one in found if one), None)


@dataclass(eq=False)
class Token:
    """What a request is made with.

    An `installation` token (that of a workflow, `GITHUB_TOKEN`, is one) acts as a bot and has
    exactly its permissions, in its own repository; a `personal` one is a fine-grained token of a
    person, limited likewise; a `classic` one may what its person may in the repository.
    """

    value: str
    account: Account
    kind: Literal["installation", "personal", "classic"]
    permissions: Mapping[str, str] = field(default_factory=dict)
    scopes: tuple[str, ...] = ("repo", "read:org")
    repositories: tuple[int, ...] | None = None
    """Ids of the repositories it was made for; None for all that the account may see."""
    is_revoked: bool = False

    def may(self, permission: str, level: str) -> bool:
        """Whether the token itself carries the permission, whatever its person may."""
        if self.kind == "classic":
            needed = {"members": "read:org", "organization_self_hosted_runners": "admin:org"}
            return permission not in needed or needed[permission] in self.scopes
        order = ("none", "read", "write")
        held = "read" if permission == "metadata" else self.permissions.get(permission, "none")
        return order.index(held) >= order.index(level)
