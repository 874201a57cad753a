"""Digests, and the one byte form that is hashed."""

from __future__ import annotations

import hashlib
import re
from typing import Any, NewType

import msgspec

Digest = NewType("Digest", str)
"""`sha256:` and 64 lower-case hexadecimal digits, as in the OCI image specification."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_encoder = msgspec.json.Encoder(order="sorted")


def is_digest(text: str) -> bool:
    """Whether `text` is a complete SHA-256 digest."""
    return _DIGEST.fullmatch(text) is not None


def digest_of(content: bytes) -> Digest:
    """The digest of these bytes."""
    return Digest("sha256:" + hashlib.sha256(content).hexdigest())


def hex_of(digest: Digest) -> str:
    """The 64 hexadecimal digits of `digest`."""
    return digest.removeprefix("sha256:")


def short(digest: str) -> str:
    """`sha256:` and twelve digits: enough for people, never for a decision."""
    return digest[:19]


def canonical_json(value: Any) -> bytes:
    """`value` as UTF-8 JSON with sorted keys and no white space: same value, same bytes.

    Non-finite floats are not JSON; values that may hold them use `core.scalar.NonFinite`.
    """
    return _encoder.encode(value)


def digest_of_value(value: Any) -> Digest:
    """The digest of the canonical JSON of `value`."""
    return digest_of(canonical_json(value))
