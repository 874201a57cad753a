"""Copies of a ledger among the branches of the user's own clone."""

from __future__ import annotations

from assent.core.entry import decode_entry, entry_digest
from assent.errors import AssentError
from assent.git import Repository
from assent.ledgers import layout
from assent.ledgers.git.commits import branch_ref
from assent.ports import Copy


def copies_here(repository: Repository, model: str) -> tuple[Copy, ...]:
    """The ledgers that the branches of this name hold, the clone's own and those of its remotes as
    they were when they were last fetched.
    """
    branch = branch_ref(model).removeprefix("refs/heads/")
    names = [f"refs/remotes/{remote}/{branch}" for remote in repository.remotes()]
    copies = (_copy_at(repository, name) for name in (branch_ref(model), *names))
    return tuple(copy for copy in copies if copy is not None)


def _copy_at(repository: Repository, name: str) -> Copy | None:
    """What a branch holds, or None if there is none, or no ledger in it."""
    commit = repository.resolve(name)
    try:
        if commit is None:
            return None
        doing = f"reading {name} of this clone"
        there = repository.run("ls-tree", "--name-only", "--full-tree", commit, doing=doing)
        opened = next(filter(layout.is_open, there.splitlines()), None)
        content = None if opened is None else repository.show(commit, opened)
        newest = layout.lines_of(content or b"")[-1]
        seq = decode_entry(newest).seq
    except (AssentError, IndexError):
        return None
    return Copy(name=name, commit=commit, seq=seq, entry=entry_digest(newest))
