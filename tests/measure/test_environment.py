from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from assent.core.evidence import Environment
from assent.measure.environment import read_environment, with_packages
from assent.measure.interpreters import Seen
from assent.measure.lockfiles import normalised
from assent.measure.packages import Packages
from tests.measure.venvs import new_venv, program


@pytest.fixture(autouse=True)
def no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_HOME", raising=False)


def read(root: Path, command: str = "make", python: str | None = None) -> Environment:
    return read_environment(root, command, Seen(), python=python)


def test_the_interpreter_of_the_command_is_asked(tmp_path: Path) -> None:
    found = read(tmp_path, f"SEED=1 {sys.executable} train.py --lr '0.1'")
    assert found.python == platform.python_version()
    assert (found.packages_from, found.packages_gap) == ("pip", None)
    assert found.packages["msgspec"] == version("msgspec")
    assert list(found.packages) == sorted(found.packages)
    assert all(name == normalised(name) for name in found.packages)
    assert len(found.interpreters) == 1


def test_nothing_known_has_a_reason_and_is_no_error(tmp_path: Path) -> None:
    found = read(tmp_path / "missing", "")
    assert (found.python, found.packages, found.packages_from) == (None, {}, None)
    assert found.packages_gap == "nothing ran"


def test_the_interpreter_that_the_team_names(tmp_path: Path) -> None:
    new_venv(tmp_path / ".venv", numpy="2.0")
    found = read(tmp_path, "make", python=".venv/bin/python")
    assert (found.packages, found.interpreters) == ({"numpy": "2.0"}, (".venv",))


def test_an_interpreter_below_the_home_does_not_name_the_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = new_venv(tmp_path / "ada/envs/ml")
    monkeypatch.setenv("HOME", str(tmp_path / "ada"))
    assert read(tmp_path / "ada/project", f"{python} t.py").interpreters == ()  # no such folder
    (tmp_path / "ada/project").mkdir()
    assert read(tmp_path / "ada/project", "~/envs/ml/bin/python t.py").interpreters == (
        "~/envs/ml",
    )


def test_what_evaluating_ran_with_is_added(tmp_path: Path) -> None:
    trained = read(tmp_path, f"{sys.executable} t.py")
    other = Packages(versions={"numpy": "0.1"}, source="pip", interpreters=("x",))
    both = with_packages(trained, other)
    assert both.packages["numpy"].endswith(", 0.1")
    assert both.packages.items() >= {("msgspec", version("msgspec"))}
    assert both.interpreters == (*trained.interpreters, "x")
    assert (both.cpu, both.packages_from) == (trained.cpu, "pip")
    assert with_packages(trained, Packages(gap="not seen")).packages_gap == "not seen"


def test_the_machine(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert found.platform == platform.platform()
    assert found.machine == platform.machine()
    assert found.cpu
    assert found.cpu_count == len(os.sched_getaffinity(0))
    assert found.memory_bytes is not None
    assert found.memory_bytes > 100_000_000


def nvidia(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    program(tmp_path / "bin/nvidia-smi", f"#!/bin/sh\n{text}\n")
    if not os.environ["PATH"].startswith(f"{tmp_path}/bin:"):
        monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")


def test_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia(
        tmp_path,
        monkeypatch,
        "echo 'GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5c)'; echo 'GPU 1: NVIDIA T4 (UUID: GPU-6)'",
    )
    assert read(tmp_path).gpus == ("NVIDIA A100-SXM4-40GB", "NVIDIA T4")


@pytest.mark.parametrize("answer", ["exit 9", "echo 'No devices were found'; exit 6", ":"])
def test_gpus_that_nobody_names_are_not_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    """Whether there are any, the devices say."""
    nvidia(tmp_path, monkeypatch, answer)
    patterns = ("nvidia[0-9]*", "kfd", "accel*", "dxg")
    is_there = any(any(Path("/dev").glob(one)) for one in patterns)
    assert read(tmp_path).gpus == (None if is_there else ())
    assert read(tmp_path).driver is None


def test_cuda_and_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia(tmp_path, monkeypatch, "[ \"$1\" = -L ] && echo 'GPU 0: T4' || echo 550.54.15")
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "cuda"))
    new_venv(tmp_path / ".venv", nvidia_cuda_runtime_cu12="12.1.105")
    command = ".venv/bin/python t.py"
    found = read(tmp_path, command)
    assert (found.gpus, found.driver, found.cuda) == (("T4",), "550.54.15", "12.1.105")
    (tmp_path / "cuda").mkdir()
    (tmp_path / "cuda/version.json").write_text('{"cuda": {"version": "12.4.1"}}')
    assert read(tmp_path, command).cuda == "12.4.1"
    for broken in ("[]", "{", '{"cuda": 3}'):
        (tmp_path / "cuda/version.json").write_text(broken)
        assert read(tmp_path, command).cuda == "12.1.105"
