"""What of two models nobody has compared, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from assent.core.diff.model import Weights
from assent.core.diff.sameness import NotCompared
from assent.core.inspection import Part, Tensor

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
    content was not compared. `weights` is None if nobody looked at values.
    """
    both = [(old, new) for old, new in pairs if old is not None and new is not None]
    other = [(old, new) for old, new in both if not known.are_same(old, new)]
    same = {new.path for old, new in both if known.have_same_values(old, new)}
    parts = [found for old, new in other for found in _parts(old, new)]
    return (*parts, *_values(tuple(_tensors(pairs, same)), weights))


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
        yield NotCompared(name="the values of all tensors", reason=why)
        return
    told = {one.name for one in weights.changes} | {one.name for one in weights.not_compared}
    asked = {name for path, one in tensors for name in (one.name, f"{path}: {one.name}")}
    yield from (one for one in weights.not_compared if one.name in asked)
    for path, tensor in tensors:
        if tensor.name not in told and f"{path}: {tensor.name}" not in told:
            yield NotCompared(name=tensor.name, reason="where its values lie is not known")
