"""What only a store in a folder has: its layout, and what it survives."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from assent.core.bundle import (
    ARTIFACT_TYPE,
    CONFIG_MEDIA_TYPE,
    MANIFEST_MEDIA_TYPE,
    ModelFile,
    config_blob,
    manifest_blob,
    read_manifest,
)
from assent.core.digest import Digest, digest_of, hex_of
from assent.errors import IntegrityError, OutsideError, UsageError
from assent.ports import BlobState, NotInStoreError, Pointer, Source, Wanted
from assent.stores.directory import DirectoryStore
from tests.builders import digest
from tests.waiting import wait_until

REF_NAME = "org.opencontainers.image.ref.name"
ADD_A_FOLDER = """
import sys
from pathlib import Path
from assent.ports import Source
from assent.stores.directory import DirectoryStore
files = sorted(Path(sys.argv[2]).iterdir())
DirectoryStore(Path(sys.argv[1])).add([Source(path=path) for path in files])
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> DirectoryStore:
    return DirectoryStore(root)


def files_below(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def pointer(seq: int, bundle: Digest | None, version: int = 1) -> Pointer:
    if bundle is None:
        return Pointer(seq=seq, entry=digest(f"e{seq}"))
    return Pointer(
        seq=seq,
        entry=digest(f"e{seq}"),
        version=version,
        bundle=bundle,
        model_digest=digest("model"),
    )


def add_bundle(store: DirectoryStore, weights: bytes = b"weights") -> Digest:
    evidence = b"{}"
    file = ModelFile(path="model.bin", digest=digest_of(weights), size_bytes=len(weights))
    config = config_blob("churn", [file])
    manifest = manifest_blob("churn", [file], config, evidence)
    contents = [weights, config, evidence, manifest]
    return store.add([Source(content=content) for content in contents])[-1].digest


def tags(root: Path) -> dict[str, str]:
    index = json.loads((root / "index.json").read_bytes())
    return {entry["annotations"][REF_NAME]: entry["digest"] for entry in index["manifests"]}


# --- the layout ---------------------------------------------------------------------------------


def test_the_folder_is_an_oci_image_layout(store: DirectoryStore, root: Path) -> None:
    bundle = add_bundle(store)
    store.point("churn/versions/12", pointer(1, bundle, 12))
    store.point("churn/stages/production", pointer(2, bundle, 12))
    assert json.loads((root / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((root / "index.json").read_bytes())
    size = (root / "blobs" / "sha256" / hex_of(bundle)).stat().st_size
    assert index == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {
                "mediaType": MANIFEST_MEDIA_TYPE,
                "artifactType": ARTIFACT_TYPE,
                "digest": bundle,
                "size": size,
                "annotations": {REF_NAME: tag},
            }
            for tag in ("churn-production", "churn-v12")
        ],
    }
    for path in (root / "blobs" / "sha256").iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    manifest = json.loads(store.read(bundle))
    assert manifest["config"]["mediaType"] == CONFIG_MEDIA_TYPE
    assert set(store.check(read_manifest(store.read(bundle)).blobs).values()) == {BlobState.SOUND}


def test_a_pointer_is_a_small_json_file(store: DirectoryStore, root: Path) -> None:
    bundle = add_bundle(store)
    store.point("churn/stages/production", pointer(2, bundle, 12))
    assert json.loads((root / "churn" / "stages" / "production").read_bytes()) == {
        "seq": 2,
        "entry": digest("e2"),
        "version": 12,
        "bundle": bundle,
        "model_digest": digest("model"),
    }


def test_an_empty_place_leaves_the_index(store: DirectoryStore, root: Path) -> None:
    bundle = add_bundle(store)
    store.point("churn/versions/12", pointer(1, bundle, 12))
    store.point("churn/stages/production", pointer(2, bundle, 12))
    store.point("churn/stages/production", pointer(3, None))
    assert tags(root) == {"churn-v12": bundle}


def test_the_index_lists_all_stages_and_the_newest_versions_of_each_model(
    store: DirectoryStore, root: Path
) -> None:
    bundle = add_bundle(store)
    for version in random.Random(1).sample(range(1, 131), 130):
        store.point(f"churn/versions/{version}", pointer(version, bundle, version))
    store.point("churn-eu/versions/1", pointer(1, bundle))
    store.point("churn/stages/production", pointer(131, bundle))
    newest = {f"churn-v{version}" for version in range(31, 131)}
    assert set(tags(root)) == {*newest, "churn-production", "churn--eu-v1"}
    (root / "index.json").unlink()
    store.point("churn/stages/production", pointer(131, bundle))
    assert set(tags(root)) == {*newest, "churn-production", "churn--eu-v1"}


def test_two_models_never_share_a_tag(store: DirectoryStore, root: Path) -> None:
    bundle, other = add_bundle(store), add_bundle(store, b"other")
    store.point("churn/stages/eu-production", pointer(1, bundle))
    store.point("churn-eu/stages/production", pointer(1, other))
    assert tags(root) == {"churn-eu--production": bundle, "churn--eu-production": other}


@pytest.mark.threat(27)
def test_a_listing_that_says_other_things_than_the_pointers_is_told_and_put_right(
    store: DirectoryStore, root: Path
) -> None:
    bundle, other = add_bundle(store), add_bundle(store, b"other")
    for version in range(1, 131):
        store.point(f"churn/versions/{version}", pointer(version, bundle, version))
    store.point("churn/stages/production", pointer(2, bundle, 12))
    store.point("churn-eu/stages/production", pointer(2, bundle, 12))
    assert (store.astray("churn"), store.astray("churn-eu")) == ((), ())
    right = (root / "index.json").read_bytes()
    index = json.loads(right)
    [line] = [one for one in index["manifests"] if one["annotations"][REF_NAME] == PRODUCTION]
    line["digest"] = other
    index["manifests"].append({**line, "annotations": {REF_NAME: "churn-shadow"}})
    index["manifests"].append({**line, "annotations": {REF_NAME: "latest"}})
    index["manifests"].append({**line, "annotations": {REF_NAME: "churn-v130"}})
    (root / "index.json").write_text(json.dumps(index))
    fresh = DirectoryStore(root)
    assert fresh.astray("churn") == (PRODUCTION, "churn-shadow", "churn-v130")
    assert fresh.astray("churn-eu") == ()
    fresh.relist("churn")
    assert fresh.astray("churn") == ()
    assert tags(root).pop("latest") == other  # of another tool
    for damage in (b"", b"{}"):
        (root / "index.json").write_bytes(damage)
        assert PRODUCTION in fresh.astray("churn")
        fresh.relist("churn")
        fresh.relist("churn-eu")
        assert (root / "index.json").read_bytes() == right


PRODUCTION = "churn-production"


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"manifests": 3}', "\xff", "[" * 100_000])
@pytest.mark.threat(27)
def test_a_damaged_index_is_made_again(store: DirectoryStore, root: Path, damage: str) -> None:
    bundle = add_bundle(store)
    store.point("churn/versions/12", pointer(1, bundle, 12))
    (root / "index.json").write_text(damage, encoding="latin-1")
    DirectoryStore(root).point("churn/stages/production", pointer(2, bundle, 12))
    assert tags(root) == {"churn-v12": bundle, "churn-production": bundle}


def test_a_pointer_to_a_missing_bundle_is_not_listed(store: DirectoryStore, root: Path) -> None:
    store.point("churn/stages/production", pointer(2, digest("nowhere")))
    assert tags(root) == {}


@pytest.mark.threat(25)
def test_an_index_that_lags_behind_its_pointers_is_put_right(
    store: DirectoryStore, root: Path
) -> None:
    bundle = add_bundle(store)
    store.point("churn/stages/production", pointer(1, None))
    before = (root / "index.json").read_bytes()
    store.point("churn/stages/production", pointer(2, bundle))
    (root / "index.json").write_bytes(before)  # killed between the two
    assert not store.point("churn/stages/production", pointer(1, None))
    assert tags(root) == {"churn-production": bundle}


@pytest.mark.parametrize("model", ["blobs", "tmp", "index.json", "oci-layout", "index.json.lock"])
def test_a_model_cannot_have_the_name_of_a_part_of_the_layout(
    store: DirectoryStore, model: str
) -> None:
    with pytest.raises(UsageError, match=model):
        store.point(f"{model}/stages/production", pointer(1, None))


def test_what_an_editor_left_is_no_pointer(store: DirectoryStore, root: Path) -> None:
    store.point("churn/stages/production", pointer(1, None))
    (root / "churn" / "stages" / ".production.swp").touch()
    (root / "churn" / "versions").mkdir()
    (root / "churn" / "versions" / "12~").touch()
    assert list(store.pointers("churn")) == ["churn/stages/production"]


@pytest.mark.threat(27)
@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        b"null",
        b'{"seq": 1}',
        b'{"seq": 1, "entry": "sha256:../../../etc/passwd"}',
        b'{"seq": 1, "entry": "%s", "bundle": "../x"}' % digest("e").encode(),
        b'{"seq": 1, "entry": "%s"}' % digest("e").encode() + b" " * 100_000,
    ],
)
def test_a_pointer_moved_by_hand_is_unreadable(
    store: DirectoryStore, root: Path, content: bytes
) -> None:
    store.point("churn/stages/production", pointer(1, None))
    (root / "churn" / "stages" / "production").write_bytes(content)
    assert store.pointers("churn") == {"churn/stages/production": None}


def test_a_hint_that_is_no_digest_is_none(store: DirectoryStore, root: Path) -> None:
    store.remember("churn/inputs/x", digest("b1"))
    (root / "churn" / "inputs" / "x").write_bytes(b"\xff sha256:")
    assert store.recall("churn/inputs/x") is None


# --- reading ------------------------------------------------------------------------------------


def test_reading_creates_nothing(store: DirectoryStore, root: Path, tmp_path: Path) -> None:
    with pytest.raises(NotInStoreError):
        store.read(digest("b1"))
    with pytest.raises(NotInStoreError):
        store.fetch([Wanted(digest=digest("b1"), size_bytes=1, path=tmp_path / "x")])
    store.check([digest("b1")])
    store.discard(digest("b1"))
    assert store.pointers("churn") == {}
    assert store.recall("churn/inputs/x") is None
    assert store.add([]) == []
    assert not root.exists()


@pytest.mark.threat(27)
def test_a_digest_that_is_a_path_is_refused(store: DirectoryStore) -> None:
    with pytest.raises(IntegrityError, match="no SHA-256 digest"):
        store.read(Digest("sha256:../../index.json"))


@pytest.mark.threat(27)
def test_a_huge_blob_is_not_read_into_memory(store: DirectoryStore, root: Path) -> None:
    stored = store.add([Source(content=b"small")])[0]
    blob = root / "blobs" / "sha256" / hex_of(stored.digest)
    os.truncate(blob, 10 << 30)
    with pytest.raises(IntegrityError, match="larger than 64 MiB"):
        store.read(stored.digest)


def test_fetched_files_can_be_read_by_others(store: DirectoryStore, tmp_path: Path) -> None:
    stored = store.add([Source(content=b"model")])[0]
    target = tmp_path / "deep" / "er" / "model.bin"
    store.fetch([Wanted(digest=stored.digest, size_bytes=5, path=target)])
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o644 & ~umask


# --- interruptions ------------------------------------------------------------------------------


def make_files(folder: Path, seed: int) -> list[Path]:
    folder.mkdir(parents=True)
    noise = random.Random(seed)
    for number in range(150):
        size = noise.choice([100, 70_000, 300_000, 3 << 20])
        (folder / f"{number:03}").write_bytes(noise.randbytes(size))
    return sorted(folder.iterdir())


def run(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_for_more(root: Path, held: set[str], adding: subprocess.Popen[bytes]) -> None:
    """Wait until the store holds a file more, or all of them."""

    def is_further() -> bool:
        return adding.poll() is not None or len([*root.glob("blobs/sha256/*")]) > len(held)

    wait_until(is_further, "another file is stored")


@pytest.mark.threat(25)
def test_a_store_survives_being_killed_at_any_moment(root: Path, tmp_path: Path) -> None:
    files = make_files(tmp_path / "files", seed=1)
    moments = random.Random(2)
    held: set[str] = set()
    for _ in range(10):
        adding = run(ADD_A_FOLDER, root, tmp_path / "files")
        wait_for_more(root, held, adding)
        time.sleep(moments.uniform(0, 0.06))
        adding.send_signal(signal.SIGKILL)
        adding.communicate()
        blobs = {path.name: path for path in root.glob("blobs/sha256/*")}
        for name, path in blobs.items():
            assert hashlib.sha256(path.read_bytes()).hexdigest() == name
        assert held <= set(blobs)
        held = set(blobs)
    before = {name: (root / "blobs" / "sha256" / name).stat().st_ino for name in held}
    stored = DirectoryStore(root).add([Source(path=path) for path in files])
    assert [one.digest for one in stored] == [digest_of(path.read_bytes()) for path in files]
    assert {hex_of(one.digest) for one in stored if not one.is_new} == held
    for name, inode in before.items():
        assert (root / "blobs" / "sha256" / name).stat().st_ino == inode
    states = DirectoryStore(root).check([one.digest for one in stored])
    assert set(states.values()) == {BlobState.SOUND}


@pytest.mark.threat(25)
def test_old_leftovers_are_swept_and_young_ones_stay(store: DirectoryStore, root: Path) -> None:
    store.add([Source(content=b"model")])
    old, young = root / "tmp" / "old", root / "tmp" / "young"
    for path, age_s in ((old, 25 * 3600), (young, 23 * 3600)):
        path.write_bytes(b"half a mod")
        os.utime(path, (time.time() - age_s,) * 2)
    DirectoryStore(root).add([Source(content=b"model")])
    assert (old.exists(), young.exists()) == (False, True)


@pytest.mark.threat(25)
def test_a_blob_that_lost_its_end_is_written_again(store: DirectoryStore, root: Path) -> None:
    (stored,) = store.add([Source(content=b"model")])
    os.truncate(root / "blobs" / "sha256" / hex_of(stored.digest), 2)
    assert store.add([Source(content=b"model")])[0].is_new
    assert store.read(stored.digest) == b"model"


@pytest.mark.threat(28)
def test_adding_the_same_again_writes_nothing(
    store: DirectoryStore, root: Path, tmp_path: Path
) -> None:
    sources = [Source(path=path) for path in make_files(tmp_path / "files", seed=3)]
    store.add(sources)
    before = {path: path.stat() for path in root.rglob("*")}
    assert not any(one.is_new for one in DirectoryStore(root).add(sources))
    assert {path: path.stat() for path in root.rglob("*")}.keys() == before.keys()
    for path, status in before.items():
        assert path.stat().st_mtime_ns == status.st_mtime_ns


@pytest.mark.threat(24)
def test_of_many_processes_the_latest_pointer_stays(root: Path) -> None:
    code = """
import sys
from pathlib import Path
from assent.core.digest import digest_of
from assent.ports import Pointer
from assent.stores.directory import DirectoryStore
sys.stdin.readline()
seq = int(sys.argv[2])
pointer = Pointer(seq=seq, entry=digest_of(b"e"), version=seq, bundle=digest_of(b"model"))
store = DirectoryStore(Path(sys.argv[1]))
store.point("churn/stages/production", pointer)
store.point(f"churn/versions/{seq + 1}", pointer)
"""
    (stored,) = DirectoryStore(root).add([Source(content=b"model")])
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(root), str(seq)], stdin=subprocess.PIPE)
        for seq in random.Random(1).sample(range(16), 16)
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.close()  # all begin at once
    assert [writer.wait() for writer in writers] == [0] * 16
    production = DirectoryStore(root).pointers("churn")["churn/stages/production"]
    assert production is not None
    assert production.seq == 15
    names = {"churn-production", *(f"churn-v{seq + 1}" for seq in range(16))}
    assert tags(root) == dict.fromkeys(names, stored.digest)


def test_memory_does_not_grow_with_the_file(root: Path, tmp_path: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
from assent.ports import Source, Wanted
from assent.stores.directory import DirectoryStore
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
store = DirectoryStore(Path(sys.argv[1]))
source = Path(sys.argv[2])
stored, = store.add([Source(path=source)])
store.fetch([Wanted(digest=stored.digest, size_bytes=stored.size_bytes, path=source.parent / "x")])
store.check([stored.digest])
print(peak() - before)
"""
    big = tmp_path / "big.bin"
    big.touch()
    os.truncate(big, 512 << 20)
    measuring = run(code, root, big)
    output, errors = measuring.communicate()
    for path in (tmp_path / "x", *root.glob("blobs/sha256/*")):
        path.unlink()  # pytest keeps the folders of the last runs
    assert measuring.returncode == 0, errors
    assert int(output) < 64 << 10  # KiB


# --- disks that refuse --------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounting.returncode != 0:
        pytest.skip(f"needs a small file system, and mounting one says: {mounting.stderr!r}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.mark.threat(25)
@pytest.mark.parametrize("place", ["tmp", "blobs", "index.json.lock", "churn/versions"])
def test_what_stands_in_the_way_is_named(store: DirectoryStore, root: Path, place: str) -> None:
    there = root / place
    there.parent.mkdir(parents=True)
    if place.endswith("lock"):
        there.mkdir()
    else:
        there.symlink_to("nowhere")
    with pytest.raises(OutsideError) as caught:
        store.point("churn/versions/1", Pointer(seq=0, entry=digest("entry")))
    assert str(there) in caught.value.problem
    assert "put it away" in (caught.value.hint or "")


@pytest.mark.threat(25)
def test_a_full_disk_leaves_a_valid_store(small_disk: Path, tmp_path: Path) -> None:
    root = small_disk / "store"
    noise = random.Random(1)
    files = [tmp_path / str(number) for number in range(4)]
    for path in files:
        path.write_bytes(noise.randbytes(3 << 19))
    sources = [Source(path=path) for path in files]
    store = DirectoryStore(root)
    with pytest.raises(OutsideError, match="No space left on device") as raised:
        store.add(sources)
    assert raised.value.hint is not None
    assert list((root / "tmp").iterdir()) == []
    for path in root.glob("blobs/sha256/*"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    subprocess.run(["mount", "-o", "remount,size=16m", small_disk], check=True)
    assert any(not one.is_new for one in store.add(sources))
    assert set(store.check([digest_of(path.read_bytes()) for path in files]).values()) == {
        BlobState.SOUND
    }


@pytest.mark.threat(25)
def test_a_full_disk_keeps_the_pointer_that_stood(small_disk: Path) -> None:
    root = small_disk / "store"
    store = DirectoryStore(root)
    store.point("churn/stages/production", pointer(1, None))
    fill(small_disk / "filler")
    before = files_below(root)
    with pytest.raises(OutsideError, match="No space left on device"):
        store.point("churn/stages/production", pointer(2, digest("b2")))
    assert files_below(root) == before


def test_a_disk_that_is_read_only_is_said(small_disk: Path, tmp_path: Path) -> None:
    store = DirectoryStore(small_disk / "store")
    (stored,) = store.add([Source(content=b"model")])
    store.point("churn/stages/production", pointer(1, None))
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    reader = DirectoryStore(small_disk / "store")
    assert reader.read(stored.digest) == b"model"
    assert list(reader.pointers("churn")) == ["churn/stages/production"]
    with pytest.raises(OutsideError, match="Read-only") as raised:
        reader.add([Source(content=b"another")])
    assert raised.value.hint is not None
    with pytest.raises(OutsideError, match="Read-only"):
        reader.point("churn/stages/production", pointer(2, None))


def test_a_folder_without_permission_is_said(root: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from assent.errors import OutsideError
from assent.ports import Source
from assent.stores.directory import DirectoryStore
if os.geteuid() == 0:
    os.setuid(65534)  # root may write everywhere
try:
    DirectoryStore(Path(sys.argv[1])).add([Source(content=b"model")])
except OutsideError as error:
    print(error, "|", error.hint)
"""
    root.mkdir(mode=0o555)
    output, errors = run(code, root).communicate()
    assert b"Permission denied | this account may not" in output, errors


def test_a_root_that_is_a_file_is_said(root: Path, store: DirectoryStore) -> None:
    root.write_bytes(b"")
    with pytest.raises(OutsideError, match=str(root)):
        store.add([Source(content=b"model")])


def test_a_target_that_is_a_folder_is_said(store: DirectoryStore, tmp_path: Path) -> None:
    (stored,) = store.add([Source(content=b"model")])
    (tmp_path / "x").mkdir()
    with pytest.raises(OutsideError, match="directory"):
        store.fetch([Wanted(digest=stored.digest, size_bytes=5, path=tmp_path / "x")])
    assert not list(tmp_path.glob(".assent-*"))
