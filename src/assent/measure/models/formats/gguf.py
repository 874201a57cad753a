"""GGUF: the files of llama.cpp, often with quantised weights.

A reader of the header that is documented at
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; sizes of blocks as in `ggml.c`. The
package `gguf` reads the same, but makes an array of every word of the vocabulary, and believes
every count: a header of a few bytes keeps it busy for ever.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

from assent.core.inspection import Danger, Part, Tensor
from assent.core.scalar import Scalar
from assent.measure.models.dtypes import checked_shape
from assent.measure.models.facts import setting
from assent.measure.models.located import HIGH_FIRST, Located, Place, Unread
from assent.measure.models.reader import MAX_NAMES, ModelSource, Reader, ReadError
from assent.measure.models.templates import kept
from assent.measure.models.texts import name_of
from assent.measure.models.wire.cursor import Cursor, mapped

FORMAT = "gguf"

_TEMPLATE = "tokenizer.chat_template"
MAX_STRINGS = 4_000_000
"""The most words of all lists together: each has to be stepped over."""
_MAX_TEXT = 16 * 1024 * 1024
_MAX_DIMENSIONS = 8

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q"}
_SCALARS[12] = "d"
_STRING, _ARRAY = 8, 9
_WIDTHS = {"B": 1, "b": 1, "?": 1, "H": 2, "h": 2, "I": 4, "i": 4, "f": 4, "Q": 8, "q": 8, "d": 8}

_BLOCKS: dict[int, tuple[str, int, int]] = {
    0: ("float32", 1, 4),
    1: ("float16", 1, 2),
    2: ("q4_0", 32, 18),
    3: ("q4_1", 32, 20),
    6: ("q5_0", 32, 22),
    7: ("q5_1", 32, 24),
    8: ("q8_0", 32, 34),
    9: ("q8_1", 32, 40),
    10: ("q2_k", 256, 84),
    11: ("q3_k", 256, 110),
    12: ("q4_k", 256, 144),
    13: ("q5_k", 256, 176),
    14: ("q6_k", 256, 210),
    15: ("q8_k", 256, 292),
    16: ("iq2_xxs", 256, 66),
    17: ("iq2_xs", 256, 74),
    18: ("iq3_xxs", 256, 98),
    19: ("iq1_s", 256, 50),
    20: ("iq4_nl", 32, 18),
    21: ("iq3_s", 256, 110),
    22: ("iq2_s", 256, 82),
    23: ("iq4_xs", 256, 136),
    24: ("int8", 1, 1),
    25: ("int16", 1, 2),
    26: ("int32", 1, 4),
    27: ("int64", 1, 8),
    28: ("float64", 1, 8),
    29: ("iq1_m", 256, 56),
    30: ("bfloat16", 1, 2),
    34: ("tq1_0", 256, 54),
    35: ("tq2_0", 256, 66),
    39: ("mxfp4", 32, 17),
    40: ("nvfp4", 64, 36),
    41: ("q1_0", 128, 18),
}
"""Type, values in a block, bytes of a block, by the number in the file."""


class _Entry(NamedTuple):
    """A tensor as the header states it; `size` is None for a type that is not known here."""

    dtype: str
    shape: tuple[int, ...]
    offset: int
    size: int | None


class _File(NamedTuple):
    version: int
    is_little: bool
    settings: dict[str, Scalar]
    tensors: dict[str, _Entry]
    dangers: tuple[Danger, ...]
    templates: dict[str, str]


def recognizes(source: ModelSource) -> bool:
    """By the four letters that every file begins with."""
    return source.head[:4] == b"GGUF" or source.name.lower().endswith(".gguf")


def read(source: ModelSource) -> Part:
    """The header: settings (lists by their digest), tensors. The values are not looked at."""
    file = _read(source)
    return Part(
        path=source.name,
        format=FORMAT,
        size_bytes=source.size_bytes,
        parameters=sum(math.prod(entry.shape) for entry in file.tensors.values()),
        counted="all values of its tensors, as many as they are before quantising",
        tensors=tuple(
            Tensor(name=name, dtype=entry.dtype, shape=entry.shape)
            for name, entry in sorted(file.tensors.items())
        ),
        templates=file.templates,
        settings=file.settings,
        versions={"gguf": str(file.version)},
        dangers=file.dangers,
    )


def locate(source: ModelSource) -> dict[str, Place]:
    """Where the values of each tensor lie, quantised ones too."""
    file = _read(source)
    return {name: _placed_at(entry, file, source.path) for name, entry in file.tensors.items()}


def _placed_at(entry: _Entry, file: _File, path: Path) -> Place:
    if not file.is_little:
        return Unread(shape=entry.shape, why=HIGH_FIRST)
    if entry.size is None:
        return Unread(shape=entry.shape, why=f"values of the type {entry.dtype} are not read")
    return Located(
        dtype=entry.dtype,
        shape=entry.shape,
        offset=entry.offset,
        size_bytes=entry.size,
        path=path,
    )


def _read(source: ModelSource) -> _File:
    with mapped(source.path) as data:
        cursor = Cursor(data)
        if cursor.take(4) != b"GGUF":
            raise ReadError("it does not begin as GGUF does")
        version = cursor.natural("I")
        if version & 0xFFFF == 0:  # written with the highest byte first
            cursor.order = ">"
            version = int.from_bytes(version.to_bytes(4, "little"), "big")
        if version not in (2, 3):
            raise ReadError(f"version {version} of GGUF is not known")
        tensors, keys = cursor.natural("Q"), cursor.natural("Q")
        if max(tensors, keys) > MAX_NAMES:
            raise ReadError(f"more than {MAX_NAMES:,} tensors or settings")
        pairs = _Pairs(cursor)
        for _ in range(keys):
            pairs.read_one()
        entries = _tensors(cursor, tensors, pairs.alignment, source.size_bytes)
    is_little = cursor.order == "<"
    dangers = tuple(pairs.dangers)
    return _File(version, is_little, pairs.settings, entries, dangers, pairs.templates)


class _Pairs:
    """The settings of a header, one after another."""

    def __init__(self, cursor: Cursor) -> None:
        self.settings: dict[str, Scalar] = {}
        self.dangers: list[Danger] = []
        self.templates: dict[str, str] = {}
        self.alignment = 32
        self._cursor = cursor
        self._strings = 0

    def read_one(self) -> None:
        key = name_of(_text(self._cursor))
        if key in self.settings:
            raise ReadError(f"the setting {key!r} is given twice")
        kind = self._cursor.natural("I")
        value: object
        if kind == _ARRAY:
            value = self._list()
        elif kind == _STRING:
            value = _text(self._cursor).decode(errors="backslashreplace")
        elif kind in _SCALARS:
            value = self._cursor.number(_SCALARS[kind])
        else:
            raise ReadError(f"the setting {key!r} has an unknown type")
        self._note(key, value)
        self.settings[key] = setting(value)

    def _note(self, key: str, value: object) -> None:
        if key == "general.alignment":
            if not isinstance(value, int) or not 0 < value < 2**31 or value & (value - 1):
                raise ReadError("an impossible alignment")
            self.alignment = value
        if key.startswith(_TEMPLATE) and isinstance(value, str):
            name = key.removeprefix(_TEMPLATE).strip(".") or "default"
            self.templates[name] = kept(value)
        # Chat templates are Jinja that programs render; names with two underscores are how one
        # leaves the template (CVE-2024-34359).
        if "chat_template" in key and isinstance(value, str) and "__" in value:
            what = f"the chat template {key} reaches into Python"
            self.dangers.append(Danger(what=what, detail="it uses names with two underscores"))

    def _list(self) -> str:
        """Step over a list, and say how long it is, of what, and its digest."""
        kind, count = self._cursor.natural("I"), self._cursor.natural("Q")
        start = self._cursor.at
        if kind in _SCALARS:
            self._cursor.skip(count * _WIDTHS[_SCALARS[kind]])
            return f"{count:,} numbers, {self._cursor.digest(start)}"
        if kind != _STRING:
            raise ReadError("a list of lists, or of an unknown type")
        self._strings += count
        if self._strings > MAX_STRINGS:
            raise ReadError(f"lists of more than {MAX_STRINGS:,} texts")
        natural, skip = self._cursor.natural, self._cursor.skip
        for _ in range(count):
            skip(natural("Q"))
        return f"{count:,} texts, {self._cursor.digest(start)}"


def _text(cursor: Cursor) -> bytes:
    length = cursor.natural("Q")
    if length > _MAX_TEXT:
        raise ReadError(f"a text of {length:,} bytes")
    return cursor.take(length)


def _tensors(cursor: Cursor, count: int, alignment: int, size: int) -> dict[str, _Entry]:
    entries: dict[str, _Entry] = {}
    for _ in range(count):
        name = name_of(_text(cursor))
        if name in entries:
            raise ReadError(f"the tensor {name!r} is given twice")
        entries[name] = _entry(cursor, name, alignment)
    start = -(-cursor.at // alignment) * alignment
    return _placed(entries, start, size)


def _entry(cursor: Cursor, name: str, alignment: int) -> _Entry:
    dimensions = cursor.natural("I")
    if dimensions > _MAX_DIMENSIONS:
        raise ReadError(f"the tensor {name!r} has {dimensions:,} dimensions")
    # The innermost dimension stands first.
    shape = checked_shape(name, [cursor.natural("Q") for _ in range(dimensions)][::-1])
    kind, offset = cursor.natural("I"), cursor.natural("Q")
    if offset % alignment:
        raise ReadError(f"the tensor {name!r} is not where it may begin")
    if kind not in _BLOCKS:
        return _Entry(f"type_{kind}", shape, offset, None)
    dtype, values, width = _BLOCKS[kind]
    if shape and shape[-1] % values:
        raise ReadError(f"the tensor {name!r} has a shape that is no multiple of its blocks")
    return _Entry(dtype, shape, offset, math.prod(shape) // values * width)


def _placed(entries: dict[str, _Entry], start: int, size: int) -> dict[str, _Entry]:
    """The entries with their places in the file. Refuses overlaps and what is not in the file."""
    placed: dict[str, _Entry] = {}
    at = start
    for name, entry in sorted(entries.items(), key=_place):
        offset, length = start + entry.offset, entry.size or 0
        if offset < at:
            raise ReadError(f"the tensor {name!r} overlaps another")
        if offset + length > size and length:
            raise ReadError(f"the tensor {name!r} reaches beyond the end of the file")
        at = offset + length
        placed[name] = entry._replace(offset=offset)
    return placed


def _place(item: tuple[str, _Entry]) -> tuple[int, int]:
    return item[1].offset, item[1].size or 0


READER = Reader(format=FORMAT, recognizes=recognizes, read=read, locate=locate)
