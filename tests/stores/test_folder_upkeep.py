"""Cleaning up a folder beside writers, after kills, and beside what other tools have put there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from assent.core.bundle import ARTIFACT_TYPE
from assent.core.digest import Digest, digest_of, hex_of
from assent.errors import IntegrityError
from assent.ports import BlobState, Source
from assent.stores.directory import DirectoryStore
from assent.stores.folder_upkeep import FolderUpkeep

DAY_S = 86_400.0
MONTH_S = 30 * DAY_S


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


def blob(root: Path, digest: Digest) -> Path:
    return root / "blobs" / "sha256" / hex_of(digest)


def kept(root: Path, content: bytes, *, age_s: float = 0.0) -> Digest:
    [stored] = DirectoryStore(root).add([Source(content=content)])
    then = blob(root, stored.digest).stat().st_mtime - age_s
    os.utime(blob(root, stored.digest), (then, then))
    return stored.digest


# --- races --------------------------------------------------------------------------------------


def between(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], *, at: int) -> None:
    """Have `act` done just before the age of a blob is looked at for the n-th time."""
    asked = [0]
    age = FolderUpkeep._age_s

    def spied(self: FolderUpkeep, name: str, path: Path) -> float:
        asked[0] += 1
        if asked[0] == at:
            act()
        return age(self, name, path)

    monkeypatch.setattr(FolderUpkeep, "_age_s", spied)


@pytest.mark.threat(25)
@pytest.mark.parametrize("at", [1, 2])
def test_who_adds_it_while_it_is_taken_away_has_it(
    root: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    digest = kept(root, b"shared", age_s=2 * MONTH_S)
    between(monkeypatch, lambda: kept(root, b"shared"), at=at)
    assert not DirectoryStore(root).remove(digest, older_than_s=MONTH_S) or at == 2
    assert DirectoryStore(root).check([digest]) == {digest: BlobState.SOUND}
    assert [path.name for path in (root / "tmp").iterdir()] == []


@pytest.mark.threat(25)
def test_who_touches_it_before_it_is_aside_keeps_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = kept(root, b"shared", age_s=2 * MONTH_S)
    rename = Path.rename

    def late(self: Path, target: Path) -> Path:
        if target.name.startswith("gone-"):
            DirectoryStore(root).flush([digest])
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", late)
    assert not DirectoryStore(root).remove(digest, older_than_s=MONTH_S)
    assert DirectoryStore(root).check([digest]) == {digest: BlobState.SOUND}


@pytest.mark.threat(25)
def test_what_a_killed_clean_up_had_aside_comes_back(root: Path) -> None:
    digest, other = (kept(root, content, age_s=2 * MONTH_S) for content in (b"one", b"two"))
    for one in (digest, other):
        blob(root, one).rename(root / "tmp" / f"gone-{hex_of(one)}-0123")
    kept(root, b"two")  # which opens the store for writing, and has written one of them again
    assert set(DirectoryStore(root).check([digest, other]).values()) == {BlobState.SOUND}
    assert [path.name for path in (root / "tmp").iterdir()] == []


RACER = """
import sys
from pathlib import Path
from assent.core.digest import Digest
from assent.ports import Source
from assent.stores.directory import DirectoryStore

root, work, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
contents = [f"shared {number}".encode() for number in range(count)]
(root.parent / f"ready-{work}-{sys.argv[4]}").touch()
while not (root.parent / "go").exists():
    pass
store = DirectoryStore(root)
if work == "clean":
    for held in list(store.held()):
        store.remove(held.digest, older_than_s=86400)
else:
    contents = contents if sys.argv[4] == "1" else contents[::-1]
    for one in contents:
        store.add([Source(content=one)])
"""


@pytest.mark.threat(25)
def test_processes_that_add_lose_nothing_to_those_that_clean_up(root: Path) -> None:
    """All of it is old, and is used again while two others take away what is old."""
    count = 150
    contents = [f"shared {number}".encode() for number in range(count)]
    for attempt in range(3):
        for name in ("go", *(f"ready-{work}-{n}" for work in ("add", "clean") for n in "12")):
            (root.parent / name).unlink(missing_ok=True)
        digests = [kept(root, one, age_s=2 * MONTH_S) for one in contents]
        racers = [
            subprocess.Popen([sys.executable, "-c", RACER, str(root), work, str(count), number])
            for work in ("add", "clean")
            for number in "12"
        ]
        try:
            while len(list(root.parent.glob("ready-*"))) < len(racers):
                assert all(racer.poll() is None for racer in racers)
            (root.parent / "go").touch()
            assert [racer.wait() for racer in racers] == [0] * len(racers), attempt
        finally:
            for racer in racers:
                racer.kill()
        assert set(DirectoryStore(root).check(digests).values()) == {BlobState.SOUND}
        assert [path.name for path in (root / "tmp").iterdir()] == []


# --- what lies there ----------------------------------------------------------------------------


def test_what_is_no_blob_is_not_listed(root: Path) -> None:
    digest = kept(root, b"model")
    (root / "blobs" / "sha256" / "README").write_text("mine")
    (root / "blobs" / "sha256" / ("0" * 64)).mkdir()
    (root / "blobs" / "sha256" / ("1" * 64)).symlink_to(blob(root, digest))
    listed = [one.digest for one in DirectoryStore(root).held()]
    assert digest in listed
    assert Digest(f"sha256:{'1' * 64}") not in listed
    assert Digest(f"sha256:{'0' * 64}") not in listed


def test_images_that_other_tools_have_copied_here_are_theirs(root: Path) -> None:
    ours = kept(root, b"model")
    layer, config = kept(root, b"layer of an image"), kept(root, b"{}")
    image = kept(
        root, json.dumps({"config": {"digest": config}, "layers": [{"digest": layer}]}).encode()
    )
    nested = kept(root, json.dumps({"manifests": [{"digest": image}]}).encode())
    index = {"schemaVersion": 2, "manifests": [{"mediaType": "x", "digest": nested, "size": 1}]}
    (root / "index.json").write_text(json.dumps(index))
    named = {one.digest: one.is_named for one in DirectoryStore(root).held()}
    assert [named[one] for one in (nested, image, layer, config, ours)] == [True] * 4 + [False]


def test_a_bundle_that_an_index_of_others_lists_is_theirs_too(root: Path) -> None:
    """Our own index names bundles by their type, and so do tools that make an index of them."""
    bundle = kept(root, b'{"annotations":{}}')
    listed = {"artifactType": ARTIFACT_TYPE, "digest": bundle}
    nested = kept(root, json.dumps({"manifests": [listed]}).encode())
    (root / "index.json").write_text(json.dumps({"manifests": [{"digest": nested}]}))
    named = {one.digest: one.is_named for one in DirectoryStore(root).held()}
    assert named == {nested: True, bundle: True}
    (root / "index.json").write_text(json.dumps({"manifests": [listed]}))
    assert not any(one.is_named for one in DirectoryStore(root).held())


@pytest.mark.parametrize("text", ["{", "[]", "7"])
def test_nothing_is_listed_where_nobody_knows_what_others_need(root: Path, text: str) -> None:
    kept(root, b"model")
    (root / "index.json").write_text(text)
    with pytest.raises(IntegrityError, match="cannot be read"):
        list(DirectoryStore(root).held())


def test_what_dead_writers_have_left_is_swept(root: Path) -> None:
    digest = kept(root, b"model")
    old, young = root / "tmp" / "old", root / "tmp" / "young"
    for path in (old, young):
        path.write_bytes(b"12345")
    then = old.stat().st_mtime - 2 * DAY_S
    os.utime(old, (then, then))
    assert DirectoryStore(root).sweep(older_than_s=DAY_S) == 5
    assert [path.name for path in (root / "tmp").iterdir()] == ["young"]
    assert DirectoryStore(root).check([digest]) == {digest: BlobState.SOUND}
    assert DirectoryStore(root.parent / "none").sweep(older_than_s=DAY_S) == 0


def test_a_blob_of_another_account_is_noted_as_used(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the owner of a file may touch it."""
    digest = kept(root, b"model", age_s=2 * MONTH_S)

    def refuse(path: object) -> None:
        raise PermissionError(path)

    monkeypatch.setattr("assent.stores.folder_upkeep.os.utime", refuse)
    DirectoryStore(root).flush([digest])
    [held] = [one for one in DirectoryStore(root).held() if one.digest == digest]
    assert held.age_s is not None
    assert held.age_s < DAY_S
    assert not DirectoryStore(root).remove(digest, older_than_s=DAY_S)
    DirectoryStore(root).sweep(older_than_s=DAY_S)
    assert [path.name for path in (root / "tmp").iterdir()] == [f"used-{hex_of(digest)}"]
    assert digest == digest_of(b"model")


def test_what_is_written_by_a_clock_that_is_ahead_goes_whatever_its_age(root: Path) -> None:
    digest = kept(root, b"from tomorrow", age_s=-86_400.0)
    assert not DirectoryStore(root).remove(digest, older_than_s=3600.0)
    assert DirectoryStore(root).remove(digest, older_than_s=0.0)
    assert not blob(root, digest).exists()
