"""Every document says which format it has, so that a later release is told from damage."""

from __future__ import annotations

import msgspec

from assent.errors import IntegrityError

_NEWER = "a newer Assent may have written it: upgrade, then run the verb again"


class _Stated(msgspec.Struct, frozen=True):
    format: str = ""


def require_format(content: bytes, known: str, doing: str) -> None:
    """Raise `IntegrityError` if the JSON document `content` states another format than `known`.

    A document that cannot be read states nothing; what is wrong with it is for the reader to say.
    """
    try:
        stated = msgspec.json.decode(content, type=_Stated).format
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    if not stated:
        raise IntegrityError(doing, "it does not say which format it has")
    if stated != known:
        raise IntegrityError(doing, f"unknown format {stated!r}", hint=_NEWER)


def is_minor_of(stated: str, known: str) -> bool:
    """Whether `stated` is a later minor format of `known` (`assent/entry/1.2` of `assent/entry/1`):
    it only adds fields, which older releases may pass over when they read.
    """
    head, dot, minor = stated.rpartition(".")
    return head == known and bool(dot) and minor.isascii() and minor.isdecimal()
