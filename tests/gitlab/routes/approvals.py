"""Approvals of merge requests, and the rules for them (paid tiers)."""

from __future__ import annotations

from tests.gitlab.routing import Call, RefusedError, answers
from tests.gitlab.shapes import merge_requests
from tests.standin.listening import Answer


@answers("merge-requests/approvals", "reporter")
def given(call: Call) -> Answer:
    """On every tier; without rules on the free one."""
    return Answer(merge_requests.approvals(call.where, call.merge_request(), call.user))


@answers("merge-requests/approval-state", "reporter")
def state(call: Call) -> Answer:
    change = call.merge_request()
    rules = [] if call.is_free else call.project.approval_rules
    shown = [merge_requests.rule_state(call.where, change, one) for one in rules]
    return Answer({"approval_rules_overwritten": False, "rules": shown})


@answers("merge-requests/approve", "developer")
def approve(call: Call) -> Answer:
    change = call.merge_request()
    if call.body.get("sha", change.sha) != change.sha:
        raise RefusedError(409, "SHA does not match HEAD of source branch: " + change.sha)
    if any(one.user is call.user for one in change.approvals):
        raise RefusedError(401, "401 Unauthorized")
    change.approve(call.person)
    return Answer(merge_requests.approvals(call.where, change, call.user), 201)


@answers("merge-requests/unapprove", "developer")
def unapprove(call: Call) -> Answer:
    change = call.merge_request()
    if not any(one.user is call.user for one in change.approvals):
        raise RefusedError(404)
    change.unapprove(call.person)
    return Answer(merge_requests.approvals(call.where, change, call.user), 201)


@answers("approvals/settings", "developer")
def settings(call: Call) -> Answer:
    if call.is_free:
        raise RefusedError(403, "403 Forbidden")
    return Answer(
        {
            "approvers": [],
            "approver_groups": [],
            "approvals_before_merge": 0,
            **call.project.approval_settings,
        }
    )


@answers("approvals/rules", "developer")
def rules(call: Call) -> Answer:
    if call.is_free:
        raise RefusedError(403, "403 Forbidden")
    every = call.project.approval_rules
    return call.page(every, lambda one: merge_requests.project_rule(call.where, one))
