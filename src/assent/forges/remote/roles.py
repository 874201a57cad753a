"""Who somebody is today: a person by name, by number, in a team, in CODEOWNERS.

A role is read from the repository and its owner, never from what a message or a review says about
its author. What cannot be read is an error, never a no: nobody should learn from "nobody approved"
that a token was too weak.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from assent.core.approval import ANYONE
from assent.core.identity import Actor, Resolved, unpinned
from assent.errors import UsageError
from assent.forges.remote.repository import Remote

CODEOWNERS = "codeowners"
"""In a list of approvers: the owners of `assent.yaml`, as CODEOWNERS of the base branch says."""
BY_ID = "id:"


class RemoteRoles(ABC):
    """Roles in one repository. `logins` is what a login of the forge looks like, `places` are
    where CODEOWNERS can lie, the first is the one to add.
    """

    logins: re.Pattern[str]
    places: Sequence[str]

    def __init__(self, remote: Remote, *, file: str, say: Callable[[str], None]) -> None:
        self._remote = remote
        self._file = file
        self._say = say
        self._owners: tuple[str, ...] | None = None

    def person(self, name: str) -> Actor:
        """See `Forge.person`."""
        login = name.strip().removeprefix("@")
        doing = f"looking for {name!r} on {self._remote.dialect.title}"
        if not self.logins.fullmatch(login):
            raise UsageError(doing, self._no_login)
        account = self._remote.account(login, doing=doing)
        if account is None:
            raise UsageError(doing, "there is no such account")
        return self._remote.actor(account)

    def matches(self, person: Actor, who: str) -> Resolved | None:
        """See `Forge.matches`. `who` is `*`, a login, `@` and a team or group, `codeowners`, or
        `id:` and a number; a login or a team may be pinned. What is no person matches by its id
        alone.
        """
        remote = self._remote
        if person.forge != remote.dialect.forge or person.host != remote.host or person.id == "0":
            return None
        if person.kind != "person":
            is_listed = who in (person.id, f"{BY_ID}{person.id}")
            return user(person, who) if is_listed else None
        if who == ANYONE:
            return Resolved(name=ANYONE) if self._may_write(person) else None
        if who == CODEOWNERS:
            owned = (self._owner(person, owner) for owner in self._owners_of_file())
            return next((resolved for resolved in owned if resolved is not None), None)
        if who.startswith(BY_ID):
            return self._pinned(person, who, who.removeprefix(BY_ID))
        name, pin = unpinned(who)
        if name.startswith("@"):
            return self._of_team(person, name.removeprefix("@"), pin)
        return self._called(person, name) if pin is None else self._pinned(person, name, pin)

    def _called(self, person: Actor, login: str) -> Resolved | None:
        """A login, if it is today the name of this person, who may write. In a public repository
        everybody may read, also whoever has taken a name that its owner gave up.
        """
        login = self._checked(login)
        is_theirs = self._is_called(person, login) and self._may_write(person)
        return user(person, login) if is_theirs else None

    def _pinned(self, person: Actor, name: str, number: str) -> Resolved | None:
        """An account by its number, whatever it is called: it has to be a member who may read."""
        if number != person.id or not self._is_member(person):
            return None
        return user(person, name if name.startswith(BY_ID) else self._checked(name))

    def _checked(self, login: str) -> str:
        if not self.logins.fullmatch(login):
            doing = f"looking for {login!r} on {self._remote.dialect.title}"
            raise UsageError(doing, self._no_login)
        return login

    @property
    def _no_login(self) -> str:
        return f"this is no login of {self._remote.dialect.title}"

    def _owners_of_file(self) -> tuple[str, ...]:
        if self._owners is None:
            self._owners = self._read_owners()
        return self._owners

    def _read_owners(self) -> tuple[str, ...]:
        branch = self._remote.branch
        for place in self.places:
            doing = f"reading {place} of {branch}"
            text = self._text(place, branch, doing=doing)
            if text is None:
                continue
            owners = self._owners_in(text)
            if not owners:
                raise UsageError(
                    doing,
                    f"nobody owns {self._file}, so nobody could approve",
                    hint=f"add a line for {self._file}, or name the approvers in it",
                )
            for name in owners:
                why = self._why_nobody(name)
                if why is not None:
                    self._say(f"{place} names {name!r}: {why}, so it counts for nobody here")
            return owners
        raise UsageError(
            f"looking for CODEOWNERS of {branch}",
            "there is none, so nobody could approve",
            hint=f"add {self.places[0]}, or name the approvers in assent.yaml",
        )

    # What a forge is asked

    @abstractmethod
    def _may_write(self, person: Actor) -> bool:
        """Whether this person may write, whatever they are called today."""

    @abstractmethod
    def _is_member(self, person: Actor) -> bool:
        """Whether this person was given a role here, if only to read."""

    @abstractmethod
    def _is_called(self, person: Actor, login: str) -> bool:
        """Whether a login is the name of this person today."""

    @abstractmethod
    def _of_team(self, person: Actor, team: str, pin: str | None) -> Resolved | None:
        """A team or group, if this person is one of it today, and it is the one of the pin."""

    @abstractmethod
    def _owner(self, person: Actor, owner: str) -> Resolved | None:
        """What an entry of CODEOWNERS means, if it is this person. Only those who may write own
        anything there.
        """

    @abstractmethod
    def _owners_in(self, text: str) -> tuple[str, ...]:
        """Who owns `assent.yaml`, as the text of a CODEOWNERS says."""

    @abstractmethod
    def _why_nobody(self, owner: str) -> str | None:
        """Why an entry of CODEOWNERS can be nobody here; None if it can be somebody."""

    @abstractmethod
    def _text(self, place: str, branch: str, *, doing: str) -> str | None:
        """The text of a file of a branch; None if there is none."""


def user(person: Actor, name: str) -> Resolved:
    """A person, as an entry of a list of approvers named them."""
    return Resolved(name=name.lower(), id=f"user:{person.id}")
