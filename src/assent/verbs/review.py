"""`review`: compare the candidate with what is in production, and say what a reviewer needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import msgspec

from assent.compare.bundles import Known
from assent.config.settings import Config
from assent.core.change import Change
from assent.core.digest import Digest, hex_of
from assent.core.verdict import Decision, Outcome, Verdict
from assent.errors import AssentError, ExitCode, UsageError
from assent.files import write_atomically
from assent.making.inputs import Inputs
from assent.policy.rules import Policy, rule_changes
from assent.ports import Notice, View
from assent.report.html import to_html
from assent.report.jsonform import to_json
from assent.report.junit import to_junit
from assent.report.markdown import to_markdown
from assent.report.review import Plot, ReviewReport
from assent.report.sections.verdict import blocked_by
from assent.verbs.attachments import read_attachment
from assent.verbs.bundle import bundle
from assent.verbs.bundles import digest_here, find, load, made_by, nothing_shown, open_bundle
from assent.verbs.evaluate import evaluate
from assent.verbs.handover import taken
from assent.verbs.judging import all_reviews, judge
from assent.verbs.landing import of_another_base, require_base
from assent.verbs.locks import current_lock, locked_of
from assent.verbs.measuring import MAX_PLOT_BYTES, MAX_PLOTS, PLOTS
from assent.verbs.moving import moved_store
from assent.verbs.namesakes import namesake_of_change
from assent.verbs.ready import require_ready
from assent.verbs.recording import read_ledger
from assent.verbs.reverted import gone_back
from assent.verbs.revisions import between
from assent.verbs.running import recovered
from assent.verbs.train import run_training
from assent.verbs.work import Evaluated, Trained, kept
from assent.verbs.workspace import FETCH_BASE, FILE, Workspace
from assent.verbs.worktree import (
    inputs_of,
    is_of_other_dirt,
    is_same_code,
    not_as_left,
    read_code,
    some_of,
)

_GUARDING = (
    ".github/workflows",
    ".github/CODEOWNERS",
    "CODEOWNERS",
    "docs/CODEOWNERS",
    ".gitlab-ci.yml",
    ".gitlab/CODEOWNERS",
)
"""What decides who must review and what runs: forges read it from these places."""


class ReviewResult(msgspec.Struct, frozen=True, kw_only=True):
    """The review, and where its forms were written. `comment` is where the forge shows it."""

    decision: Decision
    report: ReviewReport
    comment: str
    html: Path
    json: Path
    junit: Path

    @property
    def exit_code(self) -> ExitCode:
        """0 passed, 10 blocked, 11 waiting for approval."""
        return self.decision.exit_code


def review(
    workspace: Workspace,
    model: str,
    *,
    name: str | None = None,
    artifact: str | None = None,
    folder: Path | None = None,
    force: bool = False,
    output: int | IO[bytes] | None = None,
    progress: Callable[[int], None] | None = None,
) -> ReviewResult:
    """Review the bundle called `name`, or the one of the working tree; then what is missing of
    it (training, evaluation, bundle) is made first, and all of it with `force`. With `artifact` it
    is the one that the run of a change which woke this one up has left under that name, or where it
    leaves none the one that was shown last; nothing is run then. Its forms are written to `folder`,
    or where the model has its own.

    Raises `PolicyError` for an artifact unless the code of the default branch runs.
    """
    is_reused = False
    _require_base(workspace, model)
    if artifact is not None:
        name = _left(workspace, model, artifact, progress)
    if name is None:
        name = _shown(workspace, model)
    if name is None:
        name, is_reused = _candidate(workspace, model, force, output, progress)
    view = read_ledger(workspace, model)
    candidate = find(workspace, view, model, name)
    report = report_on(workspace, view, model, candidate, is_reused=is_reused)
    folder = folder or workspace.work / "review" / model
    paths = {form: folder / form for form in ("report.html", "review.json", "junit.xml")}
    write_atomically(paths["report.html"], to_html(report).encode())
    write_atomically(paths["review.json"], to_json(report))
    write_atomically(paths["junit.xml"], to_junit(report))
    shown = str(paths["report.html"].relative_to(workspace.root))
    if workspace.is_in_forge_ci and workspace.run is not None:
        shown = workspace.run.address or shown  # the file goes with the machine; its run keeps it
    comment = workspace.forge.comment(
        Notice(
            model=model,
            bundle=candidate.bundle.digest,
            body=to_markdown(report, full_report=shown),
            decision=report.verdict.decision,
            sentence=_sentence(report.verdict),
        )
    )
    return ReviewResult(
        decision=report.verdict.decision,
        report=report,
        comment=comment,
        html=paths["report.html"],
        json=paths["review.json"],
        junit=paths["junit.xml"],
    )


def _require_base(workspace: Workspace, model: str) -> None:
    """Have no verdict stand on a change that goes elsewhere: it may have been green when it went
    to the branch that changes are merged into.
    """
    change = workspace.forge.change()
    why = "" if change is None else of_another_base(workspace, change)
    if change is not None and why:
        workspace.forge.retract(model, why)
        require_base(workspace, change, f"reviewing {model}")


def report_on(
    workspace: Workspace, view: View, model: str, candidate: Known, *, is_reused: bool = False
) -> ReviewReport:
    """Everything a review says about a candidate. `is_reused`: nothing was run for it."""
    change = workspace.change()
    policy = workspace.base_policy(model)
    own = workspace.config.policies[model]
    proposed, problem = workspace.proposed_config(change)
    judgement = judge(
        workspace,
        view,
        policy or (proposed or workspace.config).policies.get(model) or own,
        candidate,
        reviews=all_reviews(workspace, view, model, candidate.bundle.digest),
        change=change,
        weights=True,
    )
    return ReviewReport(
        model=model,
        diff=judgement.diff,
        verdict=judgement.verdict,
        approvals=judgement.approvals,
        policy=judgement.policy,
        scope=judgement.scope,
        evidence=candidate.evidence,
        at=workspace.now,
        rule_changes=(
            *((problem,) if proposed is None else _rule_changes(workspace, model, proposed)),
            *_guarding_files(workspace, change),
            *namesake_of_change(workspace, model, change),
        ),
        notes=(
            *(_reused(workspace, candidate, change) if is_reused else ()),
            *_gone_back(workspace, view, candidate, change),
            *_notes(workspace, candidate, judgement.diff.baseline is None, policy),
            *moved_store(workspace, view, candidate, proposed),
        ),
        change_id=change.id,
        change_title=_title(change),
        plots=_plots(workspace, candidate),
    )


def _plots(workspace: Workspace, candidate: Known) -> tuple[Plot, ...]:
    """The plots of the candidate; those that are too large for a page by name."""
    evidence = candidate.evidence
    found = [one for one in evidence.attachments if one.path.startswith(PLOTS)]
    return tuple(
        Plot(
            name=one.path.removeprefix(PLOTS),
            media_type=one.media_type,
            content=read_attachment(workspace, evidence, one.digest)
            if one.size_bytes <= MAX_PLOT_BYTES
            else b"",
            size_bytes=one.size_bytes,
        )
        for one in found[:MAX_PLOTS]
    )


def _left(
    workspace: Workspace, model: str, artifact: str, progress: Callable[[int], None] | None
) -> Digest:
    """The bundle that waits for this review. Nothing of a change is ever made here, because making
    it would run its code.
    """
    workspace.require_trusted(f"reviewing what another run has left of {model}")
    found = taken(
        workspace, model, lambda place: workspace.forge.fetch(artifact, place), progress=progress
    )
    found = found or _shown(workspace, model) or workspace.forge.shown(model)
    if found is None:
        raise nothing_shown(model, workspace.change())
    return found


def _shown(workspace: Workspace, model: str) -> Digest | None:
    """The bundle of a change that is not checked out: a trusted job never does that."""
    if workspace.context.system is None:
        return None
    change = workspace.forge.change()
    head = workspace.repository.resolve("HEAD")
    if change is None or head in (change.head, change.commit):
        return None
    shown = workspace.forge.shown(model)
    locked = None
    if shown is None:
        locked = locked_of(workspace, read_ledger(workspace, model), model, change)
    if shown is None and locked is None:
        raise nothing_shown(model, change)
    return shown if locked is None else locked.bundle


def _rule_changes(workspace: Workspace, model: str, proposed: Config) -> tuple[str, ...]:
    """What a change does to the rules: the policy, how the model is made, who the people are, and
    where bytes and decisions are kept.
    """
    base = workspace.base_config()
    if base is None or model not in base.policies:
        return ()
    if model not in proposed.policies:
        return (f"the model {model} is taken out of {FILE}",)
    old, new = (
        {
            "ledger": config.ledger,
            "store": config.store,
            **{f"people.{name}": person for name, person in config.people.items()},
            **{
                name: value
                for name, value in msgspec.structs.asdict(config.models[model]).items()
                if value
            },
        }
        for config in (base, proposed)
    )
    policy = rule_changes(base.policies[model], proposed.policies[model])
    return (*policy, *_changed(old, new))


def _guarding_files(workspace: Workspace, change: Change) -> tuple[str, ...]:
    """The files that guard the base branch and that are other ones in this change. One that only
    the base branch has changed since looks the same from here, and is named as well.
    """
    repository, base = workspace.repository, workspace.base
    if base is None or change.landed or repository.resolve(change.head) is None:
        return ()
    branch = workspace.base_branch or "the base branch"
    return tuple(
        f"{path} differs from that of {branch}"
        for path in _GUARDING
        if repository.id_of(base, path) != repository.id_of(change.head, path)
    )


def _changed(old: Mapping[str, object], new: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(
        f"{key}: {_as_json(old.get(key))} → {_as_json(new.get(key))}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    )


def _as_json(value: object) -> str:
    return "not set" if value is None else msgspec.json.encode(value).decode()


def _candidate(
    workspace: Workspace,
    model: str,
    force: bool,
    output: int | IO[bytes] | None,
    progress: Callable[[int], None] | None,
) -> tuple[Digest, bool]:
    """The bundle of the working tree, made now if there is none of these inputs or with `force`;
    and whether it was there.
    """
    settings = workspace.settings(model)
    if not (settings.train or settings.evaluate or settings.metrics or settings.predictions):
        raise UsageError(
            f"reviewing {model}",
            f"{FILE} says neither how to train or evaluate it nor where its metrics or "
            "predictions are",
        )
    recovered(workspace, model)
    require_ready(workspace, model)
    inputs = inputs_of(workspace, model)
    found = None if force else _finished(workspace, model, inputs)
    if found is not None:
        return found, True
    done = None if force else _done(workspace, model, inputs)
    read_ledger(workspace, model)  # what would end the review ends it before hours of training
    if done is None and settings.train is not None:
        _, inputs = run_training(workspace, model, force=force, output=output, inputs=inputs)
    if done != "evaluate":
        evaluate(workspace, model, force=force, output=output, inputs=inputs)
    made = bundle(workspace, model, progress=progress, inputs=inputs)
    return made.bundle, False


def _done(workspace: Workspace, model: str, inputs: Inputs) -> str | None:
    """The last verb that somebody has run here for these very inputs, this revision and the model
    as it lies there; None if there is anything to run again.
    """
    trained = kept(workspace.work, model, "train", Trained)
    if trained is None or trained.step.inputs_digest != inputs.train:
        return None
    place = workspace.root / workspace.settings(model).model
    if workspace.settings(model).evaluate is None and not_as_left(workspace, trained):
        return None
    code = read_code(workspace, trained.touched, inputs=inputs.files)
    if not place.exists() or (
        trained.code is not None and not is_same_code(workspace, trained.code, code, inputs)
    ):
        return None
    if digest_here(workspace, model) != trained.model_digest:
        return None
    evaluated = kept(workspace.work, model, "evaluate", Evaluated)
    is_evaluated = (
        evaluated is not None
        and evaluated.model_digest == trained.model_digest
        and evaluated.evidence.inputs_digest == inputs.evaluate
        and is_same_code(workspace, evaluated.evidence.code, code, inputs)
    )
    verb = "evaluate" if is_evaluated else "train"
    workspace.say(
        f"reviewing {model}: `assent {verb}` has left what it made (--force makes it new)"
    )
    return verb


def _finished(workspace: Workspace, model: str, inputs: Inputs) -> Digest | None:
    """The bundle that these inputs have given already, if the store holds it."""
    locked = current_lock(workspace, model, inputs)
    if locked is not None:
        return locked.bundle
    hint = workspace.store.recall(f"{model}/inputs/{hex_of(inputs.evaluate)}")
    found = None if hint is None else load(workspace, model, hint)
    if found is None:
        return None
    evidence = open_bundle(workspace, found).evidence
    return None if is_of_other_dirt(workspace, evidence, inputs) else found.digest


def _reused(workspace: Workspace, candidate: Known, change: Change) -> tuple[str, ...]:
    """That nothing was run for this review, and what of the change nobody looked at. The comment
    on a revision says it of a bundle of another one: repeating a review changes nothing in it.
    """
    model, evidence = candidate.bundle.model, candidate.evidence
    said = f"nothing was trained for this review: the bundle is reused, {made_by(evidence)}"
    workspace.say(f"reviewing {model}: {said} (--force makes another one)")
    if evidence.code.commit == change.head and not evidence.code.is_dirty:
        return ()
    notes = [f"{said[0].upper()}{said[1:]}."]
    base = workspace.base
    if not change.landed and base is not None:
        try:
            others = between(workspace, model, base, change.head).others
        except AssentError as error:
            notes.append(f"What else this change touches is not known: {error.problem}.")
        else:
            if others:
                notes.append(f"No input covers these files of this change: {some_of(others)}.")
    return tuple(notes)


def _gone_back(
    workspace: Workspace, view: View, candidate: Known, change: Change
) -> tuple[str, ...]:
    """That a change takes back what the newest version was made from. The candidate may be the
    version that it goes back to, or another bundle of the same inputs.
    """
    model = candidate.bundle.model
    hint = workspace.store.recall(f"{model}/inputs/{hex_of(candidate.evidence.inputs_digest)}")
    known = None if hint is None else view.record(hint)
    version = candidate.version or (None if known is None else known.version)
    if version is None:
        return ()
    what = (workspace.base_branch or "The base branch") if change.landed else "This change"
    try:
        back = gone_back(workspace, view, model, change.head, to=version)
    except AssentError:
        return ()  # only a remark, which Git may know nothing for
    return () if back is None else (f"{back.said_of(what)}.",)


def _notes(
    workspace: Workspace, candidate: Known, is_first: bool, policy: Policy | None
) -> tuple[str, ...]:
    notes = []
    branch = workspace.base_branch or "the base branch"
    if workspace.base is None:
        notes.append(
            "This clone has no base branch, so the rules of this change were applied. "
            f"To see what binds, {FETCH_BASE}."
        )
    elif policy is None:
        notes.append(
            f"{branch} has no policy for this model yet. The rules of this change were applied; "
            "nobody has agreed to them until it is merged."
        )
    if is_first:
        notes.append(
            "There is no baseline: nothing of this model is registered yet. Absolute gates apply; "
            "gates on a change do not."
        )
    code, unproven = candidate.evidence.code, candidate.evidence.unproven
    if code.is_dirty:
        changed = f" ({some_of(code.changed)})" if code.changed else ""
        notes.append(
            f"It was trained from a working tree with uncommitted changes{changed}. It can be "
            "registered only if what is merged has the same inputs."
        )
    for name in candidate.evidence.estranged:
        notes.append(f"{name} is not what its .dvc file says: it counts as it lay there.")
    leftovers = candidate.evidence.leftovers
    if leftovers:
        notes.append(
            "An earlier run, perhaps of other code, has left these among the inputs. They count as "
            "none, were not looked at, and this run may have read them: "
            f"{some_of(leftovers)}. To be sure, remove them and review with --force."
        )
    products = [one for one in candidate.evidence.products if one not in leftovers]
    if products:
        notes.append(
            "These lie among the inputs and came while a command ran. They are taken for what it "
            f"writes, and were not looked at: {some_of(products)}."
        )
    if candidate.evidence.reused:
        notes.append(
            f"The model was not trained for this evaluation: it is one {candidate.evidence.reused}."
        )
    if unproven:
        notes.append(f"Not shown to be of this run: {some_of(unproven)}, declared `incremental`.")
    if not workspace.is_in_forge_ci and workspace.repository.is_shallow():
        notes.append(
            "The history of this clone is cut off (a shallow clone). Where that hides who wrote "
            "the change, no approval counts: `git fetch --unshallow` brings it."
        )
    return tuple(notes)


def _sentence(verdict: Verdict) -> str:
    """The verdict in a few words, for a list of checks."""
    total = len(verdict.findings)
    match verdict.decision:
        case Decision.PASSED:
            return "nothing is in the way"
        case Decision.PENDING:
            return f"{len(verdict.of(Outcome.WAITING))} of {total} wait for somebody"
        case Decision.BLOCKED:
            return blocked_by(verdict) if total else "nothing was judged"


def _title(change: Change) -> str | None:
    return None if change.landed else change.title
