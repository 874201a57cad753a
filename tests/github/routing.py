"""From a request to the function that answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from tests.github.accounts import ROLES, Account, Token
from tests.github.pulls import Pull
from tests.github.repository import Repository
from tests.github.runs import Run
from tests.github.shapes.addresses import Addresses
from tests.github.world import GitHub
from tests.standin.listening import Answer

Json = dict[str, Any]
T = TypeVar("T")

PAGE, LARGEST_PAGE = 30, 100


class RefusedError(Exception):
    """GitHub's no: a status and a message."""

    def __init__(self, status: int, message: str = "Not Found", **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "status": str(status), **more}
        self.body["documentation_url"] = "https://docs.github.com/rest"


@dataclass(frozen=True)
class Call:
    """One request, understood."""

    github: GitHub
    where: Addresses
    token: Token
    path: str
    in_path: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    repository_or_none: Repository | None
    storage: str
    """The address of the host that keeps files, which is not that of the API."""
    rate: Mapping[str, int]

    @property
    def repository(self) -> Repository:
        assert self.repository_or_none is not None
        return self.repository_or_none

    @property
    def account(self) -> Account:
        return self.token.account

    def number(self, name: str) -> int:
        return int(self.in_path[name])

    def pull(self) -> Pull:
        """The pull request that the path names, as such or as an issue."""
        name = "pull_number" if "pull_number" in self.in_path else "issue_number"
        return found(self.repository.pull(self.number(name)))

    def run(self) -> Run:
        return found(self.repository.run(self.number("run_id")))

    def commit(self, name: str) -> str:
        sha = self.repository.find(self.in_path[name])
        if sha is None:
            raise RefusedError(422, f"No commit found for SHA: {self.in_path[name]}")
        return sha

    def page(
        self, every: Sequence[T], shape: Callable[[T], object], key: str | None = None
    ) -> Answer:
        """One page, with the addresses of the others."""
        size = min(max(int(self.query.get("per_page", PAGE)), 1), LARGEST_PAGE)
        at = max(int(self.query.get("page", 1)), 1)
        last = max(-(-len(every) // size), 1)
        shown = [shape(one) for one in every[(at - 1) * size : at * size]]
        others = {"prev": at - 1, "next": at + 1, "last": last, "first": 1}
        if at <= 1:
            del others["prev"], others["first"]
        if at >= last:
            del others["next"], others["last"]
        pages = {
            name: f"{self.where.api}{self.path}?{urlencode({**self.query, 'page': number})}"
            for name, number in others.items()
        }
        links = [f'<{address}>; rel="{name}"' for name, address in pages.items()]
        headers = {"Link": ", ".join(links)} if links else {}
        body = shown if key is None else {"total_count": len(every), key: shown}
        return Answer(body, headers=headers)


Function = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """Who answers an operation, and what a token needs for it."""

    answer: Function
    permissions: tuple[str, ...]
    level: str


ROUTES: dict[str, Route] = {}
"""By the id of the operation."""


def answers(
    operation: str, *permissions: str, level: str = "read"
) -> Callable[[Function], Function]:
    """Register a function. One of the permissions is enough; without any nothing is needed."""

    def register(function: Function) -> Function:
        assert operation not in ROUTES, operation
        ROUTES[operation] = Route(function, permissions, level)
        return function

    return register


def found(thing: T | None) -> T:
    if thing is None:
        raise RefusedError(404)
    return thing


def newest_first(things: Iterable[T]) -> list[T]:
    return list(things)[::-1]


# What people need besides: a role in the repository.
LEAST_ROLE = {"administration": "admin", "metadata": "read"}
OPEN_TO_READERS = {"issues", "pull_requests"}
HIDDEN = {"administration", "members"}
"""Not for everybody, even in a public repository."""


def permit(route: Route, token: Token, repository: Repository | None) -> None:
    """Raise what GitHub answers to a token that may not do this."""
    if not route.permissions:
        return
    is_public = repository is not None and not repository.is_private
    if not any(token.may(one, route.level) for one in route.permissions):
        is_open = is_public and route.level == "read" and not HIDDEN & set(route.permissions)
        if not is_open:
            kind = "integration" if token.kind == "installation" else "personal access token"
            raise RefusedError(403, f"Resource not accessible by {kind}")
    if token.kind == "installation" or repository is None:
        return
    least = "write" if route.level == "write" else "read"
    if OPEN_TO_READERS & set(route.permissions):
        least = "read"
    least = LEAST_ROLE.get(route.permissions[0], least)
    if ROLES.index(repository.built_in_role(token.account)) < ROLES.index(least):
        raise RefusedError(403, f"Must have {least} rights to Repository.")


def can_see(token: Token, repository: Repository) -> bool:
    """Whether a private repository exists for a token at all."""
    if not repository.is_private:
        return True
    if token.repositories is not None:
        return repository.id in token.repositories
    return repository.built_in_role(token.account) != "none"
