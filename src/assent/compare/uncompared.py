"""What of two models nobody has compared, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Protocol

from msgspec.structs import replace

from assent.core.diff.model import Weights
from assent.core.diff.sameness import NotCompared
from assent.core.inspection import Part, Tensor

ALL_VALUES = "the values of all tensors"

_Pair = tuple[Part | None, Part | None]


class LoadedBundle(Protocol):
    """What is known of bytes, by their digests."""

    def are_same(self, old: Part, new: Part) -> bool:
        """Whether all bytes of both parts are the same."""

    def have_same_values(self, old: Part, new: Part) -> bool:
        """Whether the values of all tensors of both parts are the same bytes."""


def uncompared(
    pairs: Sequence[_Pair], known: LoadedBundle, weights: Weights | None
) -> tuple[NotCompared, ...]:
    """The parts on both sides, and the tensors, whose bytes are not known to be the same and whose
    content was not compared, or not the part of it that differs. `weights` is None if nobody looked
    at values.
    """
    both = [(old, new) for old, new in pairs if old is not None and new is not None]
    other = [(old, new) for old, new in both if not known.are_same(old, new)]
    same = {new.path for old, new in both if known.have_same_values(old, new)}
    parts = [part for old, new in other for part in _parts(old, new)]
    values = tuple(_values(tuple(_tensors(pairs, same)), weights))
    moved: frozenset[str] = frozenset() if weights is None else _moved(weights)
    told = frozenset(part.name for part in (*parts, *values))
    more = (_more(old, new, both, known, moved, told) for old, new in other if new.path not in told)
    return (*parts, *values, *(part for part in more if part is not None))


def _parts(old: Part, new: Part) -> Iterator[NotCompared]:
    """Why the content of a part was not compared, or not wholly."""
    for side, part in (("candidate", new), ("baseline", old)):
        if part.problem is not None:
            yield NotCompared(name=new.path, reason=f"the {side}'s cannot be read: {part.problem}")
            return
    why = new.not_read or old.not_read
    if why is not None:
        yield NotCompared(name=new.path, reason=why)
        return
    left_out = new.left_out or old.left_out
    if left_out is not None:
        yield NotCompared(name=new.path, reason=f"not looked at: {left_out}")


def _tensors(pairs: Iterable[_Pair], same: set[str]) -> Iterator[tuple[str, Tensor]]:
    """The tensors of the candidate that the baseline has in the same shape, in whatever file, with
    their files; those left out that lie in a file of the same bytes.
    """
    pairs = list(pairs)
    had = {
        (tensor.name, tensor.shape)
        for old, _ in pairs
        for tensor in (() if old is None else old.tensors)
    }
    for _, new in pairs:
        if new is None or new.path in same:
            continue
        for tensor in new.tensors:
            if (tensor.name, tensor.shape) in had:
                yield new.path, tensor


def _values(
    tensors: Sequence[tuple[str, Tensor]], weights: Weights | None
) -> Iterator[NotCompared]:
    if not tensors:
        return
    if weights is None or weights.problem is not None:
        why = "nobody asked for it" if weights is None else weights.problem or ""
        yield NotCompared(name=ALL_VALUES, reason=why)
        return
    told = {change.name for change in weights.changes} | {
        skipped.name for skipped in weights.not_compared
    }
    asked = {name for path, tensor in tensors for name in (tensor.name, f"{path}: {tensor.name}")}
    yield from (skipped for skipped in weights.not_compared if skipped.name in asked)
    for path, tensor in tensors:
        if tensor.name not in told and f"{path}: {tensor.name}" not in told:
            yield NotCompared(name=tensor.name, reason="where its values lie is not known")


def _moved(weights: Weights) -> frozenset[str]:
    """The tensors whose values are other ones."""
    return frozenset(change.name for change in weights.changes if change.distance != 0)


def _more(
    old: Part,
    new: Part,
    both: Sequence[tuple[Part, Part]],
    known: LoadedBundle,
    moved: Set[str],
    told: Set[str],
) -> NotCompared | None:
    """That a part has other bytes and all that was compared of it is the same: what differs in it
    is something that nobody looked at, whatever its format.
    """
    if _facts(old) != _facts(new):
        return None
    owners = [new, *(part for _, part in both if new.path in part.beside)]
    names = {
        name
        for part in owners
        for tensor in part.tensors
        for name in (tensor.name, f"{part.path}: {tensor.name}")
    }
    if told & names or (names and ALL_VALUES in told):
        return None  # what differs may be among these
    if not moved & names:
        return NotCompared(
            name=new.path, reason="its bytes differ, though nothing that was compared does"
        )
    if any(part.path in new.beside and not known.are_same(had, part) for had, part in both):
        why = "its own bytes differ, which the values in other files do not explain"
        return NotCompared(name=new.path, reason=why)
    return None


def _facts(part: Part) -> tuple[Part, dict[str, Tensor], frozenset[str]]:
    """What was read of a part, apart from where it lies. `True` is 1 to Python, not here."""
    tensors = {tensor.name: tensor for tensor in part.tensors}
    flags = frozenset(name for name, value in part.settings.items() if isinstance(value, bool))
    return replace(part, path="", size_bytes=0, tensors=(), beside=()), tensors, flags
