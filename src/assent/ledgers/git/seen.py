"""What a clone remembers of a ledger, so that a rollback or a fork is noticed."""

from __future__ import annotations

import os
from pathlib import Path

from assent.core.digest import Digest
from assent.core.entry import entry_digest
from assent.core.registry import ChainError
from assent.ports import View


class Seen:
    """The newest entry that this clone had seen when this was made. A ledger that is shorter now,
    or that has another entry at that place, was rolled back or rewritten, whatever Git calls it.
    """

    def __init__(self, home: Path, model: str) -> None:
        self._path = home / "seen" / model
        self._model = model
        self._entry = self._read()

    def expect_nothing(self) -> None:
        """The branch is not there: that is fine only if it never was."""
        if self._entry is not None:
            raise ChainError(self._model, 0, "the whole ledger has disappeared")

    def expect(self, view: View) -> None:
        """Check a view against what was seen, and remember it if it goes on from there."""
        seen = self._entry
        if seen == (view.state.seq, view.head):
            return
        if seen is not None:
            seq, digest = seen
            if seq > view.state.seq:
                problem = f"the ledger was rolled back: this clone has seen entry {seq}"
                raise ChainError(self._model, view.state.seq + 1, problem)
            if entry_digest(view.entry(seq)) != digest:
                raise ChainError(self._model, seq, "it is not the entry this clone has seen")
        self.keep(view.state.seq, view.head)

    def keep(self, seq: int, digest: Digest) -> None:
        """Remember an entry, unless another process of this clone has seen a later one."""
        now = self._read()
        if now is not None and now[0] >= seq:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        draft.write_text(f"{seq} {digest}\n", "ascii")
        draft.replace(self._path)

    def _read(self) -> tuple[int, Digest] | None:
        try:
            seq, digest = self._path.read_text("ascii").split()
        except (FileNotFoundError, ValueError):
            return None
        return int(seq), Digest(digest)
