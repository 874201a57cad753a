"""What every store promises: in memory, a folder, a registry, a bucket, and through a cache."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assent.core.bundle import (
    MANIFEST_MEDIA_TYPE,
    Bundle,
    ModelFile,
    config_blob,
    manifest_blob,
    read_manifest,
)
from assent.core.digest import Digest, canonical_json, digest_of, hex_of
from assent.errors import IntegrityError, UsageError
from assent.ports import (
    BlobState,
    Held,
    NotInStoreError,
    Pointer,
    Source,
    Store,
    Stored,
    Wanted,
)
from assent.stores import layout, objects
from assent.stores.age_notes import Note
from assent.stores.buckets import open_bucket
from assent.stores.cache import BlobCache
from assent.stores.caching import CachingStore
from assent.stores.directory import DirectoryStore
from assent.stores.oci import POINTER_TYPE, OciStore, open_store
from assent.stores.registry import Registry
from assent.stores.registry_upkeep import USED_TYPE
from assent.stores.wrapping import artifact
from assent.testing.store import MemoryStore
from tests.builders import digest
from tests.effort import more_in_soak
from tests.stores.file_systems import Kind as FileSystem
from tests.stores.file_systems import new_folder
from tests.stores.proxies import proxied, unknown_to_gitlab
from tests.stores.registries import Server, registry
from tests.stores.services import Kind, Service, service


@dataclass(frozen=True)
class Bench:
    """A store, the same store opened again, the ways in which it can be damaged, and how the time
    goes by. What `heals` replaces what is damaged; a registry keeps what it has under a digest.
    """

    store: Store
    reopen: Callable[[], Store]
    corrupt: Callable[[Digest], None]
    lose: Callable[[Digest], None]
    garble: Callable[[str], None]
    age: Callable[[Digest, float], None]
    heals: bool = True


@pytest.fixture(
    params=[
        *("memory", "directory", "registry", "registry of images", "cached"),
        *Kind,
        FileSystem.POOR,
        *more_in_soak(*[kind for kind in FileSystem if kind is not FileSystem.POOR]),
    ]
)
def bench(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    match request.param:
        case "memory":
            store = MemoryStore()
            yield Bench(store, lambda: store, store.corrupt, store.lose, store.garble, store.age)
        case "directory":
            yield _of_directory(tmp_path / "store")
        case "cached":
            yield _of_cache(tmp_path / "cache")
        case "registry":
            with registry(tmp_path / "registry") as server:
                yield _of_registry(server, server.host)
        case "registry of images":
            with (
                registry(tmp_path / "registry") as server,
                proxied(server.host, refuses=unknown_to_gitlab) as line,
            ):
                yield _of_registry(server, line.host)
        case FileSystem() as kind:
            yield _of_directory(new_folder(kind) / "store")
        case kind:
            for name, value in service(kind).environment.items():
                monkeypatch.setenv(name, value)
            yield _of_bucket(service(kind))


def _of_directory(root: Path) -> Bench:

    def blob(digest: Digest) -> Path:
        return root / "blobs" / "sha256" / hex_of(digest)

    def corrupt(digest: Digest) -> None:
        content = blob(digest).read_bytes()
        blob(digest).write_bytes(bytes([content[0] ^ 1]) + content[1:])

    def garble(name: str) -> None:
        (root / name).write_text("{")

    def age(digest: Digest, seconds: float) -> None:
        then = blob(digest).stat().st_mtime - seconds
        os.utime(blob(digest), (then, then))

    return Bench(
        store=DirectoryStore(root),
        reopen=lambda: DirectoryStore(root),
        corrupt=corrupt,
        lose=lambda digest: blob(digest).unlink(),
        garble=garble,
        age=age,
    )


def _of_cache(folder: Path) -> Bench:
    """Both are damaged alike: what is sound in one of them is found there."""
    remote = MemoryStore()

    def reopen() -> CachingStore:
        return CachingStore(remote, BlobCache(folder, 1 << 30))

    def corrupt(digest: Digest) -> None:
        remote.corrupt(digest)
        place = folder / "blobs" / hex_of(digest)
        if place.exists():
            place.write_bytes(remote.blobs[digest])

    def lose(digest: Digest) -> None:
        remote.lose(digest)
        (folder / "blobs" / hex_of(digest)).unlink(missing_ok=True)

    return Bench(
        store=reopen(),
        reopen=reopen,
        corrupt=corrupt,
        lose=lose,
        garble=remote.garble,
        age=remote.age,
    )


def _of_registry(server: Server, host: str) -> Bench:
    def reopen() -> OciStore:
        return open_store(f"oci://{host}/team/models", {"DOCKER_CONFIG": "/nonexistent"})

    def corrupt(digest: Digest) -> None:
        blob = server.blob(digest)
        content = blob.read_bytes()
        blob.write_bytes(bytes([content[0] ^ 1]) + content[1:])

    def garble(name: str) -> None:
        line = Registry(server.host, "team/models", lambda: None)
        tag = f"_pointer.{layout.pointer_place(name).tag}"
        line.put_manifest(tag, artifact(POINTER_TYPE, b"{}").manifest, MANIFEST_MEDIA_TYPE)

    def age(digest: Digest, seconds: float) -> None:
        at = (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()
        note = canonical_json(Note(at=at, of=digest))
        reopen()._put(f"_used.{hex_of(digest)}", USED_TYPE, note)

    return Bench(
        store=reopen(),
        reopen=reopen,
        corrupt=corrupt,
        lose=lambda digest: server.blob(digest).unlink(),
        garble=garble,
        age=age,
        heals=False,
    )


def _of_bucket(at: Service) -> Bench:
    address = at.address()
    bucket = open_bucket(objects.parsed(address), at.environment)

    def blob(digest: Digest) -> str:
        return f"blobs/sha256/{hex_of(digest)}"

    def corrupt(digest: Digest) -> None:
        found = bucket.read(blob(digest), 64 << 20)
        assert found is not None
        content, _ = found
        bucket.put(blob(digest), bytes([content[0] ^ 1]) + content[1:])

    def garble(name: str) -> None:
        bucket.put(name, b"{")

    def age(digest: Digest, seconds: float) -> None:
        at = (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()
        bucket.put(f"tmp/used/{hex_of(digest)}", canonical_json(Note(at=at, of=digest)))

    return Bench(
        store=objects.open_store(address, at.environment),
        reopen=lambda: objects.open_store(address, at.environment),
        corrupt=corrupt,
        lose=lambda digest: bucket.remove(blob(digest)),
        garble=garble,
        age=age,
    )


@pytest.fixture
def store(bench: Bench) -> Store:
    return bench.store


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def keep(store: Store, content: bytes) -> Stored:
    (stored,) = store.add([Source(content=content)])
    return stored


def wanted(content: bytes, path: Path) -> Wanted:
    return Wanted(digest=digest_of(content), size_bytes=len(content), path=path)


def pointer(seq: int, version: int | None = 1) -> Pointer:
    if version is None:
        return Pointer(seq=seq, entry=digest(f"e{seq}"))
    return Pointer(
        seq=seq,
        entry=digest(f"e{seq}"),
        version=version,
        bundle=digest(f"b{version}"),
        model_digest=digest(f"m{version}"),
    )


def _after_writing(bench: Bench) -> BlobState:
    """What a damaged blob is after it was written again."""
    return BlobState.SOUND if bench.heals else BlobState.CORRUPT


# --- bytes --------------------------------------------------------------------------------------

SIZES = [0, 1, 65_536, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (5 << 20) + 7]


def test_what_is_added_can_be_read_and_fetched(store: Store, tmp_path: Path) -> None:
    contents = [noise(size, size) for size in SIZES]
    sources = []
    for number, content in enumerate(contents):
        path = tmp_path / f"source{number}"
        path.write_bytes(content)
        sources.append(Source(path=path))
    stored = store.add(sources)
    assert [one.digest for one in stored] == [digest_of(content) for content in contents]
    assert [one.size_bytes for one in stored] == SIZES
    assert all(one.is_new for one in stored)
    assert [store.read(one.digest) for one in stored] == contents
    store.fetch(
        [
            wanted(content, tmp_path / "new" / "folder" / str(number))
            for number, content in enumerate(contents)
        ]
    )
    for number, content in enumerate(contents):
        assert (tmp_path / "new" / "folder" / str(number)).read_bytes() == content


def test_nothing_is_added(store: Store) -> None:
    assert store.add([]) == []


@pytest.mark.threat(28)
@pytest.mark.parametrize("size", [10, 3 << 20])
def test_the_same_bytes_again_are_not_new(bench: Bench, tmp_path: Path, size: int) -> None:
    content = noise(size)
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    assert keep(bench.store, content).is_new
    again = bench.reopen().add([Source(path=path), Source(content=content)])
    assert [(one.digest, one.is_new) for one in again] == [(digest_of(content), False)] * 2


@pytest.mark.threat(27)
@pytest.mark.parametrize("size", [10, 3 << 20])
@pytest.mark.parametrize("how", ["file", "content"])
def test_what_is_damaged_is_written_again(
    bench: Bench, tmp_path: Path, size: int, how: str
) -> None:
    content = noise(size)
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    held = keep(bench.store, content).digest
    bench.corrupt(held)
    source = Source(path=path) if how == "file" else Source(content=content)
    assert [one.is_new for one in bench.reopen().add([source])] == [bench.heals]
    assert bench.store.check([held]) == {held: _after_writing(bench)}


@pytest.mark.threat(27)
def test_a_large_blob_with_a_damaged_end_is_written_again(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(noise(3 << 20))
    (held,) = bench.store.add([Source(path=path)])
    bench.corrupt(held.digest)
    place = bench.store.locate(held.digest)
    if place is not None:
        place.write_bytes(path.read_bytes()[:-1] + b"#")
    (stored,) = bench.reopen().add([Source(path=path)])
    assert stored.is_new is bench.heals
    assert bench.store.check([held.digest]) == {held.digest: _after_writing(bench)}


@pytest.mark.parametrize("count", [3, 100])
def test_what_is_held_can_be_flushed(store: Store, count: int) -> None:
    held = [keep(store, noise(10, seed)).digest for seed in range(count)]
    store.flush([*held, held[0]])
    assert set(store.check(held).values()) == {BlobState.SOUND}
    store.flush([])


def test_what_is_missing_cannot_be_flushed(store: Store) -> None:
    held = keep(store, b"model").digest
    with pytest.raises(NotInStoreError):
        store.flush([held, digest("b1")])


def test_another_large_file_of_the_same_size_and_end_is_new(store: Store, tmp_path: Path) -> None:
    content = noise(3 << 20)
    keep(store, content)
    path = tmp_path / "model.bin"
    path.write_bytes(b"#" + content[1:])
    (stored,) = store.add([Source(path=path)])
    assert stored == Stored(
        digest=digest_of(path.read_bytes()), size_bytes=len(content), is_new=True
    )


@pytest.mark.parametrize("size", [10, 3 << 20])
def test_equal_sources_of_one_call_are_stored_once(store: Store, tmp_path: Path, size: int) -> None:
    for number in range(8):
        (tmp_path / str(number)).write_bytes(noise(size))
    stored = store.add([Source(path=tmp_path / str(number)) for number in range(8)])
    assert len({one.digest for one in stored}) == 1
    assert [one.is_new for one in stored].count(True) == 1


def test_a_file_that_is_not_there_cannot_be_added(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        store.add([Source(path=tmp_path / "missing")])


def test_progress_adds_up_from_any_thread(store: Store, tmp_path: Path) -> None:
    contents = [noise(size, size) for size in SIZES] * 2
    total = sum(map(len, contents))
    sources = []
    for number, content in enumerate(contents):
        path = tmp_path / f"source{number}"
        path.write_bytes(content)
        sources.append(Source(path=path))
    done: list[int] = []
    for _ in range(2):  # the second time all of it is there
        done.clear()
        stored = store.add(sources, done.append)
        assert sum(done) == total
    blobs = [
        Wanted(digest=one.digest, size_bytes=one.size_bytes, path=tmp_path / f"fetched{number}")
        for number, one in enumerate(stored)
    ]
    for _ in range(2):
        done.clear()
        store.fetch(blobs, done.append)
        assert sum(done) == total


def test_a_progress_that_fails_ends_the_call(bench: Bench, tmp_path: Path) -> None:
    def fail(_: int) -> None:
        raise KeyboardInterrupt

    contents = [noise(3 << 20, seed) for seed in range(4)]
    for number, content in enumerate(contents):
        (tmp_path / str(number)).write_bytes(content)
    sources = [Source(path=tmp_path / str(number)) for number in range(4)]
    with pytest.raises(KeyboardInterrupt):
        bench.store.add(sources, fail)
    assert [one.digest for one in bench.reopen().add(sources)] == [*map(digest_of, contents)]


# --- bytes that are not what they should be -----------------------------------------------------


def test_what_is_missing_is_said(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotInStoreError, match=digest("b1")):
        store.read(digest("b1"))
    with pytest.raises(NotInStoreError, match=digest("b1")):
        store.fetch([Wanted(digest=digest("b1"), size_bytes=2, path=tmp_path / "x")])
    assert not (tmp_path / "x").exists()
    assert store.check([digest("b1")]) == {digest("b1"): BlobState.MISSING}


@pytest.mark.threat(27)
@pytest.mark.parametrize("size", [10, 3 << 20])
def test_corrupt_bytes_are_never_given_out(bench: Bench, tmp_path: Path, size: int) -> None:
    content = noise(size)
    stored = keep(bench.store, content)
    bench.corrupt(stored.digest)
    with pytest.raises(IntegrityError, match=stored.digest):
        bench.store.read(stored.digest)
    target = tmp_path / "target" / "model.bin"
    with pytest.raises(IntegrityError, match=stored.digest):
        bench.store.fetch([wanted(content, target)])
    assert list(target.parent.glob("*")) == []


@pytest.mark.threat(27)
def test_what_is_linked_and_not_copied_is_verified_too(bench: Bench, tmp_path: Path) -> None:
    content = noise(100)
    stored = keep(bench.store, content)

    def scratch(name: str) -> Wanted:
        path = tmp_path / "scratch" / name
        return Wanted(digest=stored.digest, size_bytes=100, path=path, is_scratch=True)

    bench.store.fetch([scratch("right"), scratch("again")])
    assert (tmp_path / "scratch" / "again").read_bytes() == content
    bench.corrupt(stored.digest)
    with pytest.raises(IntegrityError, match=stored.digest):
        bench.reopen().fetch([scratch("wrong")])
    assert sorted(path.name for path in (tmp_path / "scratch").iterdir()) == ["again", "right"]


@pytest.mark.threat(27)
def test_a_file_that_is_there_stays_when_its_blob_is_corrupt(bench: Bench, tmp_path: Path) -> None:
    content = noise(10)
    bench.corrupt(keep(bench.store, content).digest)
    target = tmp_path / "model.bin"
    target.write_bytes(b"older")
    with pytest.raises(IntegrityError):
        bench.store.fetch([wanted(content, target)])
    assert target.read_bytes() == b"older"


@pytest.mark.threat(27)
def test_a_blob_of_another_size_than_stated_is_refused(store: Store, tmp_path: Path) -> None:
    stored = keep(store, b"model")
    with pytest.raises(IntegrityError):
        store.fetch([Wanted(digest=stored.digest, size_bytes=6, path=tmp_path / "x")])
    assert not (tmp_path / "x").exists()


@pytest.mark.threat(27)
def test_a_blob_that_is_a_file_is_looked_into_where_it_lies(store: Store) -> None:
    [stored] = store.add([Source(content=b"weights")])
    place = store.locate(stored.digest)
    assert place is None or place.read_bytes() == b"weights"
    assert store.locate(digest_of(b"not here")) is None


def test_check_tells_sound_from_corrupt_from_missing(bench: Bench) -> None:
    sound, corrupt, lost = (keep(bench.store, noise(100, seed)).digest for seed in range(3))
    bench.corrupt(corrupt)
    bench.lose(lost)
    assert bench.store.check([sound, corrupt, lost, sound]) == {
        sound: BlobState.SOUND,
        corrupt: BlobState.CORRUPT,
        lost: BlobState.MISSING,
    }


def test_what_is_confirmed_is_there(bench: Bench) -> None:
    sound, corrupt, lost = (keep(bench.store, noise(100, seed)).digest for seed in range(3))
    bench.corrupt(corrupt)
    bench.lose(lost)
    found = bench.reopen().confirm([sound, corrupt, lost, sound])
    assert found[sound] is BlobState.SOUND
    assert found[lost] is BlobState.MISSING
    # A registry answers for what it holds: only `check` reads it.
    assert found[corrupt] is (BlobState.CORRUPT if bench.heals else BlobState.SOUND)


@pytest.mark.threat(27)
def test_a_corrupt_blob_is_discarded_and_written_again(bench: Bench) -> None:
    content = noise(100)
    stored = keep(bench.store, content)
    bench.corrupt(stored.digest)
    bench.store.discard(stored.digest)
    assert bench.store.check([stored.digest]) == {stored.digest: BlobState.MISSING}
    assert keep(bench.store, content).is_new
    assert bench.store.check([stored.digest]) == {stored.digest: _after_writing(bench)}


def test_a_sound_blob_is_not_discarded(store: Store) -> None:
    stored = keep(store, b"model")
    store.discard(stored.digest)
    store.discard(digest("never there"))
    assert store.read(stored.digest) == b"model"


def test_a_right_file_is_left_alone_and_a_wrong_one_replaced(store: Store, tmp_path: Path) -> None:
    content = noise(100)
    keep(store, content)
    right, wrong, short = (tmp_path / name for name in ("right", "wrong", "short"))
    right.write_bytes(content)
    wrong.write_bytes(noise(100, seed=1))
    short.write_bytes(content[:50])
    before = right.stat()
    store.fetch([wanted(content, path) for path in (right, wrong, short)])
    assert (right.stat().st_ino, right.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert wrong.read_bytes() == short.read_bytes() == content
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "right",
        "short",
        "wrong",
    ]


# --- pointers -----------------------------------------------------------------------------------


def test_a_model_without_pointers(store: Store) -> None:
    assert store.pointers("churn") == {}


def test_pointers_are_listed_by_name_and_model(bench: Bench) -> None:
    names = ["churn/head", "churn/stages/production", "churn/stages/staging", "churn/versions/12"]
    for name in names:
        assert bench.store.point(name, pointer(3))
    bench.store.point("churn-eu/stages/production", pointer(9))
    assert bench.reopen().pointers("churn") == dict.fromkeys(names, pointer(3))
    assert [bench.reopen().pointer(name) for name in names] == [pointer(3)] * 4
    assert bench.store.pointer("churn/stages/shadow") is None


def test_a_later_pointer_replaces_an_earlier_one(store: Store) -> None:
    name = "churn/stages/production"
    assert store.point(name, pointer(1))
    assert store.point(name, pointer(2, version=2))
    assert store.point(name, pointer(2, version=2))
    assert not store.point(name, pointer(1))
    assert store.pointers("churn") == {name: pointer(2, version=2)}


def test_a_repair_replaces_a_later_pointer(store: Store) -> None:
    name = "churn/stages/production"
    store.point(name, pointer(7))
    assert not store.restore(name, pointer(1), instead_of=pointer(6))
    assert not store.restore(name, pointer(1), instead_of=None)
    assert store.pointer(name) == pointer(7)
    assert store.restore(name, pointer(1), instead_of=pointer(7))
    assert store.pointers("churn") == {name: pointer(1)}


def test_a_place_can_be_empty(store: Store) -> None:
    name = "churn/stages/production"
    store.point(name, pointer(1))
    assert store.point(name, pointer(2, version=None))
    assert store.pointers("churn") == {name: pointer(2, version=None)}


@pytest.mark.threat(27)
def test_an_unreadable_pointer_is_shown_and_replaced(bench: Bench) -> None:
    name = "churn/stages/production"
    bench.store.point(name, pointer(5))
    bench.garble(name)
    assert bench.store.pointers("churn") == {name: None}
    assert bench.store.pointer(name) is None
    assert bench.store.restore(name, pointer(3), instead_of=None)
    bench.garble(name)
    assert bench.store.point(name, pointer(4))
    assert bench.store.pointers("churn") == {name: pointer(4)}


@pytest.mark.threat(24)
def test_of_many_threads_the_latest_pointer_stays(bench: Bench) -> None:
    name = "churn/stages/production"
    start = threading.Barrier(16)

    def move(seq: int) -> bool:
        store = bench.reopen()
        start.wait()
        return store.point(name, pointer(seq))

    order = random.Random(1).sample(range(16), 16)
    with ThreadPoolExecutor(16) as pool:
        moved = dict(zip(order, pool.map(move, order), strict=True))
    assert moved[15]
    assert bench.store.pointers("churn") == {name: pointer(15)}


BAD_POINTERS = [
    "",
    "churn",
    "churn/production",
    "churn/stages/",
    "churn/stages/a/b",
    "churn/stages/..",
    "churn/stages/v12",
    "churn/stages/a\n",
    "churn/versions/0",
    "churn/versions/v1",
    "churn/head/1",
    "../head",
    "churn/inputs/production",
    "../stages/production",
    "a..b/stages/production",
    "/etc/stages/production",
    "Churn/stages/production",
]


@pytest.mark.parametrize("name", BAD_POINTERS)
def test_a_name_that_is_no_pointer_is_refused(store: Store, name: str) -> None:
    with pytest.raises(UsageError):
        store.point(name, pointer(1))
    with pytest.raises(UsageError):
        store.pointer(name)


@pytest.mark.parametrize("model", ["", "..", "../churn", "Churn", "a/b"])
def test_a_name_that_is_no_model_is_refused(store: Store, model: str) -> None:
    with pytest.raises(UsageError):
        store.pointers(model)


# --- hints --------------------------------------------------------------------------------------


def test_a_hint_is_recalled(bench: Bench) -> None:
    name = f"churn/inputs/{hex_of(digest('inputs'))}"
    assert bench.store.recall(name) is None
    bench.store.remember(name, digest("b1"))
    bench.store.remember(name, digest("b2"))
    assert bench.reopen().recall(name) == digest("b2")
    assert bench.store.pointers("churn") == {}


def test_the_bundles_that_hints_name(bench: Bench) -> None:
    assert bench.store.remembered("churn") == frozenset()
    bench.store.remember("churn/inputs/1", digest("b1"))
    bench.store.remember("churn/commits/2", digest("b2"))
    bench.store.remember("fraud/inputs/1", digest("b3"))
    bench.store.point("churn/versions/1", pointer(0))
    bench.store.point("churn/stages/production", pointer(1, 2))
    assert bench.reopen().remembered("churn") == {digest("b1"), digest("b2")}


@pytest.mark.parametrize("name", ["churn/stages/production", "churn/versions/1", "../inputs/x"])
def test_a_name_that_is_no_hint_is_refused(store: Store, name: str) -> None:
    with pytest.raises(UsageError):
        store.remember(name, digest("b1"))
    with pytest.raises(UsageError):
        store.recall(name)


# --- upkeep -------------------------------------------------------------------------------------

DAY_S = 86_400.0


def keep_bundle(store: Store, seed: int) -> Bundle:
    """A bundle of two files, one of which all of them share."""
    contents = [noise(10, seed), noise(10, 99)]
    stored = store.add([Source(content=content) for content in contents])
    files = [
        ModelFile(path=f"{number}.bin", digest=one.digest, size_bytes=one.size_bytes)
        for number, one in enumerate(stored)
    ]
    config, evidence = config_blob("churn", files), canonical_json({"seed": seed})
    store.add([Source(content=config), Source(content=evidence)])
    manifest = manifest_blob("churn", files, config, evidence)
    store.add([Source(content=manifest, is_manifest=True)])
    return read_manifest(manifest)


def listed(bench: Bench) -> dict[Digest, Held]:
    return {one.digest: one for one in bench.reopen().held()}


def test_what_is_held_is_listed_with_its_size(bench: Bench) -> None:
    assert listed(bench) == {}
    bundle = keep_bundle(bench.store, 1)
    found = listed(bench)
    assert found.keys() == ({*bundle.blobs} if bench.store.lists_blobs else {bundle.digest})
    for one in found.values():
        assert one.size_bytes == len(bench.store.read(one.digest))
        assert one.may_be_bundle is (one.digest == bundle.digest)
        assert not one.is_named
        assert one.age_s is None or one.age_s < DAY_S


def test_pointers_and_hints_are_not_listed(bench: Bench) -> None:
    bundle = keep_bundle(bench.store, 1)
    before = listed(bench).keys()
    where = Pointer(
        seq=1, entry=digest("e1"), version=1, bundle=bundle.digest, model_digest=digest("m1")
    )
    bench.store.point("churn/versions/1", where)
    bench.store.point("churn/stages/production", where)
    bench.store.remember("churn/inputs/1", bundle.digest)
    assert listed(bench).keys() == before
    assert not any(one.is_named for one in listed(bench).values())


def test_what_is_old_is_removed_and_what_is_young_stays(bench: Bench) -> None:
    old, young = keep_bundle(bench.store, 1), keep_bundle(bench.store, 2)
    for one in (old, young):
        assert not bench.store.remove(one.digest, older_than_s=DAY_S)  # the time is counted
    bench.age(old.digest, 3 * DAY_S)
    assert listed(bench)[old.digest].age_s == pytest.approx(3 * DAY_S, abs=3600)
    assert not bench.reopen().remove(old.digest, older_than_s=4 * DAY_S)
    assert bench.reopen().remove(old.digest, older_than_s=2 * DAY_S)
    assert not bench.reopen().remove(young.digest, older_than_s=DAY_S)
    assert not bench.reopen().remove(old.digest, older_than_s=DAY_S)
    assert old.digest not in listed(bench)
    assert young.digest in listed(bench)
    again = keep_bundle(bench.reopen(), 1)
    assert set(bench.reopen().check(again.blobs).values()) == {BlobState.SOUND}
    assert old.digest in listed(bench)


def test_a_blob_that_is_not_held_is_not_removed(bench: Bench) -> None:
    keep_bundle(bench.store, 1)
    bench.store.renew([digest("b1")])
    assert not bench.store.remove(digest("b1"), older_than_s=DAY_S)
    assert digest("b1") not in listed(bench)


@pytest.mark.threat(25)
@pytest.mark.parametrize("how", ["add", "flush", "renew", "keeps"])
def test_what_is_used_again_is_young(bench: Bench, how: str) -> None:
    bundle = keep_bundle(bench.store, 1)
    bench.store.remove(bundle.digest, older_than_s=DAY_S)
    bench.age(bundle.digest, 40 * DAY_S)
    store = bench.reopen()
    match how:
        case "add":
            keep_bundle(store, 1)
        case "flush":
            store.flush(bundle.blobs)
        case "keeps" if store.is_elsewhere:
            assert store.keeps(store.read(bundle.digest))
        case _:
            store.renew(bundle.blobs)
    assert listed(bench)[bundle.digest].age_s == pytest.approx(0, abs=3600)
    assert not bench.reopen().remove(bundle.digest, older_than_s=DAY_S)
    assert set(bench.reopen().check(bundle.blobs).values()) == {BlobState.SOUND}


def test_a_store_elsewhere_keeps_a_bundle_by_its_manifest(bench: Bench) -> None:
    bundle = keep_bundle(bench.store, 1)
    manifest, is_elsewhere = bench.store.read(bundle.digest), bench.store.is_elsewhere
    assert bench.reopen().keeps(manifest) is is_elsewhere
    assert not bench.reopen().keeps(manifest.replace(b"churn", b"chunk"))
    bench.lose(bundle.files[0].digest)
    assert bench.reopen().keeps(manifest) is is_elsewhere  # `verify` says what is lost
    bench.store.remove(bundle.digest, older_than_s=0)
    assert not bench.reopen().keeps(manifest)


def test_what_is_kept_needs_no_name_and_neither_does_what_is_gone(bench: Bench) -> None:
    bundle = keep_bundle(bench.store, 1)
    named = [bundle.digest, digest("gone")]
    assert bench.reopen().astray("churn", named) == ()
    bench.reopen().relist("churn", named)
    assert bench.reopen().astray("churn", named) == ()
    assert set(bench.reopen().check(bundle.blobs).values()) == {BlobState.SOUND}


def test_nothing_is_added_to_a_store_elsewhere_that_has_it(bench: Bench, tmp_path: Path) -> None:
    asked: list[Digest] = []
    is_elsewhere = bench.store.is_elsewhere
    path = tmp_path / "weights"
    path.write_bytes(noise(5 << 20))

    def has(digests: Sequence[Digest]) -> bool:
        asked.extend(digests)
        return True

    reported: list[int] = []
    sources = [Source(path=path), Source(content=b"more")]
    stored = bench.store.add(sources, reported.append, has)
    assert asked == ([one.digest for one in stored] if is_elsewhere else [])
    assert [one.is_new for one in stored] == [not is_elsewhere] * 2
    assert sum(reported) == path.stat().st_size + len(b"more")
    state = BlobState.MISSING if is_elsewhere else BlobState.SOUND
    assert set(bench.reopen().check([one.digest for one in stored]).values()) == {state}
    again = bench.store.add(sources, None, lambda _: False)
    assert [one.is_new for one in again] == [is_elsewhere] * 2


@pytest.mark.threat(25)
def test_what_was_removed_is_not_taken_for_held_by_whoever_saw_it(bench: Bench) -> None:
    """Somebody looks, another one cleans up, and the first one decides."""
    first = bench.reopen()
    bundle = keep_bundle(bench.store, 1)
    bench.store.remove(bundle.digest, older_than_s=DAY_S)
    bench.age(bundle.digest, 40 * DAY_S)
    assert set(first.confirm(bundle.blobs).values()) == {BlobState.SOUND}
    assert bench.reopen().remove(bundle.digest, older_than_s=30 * DAY_S)
    with pytest.raises(NotInStoreError):
        first.flush(bundle.blobs)
    keep_bundle(first, 1)
    assert bundle.digest in listed(bench)
    assert set(bench.reopen().check(bundle.blobs).values()) == {BlobState.SOUND}


def test_hints_of_what_is_gone_are_forgotten(bench: Bench) -> None:
    for number in (1, 2):
        bench.store.remember(f"churn/inputs/{number}", digest(f"b{number}"))
        bench.store.remember(f"churn-eu/commits/{number}", digest(f"b{number}"))
    bench.store.forget([])
    bench.store.forget([digest("b1"), digest("b3")])
    left = {digest("b2")}
    assert bench.reopen().remembered("churn") == left
    assert bench.reopen().remembered("churn-eu") == left
    assert bench.reopen().recall("churn/inputs/1") is None


def test_nothing_is_swept_where_nothing_was_left(bench: Bench) -> None:
    assert bench.store.sweep(older_than_s=DAY_S) == 0
    bundle = keep_bundle(bench.store, 1)
    assert bench.reopen().sweep(older_than_s=DAY_S) == 0
    assert set(bench.reopen().check(bundle.blobs).values()) == {BlobState.SOUND}
