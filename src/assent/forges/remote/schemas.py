"""What the answers of all forges have in common. A field has the name that the flows know it by,
and beside it the one that the forge gives it.
"""

from __future__ import annotations

import msgspec


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """Part of an answer. What is not read is ignored."""


class RequestAnswer(Schema, frozen=True, kw_only=True):
    """Of a `Request`, what every forge calls alike."""

    title: str
    state: str
    description: str | None = None

    @property
    def text(self) -> str:
        """See `Request.text`."""
        return self.description or ""


class MessageAnswer(Schema, frozen=True, kw_only=True):
    """Of a `Message`, what every forge calls alike. None is of the forge where it writes none."""

    id: int
    created_at: str
    updated_at: str
    body: str | None = None
    is_of_forge: bool = False

    @property
    def text(self) -> str:
        """See `Message.text`."""
        return self.body or ""

    @property
    def is_edited(self) -> bool:
        """See `Message.is_edited`."""
        return self.created_at != self.updated_at
