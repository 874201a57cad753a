"""All that a PyTorch pickle holds beside its tensors and its settings, as one digest: how layers
work (the rate of a dropout, the steps of a convolution), states of optimizers, lists and mappings.

Only values count, not whether a pickle shares or repeats them. Nothing is called, and no value is
entered twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Set
from typing import Any, Final

from assent.core.scalar import Scalar
from assent.measure.models.facts import REST
from assent.measure.models.inert.values import (
    MISSING,
    OPAQUE,
    Block,
    Call,
    Global,
    Pairs,
    Persistent,
)

MAX_DEPTH: Final = 80
MAX_VISITS: Final = 1_000_000

_SETS: Final = frozenset({"builtins.set", "builtins.frozenset", "__builtin__.set"})
_DICTIONARIES: Final = frozenset({"collections.OrderedDict", "builtins.dict"})


class Remainder:
    """One walk. `is_whole` says whether the digest is of everything, or only of what could be
    followed. `is_tensor` knows a tensor, whose type, shape and values are told elsewhere.
    """

    def __init__(self, root: Any, told: Set[str], is_tensor: Callable[[Any], bool]) -> None:
        """`told` are the keys at the top of `root` whose values are told as settings."""
        self.is_whole = True
        self._is_tensor = is_tensor
        self._told = told
        self._known: dict[int, bytes] = {}
        self._visits = 0
        content = self._of_tensor(root) if is_tensor(root) else b"".join(self._parts(root, 0))
        digest = f"sha256:{hashlib.sha256(content).hexdigest()[:12]}"
        self.settings: dict[str, Scalar] = {REST: digest} if content else {}
        """Nothing if there is nothing beside tensors and settings."""

    def _value(self, value: Any, depth: int) -> bytes:
        self._visits += 1
        if value is OPAQUE or depth > MAX_DEPTH or self._visits > MAX_VISITS:
            self.is_whole = False
            return b"?"
        if value is None or value is MISSING or type(value) in (bool, int, float, str):
            return _plain(value)
        if id(value) not in self._known:
            self._known[id(value)] = b"around"  # a value that holds itself
            parts = (type(value).__name__.encode(), *self._parts(value, depth))
            self._known[id(value)] = _joined(parts)
        return self._known[id(value)]

    def _parts(self, value: Any, depth: int) -> Iterator[bytes]:
        """What a value consists of; nothing for a dictionary in which there are only tensors."""
        inner = depth + 1
        if isinstance(value, Call):
            yield from self._of_call(value, depth)
        elif isinstance(value, Pairs):
            yield from self._of_pairs(value.flat, depth)
        elif isinstance(value, list | tuple):
            yield from (self._value(item, inner) for item in value)
        elif isinstance(value, Global):
            yield _plain(value.full)
        elif isinstance(value, Persistent):
            yield from self._of_outside(value, inner)
        elif isinstance(value, Block):
            yield _plain(f"{value.dtype} {value.shape} {value.is_fortran}")
            yield from (self._value(item, inner) for item in (value.raw, value.items))
        elif isinstance(value, bytes | memoryview):
            yield hashlib.sha256(value).digest()
        else:
            self.is_whole = False

    def _of_call(self, call: Call, depth: int) -> Iterator[bytes]:
        inner = depth + 1
        if self._is_tensor(call):
            yield self._of_tensor(call, depth)
            return
        if call.name not in _DICTIONARIES or call.args:
            yield self._value(call.function, inner)
            if call.name in _SETS and type(call.args) is tuple:
                yield from (_joined(sorted(self._parts(arg, inner))) for arg in call.args)
            else:
                yield self._value(call.args, inner)
        if call.state is not MISSING:
            yield from self._of_state(call.state, depth)
        yield from self._of_pairs(call.items or [], depth)

    def _of_state(self, state: Any, depth: int) -> Iterator[bytes]:
        """The attributes of an object. Of the one at the top some may be told."""
        if isinstance(state, Pairs):
            yield from self._of_pairs(state.flat, depth)
        elif type(state) is tuple and depth == 0:  # with slots: (dictionary, slots)
            for item in state:
                yield from self._of_state(item, depth)
        else:
            yield self._value(state, depth + 1)

    def _of_pairs(self, flat: list[Any], depth: int) -> Iterator[bytes]:
        for at in range(0, len(flat), 2):
            key, *rest = flat[at : at + 2]
            value = rest[0] if rest else MISSING
            if depth == 0 and type(key) is str and key in self._told:
                continue
            is_tensor = self._is_tensor(value)
            inside = self._of_tensor(value, depth) if is_tensor else self._value(value, depth + 1)
            if inside:
                yield _joined((self._value(key, depth + 1), inside))

    def _of_tensor(self, tensor: Any, depth: int = 0) -> bytes:
        """What is kept with a tensor and is unusual: hooks, the scales of quantised numbers."""
        where = isinstance(tensor.args[0], Persistent)  # else another tensor, or a function
        extra = [arg for arg in tensor.args[4 if where else 0 :] if not _is_usual(arg)]
        extra += [] if tensor.state is MISSING else [tensor.state]
        parts = [
            self._of_tensor(arg, depth) if self._is_tensor(arg) else self._value(arg, depth + 1)
            for arg in extra
        ]
        return _joined(parts) if any(parts) else b""

    def _of_outside(self, value: Persistent, depth: int) -> Iterator[bytes]:
        """An object outside of the pickle, without the number and the place that it has there."""
        id_ = value.id
        if type(id_) is tuple and id_[:1] == ("storage",):
            id_ = (*id_[:2], *id_[4:])
        yield self._value(id_, depth)


def _is_usual(value: Any) -> bool:
    """Whether something that is kept with a tensor is what nearly all have: whether it learns, and
    no hooks.
    """
    if isinstance(value, Call):
        is_empty = not value.items and value.state is MISSING and not value.args
        return value.name in _DICTIONARIES and is_empty
    return value is None or type(value) is bool or (isinstance(value, Pairs) and not value.flat)


def _plain(value: Any) -> bytes:
    text = hex(value) if type(value) is int else str(value)
    return f"{type(value).__name__} {text}".encode(errors="backslashreplace")


def _joined(parts: Iterable[bytes]) -> bytes:
    """The parts as one that no other parts give, of bounded length."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.digest()
