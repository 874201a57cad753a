from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assent.errors import UsageError
from assent.measure.command import run_command
from tests.waiting import HANGS_AFTER_S, wait_until

PYTHON = sys.executable


def test_the_shell_runs_it_in_the_folder(tmp_path: Path) -> None:
    result = run_command("pwd > here && echo $A | tr a-z A-Z >> here", tmp_path, env={"A": "x"})
    assert (tmp_path / "here").read_text() == f"{tmp_path}\nX\n"
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("exit 7", 7),
        ("true", 0),
        ("no-such-program-here 2>/dev/null", 127),
        ("kill -9 $$", 137),
        ("kill -TERM $$", 143),
        ("sh -c 'kill -9 $$'; exit $?", 137),
    ],
)
def test_exit_codes(tmp_path: Path, command: str, code: int) -> None:
    assert run_command(command, tmp_path).exit_code == code


def test_output_is_inherited_or_sent_elsewhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run_command("echo out; echo err >&2", tmp_path)
    assert capfd.readouterr() == ("out\n", "err\n")
    run_command("echo out", tmp_path, stdout=2)
    assert capfd.readouterr() == ("", "out\n")


def test_standard_input_is_empty(tmp_path: Path) -> None:
    assert run_command("read line || exit 3", tmp_path).exit_code == 3


def test_time_is_that_of_the_whole_tree(tmp_path: Path) -> None:
    (tmp_path / "busy.py").write_text(
        "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"
    )
    result = run_command(f"{PYTHON} busy.py; sleep 0.2", tmp_path)
    assert result.cpu_s >= 0.3
    assert result.wall_s >= 0.5
    assert run_command("true", tmp_path).cpu_s < result.cpu_s  # nothing of the command before


BIG = """
import pathlib, sys, time
own, other, hold_s = sys.argv[1:]
held = bytearray(60_000_000)
pathlib.Path(own).touch()
while not pathlib.Path(other).exists():
    time.sleep(0.01)
time.sleep(float(hold_s))
"""


def test_peak_memory_is_that_of_the_tree(tmp_path: Path) -> None:
    (tmp_path / "big.py").write_text(BIG)
    for hold_s in (0.8, 8, 80):  # it is sampled: how soon depends on how busy the machine is
        both = f"{PYTHON} big.py a b {hold_s} & {PYTHON} big.py b a {hold_s} & wait"
        peak = run_command(both, tmp_path).peak_memory_bytes
        assert peak is not None
        assert peak < 400_000_000
        if peak > 120_000_000:
            return
    raise AssertionError("the two processes were never seen together")


def test_peak_memory_is_that_of_this_command_alone(tmp_path: Path) -> None:
    run_command(f"{PYTHON} -c 'x = bytearray(300_000_000)'", tmp_path)
    result = run_command("sleep 0.3", tmp_path)
    assert result.peak_memory_bytes is not None
    assert result.peak_memory_bytes < 50_000_000


MEASURED = """
import sys
from pathlib import Path
from assent.measure.command import run_command
print(run_command(sys.argv[1], Path.cwd()).peak_memory_bytes)
"""


def test_a_short_peak_is_not_missed(tmp_path: Path) -> None:
    # In a small process: a child of a large one starts with its peak, and has only the samples.
    large = f"{PYTHON} -S -c 'x = b\"1\" * 400_000_000'"
    words = [sys.executable, "-c", MEASURED, large]
    shown = subprocess.run(words, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert int(shown) > 300_000_000  # the system counts in large steps


@pytest.mark.parametrize("command", ["a\0b", "true"])
def test_what_cannot_be_run_is_a_usage_error(tmp_path: Path, command: str) -> None:
    folder = tmp_path if "\0" in command else tmp_path / "missing"
    with pytest.raises(UsageError):
        run_command(command, folder)


RUN = """
import sys
from pathlib import Path
from assent.measure import command
command.GRACE_S = float(sys.argv[2])
try:
    command.run_command(sys.argv[1], Path.cwd())
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(130)
"""

POLITE = """
import signal, sys, time
def stop(*_):
    time.sleep(0.5)
    open("checkpoint", "w").write("saved")
    sys.exit(0)
signal.signal(signal.SIGINT, stop)
open("ready", "w").close()
time.sleep(6000)
"""

STUBBORN = """
import os, signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, lambda *_: open("asked", "w").close())
open("ready", "w").write(str(os.getpid()))
while True:
    time.sleep(0.05)
"""


def interrupted(tmp_path: Path, script: str, grace_s: float) -> None:
    """Run `script` behind a shell, and send Ctrl-C to Assent alone."""
    (tmp_path / "script.py").write_text(script)
    process = subprocess.Popen(
        [PYTHON, "-c", RUN, f"{PYTHON} script.py; true", str(grace_s)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
    )
    try:
        wait_until((tmp_path / "ready").exists, "the command runs")
        threads = Path(f"/proc/{process.pid}/task")
        wait_until(lambda: len([*threads.iterdir()]) > 1, "the command is watched")
        process.send_signal(signal.SIGINT)
        shown, _ = process.communicate(timeout=HANGS_AFTER_S)
        assert (process.returncode, shown) == (130, b"interrupted\n")
    finally:
        process.kill()
        process.wait()


def test_ctrl_c_lets_the_command_save_its_work(tmp_path: Path) -> None:
    interrupted(tmp_path, POLITE, 100 * HANGS_AFTER_S)  # which nobody waits out
    assert (tmp_path / "checkpoint").read_text() == "saved"


ELSEWHERE = """
import signal, threading, time
from pathlib import Path
def interrupt():
    while not Path("ready").exists():
        time.sleep(0.01)
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)
threading.Thread(target=interrupt).start()
"""
"""A signal that another thread gets: no call of the first one ends by it, just as none does that
begins when the signal has come already.
"""


def test_a_signal_that_ends_no_call_is_heard(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(POLITE)
    process = subprocess.Popen(
        [PYTHON, "-c", ELSEWHERE + RUN, f"{PYTHON} script.py; true", str(100 * HANGS_AFTER_S)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
    )
    try:
        shown, _ = process.communicate(timeout=HANGS_AFTER_S)
        assert (process.returncode, shown) == (130, b"interrupted\n")
    finally:
        process.kill()
        process.wait()
    assert (tmp_path / "checkpoint").read_text() == "saved"


def test_ctrl_c_ends_a_command_that_does_not_want_to(tmp_path: Path) -> None:
    interrupted(tmp_path, STUBBORN, 0.5)
    assert (tmp_path / "asked").exists()
    pid = int((tmp_path / "ready").read_text())
    wait_until(lambda: not _runs(pid), "the command has ended")


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_the_command_has_its_own_process_group(tmp_path: Path) -> None:
    run_command(f"{PYTHON} -c 'import os; print(os.getpgrp())' > group", tmp_path)
    assert int((tmp_path / "group").read_text()) != os.getpgrp()
