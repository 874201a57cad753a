"""The store in a folder, and the cache, on file systems that lack something."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from assent.core.digest import Digest, digest_of, hex_of
from assent.disk import require_room
from assent.errors import OutsideError
from assent.files import scratch_folder, write_atomically
from assent.ports import BlobState, Pointer, Source, Wanted
from assent.stores import layout
from assent.stores.cache import BlobCache, Cached
from assent.stores.directory import DirectoryStore
from assent.stores.folder_abilities import FolderAbilities, probe
from tests.builders import digest
from tests.effort import IS_SOAK, more_in_soak
from tests.stores.file_systems import Kind, meagre, new_folder
from tests.stores.lacks import Lack

PRODUCTION = "churn/stages/production"
MONTH_S = 30 * 86_400.0


def pointer(seq: int) -> Pointer:
    return Pointer(
        seq=seq,
        entry=digest(f"e{seq}"),
        version=seq + 1,
        bundle=digest(f"b{seq}"),
        model_digest=digest(f"m{seq}"),
    )


@pytest.fixture
def poor() -> Path:
    return new_folder(Kind.POOR) / "store"


def blob(root: Path, digest: Digest) -> Path:
    return root / "blobs" / "sha256" / hex_of(digest)


def keep(root: Path, content: bytes) -> Digest:
    [stored] = DirectoryStore(root).add([Source(content=content)])
    return stored.digest


def grow_old(file: Path) -> None:
    then = file.stat().st_mtime - 2 * MONTH_S
    os.utime(file, (then, then))


# --- what is found out --------------------------------------------------------------------------


def cannot(abilities: FolderAbilities) -> set[str]:
    """What was found to be lacking."""
    return {
        name
        for name, is_there in {
            "replacing": abilities.has_replacing,
            "links": abilities.has_links,
            "locks": abilities.has_locks,
            "folder flushes": abilities.flushes_folders,
            "times": abilities.lost_ns is not None and abilities.lost_ns < 10**8,
            "names": abilities.tells_names_apart,
        }.items()
        if not is_there
    }


LACKING = [
    ((), set()),
    ((Lack.LINKS,), {"links"}),
    ((Lack.LOCKS,), {"locks"}),
    ((Lack.FOLDER_FLUSHES,), {"folder flushes"}),
    ((Lack.TIMES,), {"times"}),
    ((Lack.TOUCHES,), {"times"}),
    ((Lack.CASE,), {"names"}),
    ((Lack.NAMES,), {"names"}),
    ((Lack.REPLACING,), {"replacing"}),
    ((Lack.RENAMING,), {"replacing"}),
    ((Lack.MODES, Lack.SIZES), set()),
]


@pytest.mark.parametrize(("lacks", "expected"), LACKING)
def test_what_is_lacking_is_found_and_leaves_nothing(
    tmp_path: Path, lacks: tuple[Lack, ...], expected: set[str]
) -> None:
    with meagre(tmp_path, *lacks) as mounted:
        abilities = probe(mounted)
        assert list(mounted.iterdir()) == []
    assert cannot(abilities) == expected
    assert abilities.file_system == "fuse.meagre"
    assert not abilities.is_of_one_machine


REAL = [
    (Kind.POOR, {"links", "locks", "folder flushes", "times", "names"}),
    *more_in_soak(
        (Kind.EXFAT, {"links", "times", "names"}), (Kind.NTFS, set()), (Kind.SFTP, {"times"})
    ),
]


@pytest.mark.parametrize(("kind", "expected"), REAL)
def test_the_abilities_of_file_systems_are_said(kind: Kind, expected: set[str]) -> None:
    store = DirectoryStore(new_folder(kind) / "store")
    assert cannot(store._abilities) == expected
    words = store.abilities
    assert ("no: bytes are copied" in words.values()) is ("links" in expected)
    assert bool(store.lacking) is ("locks" in expected or kind is Kind.SFTP)
    assert list((store.root / "tmp").iterdir()) == []


def test_a_disk_of_this_machine_lacks_nothing(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    assert cannot(store._abilities) == set()
    assert store.lacking == ""


# --- what cannot be done without ----------------------------------------------------------------


@pytest.mark.parametrize("lack", [Lack.REPLACING, Lack.RENAMING])
def test_a_store_is_not_made_where_no_pointer_can_move(tmp_path: Path, lack: Lack) -> None:
    with meagre(tmp_path, lack) as mounted:
        store = DirectoryStore(mounted / "store")
        with pytest.raises(OutsideError, match=r"\(fuse.meagre\) does not let one file") as caught:
            store.add([Source(content=b"model")])
        assert "docs/stores.md" in str(caught.value.hint)
        assert [path.name for path in mounted.rglob("*") if path.is_file()] == []


def test_what_is_to_be_decided_is_refused_before_where_no_pointer_can_move(tmp_path: Path) -> None:
    root = tmp_path / "beneath" / "store"
    held = keep(root, b"model")
    with meagre(tmp_path, Lack.REPLACING) as mounted:
        store = DirectoryStore(mounted / "store")
        assert store.read(held) == b"model"
        with pytest.raises(OutsideError, match="take the place of another"):
            store.flush([held])


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lack", "first", "second"),
    [
        (Lack.CASE, PRODUCTION, "churn/stages/Production"),
        (Lack.CASE, "churn/stages/Production", PRODUCTION),
        (Lack.NAMES, PRODUCTION, f"{PRODUCTION}."),
        (Lack.NAMES, PRODUCTION, "churn./stages/production"),
        (Lack.NAMES, "churn/head", "churn./head"),
    ],
)
def test_no_pointer_is_read_or_replaced_as_another(
    tmp_path: Path, lack: Lack, first: str, second: str
) -> None:
    with meagre(tmp_path, lack) as mounted:
        store = DirectoryStore(mounted / "store")
        assert store.point(first, pointer(1))
        for other in (store, DirectoryStore(mounted / "store")):
            assert other.pointer(second) is None
            with pytest.raises(OutsideError, match="takes it for another name"):
                other.point(second, pointer(2))
            with pytest.raises(OutsideError, match="takes it for another name"):
                other.restore(second, pointer(2), instead_of=None)
        model = second.partition("/")[0]
        assert store.pointers(model) == ({first: pointer(1)} if model == "churn" else {})
        assert store.pointer(first) == pointer(1)
        assert store.point(first, pointer(3))
    told_apart = DirectoryStore(tmp_path / "beneath" / "store")
    assert told_apart.point(second, pointer(2))
    assert (told_apart.pointer(first), told_apart.pointer(second)) == (pointer(3), pointer(2))


def test_no_hint_is_read_as_that_of_another_model(tmp_path: Path) -> None:
    with meagre(tmp_path, Lack.NAMES) as mounted:
        store = DirectoryStore(mounted / "store")
        store.remember("churn/inputs/3f2a", digest("b1"))
        assert store.recall("churn./inputs/3f2a") is None
        assert store.remembered("churn.") == frozenset()
        with pytest.raises(OutsideError, match="takes it for another name"):
            store.remember("churn./inputs/3f2a", digest("b2"))
        assert store.recall("churn/inputs/3f2a") == digest("b1")
        assert store.remembered("churn") == {digest("b1")}


# --- writers at once ----------------------------------------------------------------------------

_WRITER = """
import sys
from pathlib import Path
from assent.core.digest import digest_of
from assent.ports import Pointer, Source
from assent.stores.directory import DirectoryStore
root, files, seq = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
store = DirectoryStore(root)
store.add([Source(content=b"{}"), *(Source(path=path) for path in sorted(files.iterdir()))])
print(flush=True)
sys.stdin.readline()
pointer = Pointer(seq=seq, entry=digest_of(b"e"), version=seq, bundle=digest_of(b"{}"))
store.point("churn/stages/production", pointer)
store.point(f"churn/versions/{seq + 1}", pointer)
"""


def files_in(folder: Path) -> dict[Path, bytes]:
    folder.mkdir()
    contents = {folder / str(number): bytes([number]) * (2 << 20) for number in range(3)}
    contents[folder / "small"] = b"small"
    for path, content in contents.items():
        path.write_bytes(content)
    return contents


@pytest.mark.parametrize("kind", [Kind.POOR, *more_in_soak(Kind.EXFAT, Kind.NTFS, Kind.SFTP)])
def test_processes_that_write_the_same_at_once_leave_a_whole_store(
    tmp_path: Path, kind: Kind
) -> None:
    root = new_folder(kind) / "store"
    contents = files_in(tmp_path / "files")
    command = [sys.executable, "-c", _WRITER, str(root), str(tmp_path / "files")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    writers = [subprocess.Popen([*command, str(seq)], **pipes) for seq in range(4)]  # type: ignore[call-overload]
    for writer in writers:
        writer.stdout.readline()
    for writer in writers:
        writer.communicate(b"\n")
        assert writer.returncode == 0
    store = DirectoryStore(root)
    held = [digest_of(content) for content in contents.values()]
    assert set(store.check(held).values()) == {BlobState.SOUND}
    assert list((root / "tmp").iterdir()) == []
    stands = store.pointer(PRODUCTION)
    assert stands is not None
    assert stands.seq == 3 or store.lacking  # of two at once the later one may stay
    assert len(store.pointers("churn")) == 5
    store.relist("churn")
    assert store.astray("churn") == ()


def test_what_was_replaced_while_it_was_read_is_read_again(tmp_path: Path) -> None:
    with meagre(tmp_path, Lack.STEADINESS) as mounted:
        store = DirectoryStore(mounted / "store")
        for seq in range(3):
            assert store.point(PRODUCTION, pointer(seq))
            assert store.pointer(PRODUCTION) == pointer(seq)


def test_readers_see_a_whole_pointer_or_none(tmp_path: Path) -> None:
    with meagre(tmp_path, Lack.ATOMICITY) as mounted:
        store = DirectoryStore(mounted / "store")
        store.point(PRODUCTION, pointer(0))
        moves = [pointer(seq) for seq in range(1, 20)]
        seen: list[Pointer | None] = []
        has_ended = threading.Event()

        def look() -> None:
            while not has_ended.is_set():
                seen.append(DirectoryStore(mounted / "store").pointer(PRODUCTION))

        reader = threading.Thread(target=look)
        reader.start()
        for move in moves:
            assert store.point(PRODUCTION, move)
        has_ended.set()
        reader.join()
        assert seen
        assert set(seen) <= {None, pointer(0), *moves}
        assert store.pointer(PRODUCTION) == moves[-1]


# --- kills --------------------------------------------------------------------------------------

_CALLS = ("rename,renameat", "unlink,unlinkat", "fsync")
"""What the store does to names and disks, and Python does not while it starts."""
_KILLS = [(call, nth) for nth in range(1, 11) for call in _CALLS]


def test_a_writer_that_is_killed_leaves_a_store_that_is_gone_on_with(
    poor: Path, tmp_path: Path
) -> None:
    contents = files_in(tmp_path / "files")
    DirectoryStore(poor).point(PRODUCTION, pointer(0))
    held = [digest_of(content) for content in contents.values()]
    kills = 0
    for seq, (call, nth) in enumerate(_KILLS if IS_SOAK else _KILLS[::3] + _KILLS[1::6], start=1):
        watch = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}")
        inject = ("-e", f"inject={call}:signal=SIGKILL:when={nth}")
        python = (sys.executable, "-B", "-c", _WRITER)
        command = [*watch, *inject, *python, str(poor), str(tmp_path / "files"), str(seq)]
        done = subprocess.run(command, input=b"\n", check=False, capture_output=True)
        kills += done.returncode == -9
        assert done.returncode in (0, -9), done.stderr.decode()
        store = DirectoryStore(poor)
        assert BlobState.CORRUPT not in store.check(held).values(), (call, nth)
        assert None not in store.pointers("churn").values(), (call, nth)
        assert layout.read_index((poor / "index.json").read_bytes()) is not None
        for path in (poor / "blobs" / "sha256").iterdir():
            path.unlink()  # so that the next one writes all of it
    assert kills > 3
    command = [sys.executable, "-c", _WRITER, str(poor), str(tmp_path / "files"), "1000"]
    subprocess.run(command, input=b"\n", check=True, capture_output=True)
    store = DirectoryStore(poor)
    assert set(store.check(held).values()) == {BlobState.SOUND}
    store.relist("churn")
    assert store.astray("churn") == ()
    stands = store.pointer(PRODUCTION)
    assert stands is not None
    assert stands.seq == 1000


def aside(root: Path, digest: Digest, content: bytes) -> Path:
    """What a clean-up that was killed has left of an old blob."""
    place = root / "tmp" / f"gone-{hex_of(digest)}-0123456789abcdef"
    place.write_bytes(content)
    grow_old(place)
    return place


def test_what_was_aside_comes_back_without_links_and_is_not_as_old(poor: Path) -> None:
    held = keep(poor, b"model")
    blob(poor, held).unlink()
    place = aside(poor, held, b"model")
    DirectoryStore(poor).sweep(older_than_s=MONTH_S)
    assert not place.exists()
    assert DirectoryStore(poor).read(held) == b"model"
    assert not DirectoryStore(poor).remove(held, older_than_s=MONTH_S)


@pytest.mark.parametrize("content", [b"model", b"muddle"])
def test_what_was_aside_replaces_nothing_without_links(poor: Path, content: bytes) -> None:
    held = keep(poor, b"model")
    written = blob(poor, held).stat().st_mtime_ns
    place = aside(poor, held, content)
    DirectoryStore(poor).sweep(older_than_s=MONTH_S)
    assert not place.exists()
    assert blob(poor, held).stat().st_mtime_ns == written
    assert DirectoryStore(poor).read(held) == b"model"


def test_what_was_aside_and_is_damaged_does_not_come_back_without_links(poor: Path) -> None:
    held = keep(poor, b"model")
    blob(poor, held).unlink()
    aside(poor, held, b"muddle")
    DirectoryStore(poor).sweep(older_than_s=MONTH_S)
    assert DirectoryStore(poor).check([held]) == {held: BlobState.MISSING}


# --- time, room, and what fails late -----------------------------------------------------------


def test_what_is_used_is_young_where_a_touch_is_not_kept(tmp_path: Path) -> None:
    held = keep(tmp_path / "beneath" / "store", b"model")
    grow_old(blob(tmp_path / "beneath" / "store", held))
    with meagre(tmp_path, Lack.TOUCHES) as mounted:
        root = mounted / "store"
        DirectoryStore(root).renew([held])
        assert not DirectoryStore(root).remove(held, older_than_s=MONTH_S)
        assert DirectoryStore(root).read(held) == b"model"


@pytest.mark.parametrize("size", [1 << 19, 3 << 20])
def test_no_room_that_is_told_late_leaves_nothing(tmp_path: Path, size: int) -> None:
    content = b"x" * size
    (tmp_path / "model.bin").write_bytes(content)
    with meagre(tmp_path, Lack.ROOM) as mounted:
        store = DirectoryStore(mounted / "store")
        for source in (Source(path=tmp_path / "model.bin"), Source(content=content)):
            with pytest.raises(OutsideError, match="Disk quota exceeded") as caught:
                store.add([source])
            assert "free some space" in str(caught.value.hint)
        assert store.check([digest_of(content)]) == {digest_of(content): BlobState.MISSING}
        assert list((mounted / "store" / "tmp").iterdir()) == []
        held = keep(tmp_path / "elsewhere", content)
        wanted = Wanted(digest=held, size_bytes=size, path=mounted / "model.bin")
        with pytest.raises(OutsideError, match="Disk quota exceeded"):
            DirectoryStore(tmp_path / "elsewhere").fetch([wanted])
        assert not wanted.path.exists()
        with pytest.raises(OutsideError, match="Disk quota exceeded"):
            write_atomically(mounted / "report", content)
        assert not (mounted / "report").exists()


def test_room_that_nobody_knows_is_tried(tmp_path: Path) -> None:
    with meagre(tmp_path, Lack.SIZES) as mounted:
        require_room(mounted, 1 << 40, "storing", hint="")
        with pytest.raises(OutsideError, match="bytes, and"):
            require_room(tmp_path, 1 << 60, "storing", hint="")


def test_a_file_that_is_too_large_for_the_file_system_is_named(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    store.add([Source(content=b"before")])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OutsideError, match="File too large") as caught:
            store.add([Source(content=b"x" * 2000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "4 GiB" in str(caught.value.hint)
    assert list((tmp_path / "store" / "tmp").iterdir()) == []


# --- the cache, and the files of a workspace ----------------------------------------------------


def test_a_cache_does_not_believe_times_that_show_no_change() -> None:
    folder = new_folder(Kind.EXFAT if IS_SOAK else Kind.POOR)
    (folder / "source").write_bytes(b"model")
    cache = BlobCache(folder / "cache", 1 << 20)
    cache._is_usable = True  # whoever mounts it says whose the files are
    cache._blobs.mkdir(parents=True)
    held = digest_of(b"model")
    place = cache._place(held)
    place.write_bytes(b"model")
    assert cache.find(held) == place
    status = place.stat()
    place.write_bytes(b"muddl")
    os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert cache.find(held) is None


def test_a_cache_without_locks_keeps_nothing_and_says_so_once(tmp_path: Path) -> None:
    words: list[str] = []
    with meagre(tmp_path, Lack.LOCKS) as mounted:
        (mounted / "source").write_bytes(b"model")
        cache = BlobCache(mounted / "cache", 1 << 20, words.append)
        for _ in range(2):
            cache.keep([Cached(mounted / "source", digest_of(b"model"), 5)])
            cache.keep_content(b"evidence")
        assert list((mounted / "cache" / "blobs").iterdir()) == []
    [word] = words
    assert "cannot be locked" in word


def test_files_of_a_workspace_are_whole_or_not_there(poor: Path) -> None:
    for content in (b"first", b"second"):
        write_atomically(poor / "report.md", content)
        assert (poor / "report.md").read_bytes() == content
    with scratch_folder(poor, "work-") as place:
        (place / "file").write_bytes(b"x")
    assert [path.name for path in poor.iterdir()] == ["report.md"]
