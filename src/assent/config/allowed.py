"""Which words a key of the configuration takes, by the type that it is read as."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import inspect


def allowed(kind: Any, path: Sequence[str | int]) -> tuple[str, ...]:
    """The words that may stand at `path` (keys and places in lists) below a value of `kind`."""
    types = [inspect.type_info(kind)]
    for part in path:
        types = [inner for outer in types for inner in _below(outer, part)]
    return tuple(dict.fromkeys(word for known in types for word in _words(known)))


def _below(known: inspect.Type, part: str | int) -> Iterator[inspect.Type]:
    match known:
        case inspect.UnionType(types=types):
            for other in types:
                yield from _below(other, part)
        case inspect.StructType(fields=fields):
            yield from (field.type for field in fields if field.encode_name == part)
        case inspect.DictType(value_type=value):
            yield value
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            yield item
        case _:
            return


def _words(known: inspect.Type) -> Iterator[str]:
    match known:
        case inspect.UnionType(types=types):
            for other in types:
                yield from _words(other)
        case inspect.LiteralType(values=values):
            yield from (value for value in values if isinstance(value, str))
        case inspect.EnumType(cls=cls):
            yield from (str(msgspec.to_builtins(member)) for member in cls)
        case inspect.DictType(value_type=value):
            yield from _words(value)  # which of its keys it is, the error does not say
        case _:
            return
