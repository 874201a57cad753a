"""What is taken out of a bucket while somebody begins to use it comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from assent.core.digest import Digest, canonical_json, hex_of
from assent.ports import BlobState, Source
from assent.stores.bucket_upkeep import Note
from assent.stores.buckets import Bucket, open_bucket
from assent.stores.objects import ObjectStore, open_store, parsed
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
    bucket.put(f"tmp/used/{hex_of(digest)}", canonical_json(Note(at=when.isoformat())))


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
def test_what_was_aside_when_a_process_was_killed_is_put_back(at: Service) -> None:
    address = at.address()
    digest = old_blob(at, address)
    bucket = open_bucket(parsed(address), at.environment)
    bucket.copy(f"blobs/sha256/{hex_of(digest)}", f"tmp/gone/{hex_of(digest)}")
    bucket.remove(f"blobs/sha256/{hex_of(digest)}")
    store = open_store(address, at.environment)
    assert store.check([digest]) == {digest: BlobState.MISSING}
    assert store.sweep(older_than_s=DAY_S) == 0
    assert store.check([digest]) == {digest: BlobState.SOUND}
    assert bucket.names("tmp/gone") == []
