"""What is seen of processes, and what is said where most was not."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from assent.measure.command import run_command
from assent.measure.interpreters import is_interpreter, is_tool, recognise, started_with
from assent.measure.watch import Watch
from tests.measure.venvs import new_venv


@pytest.fixture
def sleeping() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    ("cpu_s", "is_known"), [(0.0, True), (0.9, True), (1.5, False), (100.0, False)]
)
def test_work_that_nobody_saw_is_said(
    sleeping: subprocess.Popen[bytes], tmp_path: Path, cpu_s: float, is_known: bool
) -> None:
    watch = Watch(sleeping.pid, tmp_path)
    watch.start()
    watch.stop()
    assert watch.seen(cpu_s).gaps == (() if is_known else ("short",))


def test_a_process_that_has_ended_is_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(["true"])
    gone = psutil.Process(process.pid)
    process.wait()
    with pytest.raises(psutil.NoSuchProcess):
        recognise(gone, tmp_path)
    assert run_command("true", tmp_path).seen.interpreters == ()


def test_the_busiest_is_first(tmp_path: Path) -> None:
    for name in ("idle", "busy"):
        new_venv(tmp_path / name)
    (tmp_path / "busy.py").write_text(
        "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass\n"
    )
    command = "idle/bin/python -c 'import time; time.sleep(0.6)' & busy/bin/python busy.py; wait"
    (first, cpu_s), (second, _) = run_command(command, tmp_path).seen.interpreters
    assert first.path.endswith("/busy/bin/python")
    assert second.path.endswith("/idle/bin/python")
    assert cpu_s > 0.1


@pytest.mark.parametrize(
    ("words", "flags", "runs"),
    [
        ("python train.py -m x", "", "train.py"),
        ("python -m dvc.cli repro", "", "dvc"),
        ("python -Im pip install", "I", "pip"),
        ("python -mtox", "", "tox"),
        ("python -W ignore -Xdev -u bin/torchrun x", "", "torchrun"),
        ("python -Wignore -X importtime -sE /usr/bin/dvc", "sE", "dvc"),
        ("python -c pass -m pip", "", "-c"),
        ("python -u - pip", "", ""),
        ("python -m", "", ""),
        ("python", "", ""),
    ],
)
def test_what_an_interpreter_was_told(words: str, flags: str, runs: str) -> None:
    assert started_with(words.split()) == (flags, runs)


def test_names() -> None:
    for name in ("python", "python3.13t", "Python", "pypy3.10", ".python3.11-wrapped", "graalpy"):
        assert is_interpreter(name)
    for name in ("sh", "bpython", "cpython", "ruby", ""):
        assert not is_interpreter(name)
    for name in ("pip", "pip3", "pip3.11", "dvc", "jupyter-nbconvert"):
        assert is_tool(name)
    for name in ("dvc.py", "pipeline", "torchrun", "kedro", "accelerate", "ipykernel_launcher", ""):
        assert not is_tool(name)
