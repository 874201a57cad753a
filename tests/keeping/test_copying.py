"""A bundle on its way from one store to another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from assent.core.digest import Digest
from assent.keeping import copying as module
from assent.keeping.copying import Copying
from assent.ports import BlobState, Progress, Source, Store, Stored, Wanted
from assent.stores.directory import DirectoryStore
from assent.testing.store import MemoryStore
from tests.keeping.test_plan import keep


class Spied(MemoryStore):
    """Notes what is sent and fetched, and breaks when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[int] = []
        self.fetched: list[int] = []
        self.breaks_after: int | None = None

    def add(
        self,
        sources: Sequence[Source],
        progress: Progress | None = None,
        unless: Callable[[Sequence[Digest]], bool] | None = None,
    ) -> list[Stored]:
        if self.breaks_after is not None and len(self.sent) >= self.breaks_after:
            raise KeyboardInterrupt
        found = super().add(sources, progress, unless)
        self.sent += [one.size_bytes for one in found if one.is_new]
        return found

    def fetch(self, wanted: Sequence[Wanted], progress: Progress | None = None) -> None:
        super().fetch(wanted, progress)
        self.fetched.append(sum(one.size_bytes for one in wanted))


def test_a_bundle_is_copied_once(tmp_path: Path) -> None:
    source, target = MemoryStore(), Spied()
    one, two = keep(source, 1), keep(source, 2)
    copying = Copying(source, target, tmp_path)
    assert [copying.bundle(bundle.digest).lacks for bundle in (one, two)] == [(), ()]
    assert target.blobs == source.blobs
    count = len(target.sent)
    assert count == len(source.blobs)
    done = Copying(source, target, tmp_path).bundle(one.digest)
    assert (done.sent_bytes, done.lacks, len(target.sent)) == (0, (), count)
    assert list(tmp_path.iterdir()) == []


def test_what_was_cut_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 1)
    source, target = MemoryStore(), Spied()
    bundle = keep(source, 1)
    target.breaks_after = 2
    with pytest.raises(KeyboardInterrupt):
        Copying(source, target, tmp_path).bundle(bundle.digest)
    assert bundle.digest not in target.blobs
    assert list(tmp_path.iterdir()) == []
    target.breaks_after = None
    assert Copying(source, target, tmp_path).bundle(bundle.digest).lacks == ()
    assert target.blobs == source.blobs
    assert len(target.sent) == len(source.blobs)


def test_no_more_is_fetched_at_once_than_the_disk_is_promised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH_BYTES", 200)
    source, target = Spied(), MemoryStore()
    bundle = keep(source, 1)
    Copying(source, target, tmp_path).bundle(bundle.digest)
    largest = max(len(content) for content in source.blobs.values())
    assert len(source.fetched) > 1
    assert max(source.fetched) <= max(200, largest)


@pytest.mark.parametrize("how", ["lose", "corrupt"])
@pytest.mark.parametrize("is_folder", [True, False])
def test_what_the_source_lacks_is_named_and_the_rest_copied(
    tmp_path: Path, how: str, is_folder: bool
) -> None:
    source: Store = MemoryStore()
    memory = source
    assert isinstance(memory, MemoryStore)
    bundle, other = keep(memory, 1), keep(memory, 2)
    bad = next(file.digest for file in bundle.files if file.path == "1.bin")
    getattr(memory, how)(bad)
    if is_folder:
        source = DirectoryStore(tmp_path / "source")
        source.add([Source(content=content) for content in memory.blobs.values()])
        if how == "corrupt":
            place = tmp_path / "source/blobs/sha256" / bad.removeprefix("sha256:")
            place.write_bytes(memory.blobs[bad])
    target, scratch = MemoryStore(), tmp_path / "scratch"
    scratch.mkdir()
    copying = Copying(source, target, scratch)
    done = copying.bundle(bundle.digest)
    [lack] = done.lacks
    assert lack.startswith("1.bin: ")
    assert bundle.digest not in target.blobs
    assert bad not in target.blobs
    assert copying.bundle(other.digest).lacks == ()
    assert set(target.check(other.blobs).values()) == {BlobState.SOUND}
    assert list(scratch.iterdir()) == []


def test_what_is_damaged_in_the_other_store_is_sent_again(tmp_path: Path) -> None:
    source, target = MemoryStore(), MemoryStore()
    bundle = keep(source, 1)
    Copying(source, target, tmp_path).bundle(bundle.digest)
    target.corrupt(bundle.files[0].digest)
    assert Copying(source, target, tmp_path).bundle(bundle.digest).lacks == ()
    assert target.blobs == source.blobs


def test_a_manifest_that_is_not_there_or_too_large_is_named(tmp_path: Path) -> None:
    source, target = MemoryStore(), MemoryStore()
    bundle = keep(source, 1)

    class Small(MemoryStore):
        @property
        def largest_manifest_bytes(self) -> int:
            return 10

    [said] = Copying(source, Small(), tmp_path).bundle(bundle.digest).lacks
    assert "the other store takes 10" in said
    source.lose(bundle.digest)
    [said] = Copying(source, target, tmp_path).bundle(bundle.digest).lacks
    assert said.startswith("the manifest: ")
    assert target.blobs == {}
