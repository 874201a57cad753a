"""Writing to the ledger: read, judge, append, and again if somebody else was first."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from assent.core.digest import Digest
from assent.core.entry import GENESIS, Draft, Entry, Kind, decode_entry, encode_entry, entry_digest
from assent.core.registry import ChainError, Standing, State, linked
from assent.errors import OutsideError
from assent.ports import MovedError, Pointer, View
from assent.recording.keys import Key
from assent.recording.namesakes import require_own_name
from assent.recording.persistence import Persistence
from assent.recording.witnesses import contradiction, head_of, witness_error, witnesses_of
from assent.workspace import Workspace


def record(
    workspace: Workspace,
    model: str,
    decide: Callable[[View], Sequence[Draft]],
    *,
    view: View | None = None,
    key: Key | None = None,
) -> tuple[View, tuple[Entry, ...]]:
    """Append what `decide` makes of the ledger as it stands; nothing if it decides on nothing.

    It stands as in `view`, if the caller has just read it. `decide` is called again with a fresh
    view whenever somebody else wrote in between, so every entry was judged on the state that it
    follows. What an earlier run has written with `key` is not written again: it is what is
    returned. Returns the view it was decided on as well.
    """
    workspace.require_trusted(f"writing to the ledger of {model}")
    require_own_name(workspace, model, f"writing to the ledger of {model}")
    with workspace.ledger.turn(model) as had_to_wait:
        view, entries = _appended(workspace, model, decide, None if had_to_wait else view, key)
    if entries:
        point_all(workspace, model, entries)
    else:
        _point_head(workspace, view.state.model, view.state.seq, view.head)
    return view, entries


def _appended(
    workspace: Workspace,
    model: str,
    decide: Callable[[View], Sequence[Draft]],
    view: View | None,
    key: Key | None,
) -> tuple[View, tuple[Entry, ...]]:
    persistence = Persistence(time.monotonic())
    first: int | None = None
    while True:
        began = time.monotonic()
        if view is None:
            view = read_ledger(workspace, model)
        _require_witness(workspace, view)
        if key is not None and (key.is_repeated or persistence.losses):
            written = key.written(view, ours_after=first)
            if written:
                return view, written
        first = view.state.seq if first is None else first
        drafts = [_with_key(draft, key) for draft in decide(view)]
        if not drafts:
            return view, ()
        try:
            return view, workspace.ledger.append(view, drafts)
        except MovedError as error:
            now = time.monotonic()
            most_s = persistence.pause(error, view.head, now, cost_s=now - began)
        if persistence.losses == SAID_AT:
            workspace.say(f"others write to the ledger of {model} too: waiting for a turn")
        view = None
        import random  # only for whoever was not first

        time.sleep(random.uniform(0, most_s))  # noqa: S311  # not a secret


SAID_AT = 5
"""After how many lost races it is said."""


def _with_key(draft: Draft, key: Key | None) -> Draft:
    return draft if key is None else replace(draft, key=key.value)


def read_ledger(workspace: Workspace, model: str, *, alone: bool = False) -> View:
    """The ledger of `model`, compared with what the store knows of it. With `alone`, a store that
    cannot be reached is said and the ledger is read without it.

    Raises `WitnessError` if the ledger lacks an entry that the store was derived from.
    """
    try:
        known = witnesses_of(workspace, model)  # before the ledger: then to be behind is normal
    except OutsideError as error:
        if not alone:
            raise
        workspace.say(f"{model}: the ledger is not compared with the store: {error.problem}")
        return workspace.ledger.read(model)
    view = _agreeing(workspace, model, known, only_head=alone)
    if view.later_format is not None:
        workspace.say(f"{model}: not compared: written by format {view.later_format}")
    if view.state.versions and not known:
        workspace.say(f"{model}: {_NOTHING_THERE}")
    if not alone and head_of(model) in known:
        _say_moved(workspace, view, known)
    return view


_NOTHING_THERE = "the store knows nothing of this model, so that nothing says the ledger is whole"


def _require_witness(workspace: Workspace, view: View) -> None:
    """Raise `OutsideError` if the ledger has versions and the store has nothing of the model: it
    is not the store of this ledger, or is not there.
    """
    model, store = view.state.model, workspace.store
    if not view.state.versions or store.pointer(head_of(model)) is not None:
        return
    if not any(store.pointers(model).values()):
        raise OutsideError(
            f"comparing the ledger of {model} with the store",
            _NOTHING_THERE,
            hint="is `store` in assent.yaml the right one, and mounted here? if it was lost or "
            "moved, `assent verify --repair` writes its pointers again",
        )


def _say_moved(workspace: Workspace, view: View, known: Mapping[str, Pointer]) -> None:
    """Say which stages the store does not have as the ledger says: the ledger decides, but
    whoever serves from the store has something else.
    """
    for stage, held in view.state.stages.items():
        name = f"{view.state.model}/stages/{stage}"
        if _is_at(known.get(name), held):
            continue
        if not _is_at(workspace.store.pointer(name), held):  # now: somebody may just be writing
            workspace.say(
                f"{name} in the store does not say v{held.version}, which the ledger says: "
                "`assent verify --repair` puts it right"
            )


def _is_at(pointer: Pointer | None, held: Standing) -> bool:
    return pointer is not None and (pointer.seq, pointer.bundle) == (held.seq, held.bundle)


def _agreeing(
    workspace: Workspace, model: str, known: Mapping[str, Pointer], *, only_head: bool = False
) -> View:
    """A reading of the ledger that contradicts no witness. It is read once more before it is
    called wrong: a server may have answered from a copy that was behind.
    """
    for _ in range(2):
        view = workspace.ledger.read(model)
        problem = contradiction(view, known, only_head=only_head)
        if problem is None:
            return view
    raise witness_error(model, problem or "")


def read_entries(view: View, start: int = 0) -> list[Entry]:
    """The entries from `start` on, each proven to lead to the newest one. Raises `ChainError`."""
    model, contents = view.state.model, list(view.entries(start))
    head = decode_entry(contents[0]).prev if start and contents else GENESIS
    found = list(linked(model, contents, start, head))
    if (found[-1][1] if found else GENESIS) != view.head:
        last = start + len(found)
        raise ChainError(model, last, "the entries do not lead to the newest one")
    return [entry for entry, _ in found]


def point_all(workspace: Workspace, model: str, entries: Sequence[Entry]) -> None:
    """Move the pointers that these entries are about, and the head."""
    last, digest = entries[-1], entry_digest(encode_entry(entries[-1]))
    try:
        for entry in entries:
            point(workspace, entry, entry_digest(encode_entry(entry)))
        _point_head(workspace, model, last.seq, digest)
    except OutsideError as error:
        raise OutsideError(
            error.doing,
            f"{error.problem}; entry {last.seq} of the ledger is written, and it decides",
            hint="run the verb again, or `assent verify --repair`, to move the pointer too"
            + (f"; {error.hint}" if error.hint else ""),
        ) from None


def _point_head(workspace: Workspace, model: str, seq: int, entry: Digest) -> None:
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
        _agreeing(workspace, model, {name: later})


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
    _require_witness(workspace, view)
    content = view.entry(seq)
    entry = decode_entry(content)
    if entry.subject.version == version:
        point(workspace, entry, entry_digest(content))
    _point_head(workspace, view.state.model, view.state.seq, view.head)
