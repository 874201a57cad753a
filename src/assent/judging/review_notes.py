"""What a reviewer has to know beside the verdict: of the base branch, the clone and the run."""

from __future__ import annotations

from assent.compare.bundles import LoadedBundle
from assent.core.change import Change
from assent.core.diff import Side
from assent.core.digest import hex_of
from assent.core.history import note_words
from assent.errors import AssentError
from assent.judging.reverted import gone_back
from assent.making.bundles import made_by
from assent.making.changed_inputs import between
from assent.making.worktree import some_of
from assent.policy.rules import Policy
from assent.ports import View
from assent.recording.notes import notes_about
from assent.workspace import FETCH_BASE, Workspace


def reused_notes(workspace: Workspace, candidate: LoadedBundle, change: Change) -> tuple[str, ...]:
    """That nothing was run for this review, and what of the change nobody looked at. The comment
    on a revision says it of a bundle of another one: repeating a review changes nothing in it.
    """
    model, evidence = candidate.bundle.model, candidate.evidence
    what = f"nothing was trained for this review: the bundle is reused, {made_by(evidence)}"
    workspace.say(f"reviewing {model}: {what} (--force makes another one)")
    if evidence.code.commit == change.head and not evidence.code.is_dirty:
        return ()
    notes = [f"{what[0].upper()}{what[1:]}."]
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


def reverting_notes(
    workspace: Workspace, view: View, candidate: LoadedBundle, change: Change
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


def without_baseline(view: View) -> str:
    """Why there is nothing to compare a candidate with."""
    why = "nothing of this model is registered yet"
    if view.state.versions:
        why = "no stage holds a version, and all that there were are retired or purged"
    return f"There is no baseline: {why}. Absolute gates apply; gates on a change do not."


def candidate_notes(
    workspace: Workspace, candidate: LoadedBundle, policy: Policy | None
) -> tuple[str, ...]:
    """What the base branch lacks that a verdict needs, and what is not known of the run."""
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
    products = [product for product in candidate.evidence.products if product not in leftovers]
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


MOST_NOTED = 5
"""How many notes of the baseline a review shows; the timeline has all."""


def baseline_notes(view: View, baseline: Side | None) -> tuple[str, ...]:
    """What people have noted of the version that the candidate is compared with: how it fared."""
    if baseline is None:
        return ()
    notes = notes_about(view, baseline.bundle)
    name = "the baseline" if baseline.version is None else f"the baseline v{baseline.version}"
    shown = [f"Noted of {name}, {note_words(note)}." for note in notes[:MOST_NOTED]]
    left = len(notes) - MOST_NOTED
    return (*shown, f"{left} more notes of {name} are in the timeline.") if left > 0 else (*shown,)
