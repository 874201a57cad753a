"""`register`: give the approved bytes of what has landed a version number."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from assent.compare.bundles import LoadedBundle
from assent.core.change import Change
from assent.core.digest import Digest, short
from assent.core.entry import Draft, Kind
from assent.core.registry import VersionLine
from assent.core.verdict import Decision, Finding, Outcome, Verdict
from assent.errors import AssentError, ExitCode, IdleError, OutsideError, PolicyError
from assent.judging.candidate import judge, subject
from assent.judging.landing import Landed, all_steps, has_another, require_landed, steps
from assent.judging.opinions import approval_records, binding_reviews, makers
from assent.judging.override import may_go_on, override_draft
from assent.judging.reverted import gone_back
from assent.making.bundle_lookup import find
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
from assent.recording.reading import read_ledger
from assent.recording.versions import registered_from
from assent.workspace import Workspace

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
    """Register the bundle called `name`, or that of every change that has landed since the newest
    version was registered, in the order in which they have.

    A bundle must be of what has landed on the base branch, verify in the store, and pass the policy
    of the base branch with the approvals that the ledger has recorded. The same bytes get one
    version only. A change that leaves the inputs alone (of the docs) needs none: that nothing of it
    was approved is no refusal then. What a later change has replaced is not registered any more,
    unless it is named. Raises `PolicyError` for a bundle that is not of what has landed.
    """
    doing = f"registering {model}"
    workspace.require_trusted(doing)
    policy = workspace.binding_policy(model)
    change = require_landed(workspace, doing)
    view = read_ledger(workspace, model)
    order = _Order(policy=policy, override=override, reason=reason)
    if name is None:
        return _all_landed(workspace, view, model, order)
    candidate = find(workspace, view, model, name)
    return _registered(_place_of(workspace, view, model, candidate, change), candidate, view, order)


class _Order(msgspec.Struct, frozen=True, kw_only=True):
    """How it is registered: by which rules, and whether somebody goes on against them."""

    policy: Policy
    override: bool
    reason: str | None

    @property
    def without_override(self) -> _Order:
        """For what nobody can have meant: an override is for what is checked out."""
        return msgspec.structs.replace(self, override=False)


class _Registering(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a bundle: the verdict on it, or what is `known` of one that has a version."""

    verdict: Verdict
    known: Decided | None = None


def _all_landed(workspace: Workspace, view: View, model: str, order: _Order) -> Decided:
    """Look at each change that has landed, and say what became of all of them. What is wrong with
    one keeps no later one from its version.
    """
    done: list[Decided] = []
    failed: AssentError | None = None
    for step in steps(workspace, view, model):
        try:
            one = _decided(step, view, order if step.is_checked_out else order.without_override)
        except AssentError as error:
            if isinstance(error, OutsideError) and not isinstance(error, IdleError):
                raise  # another attempt may well find what this one has not
            if step.is_new:
                failed = error
            continue
        if one is None:
            continue
        if one.entries:
            view = read_ledger(workspace, model)
        if one.entries or one.version is not None:
            done = [_replaced(earlier, one) for earlier in done]
            failed = None
        done.append(one)
    if failed is not None:
        for one in done:
            workspace.say(f"{model}: {one.sentence}")
        raise failed
    if not done:
        # The first push, with the configuration: there is no model yet that could be missing.
        sentence = f"nothing of {model} has been reviewed yet; nothing was registered"
        return Decided(model=model, sentence=sentence, verdict=Verdict(findings=()), was_so=True)
    return _together(done)


def _together(done: list[Decided]) -> Decided:
    """One result of several: the worst, of those that are alike the last one; the others in it."""
    wrong = [one for one in done if one.exit_code is not ExitCode.DONE]
    written = [one for one in done if one.entries]
    blocked = [one for one in wrong if one.exit_code is ExitCode.BLOCKED]
    chosen = (blocked or wrong or written or done)[-1]
    # That a later change has the version, too, which an earlier one was given now is no news.
    new = {one.version for one in written}
    others = tuple(
        one for one in done if one is not chosen and (one.entries or one.version not in new)
    )
    return msgspec.structs.replace(chosen, others=others)


def _replaced(earlier: Decided, later: Decided) -> Decided:
    """What a later change has replaced is not in the way of anything."""
    if earlier.entries or earlier.was_so:
        return earlier
    sentence = f"{earlier.sentence}; v{later.version} is of a later change"
    return msgspec.structs.replace(earlier, sentence=sentence, was_so=True)


def _decided(step: Landed, view: View, order: _Order) -> Decided | None:
    """What becomes of one change that has landed; None where there is nothing to say of it."""
    model, workspace = step.model, step.workspace
    known = _version_of(step, view)
    if known is not None and not step.is_checked_out:
        return _known_already(workspace, view, model, known)
    is_of_version = step.is_of_version(view)
    if is_of_version and not step.is_new and not has_another(workspace, view, model):
        return None  # nobody is asked about each change of the docs that ever was
    digest = step.bundle(view)
    if digest is None and step.is_checked_out and not workspace.is_in_forge_ci:
        _require_known(workspace, view, model)
    if digest is None:
        return _nothing_of(step, view, is_of_version=is_of_version)
    candidate = find(workspace, view, model, digest)
    problem = _foreign(step, view, candidate)
    if problem and (is_of_version or not step.changed):
        return _left_alone(step, view, candidate, is_of_version=is_of_version)
    if problem:
        return _not_landed(step, candidate, problem)
    decided = _registered(step, candidate, view, order)
    if decided.entries or decided.was_so:
        return decided
    if is_of_version or (workspace.is_in_forge_ci and not step.changed):
        return _left_alone(step, view, candidate, is_of_version=is_of_version)
    return decided if step.is_new else msgspec.structs.replace(decided, was_so=True)


def _require_known(workspace: Workspace, view: View, model: str) -> None:
    """Say what to do where a person is, who has asked for what is checked out."""
    try:
        find(workspace, view, model, None)
    except IdleError:
        if view.state.versions:
            raise


def _version_of(step: Landed, view: View) -> VersionLine | None:
    """The newest version that was registered from this very commit."""
    lines = view.state.newest
    return next((one for one in lines if registered_from(view, one.bundle) == step.commit), None)


def _place_of(
    workspace: Workspace, view: View, model: str, candidate: LoadedBundle, change: Change
) -> Landed:
    """The step of the base branch that a bundle is of, by Git, which the job that decides has, and
    never by data, which only the job that trained may have. Raises `PolicyError` if it is of none.
    """
    doing = f"registering {model}"
    digest = candidate.bundle.digest
    refused = ""
    for step in all_steps(workspace, model):
        problem = _foreign(step, view, candidate)
        if not problem:
            return step
        refused = refused or problem
    raise PolicyError(
        doing,
        f"bundle {short(digest)} was made from other inputs than those of "
        f"{change.commit[:12]}: {refused}",
        hint="train the merged commit and have the result reviewed: `assent review`",
    )


def _foreign(step: Landed, view: View, candidate: LoadedBundle) -> str:
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


def _registered(step: Landed, candidate: LoadedBundle, view: View, order: _Order) -> Decided:
    """Judge a bundle that is of a step, and give it a version if it passes."""
    workspace, model, change = step.workspace, step.model, step.change
    bundle, policy = candidate.bundle, order.policy
    require_durable(workspace, bundle, f"registering {short(bundle.digest)} of {model}")

    def decide(view: View) -> Intent[_Registering]:
        before = view.record(bundle.digest)
        if before is not None and before.version is not None and before.registered is not None:
            point_version_again(workspace, view, before.version, before.registered)
            remark = _gone_back(workspace, view, model, before.version, change)
            known = _known(model, bundle.digest, before.version, remark)
            return Intent(outcome=_Registering(verdict=known.verdict, known=known))
        reviews = binding_reviews(workspace, view, model, bundle.digest)
        judgement = judge(
            workspace, view, policy, candidate, reviews=reviews, change=None, landed=change
        )
        verdict = judgement.verdict
        outcome = _Registering(verdict=verdict)
        if not may_go_on(
            workspace, view, policy, verdict, override=order.override, reason=order.reason
        ):
            return Intent(outcome=outcome)
        about = msgspec.structs.replace(subject(candidate), version=view.state.versions + 1)
        draft = Draft(
            kind=Kind.REGISTERED,
            at=workspace.now,
            model=model,
            subject=about,
            actor=workspace.forge.whoami(),
            approvals=approval_records(judgement.approvals),
            authors=makers(workspace, candidate, change, judgement.inherited),
            verdict=judgement.record,
            run=workspace.run,
            commit=step.commit,
            reason=order.reason,
        )
        if verdict.decision is Decision.PASSED:
            return Intent(outcome=outcome, drafts=(draft,))
        unnumbered = subject(candidate)
        against = override_draft(workspace, model, unnumbered, None, judgement.record, order.reason)
        return Intent(outcome=outcome, drafts=(against, draft))

    done = record(workspace, model, decide, view=view)
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
    mine = [path for path in inputs.files if any(covers(one, f"{prefix}{path}") for one in changed)]
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


def _known_already(workspace: Workspace, view: View, model: str, line: VersionLine) -> Decided:
    """What is registered stays so; an earlier run may have been killed before its pointer."""
    record = view.record(line.bundle)
    if record is not None and record.registered is not None:
        point_version_again(workspace, view, line.version, record.registered)
    return _known(model, line.bundle, line.version)


def _gone_back(workspace: Workspace, view: View, model: str, version: int, change: Change) -> str:
    """The remark that what has landed takes back what a later version was made from."""
    with suppress(AssentError):  # only a remark, which Git may know nothing for
        back = gone_back(workspace, view, model, change.commit, to=version)
        if back is not None:
            return f"; {back.said_of(workspace.base_branch or 'the base branch')}"
    return ""


def _known(model: str, bundle: Digest, version: int, remark: str = "") -> Decided:
    return Decided(
        model=model,
        sentence=f"{short(bundle)} is v{version} already{remark}",
        verdict=Verdict(findings=()),
        version=version,
        bundle=bundle,
        was_so=True,
    )


def _left_alone(
    step: Landed, view: View, candidate: LoadedBundle | None, *, is_of_version: bool
) -> Decided:
    """A change that leaves alone what the model is made from: nothing of it must be registered."""
    line = view.state.latest
    if is_of_version and line is not None:
        said = f"the inputs are those of v{line.version}"
        if candidate is not None:
            said = f"{said}; {short(candidate.bundle.digest)} was not registered"
        return msgspec.structs.replace(_known(step.model, line.bundle, line.version), sentence=said)
    return Decided(
        model=step.model,
        sentence=f"{_named(step)} changes nothing that {step.model} is made from; nothing was "
        "registered",
        verdict=Verdict(findings=()),
        was_so=True,
    )


def _nothing_of(step: Landed, view: View, *, is_of_version: bool) -> Decided | None:
    """What to say of a change of which nobody was shown a bundle."""
    if not view.state.versions:
        return None
    if is_of_version or not step.changed:
        return _left_alone(step, view, None, is_of_version=is_of_version)
    finding = Finding(
        rule="what has landed was reviewed",
        outcome=Outcome.WAITING,
        reason=f"no bundle was shown on {_named(step)}, and {step.changed}",
        evidence=f"it landed as {step.commit[:12]}",
        remedy=_HOW,
    )
    return Decided(
        model=step.model,
        sentence=f"nothing of {_named(step)} was registered",
        verdict=Verdict(findings=(finding,)),
        was_so=not step.is_new,
    )


def _not_landed(step: Landed, candidate: LoadedBundle, problem: str) -> Decided:
    """What was reviewed is not what has landed: others have changed the inputs before it, or in the
    merge. Whose approvals they are have never seen what both changes give together.
    """
    finding = Finding(
        rule="the bundle is of what has landed",
        outcome=Outcome.FAILED,
        reason=f"it was made from other inputs than those of {step.commit[:12]}: {problem}",
        evidence=f"{_named(step)} landed as {step.commit[:12]}",
        remedy=_HOW,
    )
    return Decided(
        model=step.model,
        sentence=f"{short(candidate.bundle.digest)} was not registered",
        verdict=Verdict(findings=(finding,)),
        bundle=candidate.bundle.digest,
        was_so=not step.is_new,
    )


def _named(step: Landed) -> str:
    change = step.change
    return step.commit[:12] if "@" in change.id else change.id


_HOW = (
    "open a change from the newest base branch (one without any difference will do): its CI trains "
    "what has landed, and it is reviewed, approved (by somebody who made none of that) and merged "
    "like any other"
)
