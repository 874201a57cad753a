"""`ledger move`: every entry to another place, byte for byte."""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec

from assent.core.digest import Digest
from assent.core.entry import Draft, Entry, Kind
from assent.core.ledgers import place_of
from assent.core.moves import links_of_move
from assent.errors import IntegrityError, UsageError
from assent.keeping.references import known_models, require_whole
from assent.ports import Ledger, MovedError, View
from assent.recording.appending import Intent, record
from assent.recording.reading import went_to
from assent.recording.reasons import require_reason
from assent.recording.retries import Retries
from assent.workspace import Workspace

AT_ONCE, BYTES_AT_ONCE = 200, 4 << 20
"""Entries that are written at once: one object, or one push."""


class MovedLedger(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger of one model: how many entries it has there now, and how many of them were
    written by this run.
    """

    model: str
    entries: int
    written: int


class LedgerMoveResult(msgspec.Struct, frozen=True, kw_only=True):
    """What has moved, and the entries that say so."""

    source: str
    target: str
    models: tuple[MovedLedger, ...]
    entries: tuple[Entry, ...] = ()


def ledger_move(workspace: Workspace, target: str, *, reason: str) -> LedgerMoveResult:
    """Write all entries of the ledgers that `assent.yaml` names to the place `target`, and say in
    each that it is there from now on. From then on nothing is written here: whoever would is told
    to name the new place in `assent.yaml`.

    What is there already is not written again, so that it goes on where it was cut off. Raises
    `IntegrityError` if the ledger of a model does not verify, or if there are other entries there,
    and `UsageError` for a place that cannot keep a ledger.
    """
    source, target = place_of(workspace.config.ledger), place_of(target)
    there = workspace.ledger_at(target)  # first of all: what is no address may hold a secret
    doing = f"moving the ledger to {target}"
    if source == target:
        raise UsageError(doing, "that is where it is")
    require_reason(reason, doing)
    workspace.require_trusted(doing)
    there.require_writable()
    models = known_models(workspace)
    written = dict.fromkeys(models, 0)
    for model in models:  # most of the work, while others may write here
        written[model] += _copied(workspace, there, model, doing)
    entries: list[Entry] = []
    for model in models:
        entries += _recorded(workspace, model, source, target, reason)
        written[model] += _copied(workspace, there, model, doing)
    moved = tuple(
        MovedLedger(model=model, entries=there.read(model).state.seq + 1, written=written[model])
        for model in models
    )
    return LedgerMoveResult(
        source=source,
        target=target,
        models=tuple(each for each in moved if each.entries),
        entries=tuple(entries),
    )


def _copied(workspace: Workspace, there: Ledger, model: str, doing: str) -> int:
    """Write what the ledger there lacks; how many entries that were."""
    read = require_whole(workspace, model)
    if read.view.later_format is not None:
        problem = f"{model}: its newest entry has the format {read.view.later_format!r}"
        raise IntegrityError(doing, problem, hint="upgrade Assent first")
    retries, written = Retries(time.monotonic()), 0
    left, following = iter(list[bytes]()), -1
    while True:
        began = time.monotonic()
        view = there.read(model)
        _require_beginning(view, read.digests, doing)
        first = view.state.seq + 1
        if first == len(read.digests):
            return written
        if first != following:
            workspace.say(f"moving {model}: {len(read.digests) - first} entries")
            left = read.view.entries(first)
        contents = _few(left)
        following = first + len(contents)
        try:
            there.adopt(view, contents)
            written += len(contents)
        except MovedError as error:  # somebody else moves it, too
            now = time.monotonic()
            time.sleep(retries.pause(error, view.head, now, cost_s=now - began))


def _few(left: Iterator[bytes]) -> list[bytes]:
    """The next entries that are written at once."""
    few, size = list[bytes](), 0
    for content in left:
        few.append(content)
        size += len(content)
        if len(few) == AT_ONCE or size >= BYTES_AT_ONCE:
            break
    return few


def _require_beginning(view: View, digests: list[Digest], doing: str) -> None:
    """Raise `IntegrityError` unless the ledger there is the beginning of the one here. The digest
    of its newest entry says so of all of them.
    """
    count = view.state.seq + 1
    if count == 0 or (count <= len(digests) and view.head == digests[count - 1]):
        return
    raise IntegrityError(
        doing,
        f"there is another ledger of {view.state.model} there, of {count} entries",
        hint="choose a place that holds none; if that one goes on where this one ended, name it "
        "as `ledger` in assent.yaml",
    )


def _recorded(
    workspace: Workspace, model: str, source: str, target: str, reason: str
) -> tuple[Entry, ...]:
    """Say in the ledger here that it is there from now on, unless it says so."""
    view = workspace.ledger.read(model)
    if view.state.seq < 0 or went_to(workspace, view) == target:
        return ()

    def decide(view: View) -> Intent[None]:
        del view
        draft = Draft(
            kind=Kind.MOVED,
            at=workspace.now,
            model=model,
            actor=workspace.forge.whoami(),
            run=workspace.run,
            reason=reason,
            links=links_of_move(source, target),
        )
        return Intent(outcome=None, drafts=(draft,))

    try:
        return record(workspace, model, decide).entries
    except UsageError:  # somebody else may have been first to say so
        if went_to(workspace, workspace.ledger.read(model)) != target:
            raise
        return ()
