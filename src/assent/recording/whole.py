"""A ledger read whole: every entry, and every pointer of the store beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from assent.core.digest import Digest
from assent.core.entry import Dated, dated, entry_digest
from assent.core.registry import Registry, fold
from assent.ports import Pointer, View
from assent.recording.witnesses import beyond, head_of, not_in
from assent.workspace import Workspace


class FullRead(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger read whole, with the pointers that were read before it: the fold of the entries,
    the digest and the date of each, and the pointers that were not derived from any of them.
    """

    view: View
    registry: Registry
    digests: list[Digest]
    dates: list[Dated]
    there: dict[str, Pointer | None]
    witnessed: dict[str, str]

    @property
    def wanted(self) -> dict[str, Pointer]:
        """Every pointer that the ledger asks for."""
        return _expected(self.registry, self.digests)

    @property
    def wrong(self) -> dict[str, tuple[Pointer | None, Pointer]]:
        """What the store does not have as the ledger says: what stands there, and what should."""
        wanted = self.wanted
        wrong = {
            name: (self.there.get(name), pointer)
            for name, pointer in wanted.items()
            if self.there.get(name) != pointer
        }
        empty = Pointer(seq=self.registry.state.seq, entry=self.registry.head)
        for name, pointer in self.there.items():
            is_emptied = pointer is not None and pointer.version is None
            if self.digests and name not in wanted and not is_emptied:
                wrong[name] = (pointer, empty)
        return {name: pair for name, pair in wrong.items() if name not in self.witnessed}


def read_whole(workspace: Workspace, model: str, *, remembered: bool = True) -> FullRead:
    """Read the pointers and then the ledger (`remembered` as in `Ledger.read`): a pointer that is
    behind is normal, one that the ledger does not know of is not. Raises `IntegrityError` if the
    chain is broken.
    """
    there = workspace.store.pointers(model)
    view = workspace.ledger.read(model, strict=False, remembered=remembered)
    digests: list[Digest] = []
    dates: list[Dated] = []

    def noted() -> Iterator[bytes]:
        for content in view.entries():
            digests.append(entry_digest(content))
            yield content
            dates.append(dated(content))  # now that it is known to be an entry

    registry = fold(model, noted())
    witnessed: dict[str, str] = {}
    for name, pointer in there.items():
        if pointer is None:
            continue
        if pointer.seq >= len(digests):
            witnessed[name] = beyond(name, pointer, registry.state.seq)
        elif digests[pointer.seq] != pointer.entry:
            witnessed[name] = not_in(name, pointer)
    return FullRead(
        view=view, registry=registry, digests=digests, dates=dates, there=there, witnessed=witnessed
    )


def _expected(registry: Registry, digests: Sequence[Digest]) -> dict[str, Pointer]:
    """Every pointer that the ledger asks for."""
    model, pointers = registry.state.model, dict[str, Pointer]()
    if digests:
        pointers[head_of(model)] = Pointer(seq=registry.state.seq, entry=registry.head)
    for version, bundle in registry.versions.items():
        record = registry.records[bundle]
        seq = record.registered or 0
        pointers[f"{model}/versions/{version}"] = Pointer(
            seq=seq,
            entry=digests[seq],
            version=version,
            bundle=bundle,
            model_digest=record.model_digest,
        )
    for stage, held in registry.state.stages.items():
        pointers[f"{model}/stages/{stage}"] = Pointer(
            seq=held.seq,
            entry=digests[held.seq],
            version=held.version,
            bundle=held.bundle,
            model_digest=held.model_digest,
        )
    return pointers
