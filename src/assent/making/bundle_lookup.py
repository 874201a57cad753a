"""Which bundle is meant: by a person, by the change, by the inputs, or as the baseline."""

from __future__ import annotations

from assent.compare.bundles import LoadedBundle
from assent.core.change import Change
from assent.core.digest import Digest, hex_of, is_digest
from assent.core.entry import decode_entry
from assent.core.nearest import meant
from assent.core.registry import Record
from assent.errors import IdleError, IntegrityError, PolicyError, UsageError
from assent.git import is_commit
from assent.making.bundles import open_bundle, read_bundle
from assent.making.locks import current_lock, locked_of
from assent.making.worktree import inputs_of
from assent.ports import NotInStoreError, View
from assent.recording.versions import version_number
from assent.workspace import Workspace


class PurgedError(PolicyError):
    """The bytes of the version were taken away on purpose."""


def find(workspace: Workspace, view: View, model: str, name: str | None) -> LoadedBundle:
    """The bundle that a person means: `v12`, a stage, a complete digest, a Git revision, or None
    for what the forge has shown last on the change, else for what the working tree's inputs give.
    Where `assent.lock` names the bundle of those inputs, it is that one.

    Raises `UsageError` if there is none, and `PurgedError` if its bytes were taken away on purpose.
    """
    doing = f"looking for {name or 'the bundle of the working tree'} of {model}"
    if name is None:
        digest = _named_by_forge(workspace, view, model)
        if digest is None:
            digest = of_inputs(workspace, model)
        if digest is None:
            kind = IdleError if workspace.is_in_ci else UsageError
            hint = "run `assent review`, which makes what is missing"
            raise kind(doing, "there is none yet", hint=hint)
        return _known(workspace, view, model, digest)
    version = version_number(name)
    if version is not None:
        registered = view.bundle_of(version)
        if registered is None:
            newest = f"the newest is v{view.state.versions}" if view.state.versions else "none yet"
            raise UsageError(doing, f"there is no such version ({newest})")
        return _known(workspace, view, model, registered)
    if name in view.state.stages:
        return _known(workspace, view, model, view.state.stages[name].bundle)
    if is_digest(name):
        return _known(workspace, view, model, Digest(name))
    stages = workspace.config.policies[model].stages
    if name in stages:
        raise UsageError(doing, "the stage holds nothing", hint="`assent status` shows what does")
    if workspace.context.system is not None and is_commit(name):
        # A trusted job has another commit checked out than the one it judges.
        change = workspace.forge.change()
        if change is not None and name == change.head:
            shown = workspace.forge.shown(model)
            locked = locked_of(workspace, view, model, change) if shown is None else None
            shown = shown if locked is None else locked.bundle
            if shown is None:
                raise nothing_shown(model, change)
            return _known(workspace, view, model, shown)
    commit = workspace.repository.resolve(name)
    digest = None if commit is None else workspace.store.recall(f"{model}/commits/{commit}")
    if digest is None:
        raise UsageError(
            doing,
            "it is no version, stage, complete digest or revision with a bundle",
            hint="complete digests are in the output of `assent bundle` and of --json"
            if name.startswith("sha256:")
            else f"`assent status` lists versions and stages"
            f"{meant(name, [*stages, *view.state.stages])}",
        )
    return _known(workspace, view, model, digest)


def baseline(
    workspace: Workspace, view: View, model: str, stages: list[str]
) -> LoadedBundle | None:
    """What a candidate is compared with: what is in production (`production`, or the last of
    `stages`), else the newest version, else the newest bundle of the base branch, else None.

    Raises `IntegrityError` if it is known but cannot be read: comparing with nothing instead
    would let anything pass.
    """
    last = "production" if "production" in stages else (stages[-1] if stages else None)
    held = None if last is None else view.state.stages.get(last)
    if held is not None:
        return _known(workspace, view, model, held.bundle)
    if view.state.latest is not None:
        return _known(workspace, view, model, view.state.latest.bundle)
    if workspace.base is not None:
        digest = workspace.store.recall(f"{model}/commits/{workspace.base}")
        if digest is not None:
            try:
                return _known(workspace, view, model, digest)
            except (NotInStoreError, IntegrityError, PurgedError):
                return None  # only a hint; nothing was decided about that bundle
    return None


def of_inputs(workspace: Workspace, model: str) -> Digest | None:
    """The bundle that the inputs of the working tree give, by its lock or as the store knows it.
    None in a forge's CI if they are not all here.
    """
    try:
        inputs = inputs_of(workspace, model)
    except UsageError:
        if workspace.is_in_forge_ci:
            return None
        raise
    locked = current_lock(workspace, model, inputs)
    if locked is not None:
        return locked.bundle
    return workspace.store.recall(f"{model}/inputs/{hex_of(inputs.evaluate)}")


def nothing_shown(model: str, change: Change) -> IdleError:
    """Why there is nothing to judge: nobody has been shown a bundle of this revision."""
    return IdleError(
        f"looking for the bundle of {model}",
        f"none of {change.id} at {change.head[:12]} was shown yet",
        hint="it is reviewed when the job that trains it has ended; another bundle can be named "
        "with --bundle",
    )


def require_bytes(view: View, record: Record | None) -> None:
    """Raise `PurgedError` for a version whose bytes were taken away on purpose."""
    if record is None or record.purged is None:
        return
    why = decode_entry(view.entry(record.purged)).reason
    raise PurgedError(
        f"looking for v{record.version} of {view.state.model}",
        f"it was purged by entry {record.purged} of the ledger: {why}",
        hint="its bytes were taken away on purpose; choose another version",
    )


def _named_by_forge(workspace: Workspace, view: View, model: str) -> Digest | None:
    """The bundle of the change: the one that its lock names, else what was shown on it. In CI
    nothing of the working tree is read for it: the job that judges has no data.
    """
    if not workspace.is_in_ci:
        return workspace.forge.shown(model)
    change = workspace.forge.change()
    locked = None if change is None else locked_of(workspace, view, model, change)
    return workspace.forge.shown(model) if locked is None else locked.bundle


def _known(workspace: Workspace, view: View, model: str, digest: Digest) -> LoadedBundle:
    record = view.record(digest)
    require_bytes(view, record)
    version = None if record is None else record.version
    return open_bundle(workspace, read_bundle(workspace, model, digest), version)
