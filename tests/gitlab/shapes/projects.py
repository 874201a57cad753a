"""Projects, and what protects their branches."""

from __future__ import annotations

from typing import Any

from tests.gitlab.accounts import NAMES_OF_LEVELS, Group, User
from tests.gitlab.project import Machine, Project
from tests.gitlab.records import ProtectedBranch, Push
from tests.gitlab.shapes import people
from tests.gitlab.shapes.addresses import Addresses, stamp

Json = dict[str, Any]
MOST_NAMED = 3
"""How many branches one push may move, so that GitLab keeps an event of each by its name."""


def simple(where: Addresses, found: Project) -> Json:
    web = where.page(found)
    return {
        "id": found.id,
        "description": None,
        "name": found.path,
        "name_with_namespace": found.full_name.replace("/", " / "),
        "path": found.path,
        "path_with_namespace": found.full_name,
        "created_at": stamp(found.created_at),
        "default_branch": found.default_branch,
        "tag_list": [],
        "topics": [],
        "ssh_url_to_repo": f"git@gitlab.example.com:{found.full_name}.git",
        "http_url_to_repo": f"{web}.git",
        "web_url": web,
        "readme_url": f"{web}/-/blob/{found.default_branch}/README.md",
        "forks_count": 0,
        "avatar_url": None,
        "star_count": 0,
        "last_activity_at": stamp(found.gitlab.now),
        "visibility": found.visibility,
        "namespace": namespace(where, found.namespace),
    }


def namespace(where: Addresses, found: Group | User) -> Json:
    if isinstance(found, Group):
        path, kind, full_path = found.path, "group", found.full_path
        parent = found.parent.id if found.parent else None
        page = f"{where.web}/groups/{full_path}"
    else:
        path, kind, full_path, parent = found.username, "user", found.username, None
        page = where.user(found)
    return {
        "id": found.id,
        "name": path,
        "path": path,
        "kind": kind,
        "full_path": full_path,
        "parent_id": parent,
        "avatar_url": None,
        "web_url": page,
    }


def whole(where: Addresses, found: Project, user: User | None) -> Json:
    """One project, as asking for it gives it. What the asking person may is part of it."""
    own = found.members.get(user.id) if user else None
    above = found.above.all_members().get(user.id) if user and found.above else None
    api = where.project(found)
    shown = {
        **simple(where, found),
        "_links": {"self": api, "members": f"{api}/members"},
        "empty_repo": False,
        "archived": False,
        "merge_requests_enabled": True,
        "jobs_enabled": True,
        "merge_requests_access_level": "enabled",
        "builds_access_level": "enabled",
        "repository_access_level": "enabled",
        "environments_access_level": "enabled",
        "shared_runners_enabled": True,
        "creator_id": found.gitlab.ghost.id,
        "import_status": "none",
        "open_issues_count": 0,
        "ci_config_path": "",
        "ci_job_token_scope_enabled": False,
        "public_jobs": True,
        "ci_pipeline_variables_minimum_override_role": found.role_for_variables,
        "ci_push_repository_for_job_token_allowed": found.jobs_may_push,
        "protect_merge_request_pipelines": found.protects_merge_requests,
        "restrict_user_defined_variables": found.role_for_variables != "developer",
        "only_allow_merge_if_pipeline_succeeds": False,
        "only_allow_merge_if_all_discussions_are_resolved": False,
        "remove_source_branch_after_merge": True,
        "merge_method": found.merge_method,
        "squash_option": "default_off",
        "request_access_enabled": True,
        "permissions": {"project_access": _access(own), "group_access": _access(above)},
    }
    if found.parent:
        shown["forked_from_project"] = simple(where, found.parent)
    if isinstance(found.namespace, User):
        shown["owner"] = people.short(where, found.namespace)
    if found.gitlab.tier != "free":
        shown["approvals_before_merge"] = 0
    return shown


def _access(membership: Any) -> Json | None:
    return {"access_level": membership.level, "notification_level": 3} if membership else None


def protected_branch(found: ProtectedBranch, *, is_free: bool) -> Json:
    def level(number: int) -> Json:
        shown: Json = {
            "id": found.id,
            "access_level": number,
            "access_level_description": NAMES_OF_LEVELS[number],
        }
        paid: Json = {} if is_free else {"user_id": None, "group_id": None}
        return {**shown, **paid}

    shown = {
        "id": found.id,
        "name": found.name,
        "push_access_levels": [level(found.push_level)],
        "merge_access_levels": [level(found.merge_level)],
        "allow_force_push": found.allows_force_push,
        "code_owner_approval_required": found.needs_code_owner,
    }
    if not is_free:
        shown["unprotect_access_levels"] = []
        shown["inherited"] = False
    return shown


def variable(name: str, *, is_protected: bool, scope: str = "*") -> Json:
    return {
        "variable_type": "env_var",
        "key": name,
        "value": "not shown",
        "hidden": False,
        "protected": is_protected,
        "masked": True,
        "raw": False,
        "environment_scope": scope,
        "description": None,
    }


def event(where: Addresses, found: Project, push: Push) -> Json:
    """A push among what happened in a project."""
    is_new = push.before is None
    is_bulk = push.refs > MOST_NAMED
    return {
        "id": push.id,
        "project_id": found.id,
        "action_name": "pushed new" if is_new else "pushed to",
        **dict.fromkeys(("target_id", "target_iid", "target_type", "target_title")),
        "author_id": push.by.id,
        "created_at": stamp(push.at),
        "author": people.short(where, push.by),
        "imported": False,
        "imported_from": "none",
        "push_data": {
            "commit_count": 0 if is_bulk else 1,
            "action": "created" if is_new else "pushed",
            "ref_type": "branch",
            "commit_from": None if is_bulk else push.before,
            "commit_to": None if is_bulk else push.after,
            "ref": None if is_bulk else push.branch,
            "commit_title": None if is_bulk else "work",
            "ref_count": push.refs if is_bulk else None,
        },
        "author_username": push.by.username,
    }


def runner(found: Machine) -> Json:
    return {
        "id": found.id,
        "description": found.description,
        "ip_address": "127.0.0.1",
        "active": True,
        "paused": False,
        "is_shared": found.kind == "instance_type",
        "runner_type": found.kind,
        "name": "gitlab-runner",
        "online": True,
        "created_at": "2025-01-01T00:00:00.000Z",
        "status": "online",
    }


def runner_detail(found: Machine) -> Json:
    return {
        **runner(found),
        "tag_list": [],
        "run_untagged": True,
        "locked": False,
        "maximum_timeout": None,
        "access_level": "ref_protected" if found.is_protected else "not_protected",
        "contacted_at": None,
        "maintenance_note": None,
    }
