"""A start by a starter is like one of the program itself, and one that goes wrong is loud."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests import starting
from tests.e2e.project import FILES, Project, Ran, new_project, wait_for
from tests.starting import StarterError, Starters
from tests.waiting import HANGS_AFTER_S, has_ended, wait_until

STARTED = """\
assent=$$
while [ "$(cat /proc/$assent/comm)" = sh ]; do assent=$(cut -d ' ' -f 4 /proc/$assent/stat); done
echo $assent >pid; cat /proc/$assent/cmdline >line
"""
"""Tells what has started the training."""


@pytest.fixture
def started() -> Starters:
    """Those of this process, also in a soak."""
    return starting.starters()


def project(place: Path, train: str = FILES["train.sh"]) -> Project:
    ignored = FILES[".gitignore"] + "pid\nline\n"
    files = {**FILES, ".gitignore": ignored, "train.sh": STARTED + train}
    return new_project(place / "place", files)


def forked(started: Starters, mine: Project, *words: str, **env: str) -> Ran:
    given = {os.fsencode(key): os.fsencode(one) for key, one in {**mine.environment, **env}.items()}
    done = started.run(words, mine.cwd or mine.folder, given)
    return Ran(words, done.returncode, done.stdout.decode(), done.stderr.decode())


def by_program(
    started: Starters, mine: Project, *words: str, **env: str
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [started.bin / "assent", *words],
        cwd=mine.folder,
        env={**mine.environment, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.usefixtures("for_real")
@pytest.mark.parametrize(
    "words",
    [
        "--version",
        "--help",
        "status",
        "status --json",
        "resolve nowhere",
        "promote --what",
        "nonsense",
    ],
)
def test_it_is_the_same_as_the_program_itself(
    started: Starters, tmp_path: Path, words: str
) -> None:
    mine = project(tmp_path)
    itself = subprocess.run(
        mine.command(*words.split()),
        cwd=mine.folder,
        env=mine.environment,
        capture_output=True,
        check=False,
    )
    expected = (itself.returncode, itself.stdout.decode(), itself.stderr.decode())
    for _ in started.processes:
        ran = forked(started, mine, *words.split())
        assert (ran.code, ran.stdout, ran.stderr) == expected
    asked = by_program(started, mine, *words.split())
    stdout, stderr = asked.communicate(timeout=HANGS_AFTER_S)
    assert (asked.returncode, stdout.decode(), stderr.decode()) == expected


def test_no_start_knows_of_another(started: Starters, tmp_path: Path) -> None:
    mine = project(tmp_path)
    before = os.environ.copy(), Path.cwd()
    for _ in started.processes:
        assert forked(started, mine, "status", ASSENT_STATUS_JSON="1").stdout.startswith("{")
        assert not forked(started, mine, "status").stdout.startswith("{")
        assert forked(started, mine.inside(".."), "status").code == 2
        assert forked(started, mine, "status").code == 0
    assert (os.environ.copy(), Path.cwd()) == before


def test_what_was_killed_says_by_which_signal(started: Starters, tmp_path: Path) -> None:
    mine = project(tmp_path, "kill -9 $assent\n")
    assert forked(started, mine, "train").code == -signal.SIGKILL
    asked = by_program(started, mine, "train")
    asked.communicate(timeout=HANGS_AFTER_S)
    assert asked.returncode == 128 + signal.SIGKILL


def test_who_hangs_up_ends_what_was_started(started: Starters, tmp_path: Path) -> None:
    mine = project(tmp_path, "while kill -0 $assent; do sleep 0.05; done\n")
    asked = by_program(started, mine, "train")
    wait_for(mine.folder / "line")
    pid = int((mine.folder / "pid").read_text())
    asked.kill()
    wait_until(lambda: has_ended(pid), "it has ended")
    asked.communicate()


def test_who_gives_no_order_disturbs_nobody(started: Starters, tmp_path: Path) -> None:
    mine = project(tmp_path)
    for place in started.folder.glob("[01]"):
        for said in (b"", b"\0" * 8, b"nonsense"):
            with socket.socket(socket.AF_UNIX) as asked:
                asked.connect(str(place))
                asked.sendall(said)
                asked.shutdown(socket.SHUT_WR)
                assert asked.recv(64) == b""
    assert {forked(started, mine, "status").code for _ in started.processes} == {0}


def test_what_python_reads_when_it_starts_is_read_by_the_program_itself(
    started: Starters, tmp_path: Path
) -> None:
    mine = project(tmp_path)
    for env, is_forked in (({}, True), ({"PYTHONPATH": "x"}, False), ({"LC_ALL": "C"}, False)):
        by_program(started, mine, "train", "--force", **env).communicate(timeout=HANGS_AFTER_S)
        line = (mine.folder / "line").read_bytes()
        assert (b"starter.py" in line) == is_forked, (env, line)


@pytest.mark.usefixtures("for_real")
def test_for_real_is_for_real(tmp_path: Path) -> None:
    mine = project(tmp_path)
    mine.run("train")
    assert b"-m\0assent\0train" in (mine.folder / "line").read_bytes()


def test_a_starter_that_is_gone_is_an_error(tmp_path: Path) -> None:
    mine, own = project(tmp_path), Starters()
    for process in own.processes:
        process.kill()
        process.wait()
    with pytest.raises(StarterError, match="asking a starter"):
        forked(own, mine, "status")
    asked = by_program(own, mine, "status")
    assert b"Traceback" in asked.communicate(timeout=HANGS_AFTER_S)[1]
    assert asked.returncode == 125
    own.end()
