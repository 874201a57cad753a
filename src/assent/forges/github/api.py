"""GitHub's API over HTTP. PyGithub carries the requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from assent.errors import OutsideError, UsageError
from assent.forges import http_retries
from assent.forges.http_retries import (
    PATIENCE_S,
    PAUSES_S,
    UNSTATED_LIMIT_S,
    Answer,
    Line,
    RefusedError,
    UnsureError,
    segment,
    shown,
)

if TYPE_CHECKING:
    from github.Requester import Requester

    from requests import Response

__all__ = ["PATIENCE_S", "PAUSES_S", "Api", "RefusedError", "checked_address", "segment"]

_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


class _Problem(msgspec.Struct, frozen=True):
    message: str = ""


class Api(Line):
    """GitHub's API at `address`, as the account of `token`. Nothing is sent before the first
    request, and nothing to any other host.
    """

    def __init__(
        self,
        address: str,
        token: str | None,
        *,
        wait: Callable[[float], None],
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        super().__init__("GitHub", wait=wait, say=say)
        self._address = checked_address(address)
        self._token = token

    @property
    def is_of_installation(self) -> bool:
        """Whether the token is one of an app, as that of a workflow is: it cannot ask who it is."""
        return (self._token or "").startswith("ghs_")

    def mutate(self, query: str, variables: Mapping[str, object], *, doing: str) -> None:
        """A mutation of the GraphQL API that does no harm when done twice."""
        requester = self._requester
        # PyGithub puts the path of the API's address before a path, but not before an address.
        path = urlsplit(requester.graphql_url).path
        address = f"{requester.scheme}://{requester.hostname}{path}"
        body = {"query": query, "variables": variables}
        outcome = self._decoded(self._send("POST", address, doing, body=body), _Outcome, doing)
        if outcome.errors:
            raise OutsideError(
                doing, f"GitHub says: {shown(outcome.errors[0].message, self._token)}"
            )

    def _send_once(
        self,
        method: str,
        path: str,
        doing: str,
        parameters: Mapping[str, str],
        body: Mapping[str, object] | None,
    ) -> Answer:
        from requests import RequestException

        try:
            status, headers, text = self._requester.requestJson(
                method, path, dict(parameters), dict(_HEADERS), body
            )
        except RequestException as error:
            raise self._unreachable(doing, error, self._address) from None
        except ValueError:  # PyGithub reads numbers out of some headers
            raise UnsureError(doing, "GitHub's answer is not what it should be") from None
        except RuntimeError:  # PyGithub's word for a redirect that it does not follow
            raise self._redirected(doing, 301) from None
        return Answer(status, {name.lower(): str(value) for name, value in headers.items()}, text)

    def _opened(self, path: str, doing: str) -> Response:
        """GitHub keeps no file itself: its answer is where one is, for a minute."""
        answer = self._answered("GET", path, doing, {}, None)
        if answer.status == 302:
            return self._opened_elsewhere(answer.headers.get("location", ""), doing)
        self._accepted("GET", path, answer, doing)
        raise OutsideError(doing, "GitHub's answer is not what it should be")

    def _said(self, answer: Answer) -> str:
        try:
            message = msgspec.json.decode(answer.text, type=_Problem).message
        except msgspec.MsgspecError:
            return ""
        return shown(message, self._token)

    def _is_of_plan(self, answer: Answer) -> bool:
        return answer.status == 403 and "upgrade to" in self._said(answer).lower()

    def _limit_s(self, answer: Answer) -> float | None:
        if answer.status not in (403, 429):
            return None
        headers = answer.headers
        if "retry-after" in headers:
            asked = headers["retry-after"]
            is_number = re.fullmatch(r"[0-9]{1,9}", asked) is not None
            return max(1.0, float(asked)) if is_number else UNSTATED_LIMIT_S
        if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset"):
            return _until(headers["x-ratelimit-reset"], headers.get("date"))
        if answer.status == 429 or "secondary rate limit" in answer.text.lower():
            return UNSTATED_LIMIT_S
        return None

    def _advice(self, method: str, path: str, answer: Answer) -> str | None:
        del method, path
        match answer.status:
            case 401:
                return "is the token still valid?"
            case 403:
                needed = shown(answer.headers.get("x-accepted-github-permissions", ""), None)
                return f"the token needs {needed}" if needed else "may the token do this?"
            case 404:
                return "is the name right, and may the token see it?"
            case _:
                return None

    @cached_property
    def _requester(self) -> Requester:
        if not self._token:
            raise UsageError(
                "looking for the token of GitHub's API",
                "there is none",
                hint="set GITHUB_TOKEN; in a workflow: `env: {GITHUB_TOKEN: ${{ github.token }}}`",
            )
        from github import Auth, Github

        return Github(
            auth=Auth.Token(self._token),
            base_url=self._address,
            timeout=http_retries.TIMEOUT_S,
            user_agent="assent",
            per_page=http_retries.PER_PAGE,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
        ).requester


class _GraphError(msgspec.Struct, frozen=True):
    message: str = ""


class _Outcome(msgspec.Struct, frozen=True):
    errors: tuple[_GraphError, ...] = ()


def checked_address(address: str) -> str:
    """The address of the API without a slash at its end. Raises `UsageError` unless a token can
    be sent there: https, or a server on this machine.
    """
    return http_retries.checked_address(
        address,
        doing="reading the address of GitHub's API",
        hint="set GITHUB_API_URL to https://api.github.com, or https://<your server>/api/v3",
    )


def _until(reset: str, date: str | None) -> float:
    """The seconds until `reset`, by GitHub's own clock."""
    try:
        now = parsedate_to_datetime(date or "").timestamp()
        return max(1.0, float(reset) - now + 1)  # it resets some time within that second
    except ValueError:
        return UNSTATED_LIMIT_S
