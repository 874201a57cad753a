"""`register`: give the approved bytes of what was merged a version number."""

from __future__ import annotations

import msgspec

from assent.compare.bundles import Known
from assent.core.change import Change
from assent.core.digest import short
from assent.core.entry import Draft, Kind
from assent.core.verdict import Decision, Verdict
from assent.errors import IdleError, PolicyError
from assent.ports import View
from assent.verbs.bundles import find, remember, require_sound
from assent.verbs.inputs import read_inputs
from assent.verbs.judging import approval_records, binding_reviews, judge, makers, subject
from assent.verbs.locks import current_lock
from assent.verbs.outcome import Decided
from assent.verbs.override import may_go_on, override_draft
from assent.verbs.recording import point_version_again, read_ledger, record
from assent.verbs.workspace import Workspace


def register(
    workspace: Workspace,
    model: str,
    *,
    name: str | None = None,
    override: bool = False,
    reason: str | None = None,
) -> Decided:
    """Register the bundle called `name`, or the one of the merged commit's inputs.

    It must come from what has landed on the base branch, verify in the store, and pass the policy
    of the base branch with the approvals that the ledger has recorded. The same bytes get one
    version only. What has the inputs of the newest version (a change of the docs) needs no other:
    that it was not approved is no refusal then. Raises `PolicyError` for a bundle that is not of
    the landed commit.
    """
    workspace.require_trusted(f"registering {model}")
    policy = workspace.binding_policy(model)
    change = workspace.change()
    view = read_ledger(workspace, model)
    try:
        candidate = _landed(workspace, view, model, name, change)
    except IdleError:
        if view.state.versions or name is not None:
            raise
        # The first push, with the configuration: there is no model yet that could be missing.
        sentence = f"nothing of {model} has been reviewed yet; nothing was registered"
        return Decided(model=model, sentence=sentence, verdict=Verdict(findings=()), was_so=True)
    bundle = candidate.bundle
    require_sound(workspace, bundle, f"registering {short(bundle.digest)} of {model}")
    verdicts: list[Verdict] = []
    known: list[Decided] = []

    def decide(view: View) -> list[Draft]:
        before = view.record(bundle.digest)
        if before is not None and before.version is not None and before.registered is not None:
            point_version_again(workspace, view, before.version, before.registered)
            known.append(_known_already(model, candidate, before.version))
            return []
        reviews = binding_reviews(workspace, view, model, bundle.digest)
        judgement = judge(workspace, view, policy, candidate, reviews=reviews, change=None)
        verdicts[:] = [judgement.verdict]
        if not may_go_on(workspace, policy, judgement.verdict, override=override, reason=reason):
            return []
        about = msgspec.structs.replace(subject(candidate), version=view.state.versions + 1)
        draft = Draft(
            kind=Kind.REGISTERED,
            at=workspace.now,
            model=model,
            subject=about,
            actor=workspace.forge.whoami(),
            approvals=approval_records(judgement.approvals),
            authors=makers(workspace, candidate, change),
            verdict=judgement.record,
            run=workspace.run,
            commit=change.commit,
            reason=reason,
        )
        if judgement.verdict.decision is Decision.PASSED:
            return [draft]
        unnumbered = subject(candidate)
        return [
            override_draft(workspace, model, unnumbered, None, judgement.record, reason),
            draft,
        ]

    _, entries = record(workspace, model, decide, view=view)
    if (known or entries) and _is_of_inputs(workspace, candidate):
        # The hints that a bundle of another job could not leave: it is of these inputs, which has
        # just been proven.
        remember(workspace.store, model, candidate.evidence, bundle.digest, change.commit)
    if known:
        return known[-1]
    newest = _newest_of_these_inputs(workspace, view, model) if name is None else None
    if newest is not None and not entries:
        return _nothing_new(model, candidate, newest)
    version = entries[-1].subject.version if entries else None
    return Decided(
        model=model,
        sentence=f"registered {short(bundle.digest)} as v{version}"
        if entries
        else f"{short(bundle.digest)} was not registered",
        verdict=verdicts[0],
        version=version,
        bundle=bundle.digest,
        entries=entries,
    )


def _landed(
    workspace: Workspace, view: View, model: str, name: str | None, change: Change
) -> Known:
    """The bundle to register, proven to be of what has landed."""
    doing = f"registering {model}"
    branch = workspace.base_branch or "the base branch"
    if not change.landed:
        raise PolicyError(
            doing,
            f"{change.commit[:12]} is not part of {branch}",
            hint=f"merge the change first, then run `assent register` on {branch}",
        )
    inputs = read_inputs(workspace.root, workspace.settings(model))
    root = workspace.repository.relative(workspace.root)
    prefix = "" if root == "." else f"{root}/"
    if workspace.repository.is_dirty([f"{prefix}{path}" for path in inputs.files]):
        raise PolicyError(
            doing,
            "the inputs in the working tree are not those of the commit",
            hint="commit or restore them: what is registered must be what was merged",
        )
    candidate = find(workspace, view, model, name)
    evidence = candidate.evidence
    locked = current_lock(workspace, model, inputs)
    if locked is not None and locked.bundle != candidate.bundle.digest:
        raise PolicyError(
            doing,
            f"assent.lock of {change.commit[:12]} names {short(locked.bundle)} for these inputs, "
            f"not {short(candidate.bundle.digest)}",
            hint="register that one, or merge a change that takes the model out of assent.lock",
        )
    if evidence.inputs_digest != inputs.evaluate and (
        evidence.code.is_dirty or evidence.code.tree != workspace.repository.tree(change.commit)
    ):
        raise PolicyError(
            doing,
            f"bundle {short(candidate.bundle.digest)} was made from other inputs than those of "
            f"{change.commit[:12]}",
            hint="train the merged commit and have the result reviewed: `assent review`",
        )
    return candidate


def _is_of_inputs(workspace: Workspace, candidate: Known) -> bool:
    """Whether the inputs that the evidence names are those of the working tree. It was written by
    code of the change: that its tree was merged says nothing of the digests that it claims, and
    others would be given this model for inputs that it was not made from.
    """
    inputs = read_inputs(workspace.root, workspace.settings(candidate.bundle.model))
    evidence = candidate.evidence
    trained = inputs.train if evidence.train is None else evidence.train.inputs_digest
    return (evidence.inputs_digest, trained) == (inputs.evaluate, inputs.train)


def _known_already(model: str, candidate: Known, version: int) -> Decided:
    return Decided(
        model=model,
        sentence=f"{short(candidate.bundle.digest)} is v{version} already",
        verdict=Verdict(findings=()),
        version=version,
        bundle=candidate.bundle.digest,
        was_so=True,
    )


def _newest_of_these_inputs(workspace: Workspace, view: View, model: str) -> Known | None:
    """The newest version, if what was merged has the inputs that it was made from."""
    line = next((line for line in view.state.newest if not line.retired), None)
    if line is None:
        return None
    newest = find(workspace, view, model, f"v{line.version}")
    inputs = read_inputs(workspace.root, workspace.settings(model))
    return newest if newest.evidence.inputs_digest == inputs.evaluate else None


def _nothing_new(model: str, candidate: Known, newest: Known) -> Decided:
    unregistered = short(candidate.bundle.digest)
    return Decided(
        model=model,
        sentence=f"the inputs are those of v{newest.version}; {unregistered} was not registered",
        verdict=Verdict(findings=()),
        version=newest.version,
        bundle=newest.bundle.digest,
        was_so=True,
    )
