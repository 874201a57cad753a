"""Pull requests, their commits, files and reviews."""

from __future__ import annotations

from tests.github.pulls import PULL_COMMITS, Pull
from tests.github.repository import Repository
from tests.github.routing import Call, RefusedError, answers, newest_first
from tests.github.shapes import commits, pulls
from tests.standin.listening import Answer


@answers("pulls/list", "pull_requests")
def every(call: Call) -> Answer:
    state = call.query.get("state", "open")
    chosen = [one for one in call.repository.pulls if state in ("all", _state(one))]
    if base := call.query.get("base"):
        chosen = [one for one in chosen if one.base_ref == base]
    owner, colon, branch = call.query.get("head", "").partition(":")
    if colon:  # without an owner GitHub does not filter at all
        chosen = [one for one in chosen if (_owner(one), one.head_ref) == (owner.lower(), branch)]
    sort = call.query.get("sort", "created")
    if sort == "updated":
        chosen.sort(key=lambda one: (one.updated_at, one.number))
    if call.query.get("direction", "desc" if sort == "created" else "asc") == "desc":
        chosen = newest_first(chosen)
    return call.page(chosen, lambda one: pulls.simple(call.where, one))


def _state(pull: Pull) -> str:
    return "open" if pull.is_open else "closed"


def _owner(pull: Pull) -> str:
    return pull.head_owner.login.lower()


@answers("pulls/get", "pull_requests")
def one(call: Call) -> Answer:
    return Answer(pulls.whole(call.where, call.pull()))


@answers("pulls/list-commits", "pull_requests")
def its_commits(call: Call) -> Answer:
    pull = call.pull()
    shown = pull.commits[:PULL_COMMITS]
    return call.page(shown, lambda sha: commits.commit(call.where, call.repository, sha))


@answers("pulls/list-files", "pull_requests")
def its_files(call: Call) -> Answer:
    pull = call.pull()
    files = call.repository.objects.changed(pull.fork_point, pull.head_sha)
    return call.page(
        files[:3000], lambda file: commits.changed(call.where, call.repository, pull.head_sha, file)
    )


@answers("pulls/list-reviews", "pull_requests")
def its_reviews(call: Call) -> Answer:
    """Oldest first. A review that is not sent yet is seen by its author only."""
    seen = [
        one
        for one in call.pull().reviews
        if one.state != "PENDING" or one.author.id == call.account.id
    ]
    return call.page(seen, lambda one: pulls.review(call.where, one))


@answers("pulls/create", "pull_requests", level="write")
def create(call: Call) -> Answer:
    repository, body = call.repository, call.body
    if call.account is call.github.actions_bot and not repository.workflows_may_approve:
        said = "GitHub Actions is not permitted to create or approve pull requests."
        raise RefusedError(403, said)
    fork, branch = _head(call, body["head"])
    sha, base = fork.branch(branch), repository.branch(body["base"])
    if sha is None or base is None:
        field = "head" if sha is None else "base"
        raise _invalid("PullRequest", code="invalid", field=field)
    if not repository.objects.between(base, sha):
        said = f"No commits between {body['base']} and {branch}"
        raise _invalid("PullRequest", code="custom", message=said)
    if any(
        one.is_open
        and one.head_repository is fork
        and one.head_ref == branch
        and one.base_ref == body["base"]
        for one in repository.pulls
    ):
        said = f"A pull request already exists for {fork.owner.login}:{branch}."
        raise _invalid("PullRequest", code="custom", message=said)
    pull = call.github.open_pull(
        call.account,
        title=body.get("title", branch),
        body=body.get("body"),
        branch=branch,
        base=body["base"],
        sha=sha,
        fork=fork,
        is_draft=bool(body.get("draft")),
    )
    return Answer(pulls.whole(call.where, pull), 201)


def _head(call: Call, head: str) -> tuple[Repository, str]:
    owner, colon, branch = head.rpartition(":")
    if not colon:
        return call.repository, head
    for one in call.github.repositories:
        is_related = one is call.repository or one.parent is call.repository
        if is_related and one.owner.login.lower() == owner.lower():
            return one, branch
    raise _invalid("PullRequest", code="invalid", field="head")


def _invalid(resource: str, **facts: str) -> RefusedError:
    return RefusedError(422, "Validation Failed", errors=[{"resource": resource, **facts}])


@answers("pulls/update", "pull_requests", level="write")
def update(call: Call) -> Answer:
    pull = call.pull()
    pull.title = call.body.get("title", pull.title)
    pull.body = call.body.get("body", pull.body)
    pull.base_ref = call.body.get("base", pull.base_ref)
    state = call.body.get("state")
    if state == "closed" and pull.is_open:
        pull.close()
    elif state == "open" and not pull.is_merged:
        pull.reopen()
    pull.updated_at = call.github.now
    return Answer(pulls.whole(call.where, pull))
