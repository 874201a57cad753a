"""Facts that a model file states, as settings that can be compared and shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from assent import parsing
from assent.core.digest import canonical_json, digest_of, short
from assent.core.scalar import Scalar, scalar
from assent.measure.models.reader import MAX_NAMES, ReadError
from assent.measure.redaction import redact_text
from assent.parsing import ParseError

MAX_SETTINGS = 2_000
MAX_TEXT = 300
"""Longer text is given by its digest: that it differs can be seen, and it fills no page."""

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,4})?")


def settings(values: Mapping[str, Any]) -> dict[str, Scalar]:
    """Nested facts by dotted names, sorted; lists are their canonical JSON."""
    found: dict[str, Scalar] = {}
    try:
        for name, value in parsing.flatten(parsing.bounded(dict(values))):
            found[_named(name)] = setting(value)
    except ParseError as error:
        raise ReadError(str(error)) from None
    return {name: found[name] for name in sorted(found)[:MAX_SETTINGS]}


def setting(value: Any) -> Scalar:
    """One fact, without what looks like a secret."""
    if isinstance(value, dict | list | tuple):
        text = _listed(value)
    elif isinstance(value, str):
        text = value
    else:
        return scalar(value)
    return redact_text(text) if len(text) <= MAX_TEXT else _digest(text)


def literal(text: str) -> Scalar:
    """A fact that its format keeps as text: a number where it reads as one, also alone in
    brackets, as in `[5E-1]`.
    """
    bare = text.strip()
    if bare[:1] == "[" and bare[-1:] == "]" and "," not in bare:
        bare = bare[1:-1].strip()
    if _INTEGER.fullmatch(bare):
        return int(bare)
    if _DECIMAL.fullmatch(bare):
        return scalar(float(bare))
    return setting(text)


def unused(features: Iterable[str], used: Iterable[int]) -> tuple[str, ...]:
    """The features that are not among the `used` ones."""
    known = frozenset(used)
    return tuple(name for at, name in enumerate(features) if at not in known)


def require_few(count: int, what: str) -> None:
    """Refuse more names than are read of one file."""
    if count > MAX_NAMES:
        raise ReadError(f"more than {MAX_NAMES:,} {what}")


def _named(name: str) -> str:
    return name if len(name) <= MAX_TEXT else _digest(name)


def _listed(value: Any) -> str:
    try:
        return canonical_json(value).decode()
    except (TypeError, ValueError):
        return repr(value)


def _digest(text: str) -> str:
    return f"{short(digest_of(text.encode(errors='backslashreplace')))} ({len(text):,} characters)"
