"""What the shared flows need to know of a forge: its words, its requests, its messages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from assent.core.clock import ClockReading
from assent.core.identity import Actor
from assent.errors import UsageError
from assent.forges.http_retries import Line


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """The words of a forge, for people and in its API.

    `forge` is its name in identities, `title` the one that people know. `request` is what it calls
    a pull or merge request, `mark` stands before the number of one, `message` is what it calls a
    comment, `requests` the segment of its API's paths. The other fields are of the API: the keys
    and the method with which a request is written, the status that says that it exists already,
    how long a title may be, and the `private` address that an account (`{id}`, `{login}`) has at
    the `{host}`.
    `forbidden` is what to do where opening a request is forbidden.
    """

    forge: str
    title: str
    request: str
    mark: str
    message: str
    requests: str
    text_key: str
    source_key: str
    target_key: str
    update: str
    exists: int
    longest_title: int
    private: str
    forbidden: str | None = None


class Account(Protocol):
    """An account, as far as the flows compare it."""

    @property
    def id(self) -> int:
        """Its number, which stays when it is renamed."""


class Request(Protocol):
    """A pull or merge request."""

    @property
    def number(self) -> int:
        """Its number in the repository."""

    @property
    def address(self) -> str:
        """Where people see it."""

    @property
    def title(self) -> str:
        """Its title."""

    @property
    def text(self) -> str:
        """Its description."""

    @property
    def opener(self) -> Account | None:
        """Who has opened it; None for a deleted account."""

    @property
    def revision(self) -> str | None:
        """The newest commit of it; None where it has none."""

    @property
    def target(self) -> str:
        """The branch that it goes to."""

    @property
    def source(self) -> int | None:
        """The number of the repository that it comes from; None if that is gone."""

    @property
    def made_of(self) -> tuple[str, ...]:
        """The commits that it can have been merged as or from."""


class Message(Protocol):
    """A comment on a request."""

    @property
    def id(self) -> int:
        """Its number."""

    @property
    def text(self) -> str:
        """What it says."""

    @property
    def created_at(self) -> str:
        """When it was written, as the forge writes times."""

    @property
    def is_edited(self) -> bool:
        """Whether it may not be what its author wrote: others can edit it too."""

    @property
    def is_of_forge(self) -> bool:
        """Whether the forge itself has written it."""

    @property
    def by(self) -> Any:
        """The account that has written it; None for a deleted one."""


class Remote(ABC):
    """One repository of one server, and the account that a run works as. What is read is read once
    for a run. `account` is the login whose messages and statuses are ours, where that was told.
    `own_hint` says how it is told.
    """

    dialect: Dialect
    own_hint: str

    def __init__(self, *, account: str | None) -> None:
        self._account = account

    @cached_property
    def clock(self) -> ClockReading:
        """What the forge's clock showed when it first answered."""
        if self._clock_reading is None:
            _ = self.number
        return self.api.told(self._clock_reading)

    @property
    def _clock_reading(self) -> ClockReading | None:
        return self.api.clock_reading

    @cached_property
    def host(self) -> str:
        """The host that people know, as the forge names it."""
        return urlsplit(self.page).hostname or ""

    @cached_property
    def own(self) -> Any:
        """The account whose messages and statuses are ours: the token's, unless the run was told
        another one.
        """
        doing = f"asking {self.dialect.title} which account the token acts as"
        if self._account is None:
            return self._of_token(doing)
        account = self.account(self._account, doing=doing)
        if account is None:
            raise self.not_ours(doing, f"there is no account {self._account!r}")
        return account

    @property
    def own_name(self) -> str:
        """What that account is called."""
        return self.login(self.own)

    def check_own(self, creator: Any, *, doing: str) -> None:
        """Make sure that what was just posted is ours: else it would never be found again."""
        if creator is None or creator.id != self.own.id:
            name = "nobody" if creator is None else self.login(creator)
            raise self.not_ours(doing, f"it was posted as {name!r}, not as {self.own_name!r}")

    def not_ours(self, doing: str, problem: str) -> UsageError:
        """The error where it cannot be said which account is ours."""
        return UsageError(doing, problem, hint=self.own_hint)

    # What a forge is asked

    @property
    @abstractmethod
    def api(self) -> Line:
        """The API."""

    @property
    @abstractmethod
    def number(self) -> int:
        """The number of the repository, which stays when it is renamed."""

    @property
    @abstractmethod
    def branch(self) -> str:
        """The default branch."""

    @property
    @abstractmethod
    def page(self) -> str:
        """The address where people see the repository."""

    @abstractmethod
    def path(self, *segments: object) -> str:
        """The path of an endpoint of this repository."""

    @abstractmethod
    def actor(self, account: Any) -> Actor:
        """An account as an identity. A deleted one is nobody, and no person."""

    @abstractmethod
    def login(self, account: Any) -> str:
        """What an account is called."""

    @abstractmethod
    def account(self, login: str, *, doing: str) -> Any:
        """The account of this name today, or None."""

    @abstractmethod
    def open_requests(self, branch: str, *, doing: str) -> Iterable[Any]:
        """The open requests of a branch of this very repository."""

    @abstractmethod
    def _of_token(self, doing: str) -> Any:
        """The account that the token acts as."""
