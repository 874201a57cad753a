"""Archives that somebody's code made: plain files of a bounded size, or nothing."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from assent.errors import AssentError, IntegrityError
from assent.forges import archives
from assent.forges.archives import Limits, unpack

SMALL = Limits(size_bytes=10_000, files=5)


def archive(tmp_path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    path = tmp_path / "artifacts.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries:
            made.writestr(name, content)
    return path


def unpacked(path: Path, limits: Limits = SMALL) -> dict[str, bytes]:
    folder = path.parent / "out" / "bundle"
    folder.parent.mkdir()
    unpack(path, "made", folder, limits=limits, doing="taking it")
    return {
        str(one.relative_to(folder)): one.read_bytes()
        for one in sorted(folder.rglob("*"))
        if one.is_file()
    }


def link(name: str, kind: int = stat.S_IFLNK) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = (kind | 0o777) << 16
    return entry


def test_only_what_is_below_the_folder_is_written(tmp_path: Path) -> None:
    path = archive(
        tmp_path,
        ("made/", b""),
        ("made/blobs/a", b"1"),
        ("made/b", b"2"),
        (".assent/ci/x", b"3"),
        ("madeup", b"4"),
    )
    assert unpacked(path) == {"blobs/a": b"1", "b": b"2"}


def test_an_archive_without_the_folder_gives_an_empty_one(tmp_path: Path) -> None:
    assert unpacked(archive(tmp_path, ("other/a", b"1"))) == {}


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "name",
    [
        *("../a", "made/../../a", "/etc/a", "made/..", "a\\b", "made/a\\..\\b", "made/a\nb"),
        *("made/a\x1b[0m", "/", "."),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused_wherever_it_stands(
    tmp_path: Path, name: str
) -> None:
    path = archive(tmp_path, ("made/ok", b"1"), (name, b"2"))
    with pytest.raises(IntegrityError, match="no path below its folder"):
        unpacked(path)
    assert not [one for one in tmp_path.rglob("*") if one.is_file() and one != path]


@pytest.mark.threat(39)
@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
@pytest.mark.parametrize("name", ["made/blobs", "elsewhere"])
def test_a_link_or_a_device_is_refused(tmp_path: Path, kind: int, name: str) -> None:
    path = archive(tmp_path, (link(name, kind), b"/etc"), ("made/blobs/a", b"1"))
    with pytest.raises(IntegrityError, match="neither a file nor a folder"):
        unpacked(path)


@pytest.mark.threat(39)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, ("made/a", b"1"), ("made/./a", b"2"))
    with pytest.raises(IntegrityError, match="twice"):
        unpacked(path)


@pytest.mark.threat(39)
def test_a_name_of_a_file_and_of_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="of a file and of a folder"):
        unpacked(archive(tmp_path, ("made/a", b"1"), ("made/a/b", b"2")))


@pytest.mark.threat(39)
def test_more_bytes_than_admitted_are_not_written(tmp_path: Path) -> None:
    bomb = archive(tmp_path, ("made/a", b"\0" * 6_000), ("made/b", b"\0" * 6_000))
    assert bomb.stat().st_size < 1_000
    with pytest.raises(IntegrityError, match="more bytes"):
        unpacked(bomb)
    written = sum(one.stat().st_size for one in (tmp_path / "out").rglob("*") if one.is_file())
    assert written <= SMALL.size_bytes


@pytest.mark.threat(39)
def test_what_an_archive_says_of_a_size_is_not_believed(tmp_path: Path) -> None:
    path = archive(tmp_path, ("made/a", b"\0" * 60_000))
    content = path.read_bytes().replace(struct.pack("<L", 60_000), struct.pack("<L", 10))
    path.write_bytes(content)
    with pytest.raises(AssentError):
        unpacked(path)


@pytest.mark.threat(39)
def test_more_files_than_admitted_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, *((f"made/{n}", b"") for n in range(6)))
    with pytest.raises(IntegrityError, match="more than 5 files"):
        unpacked(path)


@pytest.mark.threat(39)
def test_a_directory_that_does_not_fit_into_memory_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_DIRECTORY_BYTES", 70_000)
    path = archive(tmp_path, *((f"made/{'x' * 200}{n}", b"") for n in range(400)))
    with pytest.raises(IntegrityError, match="directory is larger"):
        unpacked(path, Limits(size_bytes=10_000, files=1_000))


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    place = content.index(b"made/a") + len("made/a") + 3
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def strange(content: bytes) -> bytes:
    """Of a way to compress that nobody knows."""
    made = io.BytesIO(content)
    with zipfile.ZipFile(made) as opened:
        place = opened.infolist()[0].header_offset
    central = content.index(b"PK\x01\x02")
    whole = bytearray(content)
    whole[place + 8 : place + 10] = whole[central + 10 : central + 12] = b"\x63\x00"
    return bytes(whole)


@pytest.mark.threat(39)
@pytest.mark.parametrize("damage", [cut, flipped, strange, lambda _: b"", lambda _: b"PK" * 99])
def test_what_is_damaged_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = archive(tmp_path, ("made/a", bytes(range(256)) * 8))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(
        IntegrityError, match=r"no archive that can be read|compressed by method 99"
    ):
        unpacked(path)


@pytest.mark.threat(48)
@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_nobody_unpacks_in_parts_is_refused(tmp_path: Path, method: int) -> None:
    """A few bytes of it may be gigabytes in memory, whatever size is stated."""
    path = tmp_path / "artifacts.zip"
    with zipfile.ZipFile(path, "w", method) as made:
        made.writestr("made/a", b"1")
    with pytest.raises(IntegrityError, match=f"compressed by method {method}"):
        unpacked(path)


@pytest.mark.threat(48)
def test_a_directory_of_too_many_files_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[zipfile.ZipInfo] = []
    monkeypatch.setattr(archives, "_checked", lambda opened, *_: read.extend(opened.infolist()))
    path = archive(tmp_path, *((f"made/{n}", b"") for n in range(6)))
    with pytest.raises(IntegrityError, match="more than 5 files"):
        unpacked(path)
    assert not read


@pytest.mark.threat(48)
def test_more_folders_than_admitted_are_not_made(tmp_path: Path) -> None:
    limits = Limits(files=10, folders=20)
    path = archive(tmp_path, *(("made/" + f"{n}/" * 10 + "a", b"") for n in range(3)))
    with pytest.raises(IntegrityError, match="more than 20 folders"):
        unpacked(path, limits)
    assert not (tmp_path / "out/bundle").exists()


def local(name: bytes, content: bytes) -> bytes:
    sizes = (zlib.crc32(content), len(content), len(content), len(name), 0)
    return struct.pack("<4sHHHHHLLLHH", b"PK\x03\x04", 20, 0, 0, 0, 0x21, *sizes) + name + content


def central(name: bytes, content: bytes, place: int) -> bytes:
    sizes = (zlib.crc32(content), len(content), len(content), len(name), 0, 0, 0, 0, 0, place)
    head = struct.pack("<4sHHHHHHLLLHHHHHLL", b"PK\x01\x02", 20, 20, 0, 0, 0, 0x21, *sizes)
    return head + name


@pytest.mark.threat(48)
def test_a_file_inside_another_one_is_refused(tmp_path: Path) -> None:
    """Together they are no larger than the archive."""
    inner = local(b"made/b", b"hello")
    outer = local(b"made/a", inner)
    directory = central(b"made/a", inner, 0)
    directory += central(b"made/b", b"hello", len(outer) - len(inner))
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, len(directory), len(outer), 0)
    path = tmp_path / "artifacts.zip"
    path.write_bytes(outer + directory + tail)
    with pytest.raises(IntegrityError, match="on top of each other"):
        unpacked(path)
    assert not (tmp_path / "out/bundle").exists()


@pytest.mark.threat(48)
def test_all_of_an_archive_is_wanted_where_no_folder_is_named(tmp_path: Path) -> None:
    path = archive(tmp_path, ("a", b"1"), ("made/", b""), ("made/b", b"2"))
    unpack(path, None, tmp_path / "out", limits=SMALL, doing="taking it")
    assert sorted(one.name for one in (tmp_path / "out").rglob("*")) == ["a", "b", "made"]


@pytest.mark.threat(48)
def test_what_unpacks_to_far_more_than_was_fetched_is_refused(tmp_path: Path) -> None:
    limits = Limits(size_bytes=10**9, ratio=100, small_bytes=1000)
    path = archive(tmp_path, ("made/zeros", bytes(10**6)))
    with pytest.raises(IntegrityError, match="100 times as large"):
        unpack(path, "made", tmp_path / "out", limits=limits, doing="taking it")
    assert not (tmp_path / "out").exists(), "its directory was enough"
    unpack(
        path,
        "made",
        tmp_path / "out",
        limits=Limits(size_bytes=10**9, ratio=2000, small_bytes=1000),
        doing="taking it",
    )
    assert (tmp_path / "out/zeros").stat().st_size == 10**6


@pytest.mark.threat(48)
def test_files_that_lie_on_top_of_each_other_are_refused(tmp_path: Path) -> None:
    """The directory names the same bytes many times: that is how a small bomb becomes large."""
    path = archive(tmp_path, ("made/a", bytes(range(256)) * 8))
    content = path.read_bytes()
    start = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    entry = content[start:end]
    entries = b"".join(entry.replace(b"made/a", b"made/%c" % (97 + at)) for at in range(5))
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 5, 5, len(entries), start, 0)
    path.write_bytes(content[:start] + entries + tail)
    with pytest.raises(IntegrityError, match=r"on top of each other|overlap"):
        unpack(path, "made", tmp_path / "out", limits=Limits(), doing="taking it")
    assert not (tmp_path / "out").exists()


@pytest.mark.threat(48)
@pytest.mark.parametrize(
    "name", ["made/" + "a" * 256, "made/" + "a/" * 600 + "b", "made/" + "é" * 200]
)
def test_a_name_that_no_folder_holds_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(IntegrityError, match="is no path below its folder"):
        unpacked(archive(tmp_path, (name, b"1")))
