"""What has landed on the base branch since the newest version was registered, change by change.

Several changes can land in one push, and a merge by a job's own token starts no run at all. So who
records and registers looks at every step that the branch has made, along the first parent, and asks
the forge whose change it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from assent.core.change import Change
from assent.core.digest import Digest
from assent.core.entry import Kind
from assent.errors import AssentError, IdleError, OutsideError, PolicyError, UsageError
from assent.judging.mainline import mainline, read_back
from assent.making.bundle_lookup import of_inputs
from assent.making.bundles import open_bundle, read_bundle
from assent.making.changed_inputs import difference, foreign
from assent.making.locks import lock_at, locked_of
from assent.ports import View
from assent.recording.reading import read_entries
from assent.recording.versions import latest_from, registered_commits, registered_from
from assent.workspace import Workspace

MOST = 50
"""How many of the newest steps of the base branch one run looks at."""
_DEPTHS = (10, MOST + 1)
"""How much of the history a shallow clone fetches, as long as it is not enough."""
_MOST_ENTRIES = 200
"""In how many of the newest entries a laptop looks for what was approved."""


@dataclass(frozen=True, kw_only=True)
class Landed:
    """One step of the base branch: the commit `commit` after `before` (None: it is the first one).
    `workspace` sees the change that it was. `is_new`: the run was started for it.
    """

    workspace: Workspace
    model: str
    commit: str
    before: str | None
    is_new: bool

    @cached_property
    def change(self) -> Change:
        """The change that landed."""
        return self.workspace.change()

    @property
    def is_checked_out(self) -> bool:
        """Whether the working tree is of this commit."""
        return self.workspace.repository.resolve("HEAD") == self.commit

    @cached_property
    def names_another(self) -> bool:
        """Whether `assent.lock` of it is another one for this model than before."""
        if self.before is None:
            return False
        return self._lock(self.before) != self._lock(self.commit)

    def _lock(self, commit: str) -> Digest | None:
        try:
            locked = lock_at(self.workspace, commit, self.model)
        except UsageError:
            return None  # whoever judges the change says so
        return None if locked is None else locked.bundle

    @cached_property
    def changed(self) -> str:
        """What of all that the model is made from is another than before, as Git knows it; empty
        if nothing is, and the lock names no other bundle.
        """
        if self.before is None:
            return "it is the first commit"
        try:
            reason = difference(self.workspace, self.model, self.before, self.commit)
        except AssentError as error:
            return f"what has changed is not known: {error.problem}"
        return reason or ("assent.lock names another bundle" if self.names_another else "")

    def is_of_version(self, view: View) -> bool:
        """Whether Git knows no difference to what the newest version was registered from, and no
        lock names another bundle.
        """
        line, commit = view.state.latest, latest_from(view)
        if line is None or commit is None:
            return False
        try:
            if difference(self.workspace, self.model, commit, self.commit, self._read(line.bundle)):
                return False
        except AssentError:
            return False  # whatever it is, it is no proof
        return self._lock(self.commit) in (None, line.bundle)

    def _read(self, digest: Digest) -> Collection[str]:
        """The inputs of a bundle by name, as whoever made it has found them."""
        bundle = read_bundle(self.workspace, self.model, digest)
        return open_bundle(self.workspace, bundle).evidence.inputs

    def bundle(self, view: View) -> Digest | None:
        """The bundle of this change: the one that its lock names, else what was shown on it. A
        forge without such a record leaves it to the hints of the store, which the caller checks.
        """
        locked = locked_of(self.workspace, view, self.model, self.change)
        if locked is not None:
            return locked.bundle
        shown = self.workspace.forge.shown(self.model)
        if shown is None and self.is_checked_out:
            shown = of_inputs(self.workspace, self.model)
        if shown is None and not self.workspace.is_in_forge_ci:
            shown = next(self._hinted(view), None)
        return shown

    def _hinted(self, view: View) -> Iterator[Digest]:
        """What may be the bundle of a step of which no forge tells, and is of its inputs."""
        parents = self.workspace.repository.parents(self.commit)
        hints = [
            self.workspace.store.recall(f"{self.model}/commits/{commit}")
            for commit in (*parents[1:], self.commit)
        ]
        for digest in dict.fromkeys([*hints, *approved(view)]):
            if digest is not None and not self.why_not(digest):
                yield digest

    def why_not(self, digest: Digest) -> str:
        """Why a bundle is not of what this step holds, as far as Git knows; empty if it is."""
        try:
            bundle = read_bundle(self.workspace, self.model, digest)
            evidence = open_bundle(self.workspace, bundle).evidence
        except AssentError as error:
            return error.problem
        return foreign(self.workspace, self.model, evidence, self.commit)


def approved(view: View) -> list[Digest]:
    """The bundles with a recorded approval and without a version, the newest first."""
    start = max(0, view.state.seq + 1 - _MOST_ENTRIES)
    bundles: dict[Digest, None] = {}
    for entry in read_entries(view, start):
        digest = entry.subject.bundle
        if entry.kind is Kind.APPROVED and digest is not None:
            bundles.pop(digest, None)
            bundles[digest] = None
    records = {digest: view.record(digest) for digest in bundles}
    return [
        digest
        for digest, record in reversed(records.items())
        if record is not None and record.version is None
    ]


def has_another(workspace: Workspace, view: View, model: str) -> bool:
    """Whether somebody has approved a bundle of the very inputs that the newest version has, such
    as one that was trained again. Where nobody has, no change that leaves those alone brings one.
    """
    commit = latest_from(view)
    if commit is None:
        return False
    for digest in approved(view):
        try:
            evidence = open_bundle(workspace, read_bundle(workspace, model, digest)).evidence
        except AssentError:
            continue  # no version can come of it
        if not foreign(workspace, model, evidence, commit):
            return True
    return False


def require_landed(workspace: Workspace, doing: str) -> Change:
    """The change of this checkout. Raises `PolicyError` unless it is a part of the base branch."""
    change = workspace.change()
    if not change.landed:
        branch = workspace.base_branch or "the base branch"
        raise PolicyError(
            doing,
            f"{change.commit[:12]} is not part of {branch}",
            hint=f"merge the change first, then run `assent register` on {branch}",
        )
    return change


def require_base(workspace: Workspace, change: Change, doing: str) -> None:
    """Raise `IdleError` for a change that goes to another branch than the one that changes are
    merged into. Who has made it and what it changes is known of that one alone: it is another
    change as soon as its base is another.
    """
    why = of_another_base(workspace, change)
    if why:
        raise IdleError(doing, why, hint="it is reviewed as soon as that is its base")


def of_another_base(workspace: Workspace, change: Change) -> str:
    """Why nothing is decided on a change, because of where it goes to; empty if that is right."""
    branch = workspace.forge.branch()
    if not change.base or branch is None or change.base == branch:
        return ""
    return f"{change.id} goes to {change.base!r}, not to {branch!r}: nothing is judged there"


def steps(workspace: Workspace, view: View, model: str) -> list[Landed]:
    """The steps of the base branch from the newest one that a version was registered from on,
    that one included, oldest first. Where the branch was rewritten and that one is no part of it
    any more, a step that has the same inputs stands for it: what is before it was replaced. There
    are `MOST` at most; that there are more is said.
    """
    tip = _tip(workspace)
    ends = frozenset(registered_commits(view))
    commits = _history(workspace, tip, ends)
    last = next((place for place, commit in enumerate(commits) if commit in ends), None)
    wanted = commits[:MOST] if last is None else commits[: min(last + 1, MOST)]
    wanted = _since_same(workspace, view, model, wanted)
    if len(wanted) == MOST and len(commits) > MOST:
        branch = workspace.base_branch or "the branch"
        workspace.say(
            f"{model}: only the newest {MOST} steps of {branch} were looked at; name "
            "a bundle of an older one with --bundle"
        )
    new = _new(workspace, wanted)
    before = dict(pairwise(commits))
    return [
        _step(workspace, model, commit, before.get(commit), is_new=commit in new)
        for commit in reversed(wanted)
    ]


def _since_same(workspace: Workspace, view: View, model: str, commits: list[str]) -> list[str]:
    """Those of `commits`, newest first, as far as one that has the inputs of the newest version,
    if what that was registered from is gone from the branch.
    """
    line = next(iter(view.state.newest), None)
    source = None if line is None else registered_from(view, line.bundle)
    if source is None or not commits or workspace.repository.contains(commits[0], source):
        return commits
    for place, commit in enumerate(commits):
        try:
            if not difference(workspace, model, source, commit):
                return commits[: place + 1]
        except AssentError:
            return commits  # nothing is known of what is gone
    return commits


def all_steps(workspace: Workspace, model: str) -> Iterator[Landed]:
    """The newest steps of the base branch, the newest first, whatever was registered since."""
    commits = _history(workspace, _tip(workspace), frozenset())
    before = dict(pairwise(commits))
    for commit in commits[:MOST]:
        yield _step(workspace, model, commit, before.get(commit), is_new=True)


def _step(
    workspace: Workspace, model: str, commit: str, before: str | None, *, is_new: bool
) -> Landed:
    """A step of the base branch, and the one before it, as far as that was found."""
    bound = workspace
    if workspace.change().commit != commit:
        bound = replace(workspace, forge=workspace.forge.landed(commit))
    if before is None:
        before = next(iter(workspace.repository.parents(commit)), None)
    return Landed(workspace=bound, model=model, commit=commit, before=before, is_new=is_new)


def _tip(workspace: Workspace) -> str:
    """The newest commit that is looked at. In a forge's CI that of the base branch as it is now:
    of two runs at once each sees all that has landed, and in the same order.
    """
    head = workspace.change().commit
    base = workspace.base
    if base is None or not workspace.is_in_forge_ci:
        return head
    return base if workspace.repository.contains(base, head) else head


def _history(workspace: Workspace, tip: str, ends: frozenset[str]) -> list[str]:
    """The steps up to `tip`, newest first, as far as one of `ends`. What a shallow clone has left
    out is fetched.
    """
    try:
        return read_back(
            workspace,
            tip,
            lambda: mainline(workspace, tip, most=MOST + 1),
            depths=_DEPTHS,
            is_enough=lambda found_steps: (
                len(found_steps) > MOST or not ends.isdisjoint(found_steps)
            ),
        )
    except OutsideError as error:
        raise OutsideError(
            error.doing,
            error.problem,
            hint="this clone is shallow: fetch more of it, for example with "
            f"`git fetch --depth={MOST + 1} {workspace.branch.remote}`",
        ) from None


def _new(workspace: Workspace, commits: list[str]) -> frozenset[str]:
    """Those of the newest steps, which are the newest first, that this run was started for: what
    was pushed, or everything where nobody has pushed. On a laptop it is what is checked out.
    """
    context = workspace.context
    if not workspace.is_in_forge_ci:
        return frozenset(commits[:1])
    if context.event != "push":
        return frozenset(commits)
    head = workspace.change().commit
    pushed = commits[commits.index(head) :] if head in commits else []
    if context.before not in pushed:
        return frozenset(pushed[:1])
    return frozenset(pushed[: pushed.index(context.before)])
