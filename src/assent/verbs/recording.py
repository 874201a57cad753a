"""Writing to the ledger: read, judge, append, and again if somebody else was first."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from assent.core.digest import Digest
from assent.core.entry import Draft, Entry, Kind, encode_entry, entry_digest
from assent.core.registry import State
from assent.errors import OutsideError
from assent.ports import MovedError, Pointer, View
from assent.verbs.workspace import Workspace

PATIENCE_S = 120.0
"""How long a writer tries when others keep being first."""


def record(
    workspace: Workspace, model: str, decide: Callable[[View], Sequence[Draft]]
) -> tuple[View, tuple[Entry, ...]]:
    """Append what `decide` makes of the ledger as it stands; nothing if it decides on nothing.

    `decide` is called again with a fresh view whenever somebody else wrote in between, so every
    entry was judged on the state that it follows. Returns the view it was decided on.
    """
    deadline = time.monotonic() + PATIENCE_S
    attempt = 0
    while True:
        view = workspace.ledger.read(model)
        drafts = decide(view)
        if not drafts:
            return view, ()
        try:
            entries = workspace.ledger.append(view, drafts)
        except MovedError as error:
            if time.monotonic() > deadline:
                raise OutsideError(
                    error.doing, "others keep being first", hint="run the verb again later"
                ) from None
            attempt += 1
            time.sleep(random.uniform(0, min(1.0, 0.01 * 2**attempt)))  # noqa: S311  # not a secret
            continue
        for entry in entries:
            point(workspace, entry, entry_digest(encode_entry(entry)))
        return view, entries


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


def point_stage_again(workspace: Workspace, view: View, stage: str) -> None:
    """Write the pointer of a stage as the ledger has it: an earlier run may have been killed
    between the two.
    """
    state: State = view.state
    held = state.stages[stage]
    pointer = Pointer(
        seq=held.seq,
        entry=entry_digest(view.entry(held.seq)),
        version=held.version,
        bundle=held.bundle,
        model_digest=held.model_digest,
    )
    workspace.store.point(f"{state.model}/stages/{stage}", pointer)


def point_version_again(workspace: Workspace, view: View, version: int, seq: int) -> None:
    """Write the pointer of a version as the ledger has it."""
    from assent.core.entry import decode_entry

    content = view.entry(seq)
    entry = decode_entry(content)
    if entry.subject.version == version:
        point(workspace, entry, entry_digest(content))
