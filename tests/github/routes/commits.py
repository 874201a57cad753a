"""Commits, and the pull requests they came with."""

from __future__ import annotations

from tests.github.pulls import Pull, landed_mapping
from tests.github.routing import Call, RefusedError, answers, found
from tests.github.shapes import commits, pulls
from tests.standin.listening import Answer

MOST_FILES = 300


@answers("repos/get-commit", "contents")
def one(call: Call) -> Answer:
    sha = call.commit("ref")
    objects = call.repository.objects
    parents = objects.commit(sha).parents
    files = objects.changed(parents[0], sha)[:MOST_FILES] if parents else []
    shown = [commits.changed(call.where, call.repository, sha, file) for file in files]
    return Answer(commits.changed_commit(call.where, call.repository, sha, shown))


@answers("repos/list-pull-requests-associated-with-commit", "pull_requests")
def its_pulls(call: Call) -> Answer:
    """Of a commit on the default branch the merged pull request that brought it; of another one
    those that have it. Right after a merge the list is empty for a while.
    """
    if call.github.lag_of_pulls > 0:
        call.github.lag_of_pulls -= 1
        return Answer([])
    repository, sha = call.repository, call.commit("commit_sha")
    if repository.objects.has(repository.tip(repository.default_branch), sha):
        chosen = landed_mapping(repository.pulls).get(sha, [])
    else:
        chosen = [one for one in repository.pulls if _has(one, sha)]
    return call.page(chosen, lambda pull: pulls.simple(call.where, pull))


def _has(pull: Pull, sha: str) -> bool:
    return (pull.is_open or pull.is_merged) and sha in pull.commits


@answers("repos/compare-commits", "contents")
def compare(call: Call) -> Answer:
    """Each side is a branch, a SHA, or a branch of a fork: `bob:topic`."""
    repository, where, objects = call.repository, call.where, call.repository.objects
    base, head = _side(call, "base"), _side(call, "head")
    merge_base = objects.merge_base(base, head)
    new, missing = objects.between(base, head), objects.between(head, base)
    status = "diverged" if new and missing else "ahead" if new else "behind" if missing else ""
    files = objects.changed(merge_base, head)[:MOST_FILES]
    url = where.repo(repository, f"/compare/{call.in_path['base']}...{call.in_path['head']}")
    page = where.page(repository, f"/compare/{base}...{head}")
    paged = call.page(new, lambda sha: commits.commit(where, repository, sha))
    shown = {
        "url": url,
        "html_url": page,
        "permalink_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "base_commit": commits.commit(where, repository, base),
        "merge_base_commit": commits.commit(where, repository, merge_base),
        "status": status or "identical",
        "ahead_by": len(new),
        "behind_by": len(missing),
        "total_commits": len(new),
        "commits": paged.body,
        "files": [commits.changed(where, repository, head, one) for one in files],
    }
    return Answer(shown, headers=paged.headers)


def _side(call: Call, name: str) -> str:
    owner, colon, branch = call.in_path[name].rpartition(":")
    for one in call.github.repositories if colon else [call.repository]:
        is_related = call.repository in (one, one.parent)
        if is_related and owner.lower() in ("", one.owner.login.lower()):
            return found(one.find(branch))
    raise RefusedError(404)


@answers("git/get-commit", "contents")
def plain(call: Call) -> Answer:
    sha = call.repository.find(call.in_path["commit_sha"])
    if sha is None:
        raise RefusedError(404)
    return Answer(commits.plain_commit(call.where, call.repository, sha))
