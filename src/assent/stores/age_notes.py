"""Since when an age is counted, for stores that cannot say when something was used last."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import msgspec

from assent.core.digest import Digest, canonical_json

FRESH_S = 60 * 60
"""What was noted since then is not noted again: that is much less than anybody may ask for."""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Since when the age of `of` is counted."""

    at: str
    of: Digest

    @property
    def age_s(self) -> float:
        """How long ago that is."""
        return max(0.0, time.time() - datetime.fromisoformat(self.at).timestamp())


def note_of_now(of: Digest) -> bytes:
    """A note that the age is counted from now on."""
    return canonical_json(Note(at=datetime.fromtimestamp(time.time(), UTC).isoformat(), of=of))


def read_note(content: bytes | None, of: Digest) -> Note | None:
    """The note in `content`; None if there is none of this digest that can be read."""
    try:
        note = msgspec.json.decode(content or b"", type=Note)
        return note if note.of == of and note.age_s >= 0 else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return None
