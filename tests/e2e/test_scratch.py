"""`pull` is killed, and the next one has its process number, as in a container."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from tests.e2e.project import FILES, STOPPED, Project, points
from tests.waiting import HANGS_AFTER_S

MANY = """\
mkdir -p model
for n in 1 2 3; do cat params.yaml >"model/$(tr -dc 0-9 <params.yaml)-$n.txt"; done
cat params.yaml >model/weights.txt
"""
NAMESPACE = ("unshare", "--map-root-user", "--pid", "--fork", "--kill-child")


@cache
def number_again() -> tuple[str, ...]:
    """What a command is run with so that it has the same process number each time; nothing where
    this account may not have that.
    """
    if shutil.which("unshare") is None:
        return ()
    tried = subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False)
    # The first process of a namespace cannot be killed from inside it.
    inside = ("sh", "-c", 'setsid --wait "$@"; exit $?', "sh")
    return () if tried.returncode else (*NAMESPACE, *inside)


def killed(project: Project, point: int, *words: str, **env: str) -> bool:
    """Run `assent` and kill it at some point; say whether it came so far."""
    process = subprocess.run(
        [*number_again(), sys.executable, STOPPED, "SIGKILL", str(point), *words],
        cwd=project.folder,
        env={**project.environment, **env},
        capture_output=True,
        check=False,
        start_new_session=True,
        timeout=HANGS_AFTER_S,
    )
    was_killed = process.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)
    assert was_killed or process.returncode == 0, process.stderr
    return was_killed


def held(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.fixture
def two(fresh: Project) -> Project:
    """v1 and v2, whose files have other names."""
    fresh.write("train.sh", FILES["train.sh"] + MANY)
    fresh.commit("many files", push=True)
    fresh.register()
    fresh.release("better", accuracy="0.9")
    return fresh


def test_killed_at_some_point_and_run_again_with_its_process_number(
    two: Project, tmp_path: Path
) -> None:
    again = Project(two.folder, prefix=number_again())
    kept = tmp_path / "kept"
    kept.mkdir()
    for version in ("v1", "v2"):
        two.run("pull", version, "--to", str(kept / version))
    assert held(kept / "v1").keys() ^ held(kept / "v2").keys()
    kills = 0
    for point in points(two, ("pull", "v1", "--to", "../out/model"), tmp_path / "count", most=5):
        out = two.folder.parent / "out"
        kills += killed(two, point, "pull", "v1", "--to", "../out/model")
        again.run("pull", "v2", "--to", "../out/model", "--force")
        assert held(out / "model") == held(kept / "v2"), f"killed at point {point}"
        assert [path.name for path in out.iterdir()] == ["model"], f"killed at point {point}"
        shutil.rmtree(out)
    assert kills >= 3


def test_killed_between_the_halves_of_a_swap(two: Project, tmp_path: Path) -> None:
    """Whatever stood there stands there again, or the new files do: nothing is lost."""
    out = two.folder.parent / "out"
    two.run("pull", "v1", "--to", "../out/model")
    before = held(out / "model")
    kept = tmp_path / "v2"
    two.run("pull", "v2", "--to", str(kept))
    states = set()
    words = ("pull", "v2", "--to", "../out/model", "--force")
    for point in count(6):  # those before it are of the files one by one
        if not killed(two, point, *words, STOPPED_ONLY="os.rename"):
            break
        is_there = (out / "model").exists()
        states.add(is_there)
        if is_there:
            assert held(out / "model") in (before, held(kept)), f"killed at point {point}"
        two.run("pull", "v1", "--to", "../out/model", "--force")
        assert held(out / "model") == before
        assert [path.name for path in out.iterdir()] == ["model"]
    assert states == {True, False}
