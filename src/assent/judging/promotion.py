"""One judgement of a move: whether a stage may hold a version now, by promotion or by going back.

`promote` and `rollback` decide by it each time they read the ledger, `explain` asks it what would
be. So what is explained is what will be decided.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from assent.compare.bundles import LoadedBundle
from assent.core.approval import Approvals
from assent.core.change import Review
from assent.core.entry import Draft, Entry, Kind, VerdictRecord, recorded
from assent.core.nearest import meant
from assent.core.registry import Record
from assent.core.verdict import Decision, Finding, Outcome, Verdict
from assent.errors import UsageError
from assent.judging.candidate import subject
from assent.judging.opinions import approval_records, binding_reviews, count_approvals
from assent.judging.override import may_go_on, override_draft
from assent.policy.approvals import approval_findings
from assent.policy.rules import ApprovalRule, Policy, StageRule
from assent.policy.stages import entries_wanted, judge_entry
from assent.ports import DeploymentRequest, View
from assent.recording import deployments
from assent.recording.appending import Intent
from assent.recording.pointers import point_stage_again
from assent.recording.reading import read_entries
from assent.recording.versions import record_of, version_number
from assent.workspace import Workspace


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A version that `stage` is to hold, under the rules that bind. `request` is the forge's button
    and `environment` the stage's name there; None where nobody has pressed one. `is_named`: whoever
    pressed it named this version. `is_back`: it is one that the stage has held before.
    """

    stage: str
    policy: Policy
    rule: StageRule
    candidate: LoadedBundle
    request: DeploymentRequest | None = None
    environment: str = ""
    is_named: bool = True
    is_back: bool = False

    @property
    def model(self) -> str:
        """Whose version it is."""
        return self.candidate.bundle.model

    @property
    def version(self) -> int:
        """The number of the version; 0 for a bundle that has none, which no stage may hold."""
        return self.candidate.version or 0

    @property
    def approvers(self) -> ApprovalRule:
        """Whose approvals the move needs: those of the stage, as many as going back needs."""
        needed = self.rule.approvals or self.policy.approvals
        if not self.is_back:
            return needed
        return msgspec.structs.replace(needed, count=self.rule.rollback.approvals)


class MoveJudgement(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a move, and who was heard."""

    verdict: Verdict
    approvals: Approvals


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a move: the verdict on it, or the entry since which it `stands` so already."""

    verdict: Verdict
    stands: Entry | None = None


def stage_rule(policy: Policy, model: str, stage: str) -> StageRule:
    """The rule of a stage. Raises `UsageError` if the policy has no such stage."""
    if stage not in policy.stages:
        doing = f"looking for the stage {stage!r} of {model}"
        if version_number(stage) is not None:
            hint = "the stage comes first, then the version: `assent promote production v12`"
            raise UsageError(doing, "it looks like a version", hint=hint)
        names = ", ".join(policy.stages) or "none"
        raise UsageError(
            doing,
            "the base branch's assent.yaml has no such stage",
            hint=f"it has: {names}{meant(stage, policy.stages)}",
        )
    return policy.stages[stage]


def judge_move(
    workspace: Workspace, view: View, move: Move, *, supposed: Sequence[Review] = ()
) -> MoveJudgement:
    """Judge a move on the ledger as it stands, as if the reviews `supposed` had been given, too.
    The approvals are those that the ledger has, and of whoever let the button's run through.
    """
    bundle, request = move.candidate.bundle.digest, move.request
    known = record_of(view, move.model, move.version)
    reviews = [*binding_reviews(workspace, view, move.model, bundle), *supposed]
    if request is not None:
        reviews += deployments.reviews_of(workspace, request, bundle, is_named=move.is_named)
    approvals = count_approvals(
        workspace, view, move.approvers, move.candidate, reviews=reviews, change=None
    )
    going = "going back in " if move.is_back else ""
    findings = [
        *(_back(move, known) if move.is_back else _forward(workspace, view, move, known)),
        *approval_findings(approvals, rule_name=f"approvals for {going}{move.stage}"),
        *([] if request is None else deployments.findings_of(request, move.environment)),
    ]
    return MoveJudgement(verdict=Verdict(findings=tuple(findings)), approvals=approvals)


def decide_move(
    workspace: Workspace, view: View, move: Move, *, override: bool = False, reason: str | None
) -> Intent[Moved]:
    """What is to be recorded of a move on the ledger as it stands: nothing if the stage holds the
    version already, or if the move may not be made.
    """
    held = view.state.stages.get(move.stage)
    if held is not None and held.version == move.version:
        stands = point_stage_again(workspace, view, move.stage)
        return Intent(outcome=Moved(verdict=Verdict(findings=()), stands=stands))
    judged = judge_move(workspace, view, move)
    verdict, outcome = judged.verdict, Moved(verdict=judged.verdict)
    if not may_go_on(workspace, view, move.policy, verdict, override=override, reason=reason):
        return Intent(outcome=outcome)
    evidence = move.candidate.bundle.evidence.digest
    record = recorded(verdict, policy=move.policy.digest, evidence=evidence)
    replaces = None if held is None else held.version
    draft = _draft(workspace, move, judged.approvals, record, replaces, reason)
    if verdict.decision is Decision.PASSED:
        return Intent(outcome=outcome, drafts=(draft,))
    about = subject(move.candidate)
    against = override_draft(workspace, move.model, about, move.stage, record, reason)
    return Intent(outcome=outcome, drafts=(against, draft))


def show_move(
    workspace: Workspace, view: View, move: Move, moved: Moved, entries: Sequence[Entry]
) -> None:
    """Show on the forge what the stage holds now, if the move was made or stands already."""
    for entry in (*((moved.stands,) if moved.stands is not None else ()), *entries):
        deployments.show(workspace, view, entry, move.environment)


def _draft(
    workspace: Workspace,
    move: Move,
    approvals: Approvals,
    record: VerdictRecord,
    replaces: int | None,
    reason: str | None,
) -> Draft:
    return Draft(
        kind=Kind.ROLLED_BACK if move.is_back else Kind.PROMOTED,
        at=workspace.now,
        model=move.model,
        subject=subject(move.candidate),
        stage=move.stage,
        replaces=replaces,
        actor=workspace.forge.whoami(),
        approvals=approval_records(approvals),
        verdict=record,
        run=workspace.run,
        commit=None if move.is_back else move.candidate.evidence.code.commit,
        reason=reason,
        required=approvals.required,
    )


def _forward(workspace: Workspace, view: View, move: Move, known: Record) -> list[Finding]:
    """Whether the version may enter the stage now."""
    start = entries_wanted(move.rule, known, view.state, now=workspace.now)
    entries = () if start is None else read_entries(view, start)
    return judge_entry(
        move.rule,
        move.stage,
        known,
        view.state,
        run=workspace.run,
        clock=workspace.clock,
        entries=entries,
    )


def _back(move: Move, known: Record) -> list[Finding]:
    """Whether the stage may hold the version again."""
    stage, target = move.stage, move.version
    has_held = stage in known.stays
    returns = Finding(
        rule=f"{stage} has held v{target} before",
        outcome=Outcome.PASSED if has_held else Outcome.FAILED,
        reason="it has" if has_held else "it never has",
        remedy="" if has_held else f"use `assent promote {stage} v{target}`",
    )
    not_retired = Finding(
        rule="not retired",
        outcome=Outcome.FAILED if known.retired else Outcome.PASSED,
        reason=f"v{target} is retired" if known.retired else "it is not",
        remedy="go back to another version with --to" if known.retired else "",
    )
    return [returns, not_retired]
