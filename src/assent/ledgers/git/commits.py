"""Commits in the stream format of `git fast-import`: one per entry.

`git log` is the timeline for whoever has nothing else, so that a commit says in trailers what a
reader of one asks for. They prove nothing; the entries do.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from assent.core.digest import Digest
from assent.core.entry import GENESIS, Draft, Entry, Kind, ReviewRecord, sentence
from assent.core.history import DECISIONS
from assent.core.registry import Record, State, Step, extend, touched
from assent.ledgers.index import Index
from assent.report.escape import shorten, visible

VALUE_LIMIT = 500
"""How many characters of a trailer are kept; the entry has all."""


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit to write: files by path; None deletes. With `kept`, files by path and id, nothing
    else is in it. `trailers` are names and values, which may be anybody's words.
    """

    message: str
    trailers: tuple[tuple[str, str], ...] = ()
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
        trailers = [*map(trailer, commit.trailers), trailer(("Write", writing))]
        yield _data("\n".join([commit.message, "", *trailers, ""]).encode())
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


def trailer(given: tuple[str, str]) -> str:
    """A trailer as one line. No words of anybody make another one of it, whatever they are: what is
    no visible character is written out.
    """
    name, value = given
    return f"{name}: {visible(shorten(value.strip(), VALUE_LIMIT))}"


def trailers_of(entry: Entry) -> tuple[tuple[str, str], ...]:
    """What the commit of an entry says beside its sentence. An approval that a decision did not
    need is not named as one of it.
    """
    run = entry.run
    trailers = [("Entry", str(entry.seq))]
    if entry.reason:
        trailers.append(("Reason", entry.reason))
    if entry.happened is not None:
        trailers.append(("Happened", entry.happened))
    if entry.required is not None:
        trailers.append(("Approvals-required", str(entry.required)))
    if entry.kind not in DECISIONS or entry.required != 0:
        trailers += [(_label(entry, record), _who(record)) for record in entry.approvals]
    if run is not None:
        trailers.append(("Run", run.address or f"{run.system} {run.id}"))
    trailers += [("Metric", f"{name}={value!r}") for name, value in entry.metrics.items()]
    trailers += [("Link", f"{name}={address}") for name, address in entry.links.items()]
    return tuple(trailers)


def _label(entry: Entry, record: ReviewRecord) -> str:
    if entry.kind is not Kind.REJECTED:
        return "Approved-by"
    return "Withdrawn-by" if record.is_withdrawn else "Rejected-by"


def _who(record: ReviewRecord) -> str:
    """A person with the key that is theirs alone: anybody can be called anything."""
    person = record.person
    claimed = " (claimed)" if person.proof == "claimed" else ""
    return f"{_header(person.login)} <{_header(person.key)}>{claimed}"


def commit_of(step: Step, index: Index) -> Commit:
    """The commit that adds an entry, which `index` was asked about last."""
    return Commit(
        message=sentence(step.entry),
        trailers=trailers_of(step.entry),
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
