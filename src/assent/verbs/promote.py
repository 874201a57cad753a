"""`promote`: let a stage hold a version. The bytes stay where they are; a pointer moves."""

from __future__ import annotations

from assent.compare.bundles import Known
from assent.core.approval import Approvals
from assent.core.entry import Draft, Entry, Kind, recorded
from assent.core.registry import Record
from assent.core.verdict import Decision, Finding, Verdict
from assent.errors import AssentError, UsageError
from assent.judging.candidate import approval_records, binding_reviews, hear, subject
from assent.judging.override import may_go_on, override_draft
from assent.judging.reverted import Back, gone_back
from assent.making.bundles import find, require_durable
from assent.policy.approvals import approval_findings
from assent.policy.rules import Policy, StageRule
from assent.policy.stages import entries_wanted, judge_entry
from assent.ports import Press, View
from assent.recording import deployments
from assent.recording.appending import point_stage_again, read_entries, read_ledger, record
from assent.recording.outcome import Decided
from assent.recording.versions import record_of, version_number
from assent.workspace import Workspace


def promote(
    workspace: Workspace,
    model: str,
    stage: str,
    *,
    version: str | None = None,
    override: bool = False,
    reason: str | None = None,
    environment: str | None = None,
) -> Decided:
    """Promote `version` (None: the newest) to `stage`, which the forge calls `environment` (None:
    as the stage). Where the base branch is back at the inputs of an older version, that one is
    meant by None.

    The stage's rules and approvals are those of the base branch, every approver's role is read
    again, and every blob of the version is verified first. Whoever let this run into the
    environment has approved the promotion, if it names the version. Never moves a stage back.
    """
    policy = workspace.binding_policy(model)
    rule = stage_rule(policy, model, stage)
    view = read_ledger(workspace, model)
    number = chosen_version(view, version)
    back = _gone_back(workspace, view, model, number, is_named=version is not None)
    if back is not None and version is None:
        number = back.version
    candidate = find(workspace, view, model, f"v{number}")
    name = f"v{number} of {model}"
    require_durable(workspace, candidate.bundle, f"promoting {name} to {stage}")
    environment = environment or stage
    press = workspace.forge.press(environment)
    is_named = version is not None and version_number(version) is not None
    verdicts: list[Verdict] = []
    standing: list[Entry] = []

    def decide(view: View) -> list[Draft]:
        held = view.state.stages.get(stage)
        standing.clear()
        if held is not None and held.version == number:
            verdicts[:] = [Verdict(findings=())]
            standing.append(point_stage_again(workspace, view, stage))
            return []
        verdict, approvals = _judge(
            workspace, view, policy, rule, stage, candidate, press, environment, is_named
        )
        verdicts[:] = [verdict]
        if not may_go_on(workspace, view, policy, verdict, override=override, reason=reason):
            return []
        short_form = recorded(
            verdict, policy=policy.digest, evidence=candidate.bundle.evidence.digest
        )
        draft = Draft(
            kind=Kind.PROMOTED,
            at=workspace.now,
            model=model,
            subject=subject(candidate),
            stage=stage,
            replaces=None if held is None else held.version,
            actor=workspace.forge.whoami(),
            approvals=approval_records(approvals),
            verdict=short_form,
            run=workspace.run,
            commit=candidate.evidence.code.commit,
            reason=reason,
        )
        if verdict.decision is Decision.PASSED:
            return [draft]
        about = subject(candidate)
        return [override_draft(workspace, model, about, stage, short_form, reason), draft]

    _, entries = record(workspace, model, decide, view=view)
    for entry in (*standing, *entries):
        deployments.show(workspace, view, entry, environment)
    sentence = f"v{number} was not promoted to {stage}"
    if entries:
        replaced = entries[-1].replaces
        instead = "" if replaced is None else f", which held v{replaced}"
        sentence = f"promoted v{number} to {stage}{instead}"
    elif standing:
        sentence = f"{stage} holds v{number} already"
    return Decided(
        model=model,
        sentence=sentence if back is None else f"{sentence}; {_said(workspace, back, number)}",
        verdict=verdicts[0],
        version=number,
        bundle=candidate.bundle.digest,
        stage=stage,
        entries=entries,
        was_so=bool(standing),
        clock=workspace.clock,
    )


def stage_rule(policy: Policy, model: str, stage: str) -> StageRule:
    """The rule of a stage. Raises `UsageError` if the policy has no such stage."""
    if stage not in policy.stages:
        doing = f"looking for the stage {stage!r} of {model}"
        if version_number(stage) is not None:
            hint = "the stage comes first, then the version: `assent promote production v12`"
            raise UsageError(doing, "it looks like a version", hint=hint)
        names = ", ".join(policy.stages) or "none"
        raise UsageError(
            doing, "the base branch's assent.yaml has no such stage", hint=f"it has: {names}"
        )
    return policy.stages[stage]


def chosen_version(view: View, version: str | None) -> int:
    """The number of the version that is meant; None is the newest that is not retired."""
    doing = f"choosing the version of {view.state.model}"
    if version is None:
        if view.state.latest is None:
            raise UsageError(doing, "none is registered", hint="run `assent register` first")
        return view.state.latest.version
    number = version_number(version)
    if number is None and version in view.state.stages:
        number = view.state.stages[version].version
    if number is None:
        raise UsageError(doing, f"{version!r} is no version", hint="write v12, or a stage")
    record_of(view, view.state.model, number)
    return number


def stage_findings(
    workspace: Workspace, view: View, rule: StageRule, stage: str, known: Record
) -> list[Finding]:
    """Whether the version of `known` may enter a stage now."""
    start = entries_wanted(rule, known, view.state, now=workspace.now)
    entries = () if start is None else read_entries(view, start)
    return judge_entry(
        rule,
        stage,
        known,
        view.state,
        run=workspace.run,
        clock=workspace.clock,
        entries=entries,
    )


def _gone_back(
    workspace: Workspace, view: View, model: str, number: int, *, is_named: bool
) -> Back | None:
    """Whether the base branch is back at the inputs of an older version than the chosen one. Where
    Git cannot tell, that is said unless somebody named the version, and the choice stands.
    """
    if workspace.base is None:
        return None
    try:
        back = gone_back(workspace, view, model, workspace.base)
    except AssentError as error:
        branch = workspace.base_branch or "the base branch"
        if not is_named:
            workspace.say(
                f"promoting {model}: it is not known whether {branch} still has the inputs of the "
                f"newest version: {error.problem}"
            )
        return None
    return back if back is not None and number > back.version else None


def _said(workspace: Workspace, back: Back, number: int) -> str:
    said = back.said_of(workspace.base_branch or "the base branch")
    return said if number > back.version else f"{said} (name it to promote it all the same)"


def _judge(
    workspace: Workspace,
    view: View,
    policy: Policy,
    rule: StageRule,
    stage: str,
    candidate: Known,
    press: Press,
    environment: str,
    is_named: bool,
) -> tuple[Verdict, Approvals]:
    bundle = candidate.bundle
    model = bundle.model
    known = record_of(view, model, candidate.version or 0)
    reviews = [
        *binding_reviews(workspace, view, model, bundle.digest),
        *deployments.reviews_of(workspace, press, bundle.digest, is_named=is_named),
    ]
    approvals = hear(
        workspace, view, rule.approvals or policy.approvals, candidate, reviews=reviews, change=None
    )
    findings = [
        *stage_findings(workspace, view, rule, stage, known),
        *approval_findings(approvals, rule_name=f"approvals for {stage}"),
        *deployments.findings_of(press, environment),
    ]
    return Verdict(findings=tuple(findings)), approvals
