"""Pull requests, reviews and comments."""

from __future__ import annotations

from typing import Any

from tests.github.accounts import Account
from tests.github.pulls import Comment, Event, Pull, Review
from tests.github.repository import Repository
from tests.github.shapes import people, repositories
from tests.github.shapes.addresses import Addresses, stamp, stamp_or_null

Json = dict[str, Any]


def simple(where: Addresses, found: Pull) -> Json:
    """A pull request as lists show it: without `merged`."""
    repository = found.repository
    url = where.repo(repository, f"/pulls/{found.number}")
    issue = where.repo(repository, f"/issues/{found.number}")
    page = where.page(repository, f"/pull/{found.number}")
    statuses = where.repo(repository, f"/statuses/{found.head_sha}")
    return {
        "url": url,
        "id": found.id,
        "node_id": f"PR_{found.id}",
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue,
        "number": found.number,
        "state": "open" if found.is_open else "closed",
        "locked": False,
        "title": found.title,
        "user": people.user(where, found.author),
        "body": found.body,
        "created_at": stamp(found.created_at),
        "updated_at": stamp(found.updated_at),
        "closed_at": stamp_or_null(found.closed_at),
        "merged_at": stamp_or_null(found.merged_at),
        "merge_commit_sha": found.merge_commit_sha,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [],
        "milestone": None,
        "draft": found.is_draft,
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": where.repo(repository, "/pulls/comments{/number}"),
        "comments_url": f"{issue}/comments",
        "statuses_url": statuses,
        "head": side(
            where, found.head_owner, found.head_repository, found.head_ref, found.head_sha
        ),
        "base": side(where, repository.owner, repository, found.base_ref, found.base_sha),
        "_links": {
            name: {"href": address}
            for name, address in {
                "self": url,
                "html": page,
                "issue": issue,
                "comments": f"{issue}/comments",
                "review_comments": f"{url}/comments",
                "review_comment": where.repo(repository, "/pulls/comments{/number}"),
                "commits": f"{url}/commits",
                "statuses": statuses,
            }.items()
        },
        "author_association": association(repository, found.author),
        "auto_merge": None,
        "active_lock_reason": None,
    }


def whole(where: Addresses, found: Pull) -> Json:
    """One pull request, as asking for it gives it."""
    files = found.repository.objects.changed(found.fork_point, found.head_sha)
    is_mergeable = found.repository.test_merge(found) is not None
    state = "clean" if is_mergeable else "dirty"
    return {
        **simple(where, found),
        "merged": found.is_merged,
        "mergeable": is_mergeable if found.is_open else None,
        "rebaseable": is_mergeable if found.is_open else None,
        "mergeable_state": state if found.is_open else "unknown",
        "merged_by": people.user(where, found.merged_by) if found.merged_by else None,
        "comments": len(found.comments),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(found.commits),
        "additions": sum(one.added for one in files),
        "deletions": sum(one.removed for one in files),
        "changed_files": len(files),
    }


def side(
    where: Addresses, owner: Account, repository: Repository | None, ref: str, sha: str
) -> Json:
    return {
        "label": f"{owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": people.user(where, owner),
        "repo": repositories.ordinary(where, repository) if repository else None,
    }


def minimal(where: Addresses, found: Pull) -> Json:
    """As a workflow run names it."""

    def end(repository: Repository, ref: str, sha: str) -> Json:
        short = {"id": repository.id, "url": where.repo(repository), "name": repository.name}
        return {"ref": ref, "sha": sha, "repo": short}

    head = found.head_repository or found.repository
    return {
        "url": where.repo(found.repository, f"/pulls/{found.number}"),
        "id": found.id,
        "number": found.number,
        "head": end(head, found.head_ref, found.head_sha),
        "base": end(found.repository, found.base_ref, found.base_sha),
    }


def association(repository: Repository, person: Account) -> str:
    """What GitHub shows is wrong for members that keep their membership private. So this says
    NONE, unless a test wants something else.
    """
    return repository.associations.get(person.id, "NONE")


def review(where: Addresses, found: Review) -> Json:
    pull = found.pull
    page = where.page(pull.repository, f"/pull/{pull.number}#pullrequestreview-{found.id}")
    url = where.repo(pull.repository, f"/pulls/{pull.number}")
    shown = {
        "id": found.id,
        "node_id": f"PRR_{found.id}",
        "user": people.user_or_null(where, found.author),
        "body": found.body,
        "state": found.state,
        "html_url": page,
        "pull_request_url": url,
        "author_association": association(pull.repository, found.author),
        "_links": {"html": {"href": page}, "pull_request": {"href": url}},
        "commit_id": found.commit_id,
    }
    return {**shown, "submitted_at": stamp(found.submitted_at)} if found.submitted_at else shown


def comment(where: Addresses, found: Comment) -> Json:
    pull = found.pull
    return {
        "url": where.repo(pull.repository, f"/issues/comments/{found.id}"),
        "html_url": where.page(pull.repository, f"/pull/{pull.number}#issuecomment-{found.id}"),
        "issue_url": where.repo(pull.repository, f"/issues/{pull.number}"),
        "id": found.id,
        "node_id": found.node_id,
        "user": people.user(where, found.author),
        "created_at": stamp(found.created_at),
        "updated_at": stamp(found.updated_at),
        "author_association": association(pull.repository, found.author),
        "body": found.body,
        "performed_via_github_app": None,
    }


def event(where: Addresses, repository: Repository, found: Event) -> Json:
    """What somebody did, as the list of a pull request's events shows it."""
    by = people.user(where, found.by)
    shown: Json = {
        "id": found.id,
        "node_id": f"E_{found.id}",
        "url": where.repo(repository, f"/issues/events/{found.id}"),
        "actor": by,
        "event": found.name,
        "commit_id": None,
        "commit_url": None,
        "created_at": stamp(found.at),
        "performed_via_github_app": None,
    }
    about = people.user(where, found.about)
    if found.name == "assigned":
        app = people.actions_app(where, repository.owner)
        return {**shown, "assigner": by, "assignee": about, "performed_via_github_app": app}
    return {**shown, "review_requester": by, "requested_reviewer": about}
