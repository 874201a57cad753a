"""Chat templates, kept so that people can see what changed in them."""

from __future__ import annotations

from assent.core.digest import digest_of, short

MAX_CHARACTERS = 65_536
DEFAULT = "default"


def kept(text: str) -> str:
    """A template as it is shown. Of one that is too long the rest is given by its digest, so that
    any other rest is a difference.
    """
    if len(text) <= MAX_CHARACTERS:
        return text
    rest = text[MAX_CHARACTERS:]
    digest = short(digest_of(rest.encode(errors="backslashreplace")))
    return f"{text[:MAX_CHARACTERS]}\n… {len(rest):,} more characters, {digest}"
