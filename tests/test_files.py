"""Files that are there whole or not at all, and what killed processes have left of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assent.files import remove_left, scratch_folder, write_atomically

HOLD = """
import os, sys
from pathlib import Path
from assent import files

os.getpid = lambda: 7  # as in a container, where each process is number 7

def end(*anything):
    print("held", flush=True)
    sys.stdin.read()

place = Path(sys.argv[1])
if sys.argv[2] == "folder":
    with files.scratch_folder(place, ".work-") as scratch:
        (scratch / "half").write_text("of the first")
        end()
else:
    replace = Path.replace
    Path.replace = lambda *paths: (end(), replace(*paths))
    files.write_atomically(place / "file", b"of the first")
"""


@contextmanager
def held(place: Path, what: str) -> Iterator[None]:
    """A process is in the middle of it, and goes on afterwards."""
    words = [sys.executable, "-c", HOLD, str(place), what]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield
        process.communicate(b"")
        assert process.returncode == 0


def cut_off(place: Path, what: str) -> None:
    """A process was killed in the middle of it."""
    words = [sys.executable, "-c", HOLD, str(place), what]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        process.kill()


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def work(place: Path) -> list[str]:
    """What is found in a place to work in."""
    with scratch_folder(place, ".work-") as scratch:
        return names(scratch)


def test_what_a_killed_process_has_left_is_removed_and_never_found(tmp_path: Path) -> None:
    for _ in range(3):
        cut_off(tmp_path, "folder")
    assert len(names(tmp_path)) == 1, "each removes what the one before it has left"
    assert work(tmp_path) == []
    assert names(tmp_path) == []


def test_what_somebody_works_in_stays(tmp_path: Path) -> None:
    with held(tmp_path, "folder"):
        [place] = names(tmp_path)
        assert work(tmp_path) == []
        assert names(tmp_path) == [place]
        assert (tmp_path / place / "in/half").read_text() == "of the first"
    assert names(tmp_path) == []


def test_only_what_is_ours_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".work-mine").mkdir()
    (tmp_path / f".work-{'0' * 16}").mkdir()
    (tmp_path / f".work-{'0' * 16}/notes").write_text("mine")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/lock").touch()
    (tmp_path / f".work-{'1' * 16}").symlink_to("elsewhere")
    (tmp_path / f".work-{'2' * 16}").mkdir()
    before = names(tmp_path)
    assert work(tmp_path) == []
    assert names(tmp_path) == [one for one in before if one != f".work-{'2' * 16}"]
    assert (tmp_path / "elsewhere/lock").exists()


def test_what_was_left_is_shown_before_it_goes(tmp_path: Path) -> None:
    cut_off(tmp_path, "folder")
    seen: list[list[str]] = []
    remove_left(tmp_path, ".work-", lambda left: seen.append(names(left)))
    assert (seen, names(tmp_path)) == ([["half"]], [])


def test_the_draft_of_a_killed_process_is_removed(tmp_path: Path) -> None:
    cut_off(tmp_path, "file")
    assert len(names(tmp_path)) == 1
    write_atomically(tmp_path / "file", b"second")
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"second"


def test_the_draft_that_somebody_writes_stays(tmp_path: Path) -> None:
    with held(tmp_path, "file"):
        write_atomically(tmp_path / "file", b"second")
        assert len(names(tmp_path)) == 2
    assert names(tmp_path) == ["file"]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(Exception, match="writing"):
        write_atomically(tmp_path / "file", b"x")
    assert names(tmp_path) == ["file"]
