"""The repository, its branches, its contents and who may do what in it."""

from __future__ import annotations

from urllib.parse import urlencode

from tests.github.accounts import ROLES
from tests.github.routing import PAGE, Call, RefusedError, answers, found, newest_first
from tests.github.shapes import commits, repositories
from tests.standin.listening import Answer


@answers("repos/get", "metadata")
def repository(call: Call) -> Answer:
    return Answer(repositories.full(call.where, call.repository, call.account))


@answers("repos/get-branch", "contents")
def branch(call: Call) -> Answer:
    name = call.in_path["branch"]
    sha = call.repository.branch(name)
    if sha is None:
        raise RefusedError(404, "Branch not found")
    old_kind = call.repository.protections.get(name)
    has_rules = bool(old_kind or call.repository.rules_of(name)) and call.repository.has_rules
    url = call.where.repo(call.repository, f"/branches/{name}")
    checks = {"enforcement_level": "off", "contexts": [], "checks": []}
    return Answer(
        {
            "name": name,
            "commit": commits.commit(call.where, call.repository, sha),
            "_links": {"self": url, "html": call.where.page(call.repository, f"/tree/{name}")},
            "protected": has_rules,
            "protection": {"enabled": bool(old_kind), "required_status_checks": checks},
            "protection_url": f"{url}/protection",
        }
    )


@answers("repos/get-content", "contents")
def contents(call: Call) -> Answer:
    path = call.in_path["path"]
    ref = call.query.get("ref") or call.repository.default_branch
    sha = call.repository.find(ref)
    if sha is None:
        raise RefusedError(404, f"No commit found for the ref {ref}")
    objects = call.repository.objects
    item = found(objects.item(sha, path)) if path.strip("/") else None
    if item is None or item.kind == "tree":
        inside = objects.folder_items(sha, path)
        shape = commits.content_item
        return Answer([shape(call.where, call.repository, ref, one) for one in inside])
    return Answer(commits.content(call.where, call.repository, ref, item))


@answers("repos/get-collaborator-permission-level", "metadata")
def permission(call: Call) -> Answer:
    """Also of people without any role: theirs is "none", or "read" in a public repository."""
    role = call.repository.built_in_role(call.account)
    if call.token.kind != "installation" and ROLES.index(role) < ROLES.index("write"):
        raise RefusedError(403, "Must have push access to view collaborator permission.")
    person = call.github.login(call.in_path["username"])
    if person is None:
        raise RefusedError(404, f"{call.in_path['username']} is not a user")
    return Answer(repositories.collaborator(call.where, call.repository, person))


@answers("repos/check-collaborator", "metadata")
def collaborator(call: Call) -> Answer:
    """Whether somebody was given a role here. That a public repository can be read is none."""
    person = call.github.login(call.in_path["username"])
    is_owner = person is not None and person.id == call.repository.owner.id
    if person is None or not (is_owner or person.id in call.repository.roles):
        raise RefusedError(404)
    return Answer(None, 204)


@answers("repos/list-activities", "contents")
def activities(call: Call) -> Answer:
    """Who pushed what, newest first. The next page begins after the last one that was shown."""
    if not call.repository.tells_pushes:
        raise RefusedError(404)
    chosen = newest_first(call.repository.pushes)
    chosen = [one for one in chosen if one.ref == call.query.get("ref", one.ref)]
    if after := call.query.get("after"):
        chosen = [one for one in chosen if one.id < int(after)]
    size = int(call.query.get("per_page", PAGE))
    shown = [repositories.activity(call.where, one) for one in chosen[:size]]
    if len(chosen) <= size:
        return Answer(shown)
    query = urlencode({**call.query, "after": chosen[size - 1].id})
    return Answer(shown, headers={"Link": f'<{call.where.api}{call.path}?{query}>; rel="next"'})
