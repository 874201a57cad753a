"""What is asked by GraphQL, because REST does not tell it: whose account a commit's author is."""

from __future__ import annotations

from typing import Any

from tests.gitlab.accounts import Token
from tests.gitlab.graphql import Query, QueryError, Thing, resolved
from tests.gitlab.merge_requests import MergeRequest
from tests.gitlab.project import Project
from tests.gitlab.shapes.addresses import commit_stamp
from tests.gitlab.world import GitLab
from tests.standin.listening import Answer

LARGEST_PAGE = 100


def answer(gitlab: GitLab, token: Token | None, sent: Any) -> tuple[Answer, list[str]]:
    """The answer, and what is wrong with the request."""
    if token is None or token.kind == "job":
        return Answer({"errors": [{"message": "Invalid token"}]}, 401), []
    if not token.may("GET"):
        return Answer({"errors": [{"message": "Insufficient scope"}]}, 403), []
    try:
        query = Query(sent["query"], sent.get("variables") or {})
        top = Thing("Query", {"project": lambda fullPath: _project(gitlab, token, fullPath)})  # noqa: N803  # GraphQL's own name
        return Answer({"data": resolved(top, query.fields)}), []
    except (QueryError, KeyError, TypeError) as error:
        return Answer({"errors": [{"message": str(error)}]}), [f"GraphQL: {error!r}"]


def _project(gitlab: GitLab, token: Token, path: str) -> Thing | None:
    for one in gitlab.projects:
        if one.full_name == path and (one.is_public or one.level(token.user) >= 20):
            return Thing(
                "Project",
                {
                    "id": f"gid://gitlab/Project/{one.id}",
                    "fullPath": one.full_name,
                    "mergeRequest": lambda iid, project=one: _merge_request(project, iid),
                    "repository": Thing(
                        "Repository", {"tree": lambda ref="", project=one: _tree(project, ref)}
                    ),
                },
            )
    return None


def _merge_request(project: Project, iid: str) -> Thing | None:
    found = project.merge_request(int(iid))
    if found is None:
        return None
    return Thing(
        "MergeRequest",
        {
            "id": f"gid://gitlab/MergeRequest/{found.id}",
            "iid": str(found.iid),
            "commits": lambda first=LARGEST_PAGE, after=None: _commits(found, first, after),
        },
    )


def _commits(found: MergeRequest, first: int, after: str | None) -> Thing:
    """Newest first. A cursor is the number of commits before it."""
    every, start = found.commits[::-1], int(after or 0)
    end = start + min(first, LARGEST_PAGE)
    page = {
        "hasNextPage": end < len(every),
        "hasPreviousPage": start > 0,
        "startCursor": str(start) if every else None,
        "endCursor": str(min(end, len(every))) if every else None,
    }
    nodes = [_commit(found.project, sha) for sha in every[start:end]]
    return Thing("CommitConnection", {"nodes": nodes, "pageInfo": Thing("PageInfo", page)})


def _tree(project: Project, ref: str) -> Thing | None:
    sha = project.find(ref)
    last = _commit(project, sha) if sha else None
    return Thing("Tree", {"lastCommit": last})


def _commit(project: Project, sha: str) -> Thing:
    found, gitlab = project.objects.commit(sha), project.gitlab
    author = gitlab.mapped(found.author.email)
    user = author and Thing(
        "UserCore",
        {
            "id": f"gid://gitlab/User/{author.id}",
            "username": author.username,
            "name": author.name,
            "state": author.state,
            "bot": author.is_bot,
        },
    )
    return Thing(
        "Commit",
        {
            "id": f"gid://gitlab/Commit/{sha}",
            "sha": sha,
            "title": found.message.partition("\n")[0],
            "authorEmail": found.author.email,
            "authorName": found.author.name,
            "authoredDate": commit_stamp(found.author.at),
            "author": user,
        },
    )
