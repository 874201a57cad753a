"""`register`: give the approved bytes of what was merged a version number."""

from __future__ import annotations

import msgspec

from assent.compare.bundles import Known
from assent.core.change import Change
from assent.core.digest import short
from assent.core.entry import Draft, Kind
from assent.core.verdict import Decision, Verdict
from assent.errors import AssentError, IdleError, PolicyError
from assent.making.inputs import say_changed
from assent.measure.files import covers
from assent.ports import View
from assent.verbs.bundles import find, remember, require_sound
from assent.verbs.judging import (
    approval_records,
    binding_reviews,
    judge,
    makers,
    registered_from,
    subject,
)
from assent.verbs.locks import locked_of
from assent.verbs.outcome import Decided
from assent.verbs.override import may_go_on, override_draft
from assent.verbs.recording import point_version_again, read_ledger, record
from assent.verbs.revisions import difference, foreign
from assent.verbs.workspace import Workspace
from assent.verbs.worktree import differing, forgotten, inputs_of

MOST_HASHED_BYTES = 64 << 20
"""How large the inputs may be together that are hashed to leave a hint for later runs."""


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
    newest = _newest_of_these_inputs(workspace, view, model, change) if name is None else None
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
    """The bundle to register, proven to be of what has landed: by Git, which the job that decides
    has, and never by data, which only the job that trained may have.
    """
    doing = f"registering {model}"
    branch = workspace.base_branch or "the base branch"
    if not change.landed:
        raise PolicyError(
            doing,
            f"{change.commit[:12]} is not part of {branch}",
            hint=f"merge the change first, then run `assent register` on {branch}",
        )
    candidate = find(workspace, view, model, name)
    digest = candidate.bundle.digest
    locked = locked_of(workspace, view, model, change)
    if locked is not None and locked.bundle != digest:
        raise PolicyError(
            doing,
            f"assent.lock of {change.commit[:12]} names {short(locked.bundle)} for these inputs, "
            f"not {short(digest)}",
            hint="register that one, or merge a change that takes the model out of assent.lock",
        )
    if locked is not None:
        return candidate
    problem = foreign(workspace, model, candidate.evidence, change.commit)
    if problem and not _is_of_working_tree(workspace, candidate, doing):
        raise PolicyError(
            doing,
            f"bundle {short(digest)} was made from other inputs than those of "
            f"{change.commit[:12]}: {problem}",
            hint="train the merged commit and have the result reviewed: `assent review`",
        )
    return candidate


def _is_of_working_tree(workspace: Workspace, candidate: Known, doing: str) -> bool:
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
    mine = [path for path in inputs.files if any(covers(one, f"{prefix}{path}") for one in changed)]
    if mine:
        raise PolicyError(
            doing,
            f"the inputs in the working tree are not those of the commit: {say_changed(mine)}",
            hint="commit or restore them: what is registered must be what was merged",
        )
    return True


def _is_of_inputs(workspace: Workspace, candidate: Known) -> bool:
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


def _known_already(model: str, candidate: Known, version: int) -> Decided:
    return Decided(
        model=model,
        sentence=f"{short(candidate.bundle.digest)} is v{version} already",
        verdict=Verdict(findings=()),
        version=version,
        bundle=candidate.bundle.digest,
        was_so=True,
    )


def _newest_of_these_inputs(
    workspace: Workspace, view: View, model: str, change: Change
) -> Known | None:
    """The newest version, if what was merged has the inputs that it was registered with."""
    line = next((line for line in view.state.newest if not line.retired), None)
    commit = None if line is None else registered_from(view, line.bundle)
    if line is None or commit is None:
        return None
    try:
        if difference(workspace, model, commit, change.commit):
            return None
    except AssentError:
        return None  # whatever it is, it is no proof
    newest = find(workspace, view, model, f"v{line.version}")
    read = newest.evidence.inputs
    return None if difference(workspace, model, commit, change.commit, read) else newest


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
