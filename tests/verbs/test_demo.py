"""`demo`: where it is not played. The story itself is played by `.ci/run`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from assent.errors import ExitCode, UsageError
from assent.verbs.demo import DemoError, demo

GIT = """\
#!/bin/sh
echo "$@" >>"$(dirname "$0")/asked"
case "$*" in {fails}) echo "there is no room" >&2; exit 7 ;; esac
"""


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the only programs that are there."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def write_git(folder: Path, fails: str) -> None:
    program = folder / "git"
    program.write_text(GIT.format(fails=fails))
    program.chmod(0o755)


def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    said: list[str] = []
    with pytest.raises(UsageError, match="not empty") as raised:
        demo(tmp_path, say=said.append)
    assert raised.value.hint is not None
    assert "--to" in raised.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    assert said == []


def test_what_it_needs_is_named_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(UsageError, match="scikit-learn") as raised:
        demo(tmp_path / "new", say=print)
    assert raised.value.hint is not None
    assert "[demo]" in raised.value.hint
    assert not (tmp_path / "new").exists()


def test_without_git_there_is_no_story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(UsageError, match="git is not installed"):
        demo(tmp_path / "new", say=print)


def test_a_git_that_refuses_is_quoted(tmp_path: Path, git: Path) -> None:
    write_git(git, "init*")
    said: list[str] = []
    with pytest.raises(DemoError, match="there is no room"):
        demo(tmp_path / "new", say=said.append)
    assert said == []
    [asked] = (git / "asked").read_text().splitlines()
    assert asked.startswith("init --quiet --bare")


def test_a_command_that_ends_otherwise_than_the_story_says_ends_it(
    tmp_path: Path, git: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_git(git, "nothing")
    (git / "sklearn.py").write_text("raise SystemExit(7)\n")  # as one that is damaged
    monkeypatch.setenv("PYTHONPATH", str(git))
    said: list[str] = []
    with pytest.raises(DemoError, match="exit code 7, the story says 0") as raised:
        demo(tmp_path / "new", say=said.append)
    assert raised.value.hint is not None
    assert raised.value.exit_code != ExitCode.DONE
    played = [line for line in said if line.startswith("\n$ ")]
    assert played == ["\n$ python prepare.py"]
    assert (tmp_path / "new/work/assent.yaml").is_file()
