"""What a clone remembers of a ledger, so that a rollback or a fork is noticed."""

from __future__ import annotations

from pathlib import Path

from assent.core.digest import Digest, is_digest
from assent.core.entry import entry_digest
from assent.core.registry import ChainError, LostError
from assent.files import remove_whatever_is_at, write_atomically
from assent.ports import View

MAX_DIGITS = 12


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
            raise LostError(self._model, 0, "the whole ledger has disappeared")

    def expect(self, view: View) -> None:
        """Check a view against what was seen, and remember it if it goes on from there."""
        seen = self._entry
        if seen == (view.state.seq, view.head):
            return
        if seen is not None and seen[0] > view.state.seq:
            raise self._rolled_back(view.state.seq + 1, seen[0])
        self.require(view)
        self.keep(view.state.seq, view.head)

    def require(self, view: View) -> None:
        """Check that the entries of a view, whatever is kept beside them, have what was seen."""
        if self._entry is None:
            return
        seq, digest = self._entry
        try:
            content = view.entry(seq)
        except ChainError:
            if view.state.seq >= seq:
                raise  # it is there, and does not lead to the newest one: another fault
            raise self._rolled_back(seq, seq) from None
        if entry_digest(content) != digest:
            raise LostError(self._model, seq, "it is not the entry this clone has seen")

    def forget(self) -> None:
        """Begin anew."""
        self._path.unlink(missing_ok=True)

    def _rolled_back(self, first: int, seen: int) -> LostError:
        problem = f"the ledger was rolled back: this clone has seen entry {seen}"
        return LostError(self._model, first, problem)

    def keep(self, seq: int, digest: Digest) -> None:
        """Remember an entry, unless another process of this clone has seen a later one."""
        now = self._read()
        if now is not None and now[0] >= seq:
            return
        if not self._path.parent.is_dir():
            remove_whatever_is_at(self._path.parent)
        if self._path.is_dir():
            remove_whatever_is_at(self._path)
        write_atomically(self._path, f"{seq} {digest}\n".encode("ascii"))

    def _read(self) -> tuple[int, Digest] | None:
        try:
            seq, digest = self._path.read_text("ascii").split()
        except PermissionError:
            raise
        except (OSError, ValueError):
            return None
        is_sound = seq.isdecimal() and len(seq) <= MAX_DIGITS and is_digest(digest)
        return (int(seq), Digest(digest)) if is_sound else None  # damaged: as if never seen
