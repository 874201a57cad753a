"""Repositories, branches and rules."""

from __future__ import annotations

from typing import Any

from tests.github.accounts import ROLES, Account
from tests.github.records import Push, Ruleset
from tests.github.repository import Repository
from tests.github.shapes import people
from tests.github.shapes.addresses import Addresses, stamp

Json = dict[str, Any]
PARTS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
ZERO = "forks forks_count open_issues open_issues_count size stargazers_count watchers"
YES = "allow_merge_commit allow_rebase_merge allow_squash_merge has_downloads has_issues"
NO = "allow_auto_merge archived delete_branch_on_merge disabled has_discussions has_pages"


def minimal(where: Addresses, found: Repository) -> Json:
    """The short form."""
    return {
        "id": found.id,
        "node_id": f"R_{found.id}",
        "name": found.name,
        "full_name": found.full_name,
        "owner": people.user(where, found.owner),
        "private": found.is_private,
        "html_url": where.page(found),
        "description": None,
        "fork": found.parent is not None,
        "url": where.repo(found),
        **{name: where.repo(found, rest) for name, rest in PARTS.items()},
    }


def ordinary(where: Addresses, found: Repository) -> Json:
    """The form inside of a pull request."""
    page = where.page(found)
    at = stamp(found.created_at)
    return {
        **minimal(where, found),
        "clone_url": f"{page}.git",
        "git_url": f"git:{page.removeprefix('https:').removeprefix('http:')}.git",
        "ssh_url": f"git@github.com:{found.full_name}.git",
        "svn_url": page,
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        "default_branch": found.default_branch,
        "visibility": "private" if found.is_private else "public",
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": [],
        "has_projects": True,
        "has_wiki": True,
        "created_at": at,
        "updated_at": at,
        "pushed_at": at,
        **dict.fromkeys(ZERO.split(), 0),
        "watchers_count": 0,
        **dict.fromkeys(YES.split(), True),
        **dict.fromkeys(NO.split(), False),
    }


def full(where: Addresses, found: Repository, seen_by: Account) -> Json:
    """The long form, of one repository."""
    shown = {
        **ordinary(where, found),
        "permissions": permissions(found.built_in_role(seen_by)),
        "network_count": 0,
        "subscribers_count": 0,
    }
    if found.owner.kind == "Organization":
        shown["organization"] = people.user(where, found.owner)
    if found.parent:
        shown["parent"] = shown["source"] = ordinary(where, found.parent)
    return shown


def permissions(role: str) -> Json:
    """What a role means, right by right."""
    rank = ROLES.index(role)
    names = {"pull": "read", "triage": "triage", "push": "write"}
    names |= {"maintain": "maintain", "admin": "admin"}
    return {name: rank >= ROLES.index(least) for name, least in names.items()}


def collaborator(where: Addresses, found: Repository, person: Account) -> Json:
    """`permission` knows four values only: maintain is shown as write, triage as read."""
    role = found.built_in_role(person)
    known = {"maintain": "write", "triage": "read"}.get(role, role)
    return {
        "permission": known,
        "role_name": found.role(person),
        "user": {
            **people.user(where, person),
            "permissions": permissions(role),
            "role_name": found.role(person),
        },
    }


def ruleset(where: Addresses, repository: Repository, found: Ruleset, *, whole: bool) -> Json:
    """One ruleset; in a list without its rules and conditions."""
    at = stamp(found.created_at)
    shown: Json = {
        "id": found.id,
        "name": found.name,
        "target": "branch",
        "source_type": "Repository",
        "source": repository.full_name,
        "enforcement": found.enforcement,
        "node_id": f"RRS_{found.id}",
        "created_at": at,
        "updated_at": at,
        "_links": {
            "self": {"href": where.repo(repository, f"/rulesets/{found.id}")},
            "html": {"href": where.page(repository, f"/rules/{found.id}")},
        },
    }
    if whole:
        ref_name = {"include": list(found.include), "exclude": list(found.exclude)}
        shown["conditions"] = {"ref_name": ref_name}
        shown["rules"] = found.rules
    return shown


def branch_rule(repository: Repository, found: Ruleset, rule: Json) -> Json:
    return {
        **rule,
        "ruleset_source_type": "Repository",
        "ruleset_source": repository.full_name,
        "ruleset_id": found.id,
    }


def activity(where: Addresses, found: Push) -> Json:
    """Who moved a branch."""
    return {
        "id": found.id,
        "node_id": f"PSH_{found.id}",
        "before": found.before,
        "after": found.after,
        "ref": found.ref,
        "timestamp": stamp(found.at),
        "activity_type": found.kind,
        "actor": people.user_or_null(where, found.by),
    }
