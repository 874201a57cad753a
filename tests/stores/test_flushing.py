"""That what was flushed is on the disk, with all names that lead to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import disk
from tests.e2e.disk import Data, Disk, Image, Names

STORE = """\
import sys
from pathlib import Path
from assent.ports import Source
from assent.stores.directory import DirectoryStore

store = DirectoryStore(Path(sys.argv[1]))
stored = store.add([Source(path=path) for path in sorted(Path(sys.argv[2]).iterdir())])
if sys.argv[3] == "flush":
    DirectoryStore(Path(sys.argv[1])).flush([one.digest for one in stored])
"""


def left(tmp_path: Path, count: int, how: str) -> Image:
    """What is left of files that were stored, and perhaps flushed, when the power is cut."""
    files, root = tmp_path / "files", tmp_path / "root"
    files.mkdir()
    (root / "mounted").mkdir(parents=True)
    for number in range(count):
        (files / str(number)).write_bytes(os.urandom(100))
    now, log = Disk(root, ()), tmp_path / "log"
    words = [sys.executable, "-c", STORE, str(root / "mounted/deep/store"), str(files), how]
    subprocess.run([*disk.tracer(log), *words], check=True)
    for step in disk.steps(log):
        now.do(step)
    kept = dict.fromkeys((path.name for path in root.iterdir()), Names.KEPT)
    assert now.image(kept, Data.KEPT) == disk.read(root), "the model does what was done"
    return now.image(dict.fromkeys(kept, Names.LOST), Data.ZEROS)


def blobs(image: Image) -> set[bytes | None]:
    return {content for path, content in image.items() if "/blobs/sha256/" in path}


@pytest.mark.threat(25)
@pytest.mark.parametrize("count", [3, 100])
def test_what_was_flushed_is_there(tmp_path: Path, count: int) -> None:
    image = left(tmp_path, count, "flush")
    assert blobs(image) == {path.read_bytes() for path in (tmp_path / "files").iterdir()}


def test_without_a_flush_nothing_is(tmp_path: Path) -> None:
    assert blobs(left(tmp_path, 3, "no")) == set()
