"""Merge requests, their versions, approvals and notes."""

from __future__ import annotations

from typing import Any

from tests.gitlab.accounts import User
from tests.gitlab.merge_requests import MergeRequest
from tests.gitlab.records import ApprovalRule, Note, Reviewer, Version
from tests.gitlab.shapes import commits, people, pipelines
from tests.gitlab.shapes.addresses import Addresses, stamp, stamp_or_null

Json = dict[str, Any]


def simple(where: Addresses, found: MergeRequest) -> Json:
    project, state = found.project, merge_state(found)
    detail = "mergeable" if state == "can_be_merged" else "conflict"
    if found.state != "opened":
        detail = "not_open"
    shown: Json = {
        "id": found.id,
        "iid": found.iid,
        "project_id": project.id,
        "title": found.title,
        "description": found.description,
        "state": found.state,
        "created_at": stamp(found.created_at),
        "updated_at": stamp(found.updated_at),
        "merged_by": people.short_or_null(where, found.merged_by),
        "merge_user": people.short_or_null(where, found.merged_by),
        "merged_at": stamp_or_null(found.merged_at),
        "closed_by": people.short_or_null(where, found.closed_by),
        "closed_at": stamp_or_null(found.closed_at),
        "target_branch": found.target_branch,
        "source_branch": found.source_branch,
        "user_notes_count": sum(not one.is_system for one in found.notes),
        "upvotes": 0,
        "downvotes": 0,
        "author": people.short(where, found.author),
        "assignees": [people.short(where, one) for one in found.assignees],
        "assignee": people.short(where, found.assignees[0]) if found.assignees else None,
        "reviewers": [people.short(where, one.user) for one in found.reviewers],
        "source_project_id": found.source_project_id if found.source_project else None,
        "target_project_id": project.id,
        "labels": [],
        "draft": found.is_draft,
        "imported": False,
        "imported_from": "none",
        "work_in_progress": found.is_draft,
        "milestone": None,
        "merge_when_pipeline_succeeds": False,
        "merge_status": state,
        "detailed_merge_status": detail,
        "merge_after": None,
        "sha": found.sha,
        "merge_commit_sha": found.merge_commit_sha,
        "squash_commit_sha": found.squash_commit_sha,
        "discussion_locked": None,
        "should_remove_source_branch": None,
        "force_remove_source_branch": True,
        "prepared_at": stamp(found.created_at),
        "reference": f"!{found.iid}",
        "references": {
            "short": f"!{found.iid}",
            "relative": f"!{found.iid}",
            "full": f"{project.full_name}!{found.iid}",
        },
        "web_url": page(where, found),
        "time_stats": {"time_estimate": 0, "total_time_spent": 0},
        "squash": found.is_squashed,
        "squash_on_merge": found.is_squashed,
        "task_completion_status": {"count": 0, "completed_count": 0},
        "has_conflicts": state == "cannot_be_merged",
        "blocking_discussions_resolved": True,
    }
    if found.source_project is not project:
        shown["allow_collaboration"] = shown["allow_maintainer_to_push"] = False
    if project.gitlab.tier != "free":
        shown["approvals_before_merge"] = None
    return shown


def merge_state(found: MergeRequest) -> str:
    return "cannot_be_merged" if found.has_conflicts else "can_be_merged"


def page(where: Addresses, found: MergeRequest) -> str:
    return where.page(found.project, f"/merge_requests/{found.iid}")


def whole(where: Addresses, found: MergeRequest, user: User | None) -> Json:
    """One merge request, as asking for it gives it."""
    newest = found.versions[-1]
    own = [one for one in found.project.pipelines if one.merge_request is found]
    pipeline = own[-1] if own and own[-1].sha == found.sha else None
    return {
        **simple(where, found),
        "subscribed": False,
        "changes_count": str(newest.file_count),
        "latest_build_started_at": None,
        "latest_build_finished_at": None,
        "first_deployed_to_production_at": None,
        "pipeline": pipelines.short(where, pipeline) if pipeline else None,
        "head_pipeline": pipelines.pipeline(where, pipeline) if pipeline else None,
        "diff_refs": {
            "base_sha": newest.base,
            "head_sha": newest.head,
            "start_sha": newest.start,
        },
        "merge_error": None,
        "first_contribution": False,
        "user": {"can_merge": found.can_merge(user)},
    }


def version(found: MergeRequest, one: Version) -> Json:
    return {
        "id": one.id,
        "head_commit_sha": one.head,
        "base_commit_sha": one.base,
        "start_commit_sha": one.start,
        "created_at": stamp(one.created_at),
        "merge_request_id": found.id,
        "state": "collected",
        "real_size": str(one.file_count),
        "patch_id_sha": one.patch_id or None,
    }


def version_detail(where: Addresses, found: MergeRequest, one: Version) -> Json:
    objects = found.project.objects
    made = reversed(objects.between(one.base, one.head))
    return {
        **version(found, one),
        "commits": [commits.commit(where, found.project, sha) for sha in made],
        "diffs": commits.diffs(found.project, one.base, one.head),
    }


def approvals(where: Addresses, found: MergeRequest, user: User | None) -> Json:
    """Who approved. Which commit they saw is not in it."""
    gitlab, given = found.project.gitlab, []
    for one in found.approvals:
        shown: Json = {"user": people.short(where, one.user)}
        if gitlab.tells_approved_at:
            shown["approved_at"] = stamp(one.created_at)
        given.append(shown)
    is_given = any(one.user is user for one in found.approvals)
    free: Json = {
        "user_has_approved": is_given,
        "user_can_approve": not is_given and found.project.level(user) >= 30,
        "approved": found.is_approved,
        "approved_by": given,
    }
    if gitlab.tier == "free":
        return free
    rules = found.project.approval_rules
    return {
        "id": found.id,
        "iid": found.iid,
        "project_id": found.project.id,
        "title": found.title,
        "description": found.description,
        "state": found.state,
        "created_at": stamp(found.created_at),
        "updated_at": stamp(found.updated_at),
        "merge_status": merge_state(found),
        **free,
        "approvals_required": sum(one.approvals_required for one in rules),
        "approvals_left": found.approvals_left,
        "require_password_to_approve": False,
        "require_saml_auth_to_approve": False,
        "suggested_approvers": [],
        "approvers": [],
        "approver_groups": [],
        "approval_rules_left": [],
        "has_approval_rules": bool(rules),
        "merge_request_approvers_available": True,
        "multiple_approval_rules_available": True,
        "invalid_approvers_rules": [
            {"id": one.id, "name": one.name, "rule_type": one.kind}
            for one in rules
            if one.kind == "regular" and not found.able(one.users, one.groups)
        ],
    }


def rule(where: Addresses, found: ApprovalRule) -> Json:
    users = [people.short(where, one) for one in found.users]
    return {
        "id": found.id,
        "name": found.name,
        "rule_type": found.kind,
        "report_type": None,
        "eligible_approvers": users,
        "approvals_required": found.approvals_required,
        "users": users,
        "groups": [people.group_short(where, one) for one in found.groups],
        "contains_hidden_groups": False,
    }


def project_rule(where: Addresses, found: ApprovalRule) -> Json:
    return {
        **rule(where, found),
        "protected_branches": [],
        "applies_to_all_protected_branches": False,
    }


def rule_state(where: Addresses, change: MergeRequest, found: ApprovalRule) -> Json:
    able = change.able(found.users, found.groups)
    is_any = found.kind == "any_approver"
    given = [one for one in change.approvals if is_any or one.user.id in able]
    is_invalid = not is_any and not able
    return {
        **rule(where, found),
        "source_rule": None,
        "section": None,
        "overridden": False,
        "code_owner": found.kind == "code_owner",
        "approved_by": [people.short(where, one.user) for one in given],
        "approved": is_invalid or len(given) >= found.approvals_required,
    }


def reviewer(where: Addresses, found: Reviewer) -> Json:
    return {
        "user": people.short(where, found.user),
        "state": found.state,
        "created_at": stamp(found.created_at),
    }


def note(where: Addresses, found: Note) -> Json:
    change = found.merge_request
    return {
        "id": found.id,
        "type": None,
        "body": found.body,
        "author": people.short(where, found.author),
        "created_at": stamp(found.created_at),
        "updated_at": stamp(found.updated_at),
        "system": found.is_system,
        "noteable_id": change.id,
        "noteable_type": "MergeRequest",
        "project_id": change.project.id,
        "resolvable": False,
        "confidential": found.is_internal,
        "internal": found.is_internal,
        "imported": False,
        "imported_from": "none",
        "noteable_iid": change.iid,
        "commands_changes": {},
    }
