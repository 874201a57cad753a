"""When a pointer may be written: what every store with readers of its own keeps to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager

from assent.ports import Pointer
from assent.stores.layout import Place

LAST_WINS = (
    "of two machines that move a pointer at the same moment the later one stays, whichever is "
    "right, until `assent verify --repair`"
)
"""What a store lacks that cannot compare and swap."""


class Pointing(ABC):
    """A store whose pointers other tools find as well, listed under a tag. The tag follows what
    stands afterwards, whoever wrote it: a process that was killed between the two is put right by
    the next one.
    """

    def point(self, name: str, pointer: Pointer) -> bool:
        """See `Pointers.point`."""
        with self._pointing(name) as (place, standing):
            if standing is not None and standing.seq > pointer.seq:
                self._list(place, standing)
                return False
            self._write_and_list(place, pointer, standing)
            return True

    def restore(self, name: str, pointer: Pointer, *, instead_of: Pointer | None) -> bool:
        """See `Pointers.restore`."""
        with self._pointing(name) as (place, standing):
            if standing != instead_of:
                return False
            self._write_and_list(place, pointer, standing)
            return True

    def _write_and_list(self, place: Place, pointer: Pointer, standing: Pointer | None) -> None:
        if standing != pointer:
            self._write_pointer(place, pointer)
        self._list(place, pointer)

    @abstractmethod
    def _pointing(self, name: str) -> AbstractContextManager[tuple[Place, Pointer | None]]:
        """The place of a pointer and what stands there, while nobody else writes one, as far as
        the store can tell.
        """

    @abstractmethod
    def _write_pointer(self, place: Place, pointer: Pointer) -> None:
        """Write the pointer itself."""

    @abstractmethod
    def _list(self, place: Place, pointer: Pointer) -> None:
        """Let the tag of a pointer name the bundle that the pointer names."""
