"""Every document says which format it has, so that a later release is told from damage."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import inspect

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


class Document(Protocol):
    """What says in which format it was written."""

    @property
    def format(self) -> str:
        """Such as `assent/evidence/1`."""


T = TypeVar("T", bound=Document)


def decode_document(content: bytes, kind: type[T], known: str, doing: str) -> T:
    """Read a JSON document of the format `known`, strictly, or of a later minor one, of which only
    the fields of `kind` are read: the value states the format that it was written in.

    Raises `IntegrityError` for another format, and `msgspec.DecodeError`, `UnicodeDecodeError` or
    `RecursionError` for what is damaged.
    """
    try:
        document = msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if not is_minor_of(_stated(content), known):
            require_format(content, known, doing)
            raise
        known_part = _known_part(msgspec.json.decode(content), inspect.type_info(kind))
        return msgspec.convert(known_part, kind)
    if document.format != known and not is_minor_of(document.format, known):
        require_format(content, known, doing)
    return document


def _stated(content: bytes) -> str:
    """The format that a JSON document states; empty if it states none."""
    try:
        return msgspec.json.decode(content, type=_Stated).format
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def _known_part(value: Any, kind: inspect.Type) -> Any:
    """`value` without the fields that its type does not know, at any depth."""
    match kind:
        case inspect.StructType() if isinstance(value, dict):
            fields = {field.encode_name: field.type for field in kind.fields}
            return {key: _known_part(value[key], fields[key]) for key in value if key in fields}
        case inspect.DictType() if isinstance(value, dict):
            return {key: _known_part(item, kind.value_type) for key, item in value.items()}
        case inspect.VarTupleType() | inspect.ListType() if isinstance(value, list):
            return [_known_part(item, kind.item_type) for item in value]
        case inspect.UnionType():
            for member in kind.types:
                value = _known_part(value, member)
            return value
        case _:
            return value


def is_minor_of(stated: str, known: str) -> bool:
    """Whether `stated` is a later minor format of `known` (`assent/entry/1.2` of `assent/entry/1`):
    it only adds fields, which older releases may pass over when they read.
    """
    head, dot, minor = stated.rpartition(".")
    return head == known and bool(dot) and minor.isascii() and minor.isdecimal()
