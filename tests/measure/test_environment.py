from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from assent.measure.environment import read_environment
from assent.measure.lockfiles import normalised

UV = '[[package]]\nname = "Scikit_Learn"\nversion = "1.5.0"\n[[package]]\nname = "app"\n'


@pytest.fixture(autouse=True)
def no_conda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONDA_PREFIX", raising=False)


def program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return folder


def test_the_interpreter_of_the_command_is_asked(tmp_path: Path) -> None:
    read = read_environment(tmp_path, f"SEED=1 {sys.executable} train.py --lr '0.1'")
    assert read.python == platform.python_version()
    assert read.packages_from == "pip"
    assert read.packages["msgspec"] == version("msgspec")
    assert list(read.packages) == sorted(read.packages)
    assert all(name == normalised(name) for name in read.packages)


def test_a_python_on_the_path_or_in_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin", "python3", f'exec {sys.executable} "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert read_environment(tmp_path, "python3 train.py").packages_from == "pip"
    assert read_environment(tmp_path, "bin/python3 train.py").packages_from == "pip"


@pytest.mark.threat(39)
def test_the_team_s_own_modules_are_not_imported(tmp_path: Path) -> None:
    for name in ("json", "platform", "importlib"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w')\nraise SystemExit(1)")
    assert read_environment(tmp_path, f"{sys.executable} t.py").packages_from == "pip"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "answer", ["exit 1", "echo hello", "echo '[1, 2]'", "echo '[1, 2, 3]'", ":"]
)
def test_an_interpreter_that_does_not_answer_leaves_the_lock_file(
    tmp_path: Path, answer: str
) -> None:
    program(tmp_path / "bin", "python", answer)
    (tmp_path / "uv.lock").write_text(UV)
    read = read_environment(tmp_path, "bin/python train.py")
    assert (read.python, read.packages_from) == (None, "uv.lock")


@pytest.mark.parametrize(
    "command", ["uv run python t.py", "poetry run t", "make", "dvc repro", "'"]
)
def test_lock_files(tmp_path: Path, command: str) -> None:
    (tmp_path / "uv.lock").write_text(UV)
    (tmp_path / "requirements.txt").write_text("numpy==2.0")
    read = read_environment(tmp_path, command)
    assert (read.packages_from, read.packages) == ("uv.lock", {"scikit-learn": "1.5.0"})


def test_requirements_count_only_where_pinned(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "# comment\n-r other.txt\nNumPy==2.0.1\npandas>=2\nfoo[bar]==1.0 ; python_version > '3'\n"
        "baz == 3.1  # why\nqux==1.*\nranged==1.0,<2\nhashed==4 \\\n  --hash=sha256:abc\n"
        "arbitrary===1.0+local\n"
    )
    assert read_environment(tmp_path, "make").packages == {
        "arbitrary": "1.0+local",
        "baz": "3.1",
        "foo": "1.0",
        "hashed": "4",
        "numpy": "2.0.1",
    }


def test_an_unpinned_or_corrupt_file_gives_way_to_the_next(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text("[[package")
    (tmp_path / "poetry.lock").write_text("package = 3")
    (tmp_path / "requirements.txt").write_text("numpy>=2")
    (tmp_path / "environment.yml").write_text(
        "dependencies:\n- python=3.11\n- conda-forge::numpy=2.0=py311_0\n- pip\n"
        "- pandas>=2\n- pip: [torch==2.1, x>1]\n"
    )
    read = read_environment(tmp_path, "make")
    assert read.packages_from == "environment.yml"
    assert read.packages == {"numpy": "2.0", "python": "3.11", "torch": "2.1"}


def test_several_versions_of_a_package_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "poetry.lock").write_text(
        "".join(f'[[package]]\nname = "n"\nversion = "{v}"\n' for v in ("1", "2", "1"))
    )
    assert read_environment(tmp_path, "make").packages == {"n": "1, 2"}


def test_conda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meta = tmp_path / "env/conda-meta"
    meta.mkdir(parents=True)
    for name in ("python-3.11.7-h955ad1f_0", "scikit-learn-1.5.0-py311_1", "odd"):
        (meta / f"{name}.json").write_text("{}")
    monkeypatch.setenv("CONDA_PREFIX", str(tmp_path / "env"))
    (tmp_path / "uv.lock").write_text(UV)
    read = read_environment(tmp_path, "make train")
    assert (read.python, read.packages_from) == ("3.11.7", "conda")
    assert read.packages == {"python": "3.11.7", "scikit-learn": "1.5.0"}
    assert read_environment(tmp_path, "uv run t.py").packages_from == "uv.lock"


def test_nothing_known_is_absent_and_no_error(tmp_path: Path) -> None:
    read = read_environment(tmp_path / "missing", "")
    assert (read.python, read.packages, read.packages_from) == (None, {}, None)


def test_the_machine(tmp_path: Path) -> None:
    read = read_environment(tmp_path, "make")
    assert read.platform == platform.platform()
    assert read.machine == platform.machine()
    assert read.cpu_count == len(os.sched_getaffinity(0))
    assert read.memory_bytes is not None
    assert read.memory_bytes > 100_000_000


def test_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(
        tmp_path / "bin",
        "nvidia-smi",
        "echo 'GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5c)'; echo 'GPU 1: NVIDIA T4 (UUID: GPU-6)'",
    )
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert read_environment(tmp_path, "make").gpus == ("NVIDIA A100-SXM4-40GB", "NVIDIA T4")
    program(tmp_path / "bin", "nvidia-smi", "exit 9")
    assert read_environment(tmp_path, "make").gpus == ()


def test_cuda_and_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", "nvidia-smi", "[ \"$1\" = -L ] && echo 'GPU 0: T4' || echo 550.54.15")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "cuda"))
    (tmp_path / "requirements.txt").write_text("nvidia-cuda-runtime-cu12==12.1.105\n")
    read = read_environment(tmp_path, "make")
    assert (read.gpus, read.driver, read.cuda) == (("T4",), "550.54.15", "12.1.105")
    (tmp_path / "cuda").mkdir()
    (tmp_path / "cuda/version.json").write_text('{"cuda": {"version": "12.4.1"}}')
    assert read_environment(tmp_path, "make").cuda == "12.4.1"
    for broken in ("[]", "{", '{"cuda": 3}'):
        (tmp_path / "cuda/version.json").write_text(broken)
        assert read_environment(tmp_path, "make").cuda == "12.1.105"


def test_without_gpus_there_is_no_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", "nvidia-smi", "echo 'No devices were found'; exit 6")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_HOME", raising=False)
    read = read_environment(tmp_path, "make")
    assert (read.driver, read.gpus) == (None, ())


@pytest.mark.threat(39)
def test_included_requirements_are_read_in_the_repository_only(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    (root / "more").mkdir(parents=True)
    (tmp_path / "outside.txt").write_text("evil==1\n")
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    (root / "more/x.txt").write_text("torch==2.3\n")
    lines = "-r more/x.txt\n-r ../outside.txt\n-r link.txt\n-r /etc/passwd\nnumpy==2.0\n"
    (root / "requirements.txt").write_text(lines)
    assert read_environment(root, "make").packages == {"numpy": "2.0", "torch": "2.3"}


def test_other_lock_files(tmp_path: Path) -> None:
    (tmp_path / "conda-linux-64.lock").write_text(
        "@EXPLICIT\nhttps://conda.example/linux-64/python-3.11.9-h1_0.conda#00\n"
    )
    read = read_environment(tmp_path, "make")
    assert (read.packages_from, read.python) == ("conda-linux-64.lock", "3.11.9")
    (tmp_path / "pylock.toml").write_text('[[packages]]\nname = "attrs"\nversion = "25.1"\n')
    assert read_environment(tmp_path, "make").packages_from == "pylock.toml"
