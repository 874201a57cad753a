"""Registering one bundle: whether it is of what has landed, and whether it gets a version."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from assent.compare.bundles import LoadedBundle
from assent.core.change import Change
from assent.core.digest import Digest, short
from assent.core.entry import Draft, Kind
from assent.core.verdict import Decision, Verdict
from assent.errors import AssentError, PolicyError
from assent.judging.candidate import Judgement, judge, subject
from assent.judging.kept_inspections import keep_inspection
from assent.judging.landing import Landed
from assent.judging.opinions import approval_records, binding_reviews, makers
from assent.judging.override import may_go_on, override_draft
from assent.judging.reverted import gone_back
from assent.making.bundles import remember, require_durable
from assent.making.changed_inputs import foreign
from assent.making.inputs import say_changed
from assent.making.locks import locked_of
from assent.making.worktree import differing, forgotten, inputs_of
from assent.measure.patterns import covers
from assent.policy.rules import Policy
from assent.ports import View
from assent.recording.appending import Intent, record
from assent.recording.outcome import Decided
from assent.recording.pointers import point_version_again
from assent.workspace import Workspace

MOST_HASHED_BYTES = 64 << 20
"""How large the inputs may be together that are hashed to leave a hint for later runs."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """How it is registered: by which rules, and whether somebody goes on against them."""

    policy: Policy
    override: bool
    reason: str | None

    @property
    def without_override(self) -> Order:
        """For what nobody can have meant: an override is for what is checked out."""
        return msgspec.structs.replace(self, override=False)


class Registering(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a bundle: the verdict on it, or what is `known` of one that has a version."""

    verdict: Verdict
    known: Decided | None = None


def register_bundle(step: Landed, candidate: LoadedBundle, view: View, order: Order) -> Decided:
    """Judge a bundle that is of a step, and give it a version if it passes."""
    workspace, model = step.workspace, step.model
    bundle = candidate.bundle
    require_durable(workspace, bundle, f"registering {short(bundle.digest)} of {model}")
    done = record(workspace, model, lambda view: _decide(step, candidate, view, order), view=view)
    known, entries = done.outcome.known, done.entries
    if (known or entries) and step.is_checked_out and _is_of_inputs(workspace, candidate):
        # The hints that a bundle of another job could not leave: it is of these inputs, which has
        # just been proven.
        remember(workspace.store, model, candidate.evidence, bundle.digest, step.commit)
    if known is not None:
        return known
    version = entries[-1].subject.version if entries else None
    return Decided(
        model=model,
        sentence=f"registered {short(bundle.digest)} as v{version}"
        if entries
        else f"{short(bundle.digest)} was not registered",
        verdict=done.outcome.verdict,
        version=version,
        bundle=bundle.digest,
        entries=entries,
    )


def _decide(step: Landed, candidate: LoadedBundle, view: View, order: Order) -> Intent[Registering]:
    """What is to be recorded of a bundle on the ledger as it stands: nothing if it has a version,
    or if it may not get one.
    """
    workspace, model, digest = step.workspace, step.model, candidate.bundle.digest
    before = view.record(digest)
    if before is not None and before.version is not None and before.registered is not None:
        point_version_again(workspace, view, before.version, before.registered)
        remark = _gone_back(workspace, view, model, before.version, step.change)
        known = known_already(model, digest, before.version, remark)
        return Intent(outcome=Registering(verdict=known.verdict, known=known))
    judgement = judge(
        workspace,
        view,
        order.policy,
        candidate,
        reviews=binding_reviews(workspace, view, model, digest),
        change=None,
        landed=step.change,
    )
    verdict, outcome = judgement.verdict, Registering(verdict=judgement.verdict)
    if not may_go_on(
        workspace, view, order.policy, verdict, override=order.override, reason=order.reason
    ):
        return Intent(outcome=outcome)
    draft = _draft(step, candidate, judgement, order, view.state.versions + 1)
    if verdict.decision is Decision.PASSED:
        return Intent(outcome=outcome, drafts=(draft,))
    about = subject(candidate)
    against = override_draft(workspace, model, about, None, judgement.record, order.reason)
    return Intent(outcome=outcome, drafts=(against, draft))


def _draft(
    step: Landed, candidate: LoadedBundle, judgement: Judgement, order: Order, version: int
) -> Draft:
    workspace = step.workspace
    return Draft(
        kind=Kind.REGISTERED,
        at=workspace.now,
        model=step.model,
        subject=msgspec.structs.replace(subject(candidate), version=version),
        actor=workspace.forge.whoami(),
        approvals=approval_records(judgement.approvals),
        authors=makers(workspace, candidate, step.change, judgement.inherited),
        verdict=judgement.record,
        run=workspace.run,
        commit=step.commit,
        reason=order.reason,
        inspection=keep_inspection(workspace, candidate),
        required=judgement.approvals.required,
    )


def foreign_to(step: Landed, view: View, candidate: LoadedBundle) -> str:
    """Why a bundle is not of what a step holds; empty if it is."""
    workspace, digest = step.workspace, candidate.bundle.digest
    locked = locked_of(workspace, view, step.model, step.change)
    if locked is not None:
        if locked.bundle == digest:
            return ""
        return f"assent.lock of {step.commit[:12]} names {short(locked.bundle)} for these inputs"
    problem = foreign(workspace, step.model, candidate.evidence, step.commit)
    if problem and step.is_checked_out:
        doing = f"registering {step.model}"
        return "" if _is_of_working_tree(workspace, candidate, doing) else problem
    return problem


def known_already(model: str, bundle: Digest, version: int, remark: str = "") -> Decided:
    """That a bundle has a version: nothing was to be done."""
    return Decided(
        model=model,
        sentence=f"{short(bundle)} is v{version} already{remark}",
        verdict=Verdict(findings=()),
        version=version,
        bundle=bundle,
        was_so=True,
    )


def _gone_back(workspace: Workspace, view: View, model: str, version: int, change: Change) -> str:
    """The remark that what has landed takes back what a later version was made from."""
    with suppress(AssentError):  # only a remark, which Git may know nothing for
        back = gone_back(workspace, view, model, change.commit, to=version)
        if back is not None:
            return f"; {back.said_of(workspace.base_branch or 'the base branch')}"
    return ""


def _is_of_working_tree(workspace: Workspace, candidate: LoadedBundle, doing: str) -> bool:
    """Whether a bundle that is of no commit has the inputs of the working tree, which then must be
    those of the commit. On somebody's own machine alone: what CI merges is committed.
    """
    if workspace.is_in_forge_ci:
        return False
    inputs = inputs_of(workspace, candidate.bundle.model)
    if candidate.evidence.inputs_digest != inputs.evaluate:
        return False
    root = workspace.repository.relative(workspace.root)
    prefix = "" if root == "." else f"{root}/"
    changed = {*differing(workspace.repository), *forgotten(workspace, inputs.files)}
    mine = [
        path for path in inputs.files if any(covers(name, f"{prefix}{path}") for name in changed)
    ]
    if mine:
        raise PolicyError(
            doing,
            f"the inputs in the working tree are not those of the commit: {say_changed(mine)}",
            hint="commit or restore them: what is registered must be what was merged",
        )
    return True


def _is_of_inputs(workspace: Workspace, candidate: LoadedBundle) -> bool:
    """Whether the inputs that the evidence names are those of the working tree. It was written by
    code of the change: that its tree was merged says nothing of the digests that it claims, and
    others would be given this model for inputs that it was not made from. What is not in Git is
    not looked for here.
    """
    evidence, repository = candidate.evidence, workspace.repository
    paths = [repository.relative(workspace.root / name) for name in evidence.inputs]
    if any(repository.id_of("HEAD", path) is None for path in paths):
        return False
    places = [workspace.root / name for name in evidence.inputs]
    if sum(place.stat().st_size for place in places if place.is_file()) > MOST_HASHED_BYTES:
        return False  # a hint is not worth reading all of it
    try:
        inputs = inputs_of(workspace, candidate.bundle.model)
    except AssentError:
        return False
    trained = inputs.train if evidence.train is None else evidence.train.inputs_digest
    return (evidence.inputs_digest, trained) == (inputs.evaluate, inputs.train)
