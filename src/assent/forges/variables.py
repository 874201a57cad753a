"""What a runner says of its job, in variables and the event: untrusted text until checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from assent.errors import UsageError
from assent.forges.description import ReadFile

MAX_PAYLOAD_BYTES = 26_214_400
"""25 MiB: the largest event that a forge is known to send."""
EVENT = re.compile(r"[a-z][a-z_]{0,99}")
REF = re.compile(r"refs/[^\s\x00-\x1f\x7f~^:?*\[\\]{1,1000}")
RUN_ID = re.compile(r"[0-9]{1,19}")
SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def attempt_of(text: str | None) -> int:
    """The number of an attempt; 1 for what is none."""
    return int(text) if text is not None and text.isascii() and text.isdigit() else 1


def commit_of(text: object) -> str | None:
    """A commit that a run names; None for anything else. Zeros stand for none."""
    is_one = isinstance(text, str) and SHA.fullmatch(text) is not None and set(text) != {"0"}
    return text if is_one and isinstance(text, str) else None


def checked(environ: Mapping[str, str], name: str, form: re.Pattern[str]) -> str | None:
    """The variable, None if it is not set or empty."""
    text = environ.get(name) or None
    if text is not None and form.fullmatch(text) is None:
        raise wrong(name, f"{text[:200]!r} is not of the form it must have")
    return text


def wrong(name: str, problem: str) -> UsageError:
    """The error on a variable of the run that cannot be what it says."""
    return UsageError(
        f"reading {name} of the CI run",
        problem,
        hint="the runner sets it; a workflow must not set it to something else",
    )


def address_of(environ: Mapping[str, str], name: str) -> str | None:
    """An `https` address, or any of this machine. Raises `UsageError`."""
    text = environ.get(name) or None
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise wrong(name, f"{text[:200]!r} is no address") from None
    is_plain = text.isascii() and text.isprintable() and " " not in text
    if not is_plain or not host or parts.username or parts.query or parts.fragment:
        raise wrong(name, f"{text[:200]!r} is no plain address")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise wrong(name, f"{text[:200]!r} is not https, so a token would be readable on the way")
    return text.rstrip("/")


def payload_of(environ: Mapping[str, str], name: str, read_file: ReadFile) -> dict[str, Any]:
    """The event in the file that the variable names."""
    path = environ.get(name)
    if not path:
        return {}
    try:
        content = read_file(path, MAX_PAYLOAD_BYTES + 1)
    except OSError as error:
        raise wrong(name, error.strerror or str(error)) from None
    if len(content) > MAX_PAYLOAD_BYTES:
        raise wrong(name, f"the event is larger than {MAX_PAYLOAD_BYTES:,} bytes")
    try:
        payload = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise wrong(name, f"the event is no JSON ({error})") from None
    if not isinstance(payload, dict):
        raise wrong(name, "the event is no JSON object")
    return payload


def number_at(payload: Mapping[str, Any], *path: str) -> int | None:
    """The positive whole number at `path` of an event, or None."""
    value = _at(payload, path)
    is_number = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return value if is_number else None


def text_at(payload: Mapping[str, Any], *path: str) -> str | None:
    """The text at `path` of an event, or None."""
    value = _at(payload, path)
    return value if isinstance(value, str) else None


def is_at(payload: Mapping[str, Any], *path: str) -> bool:
    """Whether there is something at `path` of an event."""
    return _at(payload, path) is not None


def _at(payload: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = payload
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
