"""Ctrl-C at any moment, from the first instruction of ours on: no traceback, and an end at once."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.interrupted import SENT
from tests.e2e.project import Project
from tests.effort import IS_SOAK
from tests.waiting import HANGS_AFTER_S

INTERRUPTED = str(Path(__file__).with_name("interrupted.py"))


def interrupt(project: Project, at: int, *words: str) -> tuple[int, str]:
    """How a command ends that is interrupted when the n-th module is looked for, or at the
    n-th thing after that; with 0 it is not, and says how many there are.
    """
    done = subprocess.run(
        [sys.executable, INTERRUPTED, str(at), *words],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        check=False,
        start_new_session=True,
        timeout=HANGS_AFTER_S,
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize("words", [("status",), ("verify",), ("--help",)])
def test_interrupted_at_any_moment(shipped: Project, words: tuple[str, ...]) -> None:
    code, said = interrupt(shipped, 0, *words)
    assert code == 0, said
    last = int(said.rpartition("moments: ")[2])
    step = 1 if IS_SOAK else last // 4
    for at in range(1, last + 1, step):
        code, said = interrupt(shipped, at, *words)
        if SENT.decode() not in said:
            # Not every run has as many moments; all but the last few are in each.
            assert (code, at > last * 0.9) == (0, True), f"moment {at} of {last}: {said}"
            continue
        assert code in (-signal.SIGINT, 130), f"moment {at} of {last}: {said}"
        assert "Traceback" not in said, f"moment {at} of {last}: {said}"
        assert "Exception ignored" not in said, f"moment {at} of {last}: {said}"


def test_what_a_shell_has_in_the_background_ignores_interrupts(shipped: Project) -> None:
    done = subprocess.run(
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, INTERRUPTED, "9", "status"],
        cwd=shipped.folder,
        env=shipped.environment,
        capture_output=True,
        check=False,
        timeout=HANGS_AFTER_S,
    )
    assert done.returncode == 0, done.stderr
