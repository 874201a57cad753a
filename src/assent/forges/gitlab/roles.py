"""Who somebody is today: their role in the project, their groups, CODEOWNERS.

A role is read from the memberships, inherited ones included, never from what a note says about its
author. What cannot be read is an error, never a no: nobody should learn from "nobody approved" that
a token was too weak.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from assent.core.approval import ANYONE
from assent.core.identity import Actor, Resolved, unpinned
from assent.errors import OutsideError, UsageError
from assent.forges.gitlab.codeowners import PLACES, owners
from assent.forges.gitlab.repository import FORGE, RemoteRepository
from assent.forges.gitlab.schemas import GroupFacts, Member
from assent.forges.http_retries import RefusedError, segment

CODEOWNERS = "codeowners"
"""In a list of approvers: the owners of `assent.yaml`, as CODEOWNERS of the base branch says."""
BY_ID = "id:"
REPORTER = 20
DEVELOPER = 30
_LEVELS = {
    **dict.fromkeys(("@@developer", "@@developers"), DEVELOPER),
    **dict.fromkeys(("@@maintainer", "@@maintainers"), 40),
    **dict.fromkeys(("@@owner", "@@owners"), 50),
}
_LOGIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")
_NO_LOGIN = "this is no login of GitLab"


class Roles:
    """Roles in one project. Every answer is asked for once in a run."""

    def __init__(
        self,
        remote: RemoteRepository,
        *,
        file: str,
        say: Callable[[str], None],
        today: Callable[[], str],
    ) -> None:
        self._remote = remote
        self._today = today
        self._file = file
        self._say = say
        self._members: dict[tuple[str, str], Member | None] = {}
        self._groups: dict[str, int | None] = {}
        self._owners: tuple[str, ...] | None = None

    def person(self, name: str) -> Actor:
        """See `Forge.person`."""
        login = name.strip().removeprefix("@")
        doing = f"looking for {name!r} on GitLab"
        if not _LOGIN.fullmatch(login):
            raise UsageError(doing, _NO_LOGIN)
        found = self._remote.account(login, doing=doing)
        if found is None:
            raise UsageError(doing, "there is no such account")
        return self._remote.actor(found)

    def matches(self, person: Actor, who: str) -> Resolved | None:
        """See `Forge.matches`. `who` is `*`, a login, `@group` or `@group/sub` (the whole path),
        `codeowners`, or `id:` and a number; a login or a group may be pinned. What is no person
        matches by its id alone.
        """
        if person.forge != FORGE or person.host != self._remote.host or person.id == "0":
            return None
        if person.kind != "person":
            is_listed = who in (person.id, f"{BY_ID}{person.id}")
            return _user(person, who) if is_listed else None
        if who == ANYONE:
            return Resolved(name=ANYONE) if self._level(person) >= DEVELOPER else None
        if who == CODEOWNERS:
            owned = (self._owner(person, owner) for owner in self._owners_of_file())
            return next((one for one in owned if one is not None), None)
        if who.startswith(BY_ID):
            return self._pinned(person, who, who.removeprefix(BY_ID))
        name, pin = unpinned(who)
        if name.startswith("@"):
            return self._of_group(person, name.removeprefix("@"), pin)
        return self._called(person, name) if pin is None else self._pinned(person, name, pin)

    def _owner(self, person: Actor, owner: str) -> Resolved | None:
        """What an entry of CODEOWNERS means, if it is this person: `@name` is a login or a group,
        which share their names on GitLab. Only those who may write own anything there.
        """
        if self._level(person) < DEVELOPER:
            return None
        if owner in _LEVELS:
            member = self._member(person)
            is_so = member is not None and member.access_level == _LEVELS[owner]
            return Resolved(name=owner) if is_so else None
        if not owner.startswith("@") or owner.startswith("@@"):
            return None
        name = owner.removeprefix("@")
        found = None if "/" in name else self._called(person, name)
        if found is None and self._group(name) is not None:
            return self._of_group(person, name, None)
        return found

    def _called(self, person: Actor, login: str) -> Resolved | None:
        """A login, if it is today the name of this person, who may write."""
        login = _checked(login)
        member = self._member(person)
        is_named = member is not None and member.username.casefold() == login.casefold()
        return _user(person, login) if is_named and self._level(person) >= DEVELOPER else None

    def _pinned(self, person: Actor, name: str, number: str) -> Resolved | None:
        """An account by its number, whatever it is called: it has to be a member who may read."""
        if number != person.id or self._level(person) < REPORTER:
            return None
        return _user(person, name if name.startswith(BY_ID) else _checked(name))

    def _level(self, person: Actor) -> int:
        """What this person may do in the project; 0 for nobody, and whoever is blocked."""
        member = self._member(person)
        return member.access_level if member is not None and self._is_active(member) else 0

    def _member(self, person: Actor) -> Member | None:
        name = self._remote.facts.path_with_namespace
        return self._read("", person, self._remote.path("members", "all", person.id), name)

    def _of_group(self, person: Actor, group: str, pin: str | None) -> Resolved | None:
        """A group, if this person is one of it today, and it is the one of the pin."""
        doing = f"asking whether {person.login} is in @{group}"
        number = self._group(group)
        if number is None:
            raise OutsideError(
                doing,
                "there is no such group, or the token cannot see it",
                hint=f"write the whole path of the group; {_GROUP_TOKEN}; a person is named "
                "without the @",
            )
        path = f"/groups/{segment(group)}/members/all/{segment(person.id)}"
        try:
            member = self._read(group.casefold(), person, path, f"@{group}")
        except RefusedError as error:
            raise OutsideError(doing, error.problem, hint=_GROUP_TOKEN) from None
        is_in = member is not None and self._is_active(member)
        if not is_in or (pin is not None and pin != str(number)):
            return None
        return Resolved(name=f"@{group.casefold()}", id=f"group:{number}")

    def _is_active(self, member: Member) -> bool:
        """Whether the account is not blocked, and the membership neither an invitation nor over:
        GitLab takes one that is over away in the following night.
        """
        is_over = member.expires_at is not None and member.expires_at <= self._today()
        is_in = member.state == "active" and member.membership_state == "active"
        return is_in and not is_over

    def _read(self, place: str, person: Actor, path: str, name: str) -> Member | None:
        key = (place, person.id)
        if key not in self._members:
            doing = f"reading what {person.login} may do in {name}"
            found = self._remote.api.find(path, Member, doing=doing)
            if found is not None and str(found.id) != person.id:
                raise OutsideError(doing, "GitLab answered with somebody else")
            self._members[key] = found
        return self._members[key]

    def _group(self, group: str) -> int | None:
        """The number of a group, which stays when it is renamed; None if there is none."""
        key = group.casefold()
        if key not in self._groups:
            doing = f"looking for the group @{group}"
            path = f"/groups/{segment(group)}"
            try:
                found = self._remote.api.find(
                    path, GroupFacts, doing=doing, parameters={"with_projects": "false"}
                )
            except RefusedError as error:
                if error.status not in (401, 403):
                    raise
                raise OutsideError(doing, error.problem, hint=_GROUP_TOKEN) from None
            # GitLab leads from an old path to the group that has moved; only today's name counts.
            is_it = found is not None and found.full_path.casefold() == key
            self._groups[key] = found.id if found is not None and is_it else None
        return self._groups[key]

    def _owners_of_file(self) -> tuple[str, ...]:
        if self._owners is None:
            self._owners = self._read_owners()
        return self._owners

    def _read_owners(self) -> tuple[str, ...]:
        remote = self._remote
        for place in PLACES:
            doing = f"reading {place} of {remote.branch}"
            text = remote.api.text(
                remote.path("repository", "files", place, "raw"),
                doing=doing,
                parameters={"ref": remote.branch},
            )
            if text is None:
                continue
            found = owners(text, self._file)
            if not found:
                raise UsageError(
                    doing,
                    f"nobody owns {self._file}, so nobody could approve",
                    hint=f"add a line for {self._file}, or name the approvers in it",
                )
            for name in found:
                if not name.startswith("@") or (name.startswith("@@") and name not in _LEVELS):
                    self._say(
                        f"{place} names {name!r}: it is not known whose that is, so it counts for "
                        "nobody here"
                    )
            return found
        raise UsageError(
            f"looking for CODEOWNERS of {remote.branch}",
            "there is none, so nobody could approve",
            hint="add CODEOWNERS, or name the approvers in assent.yaml",
        )


def _checked(login: str) -> str:
    if not _LOGIN.fullmatch(login):
        raise UsageError(f"looking for {login!r} on GitLab", _NO_LOGIN)
    return login


def _user(person: Actor, name: str) -> Resolved:
    return Resolved(name=name.lower(), id=f"user:{person.id}")


_GROUP_TOKEN = (
    "a project access token does not see the members of a private group: set ASSENT_GITLAB_TOKEN "  # noqa: S105  # says which token
    "to a group access token, or the token of a member, with the scope `api`"
)
