"""A store elsewhere with the blobs of this machine: what is asked of whom."""

from __future__ import annotations

import os
import random
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from assent.core.digest import digest_of, hex_of
from assent.errors import IntegrityError, OutsideError, UsageError
from assent.ports import BlobState, NotInStoreError, Source, Stored, Wanted
from assent.stores.cache import FOLDER, IN_USE_S, SIZE, BlobCache, Cached, open_cache
from assent.stores.caching import CachingStore
from assent.stores.oci import open_store
from assent.testing.store import MemoryStore
from tests.stores.proxies import Line, proxied
from tests.stores.registries import Server, registry
from tests.waiting import wait_until

LARGE = 3 << 20
NOBODY = {"DOCKER_CONFIG": "/nonexistent"}


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def silent(_: str) -> None:
    return


@pytest.fixture
def cache(tmp_path: Path) -> BlobCache:
    return BlobCache(tmp_path / "cache", 100 << 20)


@pytest.fixture
def remote() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def store(remote: MemoryStore, cache: BlobCache) -> CachingStore:
    return CachingStore(remote, cache)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    """A way to a real registry that counts what goes over it."""
    with registry(tmp_path / "registry") as server, _proxied(server) as one:
        yield one


def _proxied(server: Server) -> AbstractContextManager[Line]:
    return proxied(server.host, lambda _: None)


def opened(line: Line, folder: Path) -> CachingStore:
    """The store of another process on a machine whose cache is in `folder`."""
    return CachingStore(
        open_store(f"oci://{line.host}/team/models", NOBODY), BlobCache(folder, 100 << 20)
    )


def read_over(line: Line) -> list[str]:
    """Which blobs were read from the registry."""
    return [one for one in line.asked if one.startswith("GET") and "/blobs/" in one]


def add_file(
    store: CachingStore, path: Path, content: bytes, *, is_scratch: bool = False
) -> Stored:
    path.write_bytes(content)
    [stored] = store.add([Source(path=path, is_scratch=is_scratch)])
    return stored


def wanted(content: bytes, path: Path) -> Wanted:
    return Wanted(digest=digest_of(content), size_bytes=len(content), path=path)


def entries(cache: BlobCache) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in (cache.folder / "blobs").iterdir()}


def held(cache: BlobCache, content: bytes) -> Path:
    return cache.folder / "blobs" / hex_of(digest_of(content))


def age(path: Path, seconds: float = 2 * IN_USE_S) -> None:
    before = path.stat().st_mtime - seconds
    os.utime(path, (before, before))


# --- a real registry ----------------------------------------------------------------------------


def test_what_a_machine_has_sent_or_fetched_it_does_not_fetch(line: Line, tmp_path: Path) -> None:
    content = noise(LARGE)
    stored = add_file(opened(line, tmp_path / "here"), tmp_path / "model.bin", content)
    again = opened(line, tmp_path / "here")
    place = again.locate(stored.digest)
    assert place is not None
    assert place.read_bytes() == content
    again.fetch([wanted(content, tmp_path / "served")])
    assert read_over(line) == []

    other = opened(line, tmp_path / "elsewhere")
    assert other.locate(stored.digest) is None
    other.fetch([wanted(content, tmp_path / "first")])
    assert len(read_over(line)) == 1
    opened(line, tmp_path / "elsewhere").fetch([wanted(content, tmp_path / "second")])
    assert (tmp_path / "second").read_bytes() == content
    assert len(read_over(line)) == 1


def test_what_is_small_is_read_back_once_from_where_it_was_sent(line: Line, tmp_path: Path) -> None:
    """Whoever has just written looks whether it can be read."""
    store = opened(line, tmp_path / "here")
    [stored] = store.add([Source(content=b"evidence")])
    assert store.read(stored.digest) == b"evidence"
    assert len(read_over(line)) == 1
    assert opened(line, tmp_path / "here").read(stored.digest) == b"evidence"
    assert len(read_over(line)) == 1


# --- nothing in it is believed ------------------------------------------------------------------


@pytest.mark.threat(61)
@pytest.mark.threat(27)
@pytest.mark.parametrize("how", ["changed", "cut", "a link", "a folder"])
def test_what_is_not_what_its_name_says_is_read_anew(
    remote: MemoryStore, cache: BlobCache, tmp_path: Path, how: str
) -> None:
    content = noise(LARGE)
    stored = add_file(CachingStore(remote, cache), tmp_path / "model.bin", content)
    place = held(cache, content)
    match how:
        case "changed":
            place.write_bytes(b"#" + content[1:])
        case "cut":
            place.write_bytes(content[:-1])
        case "a link":
            (tmp_path / "other").write_bytes(b"#" + content[1:])
            place.unlink()
            place.symlink_to(tmp_path / "other")
        case _:
            place.unlink()
            place.mkdir()
    store = CachingStore(remote, BlobCache(cache.folder, 100 << 20))
    assert store.read(stored.digest) == content
    store.fetch([wanted(content, tmp_path / "fetched")])
    assert (tmp_path / "fetched").read_bytes() == content
    found = CachingStore(remote, BlobCache(cache.folder, 100 << 20)).locate(stored.digest)
    assert found is None or found.read_bytes() == content


@pytest.mark.threat(27)
def test_what_is_changed_while_it_is_used_is_noticed(store: CachingStore, tmp_path: Path) -> None:
    content = noise(LARGE)
    stored = add_file(store, tmp_path / "model.bin", content)
    place = store.locate(stored.digest)
    assert place is not None
    assert store.locate(stored.digest) == place
    place.write_bytes(b"#" + content[1:])
    assert store.locate(stored.digest) is None


@pytest.mark.threat(27)
def test_the_store_says_what_it_holds_whatever_lies_here(
    remote: MemoryStore, store: CachingStore, tmp_path: Path
) -> None:
    lost = add_file(store, tmp_path / "lost", noise(100, 1)).digest
    corrupt = add_file(store, tmp_path / "corrupt", noise(100, 2)).digest
    remote.lose(lost)
    remote.corrupt(corrupt)
    states = {lost: BlobState.MISSING, corrupt: BlobState.CORRUPT}
    assert store.check(list(states)) == store.confirm(list(states)) == states
    with pytest.raises(NotInStoreError):
        store.flush([lost])


@pytest.mark.threat(27)
def test_a_damaged_blob_of_the_store_is_not_kept(
    remote: MemoryStore, store: CachingStore, cache: BlobCache, tmp_path: Path
) -> None:
    content = noise(100)
    [stored] = store.add([Source(content=content)])
    remote.corrupt(stored.digest)
    with pytest.raises(IntegrityError):
        store.read(stored.digest)
    with pytest.raises(IntegrityError):
        store.fetch([wanted(content, tmp_path / "x")])
    assert not cache.folder.exists()


def test_a_blob_of_another_size_than_stated_is_refused(store: CachingStore, tmp_path: Path) -> None:
    stored = add_file(store, tmp_path / "model.bin", b"model")
    with pytest.raises(IntegrityError):
        store.fetch([Wanted(digest=stored.digest, size_bytes=6, path=tmp_path / "x")])
    assert not (tmp_path / "x").exists()


def test_a_file_of_the_user_is_copied_and_one_of_ours_is_not(
    store: CachingStore, cache: BlobCache, tmp_path: Path
) -> None:
    add_file(store, tmp_path / "theirs", noise(LARGE, 1))
    add_file(store, tmp_path / "ours", noise(LARGE, 2), is_scratch=True)
    assert (tmp_path / "theirs").stat().st_nlink == 1
    assert (tmp_path / "ours").stat().st_ino == held(cache, noise(LARGE, 2)).stat().st_ino
    with (tmp_path / "theirs").open("r+b") as trained_again:
        trained_again.write(b"#")
    assert held(cache, noise(LARGE, 1)).read_bytes() == noise(LARGE, 1)


@pytest.mark.threat(61)
@pytest.mark.threat(27)
def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    said: list[str] = []
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    store = CachingStore(MemoryStore(), BlobCache(folder, 100 << 20, said.append))
    stored = add_file(store, tmp_path / "model.bin", noise(100))
    assert store.locate(stored.digest) is None
    assert said == [f"the cache {folder} is not used: others may write to it"]


@pytest.mark.threat(61)
@pytest.mark.threat(47)
@pytest.mark.parametrize("name", ["tmp", "blobs"])
def test_a_link_in_it_leads_nowhere(tmp_path: Path, name: str) -> None:
    """Whoever restores a cache of others may get links with it."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis").write_text("years of work")
    age(mine / "thesis", 10 * 365 * 24 * 60 * 60)
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    (folder / name).symlink_to(mine)
    said: list[str] = []
    store = CachingStore(MemoryStore(), BlobCache(folder, 1000, said.append))
    add_file(store, tmp_path / "model.bin", noise(900))
    assert [path.name for path in mine.iterdir()] == ["thesis"]
    assert said == [f"the cache {folder} is not used: a link or a file is in its place"]


def test_its_folder_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "large-disk").mkdir(mode=0o700)
    (tmp_path / "cache").symlink_to(tmp_path / "large-disk")
    store = CachingStore(MemoryStore(), BlobCache(tmp_path / "cache", 1000))
    stored = add_file(store, tmp_path / "model.bin", noise(900))
    assert store.locate(stored.digest) is not None


def test_only_this_account_may_look_at_it(store: CachingStore, tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        add_file(store, tmp_path / "model.bin", noise(100))
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700


# --- its bound ----------------------------------------------------------------------------------


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    cache = BlobCache(tmp_path / "cache", 250)
    store = CachingStore(MemoryStore(), cache)
    contents = [noise(100, seed) for seed in range(3)]
    for number, content in enumerate(contents[:2]):
        add_file(store, tmp_path / str(number), content)
        age(held(cache, content), 2 * IN_USE_S + 60 * (2 - number))
    store.fetch([wanted(contents[0], tmp_path / "used")])
    add_file(store, tmp_path / "2", contents[2])
    assert set(entries(cache).values()) == {contents[0], contents[2]}


def test_what_is_looked_at_again_is_in_use_from_then_on(tmp_path: Path) -> None:
    cache = BlobCache(tmp_path / "cache", 1000)
    store = CachingStore(MemoryStore(), cache)
    stored = add_file(store, tmp_path / "0", noise(100))
    place = store.locate(stored.digest)
    assert place is not None
    before = place.stat().st_mtime_ns
    wait_until(lambda: time.time_ns() - before > 50_000_000, "a coarse clock has moved")
    assert store.locate(stored.digest) == place
    assert place.stat().st_mtime_ns > before


def test_what_is_in_use_stays_and_the_bound_holds(tmp_path: Path) -> None:
    cache = BlobCache(tmp_path / "cache", 250)
    store = CachingStore(MemoryStore(), cache)
    contents = [noise(100, seed) for seed in range(4)]
    for number, content in enumerate(contents):
        add_file(store, tmp_path / str(number), content)
    assert set(entries(cache).values()) == set(contents[:2])
    add_file(store, tmp_path / "large", noise(251))
    assert set(entries(cache).values()) == set(contents[:2])


def test_what_is_being_written_counts_and_what_was_left_goes(tmp_path: Path) -> None:
    cache = BlobCache(tmp_path / "cache", 250)
    store = CachingStore(MemoryStore(), cache)
    add_file(store, tmp_path / "0", noise(100, 0))
    draft = cache.folder / "tmp" / "of-another-process"
    draft.write_bytes(noise(100))
    add_file(store, tmp_path / "1", noise(100, 1))
    assert len(entries(cache)) == 1
    age(draft, 7 * 24 * 60 * 60)
    add_file(store, tmp_path / "1", noise(100, 1))
    assert len(entries(cache)) == 2
    assert not draft.exists()


def test_many_at_once_keep_to_the_bound(tmp_path: Path) -> None:
    remote, folder = MemoryStore(), tmp_path / "cache"
    contents = [noise(1000, seed) for seed in range(32)]
    for number, content in enumerate(contents):
        (tmp_path / str(number)).write_bytes(content)

    def work(number: int) -> None:
        store = CachingStore(remote, BlobCache(folder, 10_000))
        store.add([Source(path=tmp_path / str(one)) for one in range(number, number + 4)])
        store.fetch([wanted(contents[number], tmp_path / f"fetched{number}")])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(28)))
    kept = entries(BlobCache(folder, 10_000))
    assert 0 < sum(map(len, kept.values())) <= 10_000
    assert all(hex_of(digest_of(content)) == name for name, content in kept.items())
    assert list((folder / "tmp").iterdir()) == []
    for number in range(28):
        assert (tmp_path / f"fetched{number}").read_bytes() == contents[number]


# --- where it is --------------------------------------------------------------------------------


def test_the_environment_says_where_it_is_and_how_large(tmp_path: Path) -> None:
    def folder(**environ: str) -> Path | None:
        found = open_cache(environ, silent)
        return None if found is None else found.folder

    assert folder(HOME="/home/ada") == Path("/home/ada/.cache/assent/blobs")
    assert folder(HOME="/home/ada", XDG_CACHE_HOME="/big") == Path("/big/assent/blobs")
    assert folder(HOME="/home/ada", **{FOLDER: str(tmp_path)}) == tmp_path
    assert folder(HOME="/home/ada", **{FOLDER: "none"}) is None
    assert folder() is None
    assert folder(HOME="relative") is None
    with pytest.raises(UsageError, match=SIZE):
        open_cache({"HOME": "/home/ada", SIZE: "much"}, silent)


def test_the_named_size_is_kept_to(tmp_path: Path) -> None:
    cache = open_cache({FOLDER: str(tmp_path / "cache"), SIZE: "1kB"}, silent)
    assert cache is not None
    (tmp_path / "a").write_bytes(noise(1001))
    (tmp_path / "b").write_bytes(noise(999))
    cache.keep([Cached(tmp_path / name, digest_of((tmp_path / name).read_bytes()),
                     (tmp_path / name).stat().st_size) for name in "ab"])  # fmt: skip
    assert list(entries(cache).values()) == [noise(999)]


def test_what_does_not_fit_on_the_disk_is_not_fetched(
    remote: MemoryStore, store: CachingStore, tmp_path: Path
) -> None:
    """A blob that says it has more bytes than the disk has is not begun with."""
    [stored] = store.add([Source(content=b"model")])
    large = Wanted(digest=stored.digest, size_bytes=1 << 60, path=tmp_path / "served" / "x")
    for each in (store, CachingStore(remote, None)):
        with pytest.raises(OutsideError, match="it takes 1,152,921,504,606,846,976 bytes") as why:
            each.fetch([large])
        assert "a larger disk" in (why.value.hint or "")
    assert list((tmp_path / "served").iterdir()) == []


@pytest.mark.parametrize("what", ["a file", "below a file", "gone"])
def test_a_folder_that_cannot_be_is_passed_over(
    remote: MemoryStore, tmp_path: Path, what: str
) -> None:
    place = tmp_path / "place"
    if what != "gone":
        place.write_text("in the way")
    folder = place if what == "a file" else place / "cache"
    if what == "gone":
        folder = Path("/proc/assent")  # where nobody makes a folder
    store = CachingStore(remote, BlobCache(folder, 100 << 20))
    content = noise(LARGE)
    stored = add_file(store, tmp_path / "model.bin", content)
    assert store.locate(stored.digest) is None
    assert store.read(stored.digest) == content
    store.fetch([wanted(content, tmp_path / "fetched")])
    assert (tmp_path / "fetched").read_bytes() == content
