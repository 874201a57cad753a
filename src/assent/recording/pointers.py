"""Pointers of the store: written after the ledger, and only as it says."""

from __future__ import annotations

from collections.abc import Sequence

from assent.core.digest import Digest
from assent.core.entry import Entry, Kind, decode_entry, encode_entry, entry_digest
from assent.core.registry import State
from assent.errors import OutsideError, UsageError
from assent.ports import Pointer, View
from assent.recording.reading import agreeing, require_witness
from assent.recording.witnesses import head_of
from assent.workspace import Workspace


def point_all(workspace: Workspace, model: str, entries: Sequence[Entry]) -> None:
    """Move the pointers that these entries are about, and the head."""
    last, digest = entries[-1], entry_digest(encode_entry(entries[-1]))
    try:
        for entry in entries:
            point(workspace, entry, entry_digest(encode_entry(entry)))
        point_head(workspace, model, last.seq, digest)
    except (OutsideError, UsageError) as error:
        raise OutsideError(
            error.doing,
            f"{error.problem}; entry {last.seq} of the ledger is written, and it decides",
            hint="run the verb again, or `assent verify --repair`, to move the pointer too"
            + (f"; {error.hint}" if error.hint else ""),
        ) from None


def point_head(workspace: Workspace, model: str, seq: int, entry: Digest) -> None:
    """Move the head to the newest entry. Whoever finds nothing to write moves it as well: the one
    who wrote may have been killed before it.
    """
    if seq >= 0:
        _write_pointer(workspace, model, head_of(model), Pointer(seq=seq, entry=entry))


def _write_pointer(workspace: Workspace, model: str, name: str, pointer: Pointer) -> None:
    """Write a pointer, unless somebody wrote a later one. One that the ledger does not know of is
    no later one: the ledger was restored from an old copy, and nobody may say "promoted".
    """
    if workspace.store.point(name, pointer):
        return
    later = workspace.store.pointer(name)
    if later is not None:
        agreeing(workspace, model, {name: later})


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
    _write_pointer(workspace, entry.model, name, pointer)


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
    _write_pointer(workspace, state.model, f"{state.model}/stages/{stage}", pointer)
    return decode_entry(content)


def point_version_again(workspace: Workspace, view: View, version: int, seq: int) -> None:
    """Write the pointer of a version as the ledger has it."""
    require_witness(workspace, view)
    content = view.entry(seq)
    entry = decode_entry(content)
    if entry.subject.version == version:
        point(workspace, entry, entry_digest(content))
    point_head(workspace, view.state.model, view.state.seq, view.head)
