"""`register`: give the approved bytes of what has landed a version number."""

from __future__ import annotations

import msgspec

from assent.compare.bundles import LoadedBundle
from assent.core.change import Change
from assent.core.digest import short
from assent.core.registry import VersionLine
from assent.core.verdict import Finding, Outcome, Verdict
from assent.errors import AssentError, ExitCode, IdleError, OutsideError, PolicyError
from assent.judging.landing import Landed, all_steps, has_another, require_landed, steps
from assent.judging.registration import Order, foreign_to, known_already, register_bundle
from assent.making.bundle_lookup import find
from assent.ports import View
from assent.recording.outcome import Decided
from assent.recording.pointers import point_version_again
from assent.recording.reading import read_ledger
from assent.recording.versions import registered_from
from assent.workspace import Workspace


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
    order = Order(policy=policy, override=override, reason=reason)
    if name is None:
        return _all_landed(workspace, view, model, order)
    candidate = find(workspace, view, model, name)
    return register_bundle(
        _place_of(workspace, view, model, candidate, change), candidate, view, order
    )


def _all_landed(workspace: Workspace, view: View, model: str, order: Order) -> Decided:
    """Look at each change that has landed, and say what became of all of them. What is wrong with
    one keeps no later one from its version.
    """
    done: list[Decided] = []
    failed: AssentError | None = None
    for step in steps(workspace, view, model):
        try:
            decided = _decided(step, view, order if step.is_checked_out else order.without_override)
        except AssentError as error:
            if isinstance(error, OutsideError) and not isinstance(error, IdleError):
                raise  # another attempt may well find what this one has not
            if step.is_new:
                failed = error
            continue
        if decided is None:
            continue
        if decided.entries:
            view = read_ledger(workspace, model)
        if decided.entries or decided.version is not None:
            done = [_replaced(earlier, decided) for earlier in done]
            failed = None
        done.append(decided)
    if failed is not None:
        for decided in done:
            workspace.say(f"{model}: {decided.sentence}")
        raise failed
    if not done:
        # The first push, with the configuration: there is no model yet that could be missing.
        sentence = f"nothing of {model} has been reviewed yet; nothing was registered"
        return Decided(model=model, sentence=sentence, verdict=Verdict(findings=()), was_so=True)
    return _together(done)


def _together(done: list[Decided]) -> Decided:
    """One result of several: the worst, of those that are alike the last one; the others in it."""
    wrong = [decided for decided in done if decided.exit_code is not ExitCode.DONE]
    written = [decided for decided in done if decided.entries]
    blocked = [decided for decided in wrong if decided.exit_code is ExitCode.BLOCKED]
    chosen = (blocked or wrong or written or done)[-1]
    # That a later change has the version, too, which an earlier one was given now is no news.
    new = {decided.version for decided in written}
    others = tuple(
        decided
        for decided in done
        if decided is not chosen and (decided.entries or decided.version not in new)
    )
    return msgspec.structs.replace(chosen, others=others)


def _replaced(earlier: Decided, later: Decided) -> Decided:
    """What a later change has replaced is not in the way of anything."""
    if earlier.entries or earlier.was_so:
        return earlier
    sentence = f"{earlier.sentence}; v{later.version} is of a later change"
    return msgspec.structs.replace(earlier, sentence=sentence, was_so=True)


def _decided(step: Landed, view: View, order: Order) -> Decided | None:
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
    problem = foreign_to(step, view, candidate)
    if problem and (is_of_version or not step.changed):
        return _left_alone(step, view, candidate, is_of_version=is_of_version)
    if problem:
        return _not_landed(step, candidate, problem)
    decided = register_bundle(step, candidate, view, order)
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
    return next((line for line in lines if registered_from(view, line.bundle) == step.commit), None)


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
        problem = foreign_to(step, view, candidate)
        if not problem:
            return step
        refused = refused or problem
    raise PolicyError(
        doing,
        f"bundle {short(digest)} was made from other inputs than those of "
        f"{change.commit[:12]}: {refused}",
        hint="train the merged commit and have the result reviewed: `assent review`",
    )


def _known_already(workspace: Workspace, view: View, model: str, line: VersionLine) -> Decided:
    """What is registered stays so; an earlier run may have been killed before its pointer."""
    record = view.record(line.bundle)
    if record is not None and record.registered is not None:
        point_version_again(workspace, view, line.version, record.registered)
    return known_already(model, line.bundle, line.version)


def _left_alone(
    step: Landed, view: View, candidate: LoadedBundle | None, *, is_of_version: bool
) -> Decided:
    """A change that leaves alone what the model is made from: nothing of it must be registered."""
    line = view.state.latest
    if is_of_version and line is not None:
        sentence = f"the inputs are those of v{line.version}"
        if candidate is not None:
            sentence = f"{sentence}; {short(candidate.bundle.digest)} was not registered"
        return msgspec.structs.replace(
            known_already(step.model, line.bundle, line.version), sentence=sentence
        )
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
