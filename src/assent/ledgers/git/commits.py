"""Commits in the stream format of `git fast-import`: one per entry."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from assent.core.digest import Digest
from assent.core.entry import GENESIS, Draft, sentence
from assent.core.registry import Record, State, Step, extend, touched
from assent.ledgers.index import Index


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit to write: files by path; None deletes. With `kept`, files by path and id, nothing
    else is in it.
    """

    message: str
    author: str
    at: str
    files: Mapping[str, bytes | None]
    kept: dict[str, str] = {}


def imported(model: str, drafts: Iterable[Draft], object_format: str = "sha1") -> Iterator[bytes]:
    """A new ledger as a stream for `git fast-import`: the commits that appending `drafts` one by
    one would write.

    Raises `IllegalEntryError`.
    """
    return stream(branch_ref(model), _history(model, drafts, object_format), None)


def branch_ref(model: str) -> str:
    """The Git reference that holds the ledger of a model."""
    return f"refs/heads/assent/{model}"


def stream(ref: str, commits: Iterable[Commit], tip: str | None) -> Iterator[bytes]:
    """The commits on top of `tip` (None: a new branch), as `git fast-import --done` reads them."""
    # Two writers may decide the same in the same second. Their commits must differ, or the loser
    # of the race would take the winner's commit for its own.
    writing = os.urandom(8).hex()
    for number, commit in enumerate(commits):
        who = f"{_header(commit.author)} <assent>".encode()
        when = f"{_epoch(commit.at)} +0000".encode()
        yield b"commit %s\ncommitter %s %s\n" % (ref.encode(), who, when)
        yield _data(f"{commit.message}\n\nWrite: {writing}\n".encode())
        if number == 0 and tip is not None:
            yield b"from %s\n" % tip.encode()
        if commit.kept:
            yield b"deleteall\n"
        for path, oid in commit.kept.items():
            yield b"M 100644 %s %s\n" % (oid.encode(), path.encode())
        for path, content in commit.files.items():
            if content is None:
                yield b"D %s\n" % path.encode()
            else:
                yield b"M 100644 inline %s\n%s" % (path.encode(), _data(content))
    yield b"done\n"


def commit_of(step: Step, index: Index) -> Commit:
    """The commit that adds an entry, which `index` was asked about last."""
    return Commit(
        message=sentence(step.entry),
        author=step.entry.actor.login,
        at=step.entry.at,
        files=index.files(step),
    )


def _history(model: str, drafts: Iterable[Draft], object_format: str) -> Iterator[Commit]:
    state, head = State(model=model), GENESIS
    records: dict[Digest, Record] = {}
    index = Index({}, {}, object_format)
    for draft in drafts:
        known = {digest: records[digest] for digest in touched(state, draft) if digest in records}
        [step] = extend(state, known, head, [draft], index.derive)
        state, head = step.state, step.digest
        records |= step.records
        yield commit_of(step, index)


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _header(name: str) -> str:
    """A name as a commit header can hold it."""
    return "".join(c for c in name if c.isprintable() and c not in "<>") or "unknown"


def _epoch(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp()) if at else 0
