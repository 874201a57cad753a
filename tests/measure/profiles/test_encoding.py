from __future__ import annotations

import gzip
import zlib

import pytest

from assent.core.digest import canonical_json
from assent.core.profile import Categories, ColumnProfile, DataProfile, Numbers
from assent.errors import IntegrityError
from assent.measure.profiles import encoding
from assent.measure.profiles.encoding import decode_profile, encode_profile

PROFILE = DataProfile(
    rows=3,
    columns=(
        ColumnProfile(
            name="größe | <b>\n",
            type="double",
            kind="number",
            distinct=2,
            numbers=Numbers(minimum=0.1, maximum=2.0, edges=(0.1, 2.0), counts=(1, 2, 0)),
        ),
        ColumnProfile(
            name="c", type="string", kind="category", categories=Categories(top=(("a", 3),))
        ),
    ),
    duplicates=0,
)


def test_a_profile_comes_back() -> None:
    content = encode_profile(PROFILE)
    assert decode_profile(content) == PROFILE
    assert encode_profile(decode_profile(content)) == content
    assert gzip.decompress(content) == canonical_json(PROFILE)


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"\x1f\x8b",
        encode_profile(PROFILE)[:-9],
        encode_profile(PROFILE) + b"more",
        zlib.compress(b"{}"),
        packed(b"[" * 100_000),
        packed(b'{"rows": "many"}'),
        packed(b'{"rows": 1, "surprise": 1}'),
        packed(b'{"rows": 1, "ragged": -1}'),
        packed(b'{"format": "assent/profile/99"}'),
        packed(b'{"rows": -1, "columns": [{"name": "a", "type": "t", "kind": "text"}]}'),
        packed(
            b'{"columns": [{"name": "a", "type": "t", "kind": "number", '
            b'"numbers": {"edges": [2, 1], "counts": [1, 1, 1]}}]}'
        ),
        packed(
            b'{"columns": [{"name": "a", "type": "t", "kind": "number", '
            b'"numbers": {"edges": [1, 2], "counts": [1]}}]}'
        ),
        *(
            packed(b'{"columns": [{"name": "a", "type": "t", "kind": "text", %s}]}' % field)
            for field in (
                b'"tokens": -1',
                b'"outside": [-1, 0]',
                b'"outside": [1, 2, 3]',
                b'"frequent": [["x", -1]]',
                b'"fits": {"name": "a", "type": "t", "kind": "number", "nulls": -1}',
                b'"fits": {"name": "a", "type": "t", "kind": "number", "fits": '
                b'{"name": "a", "type": "t", "kind": "number"}}',
            )
        ),
        packed(
            b'{"columns": [{"name": "a", "type": "t", "kind": "number", '
            b'"numbers": {"edges": [1, 2], "counts": [1, 1, 1], "within": [0, 1, 1.5]}}]}'
        ),
        packed(
            b'{"columns": [{"name": "a", "type": "t", "kind": "number", '
            b'"numbers": {"edges": [1, 2], "counts": [1, 1, 1], "within": [0, 1]}}]}'
        ),
        packed(
            b'{"columns": [{"name": "a", "type": "t", "kind": "text"},'
            b'{"name": "a", "type": "t", "kind": "text"}]}'
        ),
    ],
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(IntegrityError):
        decode_profile(content)


@pytest.mark.threat(39)
def test_a_bomb_is_not_unpacked() -> None:
    bomb = packed(b" " * (encoding.MAX_BYTES + 10))
    assert len(bomb) < 100_000
    with pytest.raises(IntegrityError, match="larger than 64 MiB"):
        decode_profile(bomb)
