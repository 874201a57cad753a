"""Commits."""

from __future__ import annotations

from datetime import datetime

from tests.gitlab.merge_requests import MergeRequest
from tests.gitlab.routing import Call, RefusedError, answers, not_found
from tests.gitlab.shapes import commits, merge_requests, pipelines
from tests.standin.listening import Answer
from tests.standin.objects import GitRefusedError


@answers("commits/list", "reporter")
def every(call: Call) -> Answer:
    """Newest first. GitLab does not count them."""
    project, asked = call.project, call.text("ref_name") or call.project.default_branch
    start, _, end = asked.rpartition("..")
    tip = project.find(end)
    if tip is None:
        raise not_found("Commit" if ".." in asked else "Ref")
    limits = [f"^{project.find(start)}"] if start else []
    for name in ("since", "until"):
        if name in call.query:
            limits.append(f"--{name}={datetime.fromisoformat(call.text(name)).isoformat()}")
    if call.flag("first_parent"):
        limits.append("--first-parent")
    paths = ["--", call.text("path")] if call.text("path") else []
    shas = project.objects.run("rev-list", tip, *limits, *paths).splitlines()
    return call.page(shas, lambda sha: commits.commit(call.where, project, sha), is_counted=False)


@answers("commits/get", "reporter", is_for_jobs=True)
def one(call: Call) -> Answer:
    sha, project = call.commit(), call.project
    own = [each for each in project.pipelines if each.sha == sha]
    shown = {
        **commits.commit(call.where, project, sha),
        "status": own[-1].status if own else None,
        "project_id": project.id,
        "last_pipeline": pipelines.short(call.where, own[-1]) if own else None,
    }
    if call.text("stats", "true") == "true":
        shown["stats"] = {"additions": 0, "deletions": 0, "total": 0}
    return Answer(shown)


@answers("commits/merge-requests", "reporter", is_for_jobs=True)
def changes(call: Call) -> Answer:
    """The merge requests that have the commit, and those that brought it. They come late."""
    sha = call.commit()
    if call.gitlab.lag_of_merge_requests > 0:
        call.gitlab.lag_of_merge_requests -= 1
        return call.page([], lambda one: one)
    wanted = call.text("state", "all")
    chosen = [
        one
        for one in call.project.merge_requests
        if _has(one, sha) and wanted in ("all", one.state)
    ]
    return call.page(chosen[::-1], lambda one: merge_requests.simple(call.where, one))


def _has(change: MergeRequest, sha: str) -> bool:
    return sha in (*change.landed, change.merge_commit_sha, change.squash_commit_sha) or (
        sha in change.commits
    )


@answers("repository/merge-base", "reporter")
def merge_base(call: Call) -> Answer:
    project = call.project
    shas = [project.find(one) for one in call.query["refs[]"]]
    if None in shas:
        raise RefusedError(400, "400 Bad request - Could not find ref")
    try:
        sha = project.objects.run("merge-base", "--octopus", *filter(None, shas))
    except GitRefusedError:
        raise not_found("Merge Base") from None
    return Answer(commits.commit(call.where, project, sha))


@answers("repository/compare", "reporter")
def compare(call: Call) -> Answer:
    project = call.project
    start, end = project.find(call.text("from")), project.find(call.text("to"))
    if start is None or end is None:
        raise not_found("Ref")
    made = [commits.commit(call.where, project, sha) for sha in project.objects.between(start, end)]
    return Answer(
        {
            "commit": made[-1] if made else None,
            "commits": made,
            "diffs": commits.diffs(project, project.objects.merge_base(start, end), end),
            "compare_timeout": False,
            "compare_same_ref": start == end,
            "web_url": call.where.page(project, f"/compare/{start}...{end}"),
        }
    )
