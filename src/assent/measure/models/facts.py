"""Facts that a model file states, as settings that can be compared and shown."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from assent import parsing
from assent.core.digest import digest_of, short
from assent.core.inspection import MORE_SETTINGS
from assent.core.scalar import Scalar, scalar
from assent.measure.models.reader import MAX_NAMES, ReadError
from assent.measure.redaction import redact_text
from assent.parsing import ParseError

MAX_SETTINGS = 2_000
REST = "what else it says"
"""The setting of a reader that has the digest of all that it read and told in no other way."""
MAX_TEXT = 300
"""Longer text is given by its digest: that it differs can be seen, and it fills no page."""

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,4})?")


def settings(values: Mapping[str, Any]) -> dict[str, Scalar]:
    """Nested facts by dotted names, sorted and not too many; lists are their canonical JSON, and so
    is a mapping that holds nothing.
    """
    known: dict[str, Scalar] = {}
    try:
        for name, value in parsing.flatten(_with_empty(parsing.bounded(dict(values)))):
            known[_named(name)] = setting(value)
    except ParseError as error:
        raise ReadError(str(error)) from None
    return few(known)


def _with_empty(values: dict[Any, Any]) -> dict[Any, Any]:
    """The same with a leaf in the place of each mapping in it that has none."""
    return {
        key: (_with_empty(value) if value else "{}") if isinstance(value, dict) else value
        for key, value in values.items()
    }


def few(settings: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The facts sorted by name. Of too many the last ones are one fact together, their digest: a
    difference among them can be seen, though not which it is.
    """
    names = sorted(settings)
    if len(names) <= MAX_SETTINGS:
        return {name: settings[name] for name in names}
    cut = [(name, settings[name]) for name in names[MAX_SETTINGS - 1 :]]
    kept = {name: settings[name] for name in names[: MAX_SETTINGS - 1]}
    return {**kept, MORE_SETTINGS: f"{len(cut):,} more, {digest_in_short(cut)}"}


def rest(*values: Any) -> dict[str, Scalar]:
    """The setting for all that a reader has read and tells in no other way, if there is any."""
    return {REST: digest_in_short(values)} if any(values) else {}


def rest_of(digest: hashlib._Hash) -> dict[str, Scalar]:
    """The same for bytes that were taken into a digest."""
    is_empty = digest.digest() == hashlib.sha256().digest()
    return {} if is_empty else {REST: f"sha256:{digest.hexdigest()[:12]}"}


def digest_in_short(value: Any) -> str:
    """The digest of a value that was read of a file, in the few characters that are shown."""
    return short(digest_of(_spelled(value).encode(errors="backslashreplace")))


def setting(value: Any) -> Scalar:
    """One fact, without what looks like a secret."""
    if isinstance(value, dict | list | tuple):
        text = _spelled(value)
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


def _spelled(value: Any) -> str:
    """A value as JSON with sorted keys in which NaN is not null, as two files may say either."""
    try:
        return json.dumps(
            value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=repr
        )
    except (TypeError, ValueError):  # keys of several types
        return repr(value)


def _digest(text: str) -> str:
    return f"{short(digest_of(text.encode(errors='backslashreplace')))} ({len(text):,} characters)"
