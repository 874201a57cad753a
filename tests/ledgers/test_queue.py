"""Writers of one machine take turns, and whoever holds a turn for ever keeps nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assent.core.registry import fold
from assent.git import Repository
from assent.ledgers import queue
from assent.ledgers.git.ledger import GitLedger
from tests.builders import new_clone, new_repository, registered

HOLD = """\
import sys
from pathlib import Path
from assent.git import Repository
from assent.ledgers.git.ledger import GitLedger
with GitLedger(Repository(Path(sys.argv[1])), "origin").turn("churn") as had_to_wait:
    print("has it", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return new_repository(tmp_path / "remote.git", bare=True)


@pytest.fixture
def holder(remote: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process with a clone of its own that has the turn until its input ends."""
    yield from hold(new_clone(remote, tmp_path / "theirs"))


def hold(clone: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(clone)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"has it\n"
    with process:
        yield process
        process.kill()


def mine(remote: Path, tmp_path: Path, said: list[str]) -> GitLedger:
    clone = new_clone(remote, tmp_path / "mine")
    return GitLedger(Repository(clone, say=said.append), "origin")


@pytest.mark.threat(24)
def test_a_turn_comes_when_the_one_before_has_ended(
    holder: subprocess.Popen[bytes], remote: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    ledger = mine(remote, tmp_path, said)
    clone = GitLedger(Repository(tmp_path / "mine", say=lambda _: holder.kill()), "origin")
    with clone.turn("churn") as had_to_wait:  # what is said after a second ends the holder
        assert had_to_wait
        assert holder.wait() == -signal.SIGKILL
    with ledger.turn("churn") as had_to_wait:
        assert not had_to_wait
    assert said == []


@pytest.mark.threat(24)
def test_nobody_waits_for_ever_for_one_that_was_stopped(
    holder: subprocess.Popen[bytes],
    remote: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A turn is a courtesy: the push decides who was first."""
    monkeypatch.setattr(queue, "STALL_S", 0.2)
    monkeypatch.setattr(queue, "NOTICE_S", 0.1)
    os.kill(holder.pid, signal.SIGSTOP)
    said: list[str] = []
    ledger = mine(remote, tmp_path, said)
    with ledger.turn("churn") as had_to_wait:
        assert had_to_wait
        ledger.append(ledger.read("churn"), [registered(1)])
    assert said == ["waiting for other writers to the ledger of churn"]
    assert fold("churn", ledger.read("churn").entries()).state.versions == 1


def test_while_others_write_a_turn_is_waited_for(
    holder: subprocess.Popen[bytes],
    remote: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However often that is: only a ledger that stands still lets anybody go on without."""
    monkeypatch.setattr(queue, "STALL_S", 0.05)
    monkeypatch.setattr(queue, "NOTICE_S", 0.05)
    asked = 0

    def has_moved() -> bool:
        nonlocal asked
        asked += 1
        if asked == 20:
            holder.kill()
        return True

    with queue.turn(str(remote), "churn", has_moved, lambda: None) as had_to_wait:
        assert had_to_wait
        assert holder.wait() == -signal.SIGKILL
    assert asked >= 20


def test_an_address_is_one_queue_whoever_asks(tmp_path: Path) -> None:
    """Of a server there is no folder to lock: a file of this user's stands for it."""
    one, other = "https://ann:secret@git.example/x.git", "https://git.example/x.git"
    places = {queue._place(address, "churn") for address in (one, "https://bob@git.example/x.git")}
    assert len(places) == 1
    assert queue._place(other, "churn") != queue._place(other, "fraud")
    folder = new_repository(tmp_path / "x y%20.git", bare=True)
    assert queue._place(folder.as_uri(), "churn") == queue._place(str(folder), "fraud") == folder


def test_a_folder_of_somebody_else_s_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder for everybody: its owner could keep the lock."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "real").mkdir()
    (tmp_path / f"assent-{os.getuid()}").symlink_to(tmp_path / "real")
    assert queue._place("https://git.example/x.git", "churn") is None
    with queue.turn("https://git.example/x.git", "churn", bool, lambda: None) as had_to_wait:
        assert not had_to_wait


def test_threads_of_one_process_take_turns_too(remote: Path, tmp_path: Path) -> None:
    ledger = mine(remote, tmp_path, [])
    file = os.open(remote, os.O_RDONLY)
    with ledger.turn("churn"):
        lock = queue.Lock(file)
        assert not lock.was_free
        assert not lock.wait(0.05)
    assert lock.wait(60)
    lock.release()
    with ledger.turn("churn") as had_to_wait:
        assert not had_to_wait
