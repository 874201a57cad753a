"""Compressed bytes unpacked, up to a bound: into memory, or a temporary file that is mapped."""

from __future__ import annotations

import bz2
import lzma
import mmap
import tempfile
import zlib
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Final

from assent.measure.models.reader import ReadError
from assent.measure.models.wire.source import Source

MAX_UNPACKED = 2 * 1024**3
_IN_MEMORY = 32 * 1024**2
_CHUNK = 1024**2

MAGIC: Final = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x5d\x00\x00": "lzma",
    b"\x04\x22\x4d\x18": "lz4",
    b"\x28\xb5\x2f\xfd": "zstd",
}
"""The first bytes of compressed files; zlib's are looked at by `compression_of`."""


def compression_of(head: bytes) -> str | None:
    """How a file is compressed, by its first bytes; None if it is not."""
    for magic, name in MAGIC.items():
        if head.startswith(magic):
            return name
    # zlib (RFC 1950): method 8, a window of 32 KiB, and a checksum of both bytes.
    if len(head) > 1 and head[0] == 0x78 and int.from_bytes(head[:2], "big") % 31 == 0:
        return "zlib"
    return None


def unpacked(packed: Source, compression: str) -> tuple[Source, int]:
    """What is in there, and how many bytes behind it belong to nothing. Several compressed
    streams in a row are one. Raises `ReadError` for what is damaged or larger than
    `MAX_UNPACKED`.
    """
    if compression in ("lz4", "zstd"):
        make = _lz4() if compression == "lz4" else None
        if make is None:
            name = {"lz4": "LZ4", "zstd": "Zstandard"}[compression]
            raise ReadError(f"it is compressed with {name}, which is not read")
    else:
        make = _DECOMPRESSORS[compression]
    state = _State(packed)
    content = store(_chunks(state, make, compression))
    return content, packed.end - state.position


def inflated(packed: Source, size_bytes: int) -> Source:
    """A zip member that is deflated, which must have the stated size. Raises `ReadError`."""
    if size_bytes > MAX_UNPACKED:
        raise ReadError(_too_large())
    state = _State(packed)
    content = store(_chunks(state, lambda: zlib.decompressobj(-15), "deflate"), size_bytes)
    if content.size_bytes != size_bytes:
        raise ReadError("a member of the archive is not as large as it says")
    return content


def store(chunks: Iterator[bytes], bound: int = MAX_UNPACKED) -> Source:
    """The chunks as one source; many go to a temporary file without a name."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > bound:
                raise ReadError(_too_large(bound))
            file.write(chunk)
        if size <= _IN_MEMORY:
            file.seek(0)
            return Source(file.read())
        file.flush()
        return Source(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ))


class _State:
    def __init__(self, packed: Source) -> None:
        self.packed = packed
        self.position = packed.start


def _chunks(state: _State, make: Callable[[], Any], name: str) -> Iterator[bytes]:
    """Unpacked chunks of bounded size; `state` then says where the last stream ended."""
    packed, count = state.packed, 0
    while state.position < packed.end:
        start = state.position
        try:
            yield from _stream(state, make())
        except (zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError) as error:
            if count:  # bytes behind the last stream
                state.position = start
                return
            raise ReadError(f"its {name} compression is damaged") from error
        count += 1
        if name == "deflate":
            return


def _stream(state: _State, decompressor: Any) -> Iterator[bytes]:
    packed = state.packed
    content = b""
    while not decompressor.eof:
        if not content and _wants_more(decompressor):
            content = bytes(packed.view[state.position : state.position + _CHUNK])
            content = content[: packed.end - state.position]
            state.position += len(content)
            is_end = not content
        else:
            is_end = False
        chunk = decompressor.decompress(content, _CHUNK)
        if is_end and not chunk and not decompressor.eof:
            raise EOFError
        yield chunk
        # zlib hands back what it did not look at; the others keep it.
        content = getattr(decompressor, "unconsumed_tail", b"")
    state.position -= len(decompressor.unused_data)


def _wants_more(decompressor: Any) -> bool:
    return bool(getattr(decompressor, "needs_input", True))


def _lz4() -> Callable[[], Any] | None:
    try:
        frame: Any = import_module("lz4.frame")
    except ImportError:
        return None
    return lambda: frame.LZ4FrameDecompressor()


def _too_large(bound: int = MAX_UNPACKED) -> str:
    if bound < MAX_UNPACKED:
        return "a member of the archive is larger than it says"
    return f"it is larger than {MAX_UNPACKED // 1024**3} GiB when it is unpacked"


_DECOMPRESSORS: Final[dict[str, Callable[[], Any]]] = {
    "zlib": lambda: zlib.decompressobj(15),
    "gzip": lambda: zlib.decompressobj(31),
    "bz2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=256 * 1024**2),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=256 * 1024**2),
}
