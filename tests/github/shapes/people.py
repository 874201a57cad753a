"""Accounts, teams and apps."""

from __future__ import annotations

from typing import Any

from tests.github.accounts import ACTIONS_APP_ID, Account, Team
from tests.github.shapes.addresses import Addresses, stamp

Json = dict[str, Any]
PARTS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}


def user(where: Addresses, account: Account) -> Json:
    """The short form, which stands wherever an account is named. A deleted one is the ghost."""
    if account.is_deleted:
        account = account.github.ghost
    url = f"{where.api}/users/{account.login}"
    page = account.login
    if account.kind == "Bot":
        page = "apps/" + account.login.removesuffix("[bot]")
    return {
        "login": account.login,
        "id": account.id,
        "node_id": f"U_{account.id}",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{account.id}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{where.web}/{page}",
        **{name: url + rest for name, rest in PARTS.items()},
        "type": account.kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def user_or_null(where: Addresses, account: Account) -> Json | None:
    """Where the API writes null for an account that is gone."""
    return None if account.is_deleted else user(where, account)


def profile(where: Addresses, account: Account) -> Json:
    """The long form, of one account."""
    nothing = ("company", "location", "email", "hireable", "bio", "twitter_username")
    at = stamp(account.github.now)
    return {
        **user(where, account),
        "name": account.name,
        "blog": "",
        **dict.fromkeys(nothing),
        "public_repos": 2,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": at,
        "updated_at": at,
    }


def organization(where: Addresses, account: Account) -> Json:
    """An organization as events name it."""
    url = f"{where.api}/orgs/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": f"O_{account.id}",
        "url": url,
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events",
        "hooks_url": f"{url}/hooks",
        "issues_url": f"{url}/issues",
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{account.id}?v=4",
        "description": None,
    }


def whole_team(where: Addresses, found: Team) -> Json:
    """One team, as asking for it gives it."""
    at = stamp(found.organization.github.now)
    counts = ("public_repos", "public_gists", "followers", "following")
    projects = ("has_organization_projects", "has_repository_projects")
    return {
        **team(where, found),
        "members_count": len(found.members),
        "repos_count": 1,
        "created_at": at,
        "updated_at": at,
        "organization": {
            **organization(where, found.organization),
            "html_url": f"{where.web}/{found.organization.login}",
            "type": "Organization",
            **dict.fromkeys(counts, 0),
            **dict.fromkeys(projects, True),
            "created_at": at,
            "updated_at": at,
            "archived_at": None,
        },
    }


def team(where: Addresses, found: Team) -> Json:
    url = f"{where.api}/organizations/{found.organization.id}/team/{found.id}"
    return {
        "id": found.id,
        "node_id": f"T_{found.id}",
        "name": found.slug,
        "slug": found.slug,
        "description": None,
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "type": "organization",
        "url": url,
        "html_url": f"{where.web}/orgs/{found.organization.login}/teams/{found.slug}",
        "members_url": url + "/members{/member}",
        "repositories_url": url + "/repos",
        "parent": None,
    }


def actions_app(where: Addresses, owner: Account) -> Json:
    """The app behind GITHUB_TOKEN."""
    return {
        "id": ACTIONS_APP_ID,
        "node_id": f"A_{ACTIONS_APP_ID}",
        "slug": "github-actions",
        "owner": user(where, owner),
        "name": "GitHub Actions",
        "description": "Automate your workflow from idea to production",
        "external_url": "https://help.github.com/en/actions",
        "html_url": f"{where.web}/apps/github-actions",
        "created_at": "2018-07-30T09:30:17Z",
        "updated_at": "2019-12-10T19:04:12Z",
        "permissions": {"checks": "write", "contents": "write", "metadata": "read"},
        "events": ["check_run"],
    }
