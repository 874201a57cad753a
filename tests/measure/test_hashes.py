"""Digests that are computed once."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from assent.core.digest import digest_of
from assent.measure.hashes import KEPT_FROM_BYTES, Hashes

LARGE = b"x" * KEPT_FROM_BYTES


def old(path: Path) -> None:
    """Wait until a change could not leave the times of the file as they are."""
    is_fine = path.stat().st_ctime_ns % 1_000_000_000 != 0
    time.sleep(0.15 if is_fine else 2.6)


def test_a_file_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(LARGE)
    old(tmp_path / "a")
    hashes = Hashes(tmp_path, tmp_path / "kept.json")
    for _ in range(3):
        assert hashes.digest(tmp_path / "a") == digest_of(LARGE)
    assert hashes.read_bytes == len(LARGE)
    assert hashes.md5(tmp_path / "a") == hashlib.md5(LARGE, usedforsecurity=False).hexdigest()
    hashes.save()
    again = Hashes(tmp_path, tmp_path / "kept.json")
    assert again.digest(tmp_path / "a") == digest_of(LARGE)
    again.md5(tmp_path / "a")
    assert again.read_bytes == 0


def test_a_file_that_was_just_written_is_read_again(tmp_path: Path) -> None:
    """Its times may be the same after another write."""
    hashes = Hashes(tmp_path)
    (tmp_path / "a").write_bytes(b"one")
    os.utime(tmp_path / "a")
    hashes.digest(tmp_path / "a")
    (tmp_path / "a").write_bytes(b"two")
    assert hashes.digest(tmp_path / "a") == digest_of(b"two")


@pytest.mark.parametrize("how", ["written", "replaced", "times put back"])
def test_a_change_is_seen(tmp_path: Path, how: str) -> None:
    place = tmp_path / "a"
    place.write_bytes(b"old")
    old(place)
    hashes = Hashes(tmp_path)
    hashes.digest(place)
    times = place.stat()
    if how == "replaced":
        (tmp_path / "b").write_bytes(b"new")
        os.utime(tmp_path / "b", ns=(times.st_atime_ns, times.st_mtime_ns))
        (tmp_path / "b").rename(place)
    else:
        place.write_bytes(b"new")
    if how == "times put back":
        os.utime(place, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert hashes.digest(place) == digest_of(b"new")


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"a": [1]}', b"\xff"])
def test_a_damaged_list_is_no_list(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "kept.json").write_bytes(content)
    (tmp_path / "a").write_bytes(b"x")
    assert Hashes(tmp_path, tmp_path / "kept.json").digest(tmp_path / "a") == digest_of(b"x")


def test_a_list_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(LARGE)
    old(tmp_path / "a")
    hashes = Hashes(tmp_path, tmp_path / "a" / "kept.json")
    hashes.digest(tmp_path / "a")
    hashes.save()
