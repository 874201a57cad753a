"""Profiles as bytes: canonical JSON, compressed so that the same profile is the same bytes."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Mapping

import msgspec

from assent.core.digest import canonical_json
from assent.core.formats import decode_document
from assent.core.profile import FORMAT, ColumnProfile, DataProfile
from assent.errors import IntegrityError

MAX_BYTES = 64 * 1024 * 1024
"""The JSON of a profile that is read is not larger."""

MAX_COLUMNS = 100_000
MAX_COUNT = 2**53
"""Larger ones are no numbers of rows, and not every reader of JSON has them exactly."""

MEDIA_TYPE = "application/vnd.assent.profile.v1+gzip"

_DOING = "reading a data profile"
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
"""Of a gzip file (RFC 1952) without time, name or system, compressed as well as can be."""


def encode_profile(profile: DataProfile) -> bytes:
    """The profile as bytes: equal profiles give equal bytes with the same zlib."""
    content = canonical_json(profile)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    packed = packer.compress(content) + packer.flush()
    end = zlib.crc32(content).to_bytes(4, "little") + len(content).to_bytes(4, "little")
    return _HEADER + packed + end


def decode_profile(content: bytes) -> DataProfile:
    """The profile in `content`. Raises `IntegrityError` for anything else."""
    return _decoded(_unpacked(content, MAX_BYTES))


def decode_profiles(contents: Mapping[str, bytes]) -> dict[str, DataProfile]:
    """The profiles of all data sets of one model, by the keys of `contents`. Together they are not
    larger than one may be, so that many of them need no more memory. Raises `IntegrityError`.
    """
    left = MAX_BYTES
    profiles: dict[str, DataProfile] = {}
    for name, content in contents.items():
        unpacked = _unpacked(content, left)
        left -= len(unpacked)
        profiles[name] = _decoded(unpacked)
    return profiles


def _unpacked(content: bytes, most: int) -> bytes:
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        unpacked = unpacker.decompress(content, most + 1)
    except zlib.error:
        raise IntegrityError(_DOING, "it is not compressed soundly") from None
    if len(unpacked) > most:
        size = f"{MAX_BYTES // 1024 // 1024} MiB"
        whose = "it is" if most == MAX_BYTES else "those of all data sets together are"
        raise IntegrityError(_DOING, f"{whose} larger than {size}")
    if not unpacker.eof or unpacker.unused_data:
        raise IntegrityError(_DOING, "it is cut off, or something follows it")
    return unpacked


def _decoded(unpacked: bytes) -> DataProfile:
    try:
        profile = decode_document(unpacked, DataProfile, FORMAT, _DOING)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise IntegrityError(_DOING, "it is not what Assent writes") from None
    if len(profile.columns) > MAX_COLUMNS:
        raise IntegrityError(_DOING, f"it has more than {MAX_COLUMNS:,} columns")
    _require_sound(profile, _DOING)
    return profile


def _require_sound(profile: DataProfile, doing: str) -> None:
    """Counts are not negative, edges ascend, and there is a count for each bin."""
    names = [column.name for column in profile.columns]
    if len(set(names)) < len(names):
        raise IntegrityError(doing, "a column is there twice")
    if not 0 <= profile.ragged <= MAX_COUNT:
        raise IntegrityError(doing, "its count of lines is impossible")
    for column in profile.columns:
        _require_sound_column(column, profile.rows, doing)
        if column.fits is not None:
            if column.fits.fits is not None:
                raise IntegrityError(doing, f"column {column.name!r} is counted three times")
            _require_sound_column(column.fits, profile.rows, doing)


def _require_sound_column(column: ColumnProfile, rows: int, doing: str) -> None:
    counts: list[int] = [
        rows, column.nulls, column.nans, column.infinities, column.distinct or 0, column.tokens,
        *column.in_bins, *(column.outside or ()), *(count for _, count in column.frequent or ()),
    ]  # fmt: skip
    numbers, categories = column.numbers, column.categories
    if numbers is not None:
        counts += [numbers.zeros, numbers.negatives, *numbers.counts]
        edges = numbers.edges
        ascends = all(edge < other for edge, other in itertools.pairwise(edges))
        if not ascends or len(numbers.counts) != len(edges) + (1 if numbers.counts else 0):
            raise IntegrityError(doing, f"the bins of column {column.name!r} are not in order")
        within = numbers.within
        if len(within) not in (0, len(numbers.counts)) or not all(0 <= at <= 1 for at in within):
            raise IntegrityError(doing, f"a mean of column {column.name!r} is in no bin")
    if categories is not None:
        counts += [categories.others, *(count for _, count in categories.top)]
    if min(counts) < 0:
        raise IntegrityError(doing, f"a count of column {column.name!r} is negative")
    if max(counts) > MAX_COUNT:
        raise IntegrityError(doing, f"a count of column {column.name!r} is impossible")
