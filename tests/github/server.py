"""The stand-in over HTTP.

    with Server() as server:
        github = server.github
        client = Github(base_url=server.url, auth=Auth.Token(github.workflow_token()))

Every request and every answer is compared with GitHub's description of its API. What does not fit
is kept in `mismatches` and raised when the server ends, so that no client can swallow it.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from tests.github.accounts import Token
from tests.github.contract import Contract
from tests.github.events import Events
from tests.github.faults import Faults
from tests.github.repository import Repository
from tests.github.routes import graphql
from tests.github.routing import ROUTES, Call, RefusedError, can_see, permit
from tests.github.runs import Run
from tests.github.shapes.addresses import Addresses
from tests.github.variables import variables
from tests.github.world import GitHub
from tests.standin.listening import Answer, Request
from tests.standin.server import MismatchError, StandIn

__all__ = ["MismatchError", "Request", "Server", "contract"]


@cache
def contract() -> Contract:
    return Contract()


class Server(StandIn):
    """A running stand-in. `git` is a bare repository to serve; without it one is made. `prefix` is
    `/api/v3` on GitHub Enterprise Server. `web` is the address of the site.
    """

    software = "github.com"

    def __init__(
        self,
        *,
        git: Path | None = None,
        prefix: str = "",
        web: str = "https://github.com",
        **world: Any,
    ) -> None:
        super().__init__(git=git, prefix=prefix)
        self.github = GitHub(self.git, **world)
        self.faults: Faults = Faults()
        self._graphql = prefix.removesuffix("/v3") + "/graphql"
        self.where = Addresses(self.url, web)
        self.events = Events(self.github, self.where)

    def write_event(
        self, folder: Path, run: Run, payload: Mapping[str, Any], **more: str
    ) -> dict[str, str]:
        """Write the event's file into `folder`, and return the environment of a job of the run."""
        file = folder / f"event-{run.id}-{run.attempt}.json"
        file.write_text(json.dumps(payload))
        return {**variables(self.where, run, file), **more}

    def answer(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        has_room, limits = self.faults.spend()
        try:
            if not has_room and not path.endswith("/rate_limit"):
                raise RefusedError(
                    self.faults.limit_status, "API rate limit exceeded for installation ID 1."
                )
            token = self._token(headers.get("authorization", ""))
            answer = self._routed(method, path, query, body, token)
        except RefusedError as refused:
            answer = Answer(refused.body, refused.status)
        except Exception as error:
            trace = "".join(traceback.format_exception(error, limit=-4))[:2000]
            self.mismatches.append(f"{method} {path}: the stand-in broke: {error!r:.500}\n{trace}")
            answer = Answer({"message": "the stand-in broke"}, 500)
        return Answer(answer.body, answer.status, {**limits, **answer.headers})

    def _token(self, header: str) -> Token:
        token = self.github.tokens.get(header.rpartition(" ")[2])
        if token is None or token.is_revoked or not token.account.is_found:
            raise RefusedError(401, "Bad credentials" if header else "Requires authentication")
        return token

    def _routed(self, method: str, path: str, query: str, body: bytes, token: Token) -> Answer:
        sent = json.loads(body) if body else None
        if method == "POST" and path == self._graphql:
            answer, problem = graphql.answer(self.github, token, sent)
            self.note(f"{method} {path}", [problem] if problem else [])
            return answer
        match = contract().find(method, path.removeprefix(self.prefix))
        if match is None or not path.startswith(self.prefix):
            self.note(f"{method} {path}", ["not an operation of the extract"])
            raise RefusedError(404)
        operation, in_path = match
        asked = dict(parse_qsl(query, keep_blank_values=True))
        said = f"{method} {path}{'?' if query else ''}{query} ({operation.id})"
        errors = contract().request_errors(operation, in_path, asked, sent)
        self.note(said, errors)
        route = ROUTES[operation.id]
        try:
            if errors:
                raise RefusedError(422, "Invalid request.\n\n" + "\n".join(errors))
            call = Call(
                github=self.github,
                where=self.where,
                token=token,
                path=path.removeprefix(self.prefix),
                in_path=in_path,
                query=asked,
                body=sent or {},
                repository_or_none=self._repository(in_path, token),
                storage=self.elsewhere,
                rate=self.faults.rate,
            )
            permit(route, token, call.repository_or_none)
            answer = route.answer(call)
        except RefusedError as refused:
            answer = Answer(refused.body, refused.status)
        shown = None if isinstance(answer.body, bytes) else answer.body
        self.note(said, contract().answer_errors(operation, answer.status, shown))
        needed = ", ".join(f"{one}={route.level}" for one in route.permissions)
        headers = {"X-Accepted-GitHub-Permissions": needed} if needed else {}
        return Answer(answer.body, answer.status, {**headers, **answer.headers})

    def _repository(self, in_path: Mapping[str, str], token: Token) -> Repository | None:
        if "repo" not in in_path:
            return None
        wanted = f"{in_path['owner']}/{in_path['repo']}".lower()
        for one in self.github.repositories:
            if one.full_name.lower() == wanted and can_see(token, one):
                return one
        raise RefusedError(404)

    def answer_elsewhere(self, path: str) -> Answer:
        """The host that keeps files; whoever has the address may read them."""
        for run in self.github.repository.runs:
            for artifact in run.artifacts:
                if path == f"/artifacts/{artifact.id}.zip":
                    return Answer(artifact.content, headers={"Content-Type": "application/zip"})
        return Answer({"message": "not the API"}, 404)
