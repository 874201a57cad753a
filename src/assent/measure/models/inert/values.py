"""What stands for the values of a pickle while it is walked. Nothing here is ever called.

Numbers, short texts, None, lists and tuples stand for themselves (a set is a list, a frozen set a
tuple). Bytes are views of the file. None of these values may be hashed, compared or printed as a
whole: a pickle of 100 bytes can name a tuple of 2^100 leaves.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

_MAX_ATTRIBUTES = 20_000


class Missing:
    """That nothing was given."""


MISSING: Final = Missing()


class Opaque:
    """A value that is not kept: too long, or only known when the pickle is loaded."""

    __slots__ = ()


OPAQUE: Final = Opaque()


class Global:
    """A name that loading looks up."""

    __slots__ = ("module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name

    @property
    def full(self) -> str:
        """`module.name`; `module:Outer.inner` where the name is a path itself, so that no two
        things that could be looked up have one name.
        """
        return f"{self.module}{':' if '.' in self.name else '.'}{self.name}"


class Call:
    """What calling `function` with `args` would give, with what is put into it afterwards."""

    __slots__ = ("args", "function", "items", "state")

    def __init__(self, function: Any, args: Any) -> None:
        self.function = function
        self.args = args
        self.state: Any = MISSING
        self.items: list[Any] | None = None

    @property
    def name(self) -> str:
        """What is called, empty if that is not a name."""
        return self.function.full if isinstance(self.function, Global) else ""


class Pairs:
    """A dictionary: keys and values in turn."""

    __slots__ = ("flat",)

    def __init__(self, flat: list[Any]) -> None:
        self.flat = flat


class Persistent:
    """An object outside of the pickle, by its id."""

    __slots__ = ("id",)

    def __init__(self, id_: Any) -> None:
        self.id = id_


class DType(msgspec.Struct, frozen=True, kw_only=True):
    """A NumPy type. `kind` and `item_bytes` as NumPy has them, `order` is `<`, `>`, `|` or `=`;
    `fields` are name, offset and type of a record's columns.
    """

    kind: str
    item_bytes: int
    order: str = "|"
    fields: tuple[tuple[str, int, DType], ...] = ()
    has_objects: bool = False

    @property
    def name(self) -> str:
        """As NumPy names it: `float64`."""
        bits = self.item_bytes * 8
        return {
            "f": f"float{bits}",
            "i": f"int{bits}",
            "u": f"uint{bits}",
            "c": f"complex{bits}",
            "b": "bool",
            "O": "object",
            "U": f"str{bits}",
            "S": f"bytes{bits}",
            "M": "datetime64",
            "m": "timedelta64",
        }.get(self.kind, f"void{bits}")


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """An array whose bytes lie in the file: `raw`, or `items` if it holds objects."""

    dtype: DType
    shape: tuple[int, ...]
    is_fortran: bool = False
    raw: memoryview | None = None
    items: list[Any] | None = None


def attributes(value: Any) -> dict[str, Any]:
    """The state of an object, or a dictionary, by those keys that are text."""
    if isinstance(value, Call):
        state = value.state
        if type(state) is tuple and len(state) == 2:  # with slots: (dictionary, slots)
            return {**_of_pairs(state[0]), **_of_pairs(state[1])}
        value = state
    return _of_pairs(value)


def _of_pairs(value: Any) -> dict[str, Any]:
    if not isinstance(value, Pairs):
        return {}
    flat = value.flat
    if len(flat) > _MAX_ATTRIBUTES:  # a vocabulary, not an object
        return {}
    return {flat[at]: flat[at + 1] for at in range(0, len(flat) - 1, 2) if type(flat[at]) is str}
