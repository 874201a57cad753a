"""Merge requests, their versions, reviewers and pipelines."""

from __future__ import annotations

from tests.gitlab.routing import Call, RefusedError, answers, found, ordered
from tests.gitlab.shapes import commits, merge_requests, pipelines
from tests.standin.listening import Answer


@answers("merge-requests/list", "reporter", is_for_jobs=True)
def every(call: Call) -> Answer:
    asked = {name: values[-1] for name, values in call.query.items()}
    iids = call.query.get("iids[]")
    wanted = asked.get("state", "all")
    chosen = [
        one
        for one in call.project.merge_requests
        if wanted in ("all", one.state)
        and (iids is None or str(one.iid) in iids)
        and asked.get("source_branch", one.source_branch) == one.source_branch
        and asked.get("target_branch", one.target_branch) == one.target_branch
        and asked.get("author_id", str(one.author.id)) == str(one.author.id)
        and asked.get("author_username", one.author.username) == one.author.username
    ]
    by = asked.get("order_by", "created_at")
    newest = ordered(call, chosen, lambda one: (getattr(one, by), one.id), "desc")
    return call.page(newest, lambda one: merge_requests.simple(call.where, one))


@answers("merge-requests/get", "reporter", is_for_jobs=True)
def one(call: Call) -> Answer:
    change = call.merge_request()
    shown = merge_requests.whole(call.where, change, call.user)
    if call.flag("include_rebase_in_progress"):
        shown["rebase_in_progress"] = False
    if call.flag("include_diverged_commits_count"):
        target = call.project.tip(change.target_branch)
        shown["diverged_commits_count"] = len(call.project.objects.between(change.sha, target))
    return Answer(shown)


@answers("merge-requests/create", "developer")
def create(call: Call) -> Answer:
    body = call.body
    if call.project.branch(body["source_branch"]) is None:
        raise RefusedError(400, {"source_branch": ["does not exist"]})
    for one in call.project.merge_requests:
        if one.state == "opened" and (one.source_branch, one.target_branch) == (
            body["source_branch"],
            body["target_branch"],
        ):
            said = f"Another open merge request already exists for this source branch: !{one.iid}"
            raise RefusedError(409, [said])
    made = call.gitlab.open_merge_request(
        call.person,
        title=body["title"],
        description=body.get("description"),
        branch=body["source_branch"],
        target=body["target_branch"],
    )
    return Answer(merge_requests.whole(call.where, made, call.user), 201)


@answers("merge-requests/update", "reporter")
def update(call: Call) -> Answer:
    change, body = call.merge_request(), call.body
    if call.project.level(call.user) < 30 and change.author is not call.user:
        raise RefusedError(403, "403 Forbidden")
    change.title = body.get("title", change.title)
    change.description = body.get("description", change.description)
    if body.get("state_event") == "close":
        change.close(call.person)
    elif body.get("state_event") == "reopen":
        change.reopen()
    return Answer(merge_requests.whole(call.where, change, call.user))


@answers("merge-requests/commits", "reporter")
def made(call: Call) -> Answer:
    """Newest first."""
    shas = call.merge_request().commits[::-1]
    return call.page(shas, lambda sha: commits.commit(call.where, call.project, sha))


@answers("merge-requests/versions", "reporter")
def versions(call: Call) -> Answer:
    """Newest first."""
    change = call.merge_request()
    return call.page(change.versions[::-1], lambda one: merge_requests.version(change, one))


@answers("merge-requests/version", "reporter")
def version(call: Call) -> Answer:
    change, number = call.merge_request(), call.number("version_id")
    one = found(next((each for each in change.versions if each.id == number), None))
    return Answer(merge_requests.version_detail(call.where, change, one))


@answers("merge-requests/reviewers", "reporter")
def reviewers(call: Call) -> Answer:
    return Answer(
        [merge_requests.reviewer(call.where, one) for one in call.merge_request().reviewers]
    )


@answers("merge-requests/pipelines", "reporter")
def own_pipelines(call: Call) -> Answer:
    """Of the merge request and of its branch, in its own project and in the one it comes from, as
    far as the asker may see that; newest first.
    """
    change = call.merge_request()
    heads = {one.head for one in change.versions}
    chosen = [
        one
        for project in call.gitlab.projects
        if project is call.project or project.is_public or project.level(call.user) >= 20
        for one in project.pipelines
        if one.merge_request is change or (one.ref == change.source_branch and one.sha in heads)
    ]
    chosen.sort(key=lambda one: -one.id)
    return call.page(chosen, lambda one: pipelines.short(call.where, one))
