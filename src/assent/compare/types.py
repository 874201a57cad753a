"""Types of columns, in the words of Arrow: which can stand for which."""

from __future__ import annotations

import re

_INTEGERS = {
    name: (sign, bits)
    for sign in ("int", "uint")
    for bits in (8, 16, 32, 64)
    for name in (f"{sign}{bits}",)
}
_FLOATS = {
    "float16": 11, "halffloat": 11, "half_float": 11,
    "float32": 24, "float": 24,
    "float64": 53, "double": 53,
}  # fmt: skip
"""Bits of the significand: integers of fewer bits are exact."""
_SAME = {
    "large_string": "string", "string_view": "string", "utf8": "string", "large_utf8": "string",
    "large_binary": "binary", "binary_view": "binary", "boolean": "bool",
}  # fmt: skip
_DICTIONARY = re.compile(r"dictionary<values=([^,<>]+),.*>")


def is_compatible(old: str, new: str) -> bool:
    """Whether every value of the type `old` is a value of `new`: what reads numbers or text need
    not change. Wider integers and floats, and other encodings of the same text, are; whatever
    could lose or reinterpret a value is not.
    """
    old, new = _plain(old), _plain(new)
    if old == new or old == "null" or is_reordered(old, new):
        return True
    if old in _FLOATS and new in _FLOATS:
        return _FLOATS[old] <= _FLOATS[new]
    if old not in _INTEGERS:
        return False
    sign, bits = _INTEGERS[old]
    if new in _FLOATS:
        return bits <= _FLOATS[new]
    if new not in _INTEGERS:
        return False
    new_sign, new_bits = _INTEGERS[new]
    return new_bits >= bits if sign == new_sign else sign == "uint" and new_bits > bits


def is_reordered(old: str, new: str) -> bool:
    """Whether two types differ by nothing but the order of the fields of their structs, which
    carries no values. Of types that are too long to be kept as a whole nobody knows.
    """
    return old != new and "…" not in old + new and _sorted(old) == _sorted(new)


def _sorted(name: str) -> str:
    """A type with the fields of each struct by name."""
    outer, sign, inner = name.partition("<")
    if not sign or not inner.endswith(">"):
        return name
    parts = [_sorted_field(part) for part in _split(inner.removesuffix(">"))]
    return f"{outer}<{', '.join(sorted(parts) if outer == 'struct' else parts)}>"


def _sorted_field(part: str) -> str:
    """A field, or a type that stands alone."""
    name, sign, of = part.partition(": ")
    return f"{name}: {_sorted(of)}" if sign and "<" not in name else _sorted(part)


def _split(text: str) -> list[str]:
    """The parts between commas that are in no brackets."""
    parts, depth, start = [], 0, 0
    for at, sign in enumerate(text):
        depth += (sign in "<([") - (sign in ">)]")
        if depth == 0 and text.startswith(", ", at):
            parts.append(text[start:at])
            start = at + 2
    return [*parts, text[start:]]


def _plain(name: str) -> str:
    """The type without its encoding."""
    match = _DICTIONARY.fullmatch(name)
    inner = name if match is None else match[1]
    return _SAME.get(inner, inner)
