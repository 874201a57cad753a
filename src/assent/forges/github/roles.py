"""What somebody may do in a repository of GitHub today: their permission, their teams."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable
from typing import TypeVar

from assent.core.identity import Actor, Resolved
from assent.errors import OutsideError
from assent.forges.github.api import RefusedError, segment
from assent.forges.github.codeowners import owners
from assent.forges.github.description import CODEOWNERS
from assent.forges.github.repository import RemoteRepository
from assent.forges.github.schemas import Content, Membership, Permission, Team
from assent.forges.remote.commits import Account
from assent.forges.remote.roles import RemoteRoles

Key = TypeVar("Key")
Answer = TypeVar("Answer")

_MAY_WRITE = ("write", "admin")  # GitHub shows `maintain` and custom roles as the nearest of these


class Roles(RemoteRoles):
    """Roles in one repository. Every answer is asked for once in a run. A team is `@org/team`, or
    `@team` of the repository's owner.
    """

    logins = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:\[bot\])?")
    places = CODEOWNERS
    _remote: RemoteRepository

    def __init__(self, remote: RemoteRepository, *, file: str, say: Callable[[str], None]) -> None:
        super().__init__(remote, file=file, say=say)
        self._permissions: dict[str, Permission | None] = {}
        self._logins: dict[str, str | None] = {}
        self._members: dict[tuple[str, str, str], bool] = {}
        self._teams: dict[tuple[str, str], int] = {}
        self._collaborators: dict[str, bool] = {}

    def _owner(self, person: Actor, owner: str) -> Resolved | None:
        """`@name` is a login there."""
        if not owner.startswith("@"):
            return None
        if "/" not in owner:
            return self._called(person, owner.removeprefix("@"))
        resolved = self._of_team(person, owner.removeprefix("@"), None)
        return resolved if resolved is not None and self._may_write(person) else None

    def _is_called(self, person: Actor, login: str) -> bool:
        if not self._is_account(login, person):
            return False
        self._logins[person.id] = login
        return True

    def _of_team(self, person: Actor, team: str, pin: str | None) -> Resolved | None:
        organization, _, name = team.lower().rpartition("/")
        organization = organization or self._remote.facts.owner.login.lower()
        if not self._is_in(person, organization, name):
            return None
        number = self._number_of(organization, name)
        if pin is not None and pin != str(number):
            return None
        return Resolved(name=f"@{team.lower()}", id=f"team:{number}")

    def _may_write(self, person: Actor) -> bool:
        permission = self._permission_of(person)
        return permission is not None and permission.permission in _MAY_WRITE

    def _is_member(self, person: Actor) -> bool:
        """In a private repository nobody else can read; in a public one GitHub says `read` of
        everybody, so it is asked.
        """
        permission = self._permission_of(person)
        if permission is None or permission.permission == "none":
            return False
        if self._remote.facts.private or permission.permission in _MAY_WRITE:
            return True
        login = self._login_of(person) or ""
        return _once(self._collaborators, person.id, lambda: self._read_collaborator(login))

    def _read_collaborator(self, login: str) -> bool:
        return self._remote.api.exists(
            self._remote.path("collaborators", login),
            doing=f"asking whether {login} is a collaborator of {self._remote.facts.full_name}",
        )

    def _permission_of(self, person: Actor) -> Permission | None:
        """What this person may do, whatever they are called today; None if the account is gone."""
        login = self._login_of(person)
        return None if login is None else self._permission(login)

    def _login_of(self, person: Actor) -> str | None:
        """What this person is called today: an account may have been renamed, and its old name
        may be somebody else's. None for an account that is gone.
        """
        if person.id not in self._logins:
            self._logins[person.id] = self._read_login(person)
        return self._logins[person.id]

    def _read_login(self, person: Actor) -> str | None:
        if self.logins.fullmatch(person.login) and self._is_account(person.login, person):
            return person.login
        account = self._remote.api.find(
            f"/user/{segment(person.id)}",
            Account,
            doing=f"asking what the account {person.id} is called today",
        )
        if account is None or not self._is_account(account.login, person):
            return None
        return account.login

    def _is_account(self, login: str, person: Actor) -> bool:
        permission = self._permission(login)
        return (
            permission is not None
            and permission.user is not None
            and str(permission.user.id) == person.id
        )

    def _permission(self, login: str) -> Permission | None:
        return _once(self._permissions, login.lower(), lambda: self._read_permission(login))

    def _read_permission(self, login: str) -> Permission | None:
        return self._remote.api.find(
            self._remote.path("collaborators", login, "permission"),
            Permission,
            doing=f"reading what {login} may do in {self._remote.facts.full_name}",
        )

    def _is_in(self, person: Actor, organization: str, team: str) -> bool:
        login = self._login_of(person)
        if login is None:
            return False
        key = (organization, team, person.id)
        return _once(self._members, key, lambda: self._read_membership(organization, team, login))

    def _read_membership(self, organization: str, team: str, login: str) -> bool:
        doing = f"asking whether {login} is in @{organization}/{team}"
        path = "/".join(["/orgs", segment(organization), "teams", segment(team)])
        try:
            membership = self._remote.api.find(
                f"{path}/memberships/{segment(login)}", Membership, doing=doing
            )
        except RefusedError as error:
            if error.status != 403:
                raise
            raise OutsideError(doing, error.problem, hint=_TEAM_TOKEN) from None
        if membership is None:
            # No such member, or no such team? Only a team that can be seen can say no.
            self._number_of(organization, team)
        return membership is not None and membership.state == "active"

    def _number_of(self, organization: str, team: str) -> int:
        """The number of a team, which stays when it is renamed."""
        key = (organization, team)
        return _once(self._teams, key, lambda: self._read_team(organization, team))

    def _read_team(self, organization: str, team: str) -> int:
        doing = f"looking for the team @{organization}/{team}"
        path = "/".join(["/orgs", segment(organization), "teams", segment(team)])
        try:
            facts = self._remote.api.find(path, Team, doing=doing)
        except RefusedError as error:
            if error.status != 403:
                raise
            raise OutsideError(doing, error.problem, hint=_TEAM_TOKEN) from None
        if facts is None:
            raise OutsideError(
                doing,
                "there is no such team, or the token cannot see it",
                hint=f"{_TEAM_TOKEN}; a person is named without the @",
            )
        return facts.id

    def _owners_in(self, text: str) -> tuple[str, ...]:
        return owners(text, self._file)

    def _why_nobody(self, owner: str) -> str | None:
        is_address = not owner.startswith("@")
        return "GitHub tells nobody whose address that is" if is_address else None

    def _text(self, place: str, branch: str, *, doing: str) -> str | None:
        path = self._remote.path("contents", *place.split("/"))
        content = self._remote.api.find(path, Content, doing=doing, parameters={"ref": branch})
        return None if content is None else _text(content, doing)


_TEAM_TOKEN = (
    "a workflow's own token cannot read teams: give a token with `members: read` of the "  # noqa: S105  # says which token
    "organization (a GitHub App's, or `read:org`)"
)


def _once(known: dict[Key, Answer], key: Key, read: Callable[[], Answer]) -> Answer:
    if key not in known:
        known[key] = read()
    return known[key]


def _text(content: Content, doing: str) -> str:
    if content.type != "file" or content.encoding != "base64":
        raise OutsideError(doing, "GitHub does not show it: it is too large, or no file")
    try:
        return b64decode(content.content).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise OutsideError(doing, "it is not UTF-8 text") from None
