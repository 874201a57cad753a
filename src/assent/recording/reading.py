"""Reading the ledger: compared with what the store knows of it, and entry by entry."""

from __future__ import annotations

from collections.abc import Mapping

from assent.core.entry import GENESIS, Entry, decode_entry
from assent.core.ledgers import place_of
from assent.core.moves import ledger_went
from assent.core.registry import ChainError, Standing, linked
from assent.errors import OutsideError, UsageError
from assent.ports import Pointer, View
from assent.recording.witnesses import contradiction, head_of, witness_error, witnesses_of
from assent.workspace import Workspace


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
        view = workspace.ledger.read(model)
        say_went(workspace, view)
        return view
    view = agreeing(workspace, model, known, only_head=alone)
    if alone:  # whoever is to write is refused, and whoever needs the store hears of it there
        say_went(workspace, view)
    if view.later_format is not None:
        workspace.say(f"{model}: not compared: written by format {view.later_format}")
    if view.state.versions and not known:
        workspace.say(f"{model}: {_NOTHING_THERE}")
    if not alone and head_of(model) in known:
        _say_moved(workspace, view, known)
    return view


_NOTHING_THERE = "the store knows nothing of this model, so that nothing says the ledger is whole"


def require_witness(workspace: Workspace, view: View) -> None:
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


def require_here(workspace: Workspace, view: View, doing: str = "writing to") -> None:
    """Raise `UsageError` if the ledger ends by saying that it is elsewhere from now on: what was
    written here then, nobody would read there.
    """
    went = went_to(workspace, view)
    if went is not None:
        raise UsageError(
            f"{doing} the ledger of {view.state.model}",
            f"it has moved to {went}, says entry {view.state.seq}",
            hint=f"merge `ledger: {went}` in assent.yaml, and fetch it; `assent ledger move` goes "
            "on with a move that was cut off",
        )


def require_merged(workspace: Workspace, doing: str) -> None:
    """Raise `UsageError` if the base branch names another ledger than this checkout: a change that
    names one of its own would say itself what was approved, and what it is compared with.
    """
    base, here = workspace.base_config(), place_of(workspace.config.ledger)
    if base is not None and place_of(base.ledger) != here:
        branch = workspace.base_branch or "the base branch"
        raise UsageError(
            doing,
            f"assent.yaml here names the ledger {here}, and that of {branch} names {base.ledger}",
            hint=f"bring this checkout up to date with {branch}; a ledger that nobody has merged "
            "decides nothing, so merge a change of `ledger` first, and by itself",
        )


def went_to(workspace: Workspace, view: View) -> str | None:
    """Where the ledger is, if it ends by saying that this is another place."""
    seq = view.state.seq
    went = ledger_went(decode_entry(view.entry(seq))) if seq >= 0 else None
    return None if went == place_of(workspace.config.ledger) else went


def say_went(workspace: Workspace, view: View) -> None:
    """Say it to whoever only reads: here nobody tells them what was decided since."""
    went = went_to(workspace, view)
    if went is not None:
        workspace.say(
            f"{view.state.model}: the ledger has moved to {went}, says entry {view.state.seq}: "
            "what was decided since is there alone, and `ledger` in assent.yaml does not name it"
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


def agreeing(
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
    require_here(workspace, view, "reading")  # then it is no wonder that this one is behind
    raise witness_error(model, problem or "")


def read_entries(view: View, start: int = 0) -> list[Entry]:
    """The entries from `start` on, each proven to lead to the newest one. Raises `ChainError`."""
    model, contents = view.state.model, list(view.entries(start))
    head = decode_entry(contents[0]).prev if start and contents else GENESIS
    entries = list(linked(model, contents, start, head))
    if (entries[-1][1] if entries else GENESIS) != view.head:
        last = start + len(entries)
        raise ChainError(model, last, "the entries do not lead to the newest one")
    return [entry for entry, _ in entries]
