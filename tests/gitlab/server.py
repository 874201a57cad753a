"""The stand-in over HTTP.

    with Server() as server:
        gitlab = server.gitlab
        client = Gitlab(server.site, private_token=gitlab.project_token())

Every request and every answer is compared with what GitLab's API has. What does not fit is kept in
`mismatches` and raised when the server ends, so that no client can swallow it.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.gitlab import git_over_http
from tests.gitlab.accounts import Token
from tests.gitlab.contract import Contract
from tests.gitlab.faults import Faults
from tests.gitlab.pipelines import Job
from tests.gitlab.project import Project
from tests.gitlab.routes import graphql
from tests.gitlab.routing import ROUTES, Call, RefusedError, Route, not_found, permit
from tests.gitlab.shapes.addresses import Addresses
from tests.gitlab.variables import variables
from tests.gitlab.world import GitLab
from tests.standin.listening import Answer
from tests.standin.server import MismatchError, StandIn

__all__ = ["MismatchError", "Server", "contract"]
_GRAPHQL = Route(lambda _: Answer(), 0, is_for_jobs=True, is_for_all=False, is_refused_early=True)

_LOCKED = {
    "blocked": "403 Forbidden - Your account has been blocked.",
    "deactivated": "403 Forbidden - Your account has been deactivated by your administrator. "
    "Please log back in from a web browser to reactivate your account.",
}


@cache
def contract() -> Contract:
    return Contract()


class Server(StandIn):
    """A running stand-in. `git` is a bare repository to serve; without it one is made. `sub_path`
    is where GitLab lives on its host: `/gitlab`. `web` is the address of the site.
    """

    software = "GitLab"

    def __init__(
        self,
        *,
        git: Path | None = None,
        sub_path: str = "",
        web: str | None = None,
        **world: Any,
    ) -> None:
        super().__init__(git=git, prefix=f"{sub_path}/api/v4")
        self.faults: Faults = Faults()
        self.site = f"http://{self.host}{sub_path}"
        """What python-gitlab wants to know; it adds `/api/v4`."""
        self.graphql = f"{sub_path}/api/graphql"
        self.where = Addresses(self.url, web or self.site)
        world.setdefault("mail_host", urlsplit(self.where.web).hostname)
        self.gitlab = GitLab(self.git, **world)

    def remote(self, job: Job) -> str:
        """The address of the repository that the runner leaves in a clone: the job's token is in
        it.
        """
        before, _, after = self.site.partition("://")
        token = f"gitlab-ci-token:{job.token.value}"
        return f"{before}://{token}@{after}/{job.pipeline.project.full_name}.git"

    def variables(self, job: Job, **more: str) -> dict[str, str]:
        """The environment of a job. What a person typed in replaces what GitLab has set."""
        return {**variables(self.where, job), **job.pipeline.variables, **job.variables, **more}

    def answer(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        try:
            if not path.startswith(self.prefix):
                below = path.removeprefix(urlsplit(self.site).path)
                pulled = git_over_http.answer(self.gitlab, method, below, query, headers, body)
                if pulled is not None:
                    return pulled
            return self._routed(method, path, query, headers, body)
        except RefusedError as refused:
            return Answer(refused.body, refused.status)
        except Exception as error:
            trace = "".join(traceback.format_exception(error, limit=-4))[:2000]
            self.mismatches.append(f"{method} {path}: the stand-in broke: {error!r:.500}\n{trace}")
            return Answer({"message": "500 Internal Server Error"}, 500)

    def _routed(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        if (method, path) == ("POST", self.graphql):
            sent = json.loads(body)
            token = self._token(*self._secret(headers, {}), _GRAPHQL)
            answer, errors = graphql.answer(self.gitlab, token, sent)
            self.note(f"{method} {path}", errors)
            return answer
        match = contract().find(method, path.removeprefix(self.prefix))
        if match is None or not path.startswith(self.prefix):
            self.note(f"{method} {path}", ["not an operation of the contract"])
            raise RefusedError(404, "", error="404 Not Found")
        operation, in_path = match
        asked = parse_qs(query, keep_blank_values=True)
        secret = self._secret(headers, asked)
        sent = json.loads(body) if body else None
        said = f"{method} {path}{'?' if query else ''}{query} ({operation.id})"
        errors = contract().request_errors(operation, asked, sent)
        self.note(said, errors)
        route = ROUTES[operation.id]
        try:
            token = self._token(*secret, route)
            if token and not token.may(method, *_enough(operation.id, token)):
                raise _too_narrow(method)
            if token is None and (route.is_refused_early or method not in ("GET", "HEAD")):
                raise RefusedError(401, "401 Unauthorized")
            call = Call(
                gitlab=self.gitlab,
                where=self.where,
                token=token,
                path=path.removeprefix(self.prefix),
                in_path=in_path,
                query=asked,
                body=sent or {},
                project_or_none=self._project(operation.path, in_path, token),
                storage=self.elsewhere,
            )
            permit(route, method, token, call.project_or_none)
            if errors:
                raise RefusedError(400, "", error="; ".join(errors))
            answer = route.answer(call)
        except RefusedError as refused:
            answer = Answer(refused.body, refused.status)
        shown = None if isinstance(answer.body, bytes) else answer.body
        self.note(said, contract().answer_errors(operation, answer.status, shown))
        return answer

    def answer_elsewhere(self, path: str) -> Answer:
        """The host that keeps files; whoever has the address may read them."""
        for project in self.gitlab.projects:
            for job in project.jobs():
                if path == f"/artifacts/{job.id}.zip" and job.archive is not None:
                    return Answer(job.archive, headers={"Content-Type": "application/zip"})
        return Answer({"message": "not the API"}, 404)

    def _secret(self, headers: Mapping[str, str], asked: dict[str, list[str]]) -> tuple[str, str]:
        """The way a token came, and its text. In the address it would be in every log."""
        for name in ("private_token", "job_token", "access_token"):
            if asked.pop(name, None):
                self.mismatches.append(f"a token in the query ({name})")
        if "private-token" in headers:
            return "private", headers["private-token"]
        if "job-token" in headers:
            return "job", headers["job-token"]
        bearer = headers.get("authorization", "")
        return ("bearer", bearer.removeprefix("Bearer ")) if bearer else ("", "")

    def _token(self, way: str, secret: str, route: Route) -> Token | None:
        if not way:
            return None
        token = self.gitlab.tokens.get(secret)
        fits = token is not None and way in ("bearer", "job" if token.kind == "job" else "private")
        if token is None or not fits:
            raise RefusedError(401, "401 Unauthorized")
        if token.kind == "job":
            if token.is_revoked:
                raise RefusedError(401, "401 Unauthorized")
            # Elsewhere GitLab does not even look at the token of a job.
            return token if route.is_for_jobs else None
        if token.is_revoked:
            raise _invalid("Token was revoked. You have to re-authorize from the user.")
        if token.is_expired:
            raise _invalid("Token is expired. You can either do re-authorization or token refresh.")
        if token.user.state != "active" or token.user.id in self.gitlab.ghosts:
            raise RefusedError(403, _LOCKED.get(token.user.state, _LOCKED["blocked"]))
        return token

    def _project(
        self, path: str, in_path: Mapping[str, str], token: Token | None
    ) -> Project | None:
        if not path.startswith("/projects/:id"):
            return None
        wanted = in_path["id"].lower()
        user = token.user if token else None
        for one in self.gitlab.projects:
            if wanted not in (str(one.id), one.full_name.lower()):
                continue
            if one.level(user) < 10 and not one.is_public:
                break
            home = token.home() if token else None
            if home is not None and home is not one:
                raise RefusedError(
                    403,
                    f"403 Forbidden - Authentication by CI/CD job token not allowed from "
                    f"{home.full_name} to {one.full_name}.",
                )
            return one
        raise not_found("Project")


def _enough(operation: str, token: Token) -> tuple[str, ...]:
    """The narrow scopes that are enough for reading. Every token may look at itself."""
    if operation == "tokens/self":
        return token.scopes
    kind = operation.partition("/")[0]
    if kind in ("users", "version", "metadata"):
        return ("read_user",)
    return ("read_repository",) if operation in ("files/get", "files/raw") else ()


def _invalid(why: str) -> RefusedError:
    return RefusedError(401, why, error="invalid_token", error_description=why)


def _too_narrow(method: str) -> RefusedError:
    scope = "api read_api" if method in ("GET", "HEAD") else "api"
    return RefusedError(
        403,
        "",
        error="insufficient_scope",
        error_description="The request requires higher privileges than provided by the access "
        "token.",
        scope=scope,
    )
