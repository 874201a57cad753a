"""The ledger in Git: one branch per model, one commit per entry.

Appending is compare-and-swap: a commit built on the tip that was read is pushed without force.
When a push fails, the branch is read again. If our commit stands there, it had arrived; if another
one does, or the server says that somebody was first, the caller reads and judges again
(`MovedError`). Every other refusal would be said again and again: it is told at once. Where nobody
has refused and nobody has taken it, it may still arrive: then it is in doubt (`DoubtError`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager

from assent.core.digest import Digest
from assent.core.entry import GENESIS, Draft, Entry, decode_entry
from assent.core.registry import Record, Registry, State, Step, extend, follow, touched
from assent.errors import AssentError, IntegrityError
from assent.git import GitError, Repository, SilentError, refusal
from assent.ledgers.doubt import in_doubt
from assent.ledgers.git.commits import Commit, branch_ref, commit_of, stream
from assent.ledgers.git.copies import copies_here
from assent.ledgers.git.repository import LedgerRepository, may_be_of_copy
from assent.ledgers.git.view import GitView
from assent.ledgers.index import Index, StepsOf
from assent.ledgers.seen import Seen
from assent.ports import BusyError, Copy, MovedError, View


class GitLedger:
    """The ledgers of one repository, kept on its branches `assent/<model>`.

    `remote` names the remote that holds them; with None the repository itself holds them.
    """

    def __init__(self, repository: Repository, remote: str | None) -> None:
        self._repository = repository
        self._own = LedgerRepository(repository, remote)

    def models(self) -> list[str]:
        """See `Ledger.models`."""
        return self._own.models()

    def read(self, model: str, *, strict: bool = True, remembered: bool = True) -> GitView:
        """See `Ledger.read`."""
        was_there = self._own.is_there()
        try:
            return self._read(model, strict=strict or was_there, remembered=remembered)
        except (AssentError, OSError, ValueError) as error:
            if not was_there or not may_be_of_copy(error):
                raise
        # What is here is only a copy: before anything is called wrong, it is made anew.
        self._own.heal()
        return self._read(model, strict=strict, remembered=remembered)

    def _read(self, model: str, *, strict: bool, remembered: bool) -> GitView:
        with self._own.locked():
            # Read before the fetch: what another process of this clone writes after it is newer.
            seen = Seen(self._own.home, model) if remembered else None
            tip = self._own.update(model)
        if tip is None:
            if seen is not None:
                seen.expect_nothing()
            return GitView.empty(model)
        objects = self._own.objects()
        if objects.read(tip) is None:
            doing = f"reading the ledger of {model}"
            raise IntegrityError(doing, f"its newest commit {tip} is not here")
        try:
            view = GitView.at(model, tip, objects)
        except IntegrityError:
            if strict:
                raise
            view = GitView(State(model=model), GENESIS, tip, objects, is_proven=False)
            if seen is not None:
                seen.require(view)
            return view
        if seen is not None:
            seen.expect(view)
        return view

    def append(self, view: View, drafts: Sequence[Draft]) -> tuple[Entry, ...]:
        """See `Ledger.append`."""
        view = _read_here(view)

        def steps(records: Mapping[Digest, Record], index: Index) -> Iterator[Step]:
            return extend(view.state, records, view.head, drafts, index.derive)

        return tuple(step.entry for step in self._add(view, drafts, steps))

    def adopt(self, view: View, contents: Sequence[bytes]) -> None:
        """See `Ledger.adopt`: one commit for each entry, as always."""
        view = _read_here(view)

        def steps(records: Mapping[Digest, Record], index: Index) -> Iterator[Step]:
            return follow(view.state, records, view.head, contents, index.derive)

        self._add(view, [decode_entry(content) for content in contents], steps)

    def _add(self, view: GitView, drafts: Sequence[Draft], steps_of: StepsOf) -> list[Step]:
        """Write the steps that `steps_of` makes of the records and the index before them."""
        model = view.state.model
        if view.later_format is not None:
            raise IntegrityError(
                f"writing to the ledger of {model}",
                f"its newest entry has the format {view.later_format!r}, which this release "
                "cannot write",
                hint="upgrade Assent, then run the verb again",
            )
        bundles = sorted({bundle for draft in drafts for bundle in touched(view.state, draft)})
        index = view.index(bundles, len(drafts), self._own.format_of(view.tip))
        view.check()
        known = {bundle: view.record(bundle) for bundle in bundles}
        records = {bundle: record for bundle, record in known.items() if record is not None}
        steps, commits = list[Step](), list[Commit]()
        for step in steps_of(records, index):
            steps.append(step)
            commits.append(commit_of(step, index))
        self._write(view, commits)
        Seen(self._own.home, model).keep(steps[-1].state.seq, steps[-1].digest)
        return steps

    def require_writable(self) -> None:
        """See `Ledger.require_writable`: only a push tells."""

    def turn(self, model: str) -> AbstractContextManager[bool]:
        """See `Ledger.turn`."""
        return self._own.turn(model)

    def forget(self, model: str) -> None:
        """See `Ledger.forget`."""
        with self._own.locked():
            Seen(self._own.home, model).forget()

    def copies(self, model: str) -> tuple[Copy, ...]:
        """See `Ledger.copies`: the branches of that name in the user's clone."""
        return copies_here(self._repository, model)

    def rebuild(self, view: View, registry: Registry) -> None:
        """See `Ledger.rebuild`."""
        view = _read_here(view)
        files = view.rebuilt(registry)
        message = f"repair what is derived at entry {registry.state.seq}"
        at = registry.state.at or ""
        kept = view.entry_ids(registry)
        wanted = Commit(message=message, author="assent", at=at, files=files, kept=kept)
        self._write(view, [wanted])

    def _write(self, view: GitView, commits: Sequence[Commit]) -> None:
        model = view.state.model
        ref = branch_ref(model)
        doing = f"writing to the ledger of {model} in {self._own.name}"
        with self._own.locked():
            lines = b"".join(stream(ref, commits, view.tip))
            ours = self._committed(view, lines, doing)
            try:
                self._own.git(
                    *("push", "--quiet", "--porcelain", *self._own.durably()),
                    *("ledger", f"{ours}:{ref}"),
                    doing=doing,
                )
            except GitError as error:
                self._after_failed_push(view, ours, error, doing)
            self._own.flushed(model)

    def _committed(self, view: GitView, lines: bytes, doing: str) -> str:
        """The commit that the stream of `git fast-import` makes in the copy, which is made anew if
        Git cannot work with it.
        """
        model, words = view.state.model, ("fast-import", "--quiet", "--force", "--done")
        try:
            self._own.git(*words, doing=doing, stdin=lines)
        except GitError as error:
            if not error.may_be_of_damage:
                raise
            self._own.renew()
            if self._own.update(model) != view.tip:
                raise MovedError(doing, "somebody else wrote to it first") from None
            self._own.git(*words, doing=doing, stdin=lines)
        return self._own.tip(model)

    def _after_failed_push(self, view: GitView, ours: str, error: GitError, doing: str) -> None:
        """Decide by what the remote holds now, and by what it said."""
        model = view.state.model
        if self._own.made_anew(error):
            raise MovedError(doing, "its repository has ids of another kind")
        refused = refusal(error)
        if isinstance(error, SilentError):
            raise in_doubt(doing, error.problem) from None
        try:
            there = self._own.there(model, doing)
        except GitError:
            if refused is not None:
                raise self._own.refused(model, doing, refused, error) from None
            raise in_doubt(doing, error.problem) from None
        if there == ours:
            return  # it had arrived although we were told otherwise
        if there != view.tip or (refused is not None and refused.is_overtaken):
            raise MovedError(doing, "somebody else wrote to it first")
        if refused is None and _was_begun(error):
            raise in_doubt(doing, error.problem) from None
        if refused is None:
            raise self._own.outside(doing, error) from None
        if refused.is_locked:
            raise BusyError(
                doing,
                f"{self._own.name} is locked: {refused.words}",
                hint=f"if nobody writes to {self._own.name} now, a process there was killed: "
                "remove the lock file that is named",
            )
        raise self._own.refused(model, doing, refused, error) from None


_NEVER_SENT = re.compile(
    r"not found|does not appear to be|could not resolve|failed to connect|connection refused"
    r"|no route to host|permission denied|connect to host|unable to connect|unable to look up"
    r"|host key verification failed|transport .* not allowed|is not a git command",
    re.IGNORECASE,
)
"""How Git and SSH say that they have not even reached a server's repository."""


def _was_begun(error: GitError) -> bool:
    """Whether a push that nobody has refused may have been sent, and may still arrive."""
    return not error.is_denied and _NEVER_SENT.search(error.stderr) is None


def _read_here(view: View) -> GitView:
    if not isinstance(view, GitView):
        raise TypeError("the view was read from another ledger")
    return view
