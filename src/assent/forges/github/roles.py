"""Who somebody is today: their permission, their teams, CODEOWNERS.

A role is read from the repository and the organization, never from what a comment or a review
says about its author. What cannot be read is an error, never a no: nobody should learn from
"nobody approved" that a token was too weak.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable
from typing import TypeVar

from assent.core.approval import ANYONE
from assent.core.identity import Actor, Resolved, unpinned
from assent.errors import OutsideError, UsageError
from assent.forges.github.api import RefusedError, segment
from assent.forges.github.codeowners import PLACES, owners
from assent.forges.github.repository import FORGE, RemoteRepository
from assent.forges.github.schemas import Account, Content, Membership, Permission, Team

Key = TypeVar("Key")
Answer = TypeVar("Answer")

CODEOWNERS = "codeowners"
"""In a list of approvers: the owners of `assent.yaml`, as CODEOWNERS of the base branch says."""
BY_ID = "id:"
_MAY_WRITE = ("write", "admin")  # GitHub shows `maintain` and custom roles as the nearest of these
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:\[bot\])?")
_NO_LOGIN = "this is no login of GitHub"


class Roles:
    """Roles in one repository. Every answer is asked for once in a run."""

    def __init__(self, remote: RemoteRepository, *, file: str, say: Callable[[str], None]) -> None:
        self._remote = remote
        self._file = file
        self._say = say
        self._permissions: dict[str, Permission | None] = {}
        self._logins: dict[str, str | None] = {}
        self._members: dict[tuple[str, str, str], bool] = {}
        self._teams: dict[tuple[str, str], int] = {}
        self._collaborators: dict[str, bool] = {}
        self._owners: tuple[str, ...] | None = None

    def person(self, name: str) -> Actor:
        """See `Forge.person`."""
        login = name.strip().removeprefix("@")
        doing = f"looking for {name!r} on GitHub"
        if not _LOGIN.fullmatch(login):
            raise UsageError(doing, _NO_LOGIN)
        found = self._remote.account(login, doing=doing)
        if found is None:
            raise UsageError(doing, "there is no such account")
        return self._remote.actor(found)

    def matches(self, person: Actor, who: str) -> Resolved | None:
        """See `Forge.matches`. `who` is `*`, a login, `@org/team`, `@team` of the repository's
        owner, `codeowners`, or `id:` and a number; a login or a team may be pinned. What is no
        person matches by its id alone.
        """
        if person.forge != FORGE or person.host != self._remote.host or person.id == "0":
            return None
        if person.kind != "person":
            is_listed = who in (person.id, f"{BY_ID}{person.id}")
            return _user(person, who) if is_listed else None
        if who == ANYONE:
            return Resolved(name=ANYONE) if self._may_write(person) else None
        if who == CODEOWNERS:
            owned = (self._owner(person, owner) for owner in self._owners_of_file())
            return next((one for one in owned if one is not None), None)
        if who.startswith(BY_ID):
            return self._pinned(person, who, who.removeprefix(BY_ID))
        name, pin = unpinned(who)
        if name.startswith("@"):
            return self._of_team(person, name, pin)
        return self._called(person, name) if pin is None else self._pinned(person, name, pin)

    def _owner(self, person: Actor, owner: str) -> Resolved | None:
        """What an entry of CODEOWNERS means, where `@name` is a login, if it is this person. Only
        those who may write own anything there.
        """
        if not owner.startswith("@"):
            return None
        if "/" not in owner:
            return self._called(person, owner)
        found = self._of_team(person, owner, None)
        return found if found is not None and self._may_write(person) else None

    def _called(self, person: Actor, login: str) -> Resolved | None:
        """A login, if it is today the name of this person, who may write. In a public repository
        everybody may read, also whoever has taken a name that its owner gave up.
        """
        login = _checked(login.removeprefix("@"))
        found = self._permission(login)
        may_write = found is not None and found.permission in _MAY_WRITE
        return _user(person, login) if may_write and self._is_account(login, person) else None

    def _pinned(self, person: Actor, name: str, number: str) -> Resolved | None:
        """An account by its number, whatever it is called: it has to be a member who may read."""
        if number != person.id or not self._is_collaborator(person):
            return None
        return _user(person, name if name.startswith(BY_ID) else _checked(name))

    def _of_team(self, person: Actor, who: str, pin: str | None) -> Resolved | None:
        """A team, if this person is one of it today, and it is the one of the pin."""
        organization, _, team = who.removeprefix("@").lower().rpartition("/")
        organization = organization or self._remote.facts.owner.login.lower()
        if not self._is_member(person, organization, team):
            return None
        number = self._number_of(organization, team)
        if pin is not None and pin != str(number):
            return None
        return Resolved(name=who.lower(), id=f"team:{number}")

    def _may_write(self, person: Actor) -> bool:
        permission = self._permission_of(person)
        return permission is not None and permission.permission in _MAY_WRITE

    def _is_collaborator(self, person: Actor) -> bool:
        """Whether this person was given a role here, if only to read. In a private repository
        nobody else can read; in a public one GitHub says `read` of everybody, so it is asked.
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
        if _LOGIN.fullmatch(person.login) and self._is_account(person.login, person):
            return person.login
        found = self._remote.api.find(
            f"/user/{segment(person.id)}",
            Account,
            doing=f"asking what the account {person.id} is called today",
        )
        if found is None or not self._is_account(found.login, person):
            return None
        return found.login

    def _is_account(self, login: str, person: Actor) -> bool:
        found = self._permission(login)
        return found is not None and found.user is not None and str(found.user.id) == person.id

    def _permission(self, login: str) -> Permission | None:
        return _once(self._permissions, login.lower(), lambda: self._read_permission(login))

    def _read_permission(self, login: str) -> Permission | None:
        return self._remote.api.find(
            self._remote.path("collaborators", login, "permission"),
            Permission,
            doing=f"reading what {login} may do in {self._remote.facts.full_name}",
        )

    def _is_member(self, person: Actor, organization: str, team: str) -> bool:
        login = self._login_of(person)
        if login is None:
            return False
        key = (organization, team, person.id)
        return _once(self._members, key, lambda: self._read_membership(organization, team, login))

    def _read_membership(self, organization: str, team: str, login: str) -> bool:
        doing = f"asking whether {login} is in @{organization}/{team}"
        path = "/".join(["/orgs", segment(organization), "teams", segment(team)])
        try:
            found = self._remote.api.find(
                f"{path}/memberships/{segment(login)}", Membership, doing=doing
            )
        except RefusedError as error:
            if error.status != 403:
                raise
            raise OutsideError(doing, error.problem, hint=_TEAM_TOKEN) from None
        if found is None:
            # No such member, or no such team? Only a team that can be seen can say no.
            self._number_of(organization, team)
        return found is not None and found.state == "active"

    def _number_of(self, organization: str, team: str) -> int:
        """The number of a team, which stays when it is renamed."""
        key = (organization, team)
        return _once(self._teams, key, lambda: self._read_team(organization, team))

    def _read_team(self, organization: str, team: str) -> int:
        doing = f"looking for the team @{organization}/{team}"
        path = "/".join(["/orgs", segment(organization), "teams", segment(team)])
        try:
            found = self._remote.api.find(path, Team, doing=doing)
        except RefusedError as error:
            if error.status != 403:
                raise
            raise OutsideError(doing, error.problem, hint=_TEAM_TOKEN) from None
        if found is None:
            raise OutsideError(
                doing,
                "there is no such team, or the token cannot see it",
                hint=f"{_TEAM_TOKEN}; a person is named without the @",
            )
        return found.id

    def _owners_of_file(self) -> tuple[str, ...]:
        if self._owners is None:
            self._owners = self._read_owners()
        return self._owners

    def _read_owners(self) -> tuple[str, ...]:
        remote = self._remote
        branch = remote.facts.default_branch
        for place in PLACES:
            doing = f"reading {place} of {branch}"
            content = remote.api.find(
                remote.path("contents", *place.split("/")),
                Content,
                doing=doing,
                parameters={"ref": branch},
            )
            if content is None:
                continue
            found = owners(_text(content, doing), self._file)
            if not found:
                raise UsageError(
                    doing,
                    f"nobody owns {self._file}, so nobody could approve",
                    hint=f"add a line for {self._file}, or name the approvers in it",
                )
            for address in (owner for owner in found if not owner.startswith("@")):
                self._say(
                    f"{place} names {address!r}: GitHub tells nobody whose address that is, so "
                    "it counts for nobody here"
                )
            return found
        raise UsageError(
            f"looking for CODEOWNERS of {branch}",
            "there is none, so nobody could approve",
            hint="add .github/CODEOWNERS, or name the approvers in assent.yaml",
        )


_TEAM_TOKEN = (
    "a workflow's own token cannot read teams: give a token with `members: read` of the "  # noqa: S105  # says which token
    "organization (a GitHub App's, or `read:org`)"
)


def _checked(login: str) -> str:
    if not _LOGIN.fullmatch(login):
        raise UsageError(f"looking for {login!r} on GitHub", _NO_LOGIN)
    return login


def _user(person: Actor, name: str) -> Resolved:
    return Resolved(name=name.lower(), id=f"user:{person.id}")


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
