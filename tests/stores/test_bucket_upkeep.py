"""What is taken out of a bucket while somebody begins to use it comes back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from obstore.store import MemoryStore

from assent.buckets import Bucket, open_bucket, parsed
from assent.core.digest import Digest, canonical_json, hex_of
from assent.ports import BlobState, Source, StaysError
from assent.stores import bucket_upkeep
from assent.stores.age_notes import Note
from assent.stores.objects import ObjectStore, open_store
from tests.stores.services import Kind, Service, service

DAY_S = 86_400.0


@pytest.fixture(params=[Kind.S3, Kind.AZURE])
def at(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Service:
    found = service(request.param)
    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    return found


def note(bucket: Bucket, digest: Digest, days: float) -> None:
    """A blob was used last so many days ago."""
    when = datetime.now(UTC) - timedelta(days=days)
    bucket.put(f"tmp/used/{hex_of(digest)}", canonical_json(Note(at=when.isoformat(), of=digest)))


def old_blob(at: Service, address: str) -> Digest:
    [stored] = open_store(address, at.environment).add([Source(content=b"weights")])
    note(open_bucket(parsed(address), at.environment), stored.digest, days=40)
    return stored.digest


class Busy(Bucket):
    """A bucket in which somebody begins to use what is being copied."""

    used: Digest

    def copy(self, name: str, to: str) -> None:
        """Copy, and let somebody use it."""
        super().copy(name, to)
        note(self, self.used, days=0)


@pytest.mark.threat(25)
def test_what_is_used_while_it_is_taken_away_is_put_back(at: Service) -> None:
    address = at.address()
    digest = old_blob(at, address)
    opened = open_bucket(parsed(address), at.environment)
    busy = Busy(opened.address, lambda: opened._store)
    busy.used = digest
    assert not ObjectStore(busy).remove(digest, older_than_s=DAY_S)
    assert open_store(address, at.environment).check([digest]) == {digest: BlobState.SOUND}
    assert opened.names("tmp/gone") == []


@pytest.mark.threat(25)
def test_what_was_aside_when_a_process_was_killed_is_put_back_a_day_later(
    at: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = at.address()
    digest = old_blob(at, address)
    bucket = open_bucket(parsed(address), at.environment)
    bucket.copy(f"blobs/sha256/{hex_of(digest)}", f"tmp/gone/{hex_of(digest)}-00ff")
    bucket.remove(f"blobs/sha256/{hex_of(digest)}")
    store = open_store(address, at.environment)
    assert store.sweep(older_than_s=DAY_S) == 0  # whoever took it may be at it
    assert store.check([digest]) == {digest: BlobState.MISSING}
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + DAY_S)
    assert store.sweep(older_than_s=DAY_S) == 0
    assert store.check([digest]) == {digest: BlobState.SOUND}
    assert bucket.names("tmp/gone") == []


# --- in memory ----------------------------------------------------------------------------------


class Interrupted(Bucket):
    """A bucket in which something is done before or after what another one does."""

    def __init__(self, objects: MemoryStore) -> None:
        super().__init__(parsed("s3://models/team"), lambda: objects)
        self.before_copy: list[Callable[[], object]] = []
        self.after_copy: list[Callable[[], object]] = []
        self.after_remove: list[Callable[[], object]] = []

    def copy(self, name: str, to: str) -> None:
        """Copy between what was to be done before and after."""
        while self.before_copy:
            self.before_copy.pop()()
        super().copy(name, to)
        while self.after_copy:
            self.after_copy.pop()()

    def remove(self, name: str) -> None:
        """Remove, and do what was to be done then."""
        super().remove(name)
        while self.after_remove:
            self.after_remove.pop()()


def in_memory() -> tuple[Interrupted, Interrupted, Digest]:
    """A bucket, the same once more, and an old blob in it."""
    objects = MemoryStore()
    one, other = Interrupted(objects), Interrupted(objects)
    [stored] = ObjectStore(one).add([Source(content=b"weights")])
    note(one, stored.digest, days=40)
    return one, other, stored.digest


def test_of_two_that_clean_up_at_once_one_was_first() -> None:
    one, other, digest = in_memory()
    one.before_copy = [lambda: ObjectStore(other).remove(digest, older_than_s=DAY_S)]
    assert not ObjectStore(one).remove(digest, older_than_s=DAY_S)
    assert one.names() == []


@pytest.mark.threat(25)
def test_what_another_one_sweeps_is_not_lost_by_who_has_to_put_it_back() -> None:
    one, other, digest = in_memory()

    def used_and_swept() -> None:
        note(other, digest, days=0)
        ObjectStore(other).sweep(older_than_s=DAY_S)

    one.after_copy = [used_and_swept]
    assert not ObjectStore(one).remove(digest, older_than_s=DAY_S)
    assert ObjectStore(other).check([digest]) == {digest: BlobState.SOUND}
    assert one.names("tmp/gone") == []


@pytest.mark.threat(25)
def test_what_two_take_away_and_one_puts_back_is_held() -> None:
    """The second one begins when the first has a copy aside; meanwhile somebody uses the blob."""
    one, other, digest = in_memory()

    def again() -> None:
        note(other, digest, days=0)
        ObjectStore(other).add([Source(content=b"weights")])
        note(other, digest, days=40)
        other.after_remove = [lambda: note(other, digest, days=0)]
        ObjectStore(other).remove(digest, older_than_s=DAY_S)

    one.after_remove = [again]
    assert not ObjectStore(one).remove(digest, older_than_s=DAY_S)
    assert ObjectStore(other).check([digest]) == {digest: BlobState.SOUND}


def test_what_cannot_be_copied_stays_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    one, _, digest = in_memory()
    monkeypatch.setattr(bucket_upkeep, "MOST_COPIED_BYTES", 3)
    with pytest.raises(StaysError, match="5 GiB"):
        ObjectStore(one).remove(digest, older_than_s=DAY_S)
    assert ObjectStore(one).check([digest]) == {digest: BlobState.SOUND}


def test_to_list_what_is_held_only_beginnings_are_read() -> None:
    one, _, _ = in_memory()
    ObjectStore(one).add([Source(content=bytes(200_000)), Source(content=b"")])
    lengths = []
    start = one.start

    def counted(name: str, size: int) -> bytes:
        lengths.append(len(start(name, size)))
        return start(name, size)

    def never(name: str, into: object, *, most: int | None = None) -> None:
        assert not name.startswith("blobs/"), "the object was read whole"

    one.start, one.pour = counted, never  # type: ignore[method-assign]  # spied upon
    assert len(list(ObjectStore(one).held())) == 3
    assert sorted(lengths) == [0, 7, 64]


def test_a_beginning_is_read_of_every_service(at: Service) -> None:
    bucket = open_bucket(parsed(at.address()), at.environment)
    bucket.put("blobs/one", b"0123456789")
    assert bucket.start("blobs/one", 4) == b"0123"
    assert bucket.start("blobs/none", 4) == b""


def test_what_is_not_there_cannot_be_copied_in_any_service(at: Service) -> None:
    bucket = open_bucket(parsed(at.address()), at.environment)
    bucket.put("blobs/one", b"0")
    with pytest.raises(FileNotFoundError):
        bucket.copy("blobs/none", "blobs/two")
