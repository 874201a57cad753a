"""What the store knows of a ledger: whoever reads both notices a ledger that lost entries.

Pointers are written after the ledger and read before it, so that one which is behind is normal.
One that was derived from an entry that the ledger does not have is a witness: the ledger was cut
off, rewritten or restored from an old copy, or it is not the ledger of this store. A clone that
has seen nothing yet, which is every CI job, has no other.
"""

from __future__ import annotations

from collections.abc import Mapping

from assent.core.entry import entry_digest
from assent.errors import IntegrityError
from assent.ports import Pointer, View
from assent.workspace import Workspace


class WitnessError(IntegrityError):
    """The ledger lacks an entry that something else was derived from."""


MOST_VERSIONS = 20
"""Of how many of the newest versions the pointers are compared where there is no head."""


def witnesses_of(workspace: Workspace, model: str) -> dict[str, Pointer]:
    """What the store has derived from the ledger of `model`, by name: the head and the stages, or
    all there is where no head can be read. Raises `OutsideError` if the store cannot be reached.
    """
    head = workspace.store.pointer(head_of(model))
    if head is None:
        there = workspace.store.pointers(model)
        return {name: pointer for name, pointer in there.items() if pointer is not None}
    policy = workspace.config.policies.get(model)
    names = [f"{model}/stages/{stage}" for stage in ([] if policy is None else policy.stages)]
    stages = {name: workspace.store.pointer(name) for name in names}
    held = {name: pointer for name, pointer in stages.items() if pointer is not None}
    return {head_of(model): head, **held}


def head_of(model: str) -> str:
    """The name of the pointer that follows every entry."""
    return f"{model}/head"


def contradiction(view: View, witnesses: Mapping[str, Pointer], *, only_head: bool) -> str | None:
    """How the ledger contradicts a witness, in words; None if it contradicts none. With
    `only_head`, the entries of the others are not looked at where there is a head, which costs no
    further reading: whoever only reads is told as much by the head.
    """
    model = view.state.model
    for name, pointer in witnesses.items():
        if pointer.seq > view.state.seq:
            return beyond(name, pointer, view.state.seq)
    head = head_of(model)
    names = [head] if only_head and head in witnesses else _newest(model, witnesses)
    for name in names:
        if not _has(view, witnesses[name]):
            return not_in(name, witnesses[name])
    return None


def _newest(model: str, witnesses: Mapping[str, Pointer]) -> list[str]:
    """The head, the stages, and the newest versions."""
    held = [name for name in witnesses if name.startswith(f"{model}/versions/")]
    newest = sorted(held, key=lambda name: -witnesses[name].seq)[:MOST_VERSIONS]
    return [*(name for name in witnesses if name not in held), *newest]


def beyond(name: str, pointer: Pointer, last: int) -> str:
    """The words for a pointer of an entry after the last one."""
    ends = "has no entry" if last < 0 else f"ends at entry {last}"
    return f"{name} in the store was derived from entry {pointer.seq}, but the ledger {ends}"


def not_in(name: str, pointer: Pointer) -> str:
    """The words for a pointer of another entry than the ledger has at its number."""
    return f"{name} in the store was derived from another entry {pointer.seq} than the ledger has"


def witness_error(model: str, problem: str) -> WitnessError:
    """The error that ends whatever was to be read or written."""
    return WitnessError(
        f"comparing the ledger of {model} with the store",
        problem,
        hint="the ledger was cut off, rewritten or restored from an old copy (in Git the branch "
        f"assent/{model}, in a bucket the objects below {model}/), or "
        "`ledger` or `store` in assent.yaml is not the right one: `assent verify` says more, and "
        "nothing is written before that is settled",
    )


def _has(view: View, pointer: Pointer) -> bool:
    if pointer.seq == view.state.seq:
        return view.head == pointer.entry
    return entry_digest(view.entry(pointer.seq)) == pointer.entry
