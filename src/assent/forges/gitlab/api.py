"""GitLab's API over HTTP. python-gitlab carries the requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import msgspec

from assent.errors import OutsideError, UsageError
from assent.forges import http_retries
from assent.forges.http_retries import UNSTATED_LIMIT_S, Answer, Line, shown

if TYPE_CHECKING:
    from gitlab import Gitlab

    from requests import Response

T = TypeVar("T")

VERSION = "/api/v4"
GRAPHQL = "/api/graphql"
_NO_PROJECT = "Project Not Found"
_IN_PROGRESS_S = 2.0
_ADDRESS_HINT = "CI_API_V4_URL must be https://<your server>/api/v4"


class Token(msgspec.Struct, frozen=True):
    """A token, and whether it is the one that GitLab gives to every job."""

    text: str
    is_of_job: bool = False

    @property
    def kind(self) -> str:
        """What people call it."""
        return "the job token (CI_JOB_TOKEN)" if self.is_of_job else "ASSENT_GITLAB_TOKEN"


class Api(Line):
    """GitLab's API at `address`, as the account of `token`. Nothing is sent before the first
    request, and nothing to any other host.
    """

    def __init__(
        self,
        address: str,
        token: Token | None,
        *,
        wait: Callable[[float], None],
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        super().__init__("GitLab", wait=wait, say=say)
        self._server = checked_address(address)
        self._token = token
        self._last: Response | None = None

    @property
    def is_of_job(self) -> bool:
        """Whether the token is the one that GitLab gives to every job: it may do little."""
        return self._token is not None and self._token.is_of_job

    def find(
        self,
        path: str,
        answer: type[T],
        *,
        doing: str,
        parameters: Mapping[str, str] | None = None,
    ) -> T | None:
        """Read one thing, or None if there is none. Where a token may not look GitLab says that
        there is no such project: that is no answer about what is in it.
        """
        try:
            return self.get(path, answer, doing=doing, parameters=parameters)
        except http_retries.RefusedError as error:
            if error.status == 404 and _NO_PROJECT not in error.problem:
                return None
            raise

    def query(
        self, query: str, variables: Mapping[str, object], answer: type[T], *, doing: str
    ) -> T:
        """Read something that only the GraphQL API tells."""
        body = {"query": query, "variables": variables}
        address = f"{self._server}{GRAPHQL}"
        for pause in (*http_retries.PAUSES_S, None):
            try:
                sent = self._send("POST", address, doing, body=body)
                break
            except http_retries.UnsureError:
                if pause is None:
                    raise
                self._wait(pause)
        outcome = self._decoded(sent, _Outcome, doing)
        if outcome.errors:
            raise OutsideError(doing, f"GitLab says: {self._plain(outcome.errors[0].message)}")
        return self._decoded(Answer(200, {}, bytes(outcome.data).decode()), answer, doing)

    def text(self, path: str, *, doing: str, parameters: Mapping[str, str]) -> str | None:
        """A file as it is, or None if GitLab knows none."""
        try:
            return self._read(path, doing, parameters).text
        except http_retries.RefusedError as error:
            if error.status == 404 and _NO_PROJECT not in error.problem:
                return None
            raise

    def _opened(self, path: str, doing: str) -> Response:
        """An answer whose bytes are still to be read."""
        from gitlab.exceptions import GitlabError, RedirectError
        from requests.exceptions import TooManyRedirects

        from requests import RequestException

        self._last = None
        try:
            response: Response = self._client.http_request(
                "get",
                path,
                streamed=True,
                obey_rate_limit=False,
                retry_transient_errors=False,
                max_retries=0,
            )
        except (TooManyRedirects, RedirectError) as error:
            answer = getattr(error, "response", None)
            address = "" if answer is None else answer.headers.get("location", "")
            return self._opened_elsewhere(address, doing)
        except RequestException as error:
            raise self._unreachable(doing, error, self._server) from None
        except GitlabError as error:
            if self._last is None:
                raise self._unreachable(doing, error, self._server) from None
            answered = self._answer(self._last)
            asked_s = self._limit_s(answered)
            if asked_s is not None:
                self._wait(min(asked_s, http_retries.PATIENCE_S))
                raise http_retries.UnsureError(doing, "GitLab allows no more requests") from None
            self._accepted("GET", path, answered, doing)
            raise
        return response

    def _send_once(
        self,
        method: str,
        path: str,
        doing: str,
        parameters: Mapping[str, str],
        body: Mapping[str, object] | None,
    ) -> Answer:
        from gitlab.exceptions import GitlabError, RedirectError
        from requests.exceptions import TooManyRedirects

        from requests import RequestException

        self._last = None
        try:
            response = self._client.http_request(
                method.lower(),
                path,
                post_data=None if body is None else dict(body),
                query_parameters=dict(parameters),
                obey_rate_limit=False,
                retry_transient_errors=False,
                max_retries=0,
            )
        except (TooManyRedirects, RedirectError):
            raise self._redirected(doing, 302) from None
        except RequestException as error:
            raise self._unreachable(doing, error, self._server) from None
        except GitlabError as error:
            if self._last is None:
                raise self._unreachable(doing, error, self._server) from None
            response = self._last
        return self._answer(response)

    def _answer(self, response: Response) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, response.content.decode(errors="replace"))

    def _said(self, answer: Answer) -> str:
        """GitLab's message: a text, or by field a list of texts."""
        try:
            problem = msgspec.json.decode(answer.text, type=_Problem)
        except (msgspec.MsgspecError, UnicodeError):
            return ""
        message = problem.error_description or problem.message or problem.error or ""
        if not isinstance(message, str):
            message = msgspec.json.encode(message).decode()
        return self._plain(message)

    def _plain(self, text: str) -> str:
        return shown(text, None if self._token is None else self._token.text)

    def _limit_s(self, answer: Answer) -> float | None:
        """GitLab answers 429 with plain text, and mostly says for how long. A status that another
        run writes at the same time is in the way for moments.
        """
        if answer.status == 409 and "in progress" in answer.text:
            return _IN_PROGRESS_S
        if answer.status != 429:
            return None
        asked = answer.headers.get("retry-after", "")
        if re.fullmatch(r"[0-9]{1,9}", asked):
            return max(1.0, float(asked))
        return UNSTATED_LIMIT_S

    def _advice(self, method: str, path: str, answer: Answer) -> str | None:
        if answer.status not in (401, 403, 404) or self._token is None:
            return None
        scope = "read_api" if method == "GET" or path.endswith(GRAPHQL) else "api"
        role = next(
            (role for verb, form, role in _ROLES if verb == method and re.search(form, path)),
            "Reporter",
        )
        needed = f"a project, group or personal access token with the scope `{scope}`"
        needed += f" and the role {role} in the project"
        if self._token.is_of_job:
            return (
                f"the job token (CI_JOB_TOKEN) may not do this: set ASSENT_GITLAB_TOKEN to {needed}"
            )
        if answer.status == 401:
            return f"is ASSENT_GITLAB_TOKEN still valid? It must be {needed}"
        question = "is the name right? " if answer.status == 404 else ""
        return f"{question}ASSENT_GITLAB_TOKEN must be {needed}"

    @cached_property
    def _client(self) -> Gitlab:
        if self._token is None:
            raise UsageError(
                "looking for the token of GitLab's API",
                "there is none",
                hint="set ASSENT_GITLAB_TOKEN to a project access token; in CI it is a "
                "protected and masked variable, so only pipelines of protected branches have it",
            )
        import gitlab

        made = gitlab.Gitlab(
            self._server,
            job_token=self._token.text if self._token.is_of_job else None,
            private_token=None if self._token.is_of_job else self._token.text,
            timeout=http_retries.TIMEOUT_S,
            user_agent="assent",
            keep_base_url=True,
        )
        # The token is in a header of its own, which would be sent along to wherever a redirect
        # leads; so none is followed.
        made.session.max_redirects = 0
        # An error of python-gitlab tells neither headers nor the whole text.
        made.session.hooks["response"].append(self._remember)
        return made

    def _remember(self, response: Response, *_: object, **__: object) -> None:
        self._last = response


_ROLES = (
    ("POST", r"/statuses/", "Developer"),
    ("POST", r"/deployments", "Developer"),
    ("GET", r"/protected_(?:branches|environments)|/approval_rules|/approvals$", "Maintainer"),
)
"""The least role that GitLab's documentation asks for, where it is more than Reporter."""


class _Problem(msgspec.Struct, frozen=True):
    message: object = None
    error: object = None
    error_description: object = None


class _GraphError(msgspec.Struct, frozen=True):
    message: str = ""


class _Outcome(msgspec.Struct, frozen=True):
    data: msgspec.Raw = msgspec.Raw(b"null")
    errors: tuple[_GraphError, ...] = ()


def checked_address(address: str) -> str:
    """The address of the server, from that of its API. Raises `UsageError` unless a token can be
    sent there.
    """
    doing = "reading the address of GitLab's API"
    checked = http_retries.checked_address(address, doing=doing, hint=_ADDRESS_HINT)
    if not checked.endswith(VERSION):
        raise UsageError(doing, f"it does not end with {VERSION}", hint=_ADDRESS_HINT)
    return checked.removesuffix(VERSION)
