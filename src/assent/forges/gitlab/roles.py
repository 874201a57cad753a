"""What somebody may do in a project of GitLab today: their role, their groups.

A role is read from the memberships, inherited ones included.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from assent.core.identity import Actor, Resolved
from assent.errors import OutsideError
from assent.forges.gitlab.codeowners import owners
from assent.forges.gitlab.description import CODEOWNERS
from assent.forges.gitlab.repository import RemoteRepository
from assent.forges.gitlab.schemas import GroupFacts, Member
from assent.forges.http_retries import RefusedError, segment
from assent.forges.remote.roles import RemoteRoles

REPORTER = 20
DEVELOPER = 30
_LEVELS = {
    **dict.fromkeys(("@@developer", "@@developers"), DEVELOPER),
    **dict.fromkeys(("@@maintainer", "@@maintainers"), 40),
    **dict.fromkeys(("@@owner", "@@owners"), 50),
}


class Roles(RemoteRoles):
    """Roles in one project. Every answer is asked for once in a run. A group is `@group` or
    `@group/sub`, the whole path.
    """

    logins = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")
    places = CODEOWNERS
    _remote: RemoteRepository

    def __init__(
        self,
        remote: RemoteRepository,
        *,
        file: str,
        say: Callable[[str], None],
        today: Callable[[], str],
    ) -> None:
        super().__init__(remote, file=file, say=say)
        self._today = today
        self._members: dict[tuple[str, str], Member | None] = {}
        self._groups: dict[str, int | None] = {}

    def _owner(self, person: Actor, owner: str) -> Resolved | None:
        """`@name` is a login or a group, which share their names on GitLab."""
        if not self._may_write(person):
            return None
        if owner in _LEVELS:
            member = self._member(person)
            is_so = member is not None and member.access_level == _LEVELS[owner]
            return Resolved(name=owner) if is_so else None
        if not owner.startswith("@") or owner.startswith("@@"):
            return None
        name = owner.removeprefix("@")
        resolved = None if "/" in name else self._called(person, name)
        if resolved is None and self._group(name) is not None:
            return self._of_team(person, name, None)
        return resolved

    def _may_write(self, person: Actor) -> bool:
        return self._level(person) >= DEVELOPER

    def _is_member(self, person: Actor) -> bool:
        return self._level(person) >= REPORTER

    def _is_called(self, person: Actor, login: str) -> bool:
        member = self._member(person)
        return member is not None and member.username.casefold() == login.casefold()

    def _level(self, person: Actor) -> int:
        """What this person may do in the project; 0 for nobody, and whoever is blocked."""
        member = self._member(person)
        return member.access_level if member is not None and self._is_active(member) else 0

    def _member(self, person: Actor) -> Member | None:
        name = self._remote.facts.path_with_namespace
        return self._read("", person, self._remote.path("members", "all", person.id), name)

    def _of_team(self, person: Actor, team: str, pin: str | None) -> Resolved | None:
        group = team
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
            member = self._remote.api.find(path, Member, doing=doing)
            if member is not None and str(member.id) != person.id:
                raise OutsideError(doing, "GitLab answered with somebody else")
            self._members[key] = member
        return self._members[key]

    def _group(self, group: str) -> int | None:
        """The number of a group, which stays when it is renamed; None if there is none."""
        key = group.casefold()
        if key not in self._groups:
            doing = f"looking for the group @{group}"
            path = f"/groups/{segment(group)}"
            try:
                facts = self._remote.api.find(
                    path, GroupFacts, doing=doing, parameters={"with_projects": "false"}
                )
            except RefusedError as error:
                if error.status not in (401, 403):
                    raise
                raise OutsideError(doing, error.problem, hint=_GROUP_TOKEN) from None
            # GitLab leads from an old path to the group that has moved; only today's name counts.
            is_it = facts is not None and facts.full_path.casefold() == key
            self._groups[key] = facts.id if facts is not None and is_it else None
        return self._groups[key]

    def _owners_in(self, text: str) -> tuple[str, ...]:
        return owners(text, self._file)

    def _why_nobody(self, owner: str) -> str | None:
        is_name = owner in _LEVELS or (owner.startswith("@") and not owner.startswith("@@"))
        return None if is_name else "it is not known whose that is"

    def _text(self, place: str, branch: str, *, doing: str) -> str | None:
        path = self._remote.path("repository", "files", place, "raw")
        return self._remote.api.text(path, doing=doing, parameters={"ref": branch})


_GROUP_TOKEN = (
    "a project access token does not see the members of a private group: set ASSENT_GITLAB_TOKEN "  # noqa: S105  # says which token
    "to a group access token, or the token of a member, with the scope `api`"
)
