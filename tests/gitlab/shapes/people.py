"""Users, members, groups and tokens."""

from __future__ import annotations

from typing import Any

from tests.gitlab.accounts import Group, Membership, Token, User
from tests.gitlab.shapes.addresses import Addresses, day_or_null, stamp

Json = dict[str, Any]
NOTHING = (
    *("bio", "location", "linkedin", "twitter", "discord", "website_url", "github"),
    *("organization", "job_title", "pronouns", "work_information", "local_time"),
)


def short(where: Addresses, user: User) -> Json:
    """As an account is named everywhere. It does not say whether this is a bot."""
    user = user.gitlab.shown(user)
    return {
        "id": user.id,
        "username": user.username,
        "public_email": user.public_email,
        "name": user.name,
        "state": user.state,
        "locked": False,
        "avatar_url": None,
        "web_url": where.user(user),
    }


def short_or_null(where: Addresses, user: User | None) -> Json | None:
    return short(where, user) if user else None


def whole(where: Addresses, user: User) -> Json:
    return {
        **short(where, user),
        "created_at": stamp(user.created_at),
        **dict.fromkeys(NOTHING, ""),
        "bot": user.is_bot,
        "followers": 0,
        "following": 0,
    }


def current(where: Addresses, user: User) -> Json:
    return {
        **whole(where, user),
        "last_sign_in_at": None,
        "confirmed_at": stamp(user.created_at),
        "last_activity_on": None,
        "email": user.email,
        "theme_id": 1,
        "color_scheme_id": 1,
        "projects_limit": 0 if user.is_bot else 100000,
        "current_sign_in_at": None,
        "identities": [],
        "can_create_group": not user.is_bot,
        "can_create_project": not user.is_bot,
        "two_factor_enabled": False,
        "external": False,
        "private_profile": False,
        "commit_email": user.email,
    }


def member(where: Addresses, found: Membership) -> Json:
    return {
        **short(where, found.user),
        "access_level": found.level,
        "created_at": stamp(found.created_at),
        "expires_at": day_or_null(found.expires_on),
        "membership_state": "awaiting" if found.is_pending else "active",
    }


def group(where: Addresses, found: Group) -> Json:
    return {
        **group_short(where, found),
        "description": "",
        "visibility": "private" if found.is_private else "public",
        "parent_id": found.parent.id if found.parent else None,
        "created_at": stamp(found.gitlab.now),
        "avatar_url": None,
        "request_access_enabled": True,
        "lfs_enabled": True,
    }


def group_short(where: Addresses, found: Group) -> Json:
    return {
        "id": found.id,
        "name": found.path,
        "path": found.path,
        "full_name": found.full_path.replace("/", " / "),
        "full_path": found.full_path,
        "web_url": f"{where.web}/groups/{found.full_path}",
    }


def token(found: Token) -> Json:
    return {
        "id": found.id,
        "name": found.name,
        "description": "",
        "revoked": found.is_revoked,
        "created_at": stamp(found.created_at),
        "scopes": list(found.scopes),
        "user_id": found.user.id,
        "last_used_at": None,
        "active": found.is_active,
        "expires_at": day_or_null(found.expires_on),
    }
