"""The scripts beside the actions: one revision, installed once, and its program alone."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETUP = ROOT / "actions/setup"


def run(
    script: str, *arguments: str, code: int = 0, **env: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [SETUP / script, *arguments],
        env={"PATH": "/usr/bin:/bin", **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A job in which Assent is installed: a program that says how it was called."""
    folder = tmp_path / "temp"
    folder.mkdir()
    checksum = subprocess.run(
        ["cksum"], input=f"{ROOT} base".encode(), capture_output=True, check=True
    ).stdout.split()[0]
    place = folder / f"assent-{checksum.decode()}"
    (place / "bin").mkdir(parents=True)
    program = place / "bin/assent"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    (place / "ready").touch()
    return folder


def test_what_is_installed_is_not_installed_again(installed: Path) -> None:
    done = run("install.sh", RUNNER_TEMP=str(installed))
    assert Path(done.stdout.strip()).parent.parent.parent == installed


def test_the_arguments_reach_the_program_as_they_are(installed: Path) -> None:
    done = run("run.sh", "note", "a 'b' $(c)", RUNNER_TEMP=str(installed))
    assert done.stdout.splitlines() == ["note", "a 'b' $(c)"]


@pytest.mark.threat(38)
def test_the_token_is_in_no_argument(installed: Path) -> None:
    done = run("run.sh", "review", RUNNER_TEMP=str(installed), GITHUB_TOKEN="s3cret")
    assert done.stdout.splitlines() == ["review"]
    assert "s3cret" not in done.stdout + done.stderr


def test_setup_makes_a_command_of_it_and_of_nothing_else(installed: Path, tmp_path: Path) -> None:
    path = tmp_path / "path"
    run("path.sh", RUNNER_TEMP=str(installed), GITHUB_PATH=str(path))
    [folder] = path.read_text().splitlines()
    assert [one.name for one in Path(folder).iterdir()] == ["assent"]


def test_a_runner_without_python_is_told_what_to_do(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "cksum", "cut"):
        found = next(p for p in (Path("/usr/bin") / name, Path("/bin") / name) if p.exists())
        (tools / name).symlink_to(found)
    done = run("install.sh", code=2, PATH=str(tools), RUNNER_TEMP=str(tmp_path))
    assert "no Python 3.11 or newer" in done.stderr
    assert "actions/setup-python" in done.stderr


@pytest.mark.parametrize(
    "extras", ["data;rm", "data]; rm", "../x", "lowest", "dev", "base", "data,,../models", "*"]
)
def test_extras_are_names_and_nothing_else(tmp_path: Path, extras: str) -> None:
    done = run("install.sh", code=2, RUNNER_TEMP=str(tmp_path), ASSENT_EXTRAS=extras)
    assert "ASSENT_EXTRAS is no list of extras" in done.stderr


def test_with_other_extras_it_is_another_installation(installed: Path) -> None:
    # Without a network nothing can be installed; that it is tried says enough.
    tools = {"RUNNER_TEMP": str(installed), "ASSENT_EXTRAS": "data", "PIP_NO_INDEX": "1"}
    done = run("install.sh", code=1, **tools)
    assert "No matching distribution" in done.stderr


def test_the_extras_that_can_be_named_are_those_that_there_are() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    [line] = re.findall(r"^    (.+)\) locks=", (SETUP / "install.sh").read_text(), re.MULTILINE)
    assert {*line.split(" | ")} == {*project["optional-dependencies"]} - {"dev"}


def test_outside_of_github_it_says_so() -> None:
    assert "RUNNER_TEMP is not set" in run("install.sh", code=2).stderr
