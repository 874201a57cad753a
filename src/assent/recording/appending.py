"""Writing to the ledger: read, decide, append, and again if somebody else was first."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from msgspec.structs import replace

from assent.core.entry import Draft, Entry
from assent.ports import MovedError, View
from assent.recording.idempotency_keys import Key
from assent.recording.namesakes import require_own_name
from assent.recording.pointers import point_all, point_head
from assent.recording.reading import (
    read_ledger,
    require_here,
    require_merged,
    require_witness,
)
from assent.recording.retries import Retries
from assent.workspace import Workspace

SAID_AT = 5
"""After how many lost races it is said."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Intent(Generic[T]):
    """What was decided on the ledger as it stood: what is to be appended, which may be nothing,
    and what came out, for the verb to tell.
    """

    outcome: T
    drafts: tuple[Draft, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Recorded(Generic[T]):
    """The entries that were written, and the view that they follow. `last` is the outcome of the
    last decision; None where none was needed, because an earlier run has written under the key.
    """

    view: View
    entries: tuple[Entry, ...] = ()
    last: T | None = None

    @property
    def outcome(self) -> T:
        """The outcome of what was decided without a key."""
        assert self.last is not None
        return self.last


Decide = Callable[[View], Intent[T]]


def record(
    workspace: Workspace,
    model: str,
    decide: Decide[T],
    *,
    view: View | None = None,
    key: Key | None = None,
) -> Recorded[T]:
    """Append what `decide` makes of the ledger as it stands; nothing if it decides on nothing.

    It stands as in `view`, if the caller has just read it. `decide` is called again with a fresh
    view whenever somebody else wrote in between, so every entry was judged on the state that it
    follows. What an earlier run has written with `key` is not written again: it is what is
    returned.
    """
    workspace.require_trusted(f"writing to the ledger of {model}")
    require_merged(workspace, f"writing to the ledger of {model}")
    require_own_name(workspace, model, f"writing to the ledger of {model}")
    with workspace.ledger.turn(model) as had_to_wait:
        done = _appended(workspace, model, decide, None if had_to_wait else view, key)
    if done.entries:
        point_all(workspace, model, done.entries)
    else:
        point_head(workspace, model, done.view.state.seq, done.view.head)
    return done


def _appended(
    workspace: Workspace, model: str, decide: Decide[T], view: View | None, key: Key | None
) -> Recorded[T]:
    retries = Retries(time.monotonic())
    first: int | None = None
    last: T | None = None
    while True:
        began = time.monotonic()
        if view is None:
            view = read_ledger(workspace, model)
        require_here(workspace, view)
        require_witness(workspace, view)
        if key is not None and (key.is_repeated or retries.losses):
            written = key.written(view, ours_after=first)
            if written:
                return Recorded(view=view, entries=written, last=last)
        first = view.state.seq if first is None else first
        intent = decide(view)
        last = intent.outcome
        if not intent.drafts:
            return Recorded(view=view, last=last)
        try:
            entries = workspace.ledger.append(view, _with_key(intent.drafts, key))
            return Recorded(view=view, entries=entries, last=last)
        except MovedError as error:
            now = time.monotonic()
            most_s = retries.pause(error, view.head, now, cost_s=now - began)
        if retries.losses == SAID_AT:
            workspace.say(f"others write to the ledger of {model} too: waiting for a turn")
        view = None
        import random  # only for whoever was not first

        time.sleep(random.uniform(0, most_s))  # noqa: S311  # not a secret


def _with_key(drafts: tuple[Draft, ...], key: Key | None) -> tuple[Draft, ...]:
    return drafts if key is None else tuple(replace(draft, key=key.value) for draft in drafts)
