"""Writing to the ledger: read, judge, append, and again if somebody else was first."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from assent.core.digest import Digest
from assent.core.entry import Draft, Entry, Kind, decode_entry, encode_entry, entry_digest
from assent.core.registry import State
from assent.errors import IntegrityError, OutsideError
from assent.ports import BusyError, MovedError, Pointer, View
from assent.verbs.workspace import Workspace

PATIENCE_S = 120.0
"""How long a writer tries when others keep being first."""

BUSY_S = 10.0
"""How long it waits for a lock, which is held for milliseconds unless it was left."""


def record(
    workspace: Workspace,
    model: str,
    decide: Callable[[View], Sequence[Draft]],
    *,
    view: View | None = None,
) -> tuple[View, tuple[Entry, ...]]:
    """Append what `decide` makes of the ledger as it stands; nothing if it decides on nothing.

    It stands as in `view`, if the caller has just read it. `decide` is called again with a fresh
    view whenever somebody else wrote in between, so every entry was judged on the state that it
    follows. Returns the view it was decided on.
    """
    workspace.require_trusted(f"writing to the ledger of {model}")
    deadline = time.monotonic() + PATIENCE_S
    busy_since: float | None = None
    attempt = 0
    while True:
        if view is None:
            view = read_ledger(workspace, model)
        drafts = decide(view)
        if not drafts:
            return view, ()
        try:
            entries = workspace.ledger.append(view, drafts)
        except MovedError as error:
            view = None
            now = time.monotonic()
            if isinstance(error, BusyError):
                busy_since = busy_since or now
                if now > busy_since + BUSY_S:
                    raise OutsideError(error.doing, error.problem, hint=error.hint) from None
            else:
                busy_since = None
            if now > deadline:
                raise OutsideError(
                    error.doing, "others keep being first", hint="run the verb again later"
                ) from None
            import random  # only for whoever was not first

            attempt += 1
            time.sleep(random.uniform(0, min(1.0, 0.01 * 2**attempt)))  # noqa: S311  # not a secret
            continue
        _point_all(workspace, entries)
        return view, entries


def read_ledger(workspace: Workspace, model: str) -> View:
    """The ledger of `model`. Raises `IntegrityError` if it knows no version and the store does:
    then it is not the ledger of this store, or its branch is gone.
    """
    view = workspace.ledger.read(model)
    if view.state.versions:
        return view
    names = workspace.store.pointers(model)
    if not names:
        return view
    # The ledger is written before the pointers: somebody may have written both since it was read.
    view = workspace.ledger.read(model)
    if view.state.versions:
        return view
    raise IntegrityError(
        f"comparing the ledger of {model} with the store",
        f"the ledger has no version, but the store has {', '.join(sorted(names)[:3])}",
        hint="is `ledger` in assent.yaml the right remote, and has its branch "
        f"assent/{model} been deleted?",
    )


def _point_all(workspace: Workspace, entries: Sequence[Entry]) -> None:
    for entry in entries:
        try:
            point(workspace, entry, entry_digest(encode_entry(entry)))
        except OutsideError as error:
            raise OutsideError(
                error.doing,
                f"{error.problem}; entry {entry.seq} of the ledger is written, and it decides",
                hint="run the verb again, or `assent verify --repair`, to move the pointer too"
                + (f"; {error.hint}" if error.hint else ""),
            ) from None


def point(workspace: Workspace, entry: Entry, digest: Digest) -> None:
    """Move the pointer that an entry is about. A pointer follows the ledger, never the reverse;
    if this is interrupted, running the verb again or `verify --repair` does it.
    """
    name = pointer_name(entry)
    if name is None:
        return
    subject = entry.subject
    if entry.kind is Kind.CLEARED:
        pointer = Pointer(seq=entry.seq, entry=digest)
    else:
        pointer = Pointer(
            seq=entry.seq,
            entry=digest,
            version=subject.version,
            bundle=subject.bundle,
            model_digest=subject.model_digest,
        )
    workspace.store.point(name, pointer)


def pointer_name(entry: Entry) -> str | None:
    """The pointer that an entry moves, if it moves one."""
    match entry.kind:
        case Kind.REGISTERED:
            return f"{entry.model}/versions/{entry.subject.version}"
        case Kind.PROMOTED | Kind.ROLLED_BACK | Kind.CLEARED:
            return f"{entry.model}/stages/{entry.stage}"
        case _:
            return None


def point_stage_again(workspace: Workspace, view: View, stage: str) -> Entry:
    """Write the pointer of a stage as the ledger has it: an earlier run may have been killed
    between the two. Returns the entry since which it is so.
    """
    state: State = view.state
    held = state.stages[stage]
    content = view.entry(held.seq)
    pointer = Pointer(
        seq=held.seq,
        entry=entry_digest(content),
        version=held.version,
        bundle=held.bundle,
        model_digest=held.model_digest,
    )
    workspace.store.point(f"{state.model}/stages/{stage}", pointer)
    return decode_entry(content)


def point_version_again(workspace: Workspace, view: View, version: int, seq: int) -> None:
    """Write the pointer of a version as the ledger has it."""
    content = view.entry(seq)
    entry = decode_entry(content)
    if entry.subject.version == version:
        point(workspace, entry, entry_digest(content))
