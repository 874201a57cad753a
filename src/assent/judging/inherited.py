"""Who made what a candidate has from the base branch beside the change that it was made for.

A bundle holds all that its revision holds. What has landed since the newest version was registered
has no approved version yet: whoever made it would approve their own work with the bundle of a later
change, be that change empty. So the makers of those steps are makers of the bundle as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import msgspec

from assent.compare.bundles import LoadedBundle
from assent.config.read import read_config
from assent.config.settings import FILE
from assent.core.change import Author, Change
from assent.core.digest import Digest
from assent.errors import AssentError, OutsideError
from assent.judging.mainline import mainline, read_back
from assent.making.changed_inputs import brings_inputs, difference
from assent.making.locks import lock_at
from assent.ports import View
from assent.recording.versions import latest_from, registered_commits
from assent.workspace import Workspace

MOST = 50
"""Of how many steps that change the model the forge is asked who made them."""
MOST_STEPS = 10_000
"""How many steps of the base branch are looked at for those, by Git alone."""
_DEPTHS = (51, 1_001)
"""How much of the history a shallow clone fetches, as long as it is not enough."""


class Inherited(msgspec.Struct, frozen=True, kw_only=True):
    """Who made what has landed without a version, somebody unknown where that cannot be told, and
    sentences about it for people.
    """

    authors: tuple[Author, ...] = ()
    remarks: tuple[str, ...] = ()


NOTHING = Inherited()


def inherited(
    workspace: Workspace,
    view: View,
    candidate: LoadedBundle,
    change: Change | None,
    *,
    covered: Sequence[str] = (),
) -> Inherited:
    """The makers of each step of the base branch that the candidate may have something of, that
    changes what the model is made from, and that came after the newest version. Before there is a
    version, those since the base branch first declared the model: what was there already nobody
    was asked to approve. `covered` are steps that are about to get a version.

    Of a candidate with a version the ledger has its makers. Raises `OutsideError` if the forge
    cannot be reached.
    """
    if change is None or candidate.version is not None:
        return NOTHING
    end = change.commit if change.landed else workspace.base
    if end is None:
        return NOTHING
    looked = _Looked(workspace, view, candidate, change)
    if looked.is_of_version(end):
        return NOTHING
    stretch = looked.stretch(end, covered)
    commits = list(islice(looked.changing(stretch), MOST + 1))
    made = [_made(workspace, commit, change) for commit in commits[:MOST]]
    authors = [author for step in made for author in step.authors]
    if len(commits) > MOST:
        authors.append(_unknown(f"more than {MOST} steps have changed the model"))
    if stretch.is_cut:
        authors.append(_unknown("not all of its history is in this clone"))
    return Inherited(
        authors=tuple(dict.fromkeys(authors)),
        remarks=tuple(_said(step) for step in made if step.id != change.id),
    )


def _unknown(why: str) -> Author:
    return Author(name=f"whoever made what has landed without a version: {why}", person=None)


def _made(workspace: Workspace, commit: str, change: Change) -> Change:
    """The change that became a step."""
    if change.landed and commit == change.commit:
        return change
    return workspace.forge.landed(commit).change() or change


def _said(step: Change) -> str:
    names = dict.fromkeys(
        author.person.login for author in step.authors if author.person is not None
    )
    who = ", ".join(f"`{name}`" for name in names) or "nobody known"
    return f"{step.id} has landed and no version has it yet: made by {who}"


class _Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Steps of the base branch, newest first, and the commit they came after. `is_cut`: there may
    be earlier ones, which were not found.
    """

    commits: tuple[str, ...] = ()
    before: str | None = None
    is_cut: bool = False


@dataclass(frozen=True)
class _Looked:
    """The base branch, looked at for what a candidate has of it that is in no version."""

    workspace: Workspace
    view: View
    candidate: LoadedBundle
    change: Change

    @property
    def _model(self) -> str:
        return self.candidate.bundle.model

    def is_of_version(self, end: str) -> bool:
        """Whether the newest version was made from just what the branch holds."""
        commit = latest_from(self.view)
        return commit is not None and not self._differ(commit, end)

    def stretch(self, end: str, covered: Sequence[str]) -> _Stretch:
        """The steps that are in no version, up to `end`."""
        repository = self.workspace.repository
        commits = self._history(end, covered)
        if not commits:
            return _Stretch()
        oldest = commits[-1]
        is_at_edge = oldest in repository.cut_commits()
        before = None if is_at_edge else next(iter(repository.parents(oldest)), None)
        is_cut = len(commits) >= MOST_STEPS or (is_at_edge and self._declares(oldest))
        if before is None and not is_cut:
            return self._since_declared(end, commits)
        return _Stretch(commits=tuple(commits), before=before, is_cut=is_cut)

    def _history(self, end: str, covered: Sequence[str]) -> list[str]:
        """The steps up to `end` that no version contains. What a shallow clone has left out is
        fetched, as far as that can be done.
        """
        workspace, repository = self.workspace, self.workspace.repository
        # A version that was retired stands for nothing any more, nor do the approvals it had.
        ends = (*covered, *registered_commits(self.view, with_retired=False))

        def read() -> list[str]:
            here = [tip for tip in ends if repository.resolve(tip) is not None]
            past = [tip for tip in here if tip == end or not repository.contains(tip, end)]
            return mainline(workspace, end, most=MOST_STEPS, without=past)

        try:
            return read_back(workspace, end, read, depths=_DEPTHS)
        except OutsideError:
            return read()  # then it is not known, which is said

    def _since_declared(self, end: str, commits: Sequence[str]) -> _Stretch:
        """The steps after the one in which the branch first declared the model, and that one if it
        brought files of the model as well. The first commit of all is what others start from.
        """
        repository = self.workspace.repository
        path = repository.relative(self.workspace.root / FILE)
        told = repository.first_parents(end, most=MOST_STEPS, path=path)
        known = frozenset(commits)
        first = next(
            (commit for commit in reversed(told) if commit in known and self._declares(commit)),
            None,
        )
        if first is None:
            return _Stretch()
        later = tuple(commits[: commits.index(first)])
        parents = () if first in repository.cut_commits() else repository.parents(first)
        if parents and brings_inputs(self.workspace, self._model, parents[0], first):
            return _Stretch(commits=(*later, first), before=parents[0])
        return _Stretch(commits=later, before=first)

    def _declares(self, commit: str) -> bool:
        """Whether a commit declares the model, or something that cannot be read."""
        path = self.workspace.repository.relative(self.workspace.root / FILE)
        text = self.workspace.repository.show(commit, path)
        try:
            return text is not None and self._model in read_config(text, path).models
        except AssentError:
            return True

    def changing(self, stretch: _Stretch) -> Iterator[str]:
        """The steps that change what the model is made from, newest first."""
        before = () if stretch.before is None else (stretch.before,)
        for step in self._changing((*stretch.commits, *before)):
            if not self._is_beside(step):
                yield step

    def _changing(self, commits: Sequence[str]) -> Iterator[str]:
        """Those of `commits`, newest first, that change something, but for the last. Where a whole
        part of the branch has changed nothing, none of its steps is looked at.
        """
        if len(commits) < 2 or not self._differ(commits[-1], commits[0]):
            return
        if len(commits) == 2:
            yield commits[0]
            return
        middle = len(commits) // 2
        yield from self._changing(commits[: middle + 1])
        yield from self._changing(commits[middle:])

    def _differ(self, old: str, new: str) -> bool:
        """Whether what the model is made from differs between two commits, or may."""
        workspace, model = self.workspace, self._model
        try:
            if difference(workspace, model, old, new, self.candidate.evidence.inputs):
                return True
            return _locked(workspace, old, model) != _locked(workspace, new, model)
        except AssentError:
            return True

    def _is_beside(self, step: str) -> bool:
        """Whether an open change is known to have nothing of a step: it was branched before."""
        repository, head = self.workspace.repository, self.change.head
        if self.change.landed or repository.is_shallow() or repository.resolve(head) is None:
            return False
        before = repository.parents(step)[0]
        return all(repository.contains(before, fork) for fork in repository.forks(step, head))


def _locked(workspace: Workspace, commit: str, model: str) -> Digest | None:
    """The bundle that the lock of a commit names."""
    locked = lock_at(workspace, commit, model)
    return None if locked is None else locked.bundle
