"""An in-memory ledger for tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

from assent.core.digest import Digest
from assent.core.entry import Draft, Entry
from assent.core.registry import Record, Registry, State, extend, fold
from assent.errors import IntegrityError
from assent.ports import Copy, MovedError, View


class MemoryLedger:
    """A `Ledger` whose entries are lists in memory. `contents[model]` may be edited to play a
    ledger that somebody tampered with.
    """

    def __init__(self) -> None:
        self.contents: dict[str, list[bytes]] = {}
        self._lock = threading.Lock()

    def models(self) -> list[str]:
        """See `Ledger.models`."""
        return sorted(self.contents)

    def read(self, model: str, *, strict: bool = True, remembered: bool = True) -> MemoryView:
        """See `Ledger.read`."""
        del strict  # nothing is derived here that could differ from the entries
        del remembered  # and nothing is remembered
        contents = tuple(self.contents.get(model, ()))
        return MemoryView(contents, fold(model, contents))

    def append(self, view: View, drafts: Sequence[Draft]) -> tuple[Entry, ...]:
        """See `Ledger.append`."""
        registry = _read_here(view).registry
        steps = list(extend(registry.state, registry.records, registry.head, drafts))
        self._add(registry.state, [step.content for step in steps])
        return tuple(step.entry for step in steps)

    def adopt(self, view: View, contents: Sequence[bytes]) -> None:
        """See `Ledger.adopt`. Nothing is derived here that an entry could state."""
        state = _read_here(view).registry.state
        fold(state.model, [*view.entries(), *contents])
        self._add(state, contents)

    def _add(self, state: State, added: Sequence[bytes]) -> None:
        with self._lock:
            contents = self.contents.setdefault(state.model, [])
            if len(contents) != state.seq + 1:
                doing = f"writing to the ledger of {state.model}"
                raise MovedError(doing, "somebody else wrote first")
            contents.extend(added)

    def require_writable(self) -> None:
        """See `Ledger.require_writable`. It always is."""

    def turn(self, model: str) -> AbstractContextManager[bool]:
        """See `Ledger.turn`. Nobody else writes here."""
        del model
        return nullcontext(enter_result=False)

    def forget(self, model: str) -> None:
        """See `Ledger.forget`. Nothing is remembered here."""

    def copies(self, model: str) -> tuple[Copy, ...]:
        """See `Ledger.copies`. There is no other."""
        del model
        return ()

    def rebuild(self, view: View, registry: Registry) -> None:
        """See `Ledger.rebuild`. Nothing derived is kept here, so there is nothing to write."""


def _read_here(view: View) -> MemoryView:
    if not isinstance(view, MemoryView):
        raise TypeError("the view was read from another ledger")
    return view


class MemoryView:
    """One reading of a `MemoryLedger`."""

    def __init__(self, contents: tuple[bytes, ...], registry: Registry) -> None:
        self._contents = contents
        self.registry = registry

    @property
    def state(self) -> State:
        """See `View.state`."""
        return self.registry.state

    @property
    def head(self) -> Digest:
        """See `View.head`."""
        return self.registry.head

    @property
    def later_format(self) -> str | None:
        """See `View.later_format`. This one has no other."""
        return None

    def record(self, bundle: Digest) -> Record | None:
        """See `View.record`."""
        return self.registry.records.get(bundle)

    def bundle_of(self, version: int) -> Digest | None:
        """See `View.bundle_of`."""
        return self.registry.versions.get(version)

    def entry(self, seq: int) -> bytes:
        """See `View.entry`."""
        if not 0 <= seq < len(self._contents):
            raise IntegrityError("reading the ledger", f"entry {seq} is missing")
        return self._contents[seq]

    def entries(self, start: int = 0) -> Iterator[bytes]:
        """See `View.entries`."""
        yield from self._contents[start:]

    def astray(self, registry: Registry) -> tuple[str, ...] | None:
        """See `View.astray`. Nothing is kept beside the entries here."""
        del registry
        return ()
