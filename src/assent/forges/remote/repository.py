"""What the shared flows need to know of a forge: its words, its requests, its messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from assent.core.clock import ClockReading
from assent.core.identity import Actor
from assent.forges.http_retries import Line


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """The words of a forge, for people and in its API.

    `forge` is its name in identities, `title` the one that people know. `request` is what it calls
    a pull or merge request, `mark` stands before the number of one, `message` is what it calls a
    comment, `requests` the segment of its API's paths. The other fields are of the API: the keys
    and the method with which a request is written, the status that says that it exists already,
    how long a title may be, and what joins number and name in the private address of an account.
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
    joint: str
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


class Remote(Protocol):
    """One repository of one server, and the account that a run works as."""

    dialect: Dialect

    @property
    def api(self) -> Line:
        """The API."""

    @property
    def number(self) -> int:
        """The number of the repository, which stays when it is renamed."""

    @property
    def branch(self) -> str:
        """The default branch."""

    @property
    def host(self) -> str:
        """The host that people know."""

    @property
    def clock(self) -> ClockReading:
        """What the forge's clock showed when it first answered."""

    @property
    def own(self) -> Account:
        """The account that the token acts as: what it has posted, we have posted."""

    @property
    def own_name(self) -> str:
        """What that account is called."""

    def path(self, *segments: object) -> str:
        """The path of an endpoint of this repository."""

    def actor(self, account: Any) -> Actor:
        """An account as an identity. A deleted one is nobody, and no person."""

    def account(self, login: str, *, doing: str) -> Any:
        """The account of this name today, or None."""

    def open_requests(self, branch: str, *, doing: str) -> Iterable[Any]:
        """The open requests of a branch of this very repository."""
