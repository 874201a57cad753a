"""From a request to the function that answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from tests.gitlab.accounts import LEVELS, Group, Token, User
from tests.gitlab.merge_requests import MergeRequest
from tests.gitlab.project import Project
from tests.gitlab.shapes.addresses import Addresses
from tests.gitlab.world import GitLab
from tests.standin.listening import Answer

Json = dict[str, Any]
T = TypeVar("T")

PAGE, LARGEST_PAGE = 20, 100
TRUE = ("true", "t", "1", "on", "yes")


class RefusedError(Exception):
    """GitLab's no: a status and a message."""

    def __init__(self, status: int, message: object = "404 Not found", **more: Any) -> None:
        super().__init__(message or more)
        self.status = status
        self.body: Json = more or {"message": message}


def not_found(what: str) -> RefusedError:
    return RefusedError(404, f"404 {what} Not Found")


@dataclass(frozen=True)
class Call:
    """One request, understood. Without a user it is anybody's."""

    gitlab: GitLab
    where: Addresses
    token: Token | None
    path: str
    in_path: Mapping[str, str]
    query: Mapping[str, list[str]]
    body: Json
    project_or_none: Project | None
    storage: str
    """The address of another host."""

    @property
    def user(self) -> User | None:
        return self.token.user if self.token else None

    @property
    def person(self) -> User:
        assert self.token is not None
        return self.token.user

    @property
    def project(self) -> Project:
        assert self.project_or_none is not None
        return self.project_or_none

    @property
    def is_free(self) -> bool:
        return self.gitlab.tier == "free"

    def text(self, name: str, default: str = "") -> str:
        """A parameter of the query."""
        return self.query.get(name, [default])[-1]

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in TRUE

    def number(self, name: str) -> int:
        """A number of the path."""
        text = self.in_path[name]
        if not text.isdigit():
            raise RefusedError(400, "", error=f"{name} is invalid")
        return int(text)

    def merge_request(self) -> MergeRequest:
        return found(self.project.merge_request(self.number("iid")))

    def group(self) -> Group:
        """The group that the path names. A member of a project in it may see it."""
        wanted = self.in_path["id"].lower()
        for one in self.gitlab.groups:
            if wanted in (str(one.id), one.full_path.lower()):
                inside = [each for each in self.gitlab.projects if one in each.groups()]
                can_see = any(each.level(self.user) for each in (one, *inside))
                if can_see or not one.is_private:
                    return one
        raise not_found("Group")

    def commit(self, name: str = "sha") -> str:
        sha = self.project.find(self.in_path[name])
        if sha is None:
            raise not_found("Commit")
        return sha

    def page(
        self,
        every: Sequence[T],
        shape: Callable[[T], object],
        *,
        is_counted: bool = True,
        identity: Callable[[T], object] | None = None,
    ) -> Answer:
        """One page, with the addresses of the others. Where counting is dear GitLab leaves the
        totals out. With an `identity` the pages can be had by keyset.
        """
        size = int(self.text("per_page", str(PAGE)))
        if size < 1:
            raise RefusedError(400, "", error="per_page does not have a valid value")
        size = min(size, LARGEST_PAGE)
        if identity is not None and self.text("pagination") == "keyset":
            return self._keyset(every, shape, size, identity)
        at = max(int(self.text("page", "1")), 1)
        last = max(-(-len(every) // size), 1)
        shown = [shape(one) for one in every[(at - 1) * size : at * size]]
        pages = {"prev": at - 1, "next": at + 1, "first": 1, "last": last}
        if at <= 1:
            del pages["prev"]
        if at >= last:
            del pages["next"]
        if not is_counted:
            del pages["last"]
        headers = {
            "X-Next-Page": str(pages.get("next", "")),
            "X-Page": str(at),
            "X-Per-Page": str(size),
            "X-Prev-Page": str(pages.get("prev", "")),
            "Link": ", ".join(
                f'<{self._address(page=number, per_page=size)}>; rel="{name}"'
                for name, number in pages.items()
            ),
        }
        if is_counted:
            headers |= {"X-Total": str(len(every)), "X-Total-Pages": str(last)}
        return Answer(shown, headers=headers)

    def _keyset(
        self,
        every: Sequence[T],
        shape: Callable[[T], object],
        size: int,
        identity: Callable[[T], object],
    ) -> Answer:
        names = [str(identity(one)) for one in every]
        after = self.text("cursor") or self.text("id_after") or self.text("page_token")
        start = names.index(after) + 1 if after in names else 0
        chosen = every[start : start + size]
        headers = {}
        if start + size < len(every):
            key = "page_token" if self.path.endswith("/tree") else "cursor"
            address = self._address(**{key: names[start + size - 1], "per_page": size})
            headers["Link"] = f'<{address}>; rel="next"'
        return Answer([shape(one) for one in chosen], headers=headers)

    def _address(self, **changed: object) -> str:
        asked: dict[str, object] = {**self.query, **{name: [it] for name, it in changed.items()}}
        return f"{self.where.api}{self.path}?{urlencode(asked, doseq=True)}"


Function = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """Who answers an operation, and what it needs."""

    answer: Function
    least: int
    is_for_jobs: bool
    is_for_all: bool
    is_refused_early: bool


ROUTES: dict[str, Route] = {}
"""By the id of the operation."""


def answers(
    operation: str,
    least: str = "none",
    *,
    is_for_jobs: bool = False,
    is_for_all: bool = False,
    is_refused_early: bool = False,
) -> Callable[[Function], Function]:
    """Register a function. `least` is the role in the project; `is_for_jobs`: a job's token will
    do; `is_for_all`: even without a token; `is_refused_early`: without one it is 401 before
    anything is looked up.
    """

    def register(function: Function) -> Function:
        assert operation not in ROUTES, operation
        ROUTES[operation] = Route(
            function, LEVELS[least], is_for_jobs, is_for_all, is_refused_early
        )
        return function

    return register


def found(thing: T | None) -> T:
    if thing is None:
        raise RefusedError(404)
    return thing


def ordered(call: Call, things: Iterable[T], key: Callable[[T], Any], default: str) -> list[T]:
    """In the order that `sort` asks for."""
    return sorted(things, key=key, reverse=call.text("sort", default) == "desc")


def permit(route: Route, method: str, token: Token | None, project: Project | None) -> None:
    """Raise what GitLab answers to a token that may not do this. That a token may see the project
    at all was looked at before.
    """
    user = token.user if token else None
    is_read = method in ("GET", "HEAD")
    if user is None and not route.is_for_all and not (is_read and project is not None):
        raise RefusedError(401, "401 Unauthorized")
    if project is None or route.least == 0:
        return
    if is_read and project.is_public and route.least <= LEVELS["reporter"]:
        return
    if project.level(user) < route.least:
        if user is None:
            raise RefusedError(401, "401 Unauthorized")
        raise RefusedError(403, "403 Forbidden")
