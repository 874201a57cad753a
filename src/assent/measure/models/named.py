"""Tensors by names of which each is there once, and where their values lie."""

from __future__ import annotations

import math

from assent.core.inspection import Tensor
from assent.measure.models.located import Place, Unread
from assent.measure.models.reader import MAX_NAMES, ReadError


class NamedTensors:
    """The tensors that a reader finds on its way through a graph, whose parts may use a name again.
    Which of two of one name is meant on the other side nobody knows, so the later ones are not
    compared.
    """

    def __init__(self) -> None:
        self._found: dict[str, tuple[Tensor, Place]] = {}

    def add(self, tensor: Tensor, place: Place) -> str:
        """Keep a tensor, and give the name that it has from now on. Raises `ReadError`."""
        if len(self._found) >= MAX_NAMES:
            raise ReadError(f"more than {MAX_NAMES:,} tensors")
        name, again = tensor.name, 1
        while name in self._found:
            again += 1
            name = f"{tensor.name} ({again})"
        if again > 1:
            tensor = Tensor(name=name, dtype=tensor.dtype, shape=tensor.shape)
            place = Unread(shape=tensor.shape, why="its name is used more than once")
        self._found[name] = tensor, place
        return name

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All of them, by name."""
        return tuple(self._found[name][0] for name in sorted(self._found))

    @property
    def places(self) -> dict[str, Place]:
        """Where the values of each are."""
        return {name: place for name, (_, place) in self._found.items()}

    def parameters(self, but: tuple[str, ...] = ()) -> int:
        """How many values they have, but for those whose names end with one of `but`."""
        return sum(
            math.prod(tensor.shape)
            for name, (tensor, _) in self._found.items()
            if not name.endswith(but)
        )
