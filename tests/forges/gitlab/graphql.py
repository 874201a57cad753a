"""GitLab's GraphQL API beside the stand-in's REST API: whose account wrote a commit.

Just the two questions that the adapter asks. As on GitLab the author is found by any confirmed
address, also one that nobody else is shown; there is no account of the committer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.gitlab.accounts import User
from tests.gitlab.project import Project
from tests.gitlab.server import Server
from tests.standin.listening import Answer

PAGE = 100


class GraphServer(Server):
    """The stand-in with `POST /api/graphql`. `page` is how many commits it lists at once."""

    page = PAGE

    def answer(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        if path != self.prefix.removesuffix("/api/v4") + "/api/graphql":
            return super().answer(method, path, query, headers, body)
        token = self.gitlab.tokens.get(headers.get("private-token", ""))
        if token is None or not token.is_active:
            return Answer({"errors": [{"message": "Invalid token"}]}, 401)
        if not {"api", "read_api"} & set(token.scopes):
            return Answer({"errors": [{"message": "Insufficient scope"}]}, 403)
        asked = json.loads(body)
        wanted = asked["variables"]["project"]
        project = next((one for one in self.gitlab.projects if one.full_name == wanted), None)
        if project is None or project.level(token.user) < 10:
            return Answer({"data": {"project": None}})
        found = self._found(project, asked["query"], asked["variables"])
        return Answer({"data": {"project": found}})

    def _found(self, project: Project, query: str, said: Mapping[str, Any]) -> dict[str, Any]:
        if "lastCommit" in query:
            sha = project.objects.resolve(said["sha"])
            last = None if sha is None else self._commit(project, sha)
            return {"repository": {"tree": {"lastCommit": last}}}
        assert "mergeRequest(" in query, "a question that is not known here"
        request = project.merge_request(int(said["iid"]))
        if request is None:
            return {"mergeRequest": None}
        start = int(said["after"] or 0)
        shas = request.commits[start : start + self.page]
        end = start + len(shas)
        page = {"hasNextPage": end < len(request.commits), "endCursor": str(end)}
        nodes = [self._commit(project, sha) for sha in shas]
        return {"mergeRequest": {"commits": {"nodes": nodes, "pageInfo": page}}}

    def _commit(self, project: Project, sha: str) -> dict[str, Any]:
        address = project.objects.commit(sha).author.email
        author = self._user(address)
        shown = author and {"id": f"gid://gitlab/User/{author.id}", "username": author.username}
        return {"sha": sha, "authorEmail": address, "author": shown}

    def _user(self, address: str) -> User | None:
        for user in self.gitlab.users:
            if address.lower() in {user.email.lower(), user.private_email.lower()}:
                return user
        return None
