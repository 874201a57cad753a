"""The override: going on against the policy, by somebody who may, with a reason that stays."""

from __future__ import annotations

from assent.core.entry import Draft, Kind, Subject, VerdictRecord
from assent.core.verdict import Decision, Verdict
from assent.errors import PolicyError, UsageError
from assent.judging.roles import role_of
from assent.policy.rules import Policy
from assent.ports import View
from assent.workspace import Workspace


def may_go_on(
    workspace: Workspace,
    view: View,
    policy: Policy,
    verdict: Verdict,
    *,
    override: bool,
    reason: str | None,
) -> bool:
    """Whether to write although or because of `verdict`. Raises `UsageError` for an override
    without a reason and `PolicyError` for one by somebody who may not.
    """
    if override and not (reason or "").strip():
        raise UsageError(
            "overriding the policy", "no reason is given", hint="add --reason: it is kept for ever"
        )
    if verdict.decision is Decision.PASSED:
        return True
    if not override:
        return False
    person = workspace.forge.whoami()
    if policy.override is None:
        raise PolicyError(
            "overriding the policy",
            "the policy of the base branch names nobody who may",
            hint="add `override: {from: [...]}` there; changing it is reviewed like any change",
        )
    role = role_of(workspace.forge, view.state.pins, person, policy.override.from_)
    if role.entry is None:
        problem = role.refused or f"{person.login} is none of {', '.join(policy.override.from_)}"
        raise PolicyError("overriding the policy", problem)
    return True


def override_draft(
    workspace: Workspace,
    model: str,
    about: Subject,
    stage: str | None,
    record: VerdictRecord,
    reason: str | None,
) -> Draft:
    """The entry that says who overrode which findings, and why."""
    return Draft(
        kind=Kind.OVERRIDDEN,
        at=workspace.now,
        model=model,
        subject=about,
        stage=stage,
        actor=workspace.forge.whoami(),
        verdict=record,
        run=workspace.run,
        reason=reason,
    )
