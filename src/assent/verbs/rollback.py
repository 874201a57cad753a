"""`rollback`: go back to a version that the stage held before, as one recorded step."""

from __future__ import annotations

import msgspec

from assent.core.entry import Draft, Entry, Kind, recorded
from assent.core.verdict import Finding, Outcome, Verdict
from assent.errors import UsageError
from assent.judging.candidate import approval_records, binding_reviews, hear, subject
from assent.judging.override import may_go_on
from assent.making.bundles import find, require_durable
from assent.policy.approvals import approval_findings
from assent.policy.rules import ApprovalRule, Policy, StageRule
from assent.ports import View
from assent.recording import deployments
from assent.recording.appending import point_all, point_stage_again, read_ledger, record
from assent.recording.keys import Key, keyed
from assent.recording.outcome import Decided
from assent.recording.versions import record_of, version_number
from assent.verbs.promote import stage_rule
from assent.workspace import Workspace


def rollback(
    workspace: Workspace,
    model: str,
    stage: str,
    *,
    reason: str | None,
    to: str | None = None,
    environment: str | None = None,
) -> Decided:
    """Let `stage` hold the version `to` again (None: the one it held before the current one). The
    forge calls the stage `environment` (None: as the stage).

    Only a version that the stage has held, and that is not retired, can return. The reason is
    recorded; in CI, where a forge may let nobody type one, it is by whom and where the button was
    pressed. Every blob of the version is verified first.
    """
    policy = workspace.binding_policy(model)
    rule = stage_rule(policy, model, stage)
    reason = _reason(workspace, reason, f"rolling back {stage} of {model}")
    view = read_ledger(workspace, model)
    with keyed(workspace, model, "rollback", stage, to, reason) as key:
        if key.is_repeated:
            earlier = key.written(view)
            if earlier:
                return _again(workspace, view, earlier, environment or stage)
        return _rolled_back(workspace, view, policy, rule, stage, reason, to, environment, key)


def _again(
    workspace: Workspace, view: View, entries: tuple[Entry, ...], environment: str
) -> Decided:
    """What an earlier run that was cut off has written. Going back from there once more would be
    going back by two.
    """
    [entry] = entries
    workspace.require_trusted(f"rolling back {entry.stage} of {entry.model}")
    point_all(workspace, entry.model, entries)
    deployments.show(workspace, view, entry, environment)
    return Decided(
        model=entry.model,
        sentence=f"{_sentence(entry)} (an earlier run has recorded it)",
        verdict=Verdict(findings=()),
        version=entry.subject.version,
        bundle=entry.subject.bundle,
        stage=entry.stage,
        entries=entries,
    )


def _sentence(entry: Entry) -> str:
    return f"rolled {entry.stage} back to v{entry.subject.version} from v{entry.replaces}"


def _rolled_back(
    workspace: Workspace,
    view: View,
    policy: Policy,
    rule: StageRule,
    stage: str,
    reason: str,
    to: str | None,
    environment: str | None,
    key: Key,
) -> Decided:
    model = view.state.model
    target = _target(view, stage, to)
    candidate = find(workspace, view, model, f"v{target}")
    require_durable(workspace, candidate.bundle, f"rolling back {stage} of {model} to v{target}")
    verdicts: list[Verdict] = [Verdict(findings=())]
    environment = environment or stage
    press = workspace.forge.press(environment)
    standing: list[Entry] = []

    def decide(view: View) -> list[Draft]:
        held = view.state.stages.get(stage)
        standing.clear()
        if held is not None and held.version == target:
            standing.append(point_stage_again(workspace, view, stage))
            return []
        known = record_of(view, model, target)
        reviews = [
            *binding_reviews(workspace, view, model, candidate.bundle.digest),
            *deployments.reviews_of(workspace, press, candidate.bundle.digest),
        ]
        needed = _approval_rule(policy, rule)
        approvals = hear(workspace, view, needed, candidate, reviews=reviews, change=None)
        verdict = Verdict(
            findings=(
                _returns(stage, target, is_known=stage in known.stays),
                _not_retired(target, is_retired=known.retired),
                *approval_findings(approvals, rule_name=f"approvals for going back in {stage}"),
                *deployments.findings_of(press, environment),
            )
        )
        verdicts[:] = [verdict]
        if not may_go_on(workspace, view, policy, verdict, override=False, reason=reason):
            return []
        return [
            Draft(
                kind=Kind.ROLLED_BACK,
                at=workspace.now,
                model=model,
                subject=subject(candidate),
                stage=stage,
                replaces=None if held is None else held.version,
                actor=workspace.forge.whoami(),
                approvals=approval_records(approvals),
                verdict=recorded(
                    verdict, policy=policy.digest, evidence=candidate.bundle.evidence.digest
                ),
                run=workspace.run,
                reason=reason,
            )
        ]

    _, entries = record(workspace, model, decide, view=view, key=key)
    for entry in (*standing, *entries):
        deployments.show(workspace, view, entry, environment)
    sentence = f"{stage} was not rolled back"
    if entries:
        sentence = _sentence(entries[-1])
    elif standing:
        sentence = f"{stage} holds v{target} already"
    return Decided(
        model=model,
        sentence=sentence,
        verdict=verdicts[0],
        version=target,
        bundle=candidate.bundle.digest,
        stage=stage,
        entries=entries,
        clock=workspace.clock,
        was_so=bool(standing),
    )


def _reason(workspace: Workspace, given: str | None, doing: str) -> str:
    """The reason, or what the forge knows of the button: who, and the run that it is of."""
    if given is not None and given.strip():
        return given
    run = workspace.run
    if not workspace.is_in_forge_ci or run is None:
        require_reason(given or "", doing)
    assert run is not None  # else the reason was required
    where = run.address or f"run {run.id}"
    return f"no reason was given; {workspace.forge.whoami().login} pressed the button of {where}"


def require_reason(reason: str, doing: str) -> None:
    """Raise `UsageError` for a reason that says nothing."""
    if not reason.strip():
        raise UsageError(doing, "the reason is empty", hint="say why: it is kept for ever")


def _target(view: View, stage: str, to: str | None) -> int:
    doing = f"choosing where to go back to in {stage}"
    if to is not None:
        number = version_number(to)
        if number is None:
            raise UsageError(doing, f"{to!r} is no version", hint="write --to v11")
        return number
    held = view.state.stages.get(stage)
    if held is None or held.previous is None:
        before = "nothing" if held is None else f"nothing before v{held.version}"
        raise UsageError(
            doing, f"it held {before}", hint="name a version it has held with --to, or clear it"
        )
    return held.previous


def _approval_rule(policy: Policy, rule: StageRule) -> ApprovalRule:
    """The stage's approvers, as many of them as going back needs."""
    return msgspec.structs.replace(
        rule.approvals or policy.approvals, count=rule.rollback.approvals
    )


def _returns(stage: str, target: int, *, is_known: bool) -> Finding:
    return Finding(
        rule=f"{stage} has held v{target} before",
        outcome=Outcome.PASSED if is_known else Outcome.FAILED,
        reason="it has" if is_known else "it never has",
        remedy="" if is_known else f"use `assent promote {stage} v{target}`",
    )


def _not_retired(target: int, *, is_retired: bool) -> Finding:
    return Finding(
        rule="not retired",
        outcome=Outcome.FAILED if is_retired else Outcome.PASSED,
        reason=f"v{target} is retired" if is_retired else "it is not",
        remedy="go back to another version with --to" if is_retired else "",
    )
