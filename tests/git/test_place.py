"""Which repository a folder is in, in the set-ups that people have."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from assent.errors import UsageError
from assent.git import Repository
from tests.builders import new_repository, run_git


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Dotfiles: the repository is bare, and its files are in the home folder."""
    home = tmp_path / "home"
    home.mkdir()
    run_git(home, "init", "-q", "--bare", "-b", "main", str(tmp_path / "dotfiles"))
    return tmp_path / "dotfiles"


def test_dotfiles_whose_repository_the_environment_names(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_DIR", "dotfiles")
    monkeypatch.setenv("GIT_WORK_TREE", "home")
    (home / "a.txt").write_text("1")
    for words in (
        ["add", "a.txt"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm1"],
    ):
        run_git(home, f"--git-dir={bare}", f"--work-tree={home}", *words)
    repository = Repository(home)
    monkeypatch.chdir("/")  # whatever the process does afterwards
    assert (repository.top, repository.common) == (home, bare)
    assert repository.branch() == "main"
    assert repository.show("HEAD", "a.txt") == b"1"
    assert repository.changed_files() == ()
    (home / "a.txt").write_text("2")
    assert repository.changed_files() == ("a.txt",)


def test_a_repository_of_the_environment_that_is_of_another_folder_is_named(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("GIT_DIR", str(bare))
    with pytest.raises(UsageError, match="GIT_DIR names") as caught:
        Repository(elsewhere)
    assert "GIT_WORK_TREE" in (caught.value.hint or "")
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "home"))
    with pytest.raises(UsageError, match="has its files in"):
        Repository(elsewhere)


def test_the_repository_around_the_folder_wins_over_the_environment(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = new_repository(tmp_path / "work")
    monkeypatch.setenv("GIT_DIR", str(bare))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "home"))
    assert Repository(work).common == work / ".git"


def test_a_bare_repository_is_no_place_to_work_in(bare: Path) -> None:
    with pytest.raises(UsageError, match="bare repository") as caught:
        Repository(bare)
    assert "worktree" in (caught.value.hint or "")


def test_a_worktree_whose_clone_is_gone(tmp_path: Path) -> None:
    main = new_repository(tmp_path / "main")
    run_git(main, "worktree", "add", "-q", str(tmp_path / "linked"))
    shutil.rmtree(main)
    with pytest.raises(UsageError, match="leads to") as caught:
        Repository(tmp_path / "linked")
    assert "worktree repair" in (caught.value.hint or "")


def test_a_submodule_is_a_repository_of_its_own(tmp_path: Path) -> None:
    library = new_repository(tmp_path / "library")
    outer = new_repository(tmp_path / "outer")
    allow = ("-c", "protocol.file.allow=always")
    run_git(outer, *allow, "submodule", "--quiet", "add", str(library), "sub")
    repository = Repository(outer / "sub")
    assert repository.top == outer / "sub"
    assert repository.common == outer / ".git/modules/sub"


def test_where_git_may_not_look_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = new_repository(tmp_path / "work")
    (work / "below").mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(work))
    with pytest.raises(UsageError, match="there is none") as caught:
        Repository(work / "below")
    assert "GIT_CEILING_DIRECTORIES" in (caught.value.hint or "")


def test_no_repository_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Repository(tmp_path)
    assert "git init" in (caught.value.hint or "")


def test_a_folder_git_that_is_no_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with pytest.raises(UsageError) as caught:
        Repository(tmp_path)
    assert "is it complete?" in (caught.value.hint or "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_repository_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = new_repository(tmp_path / "work")
    monkeypatch.delenv("SUDO_UID", raising=False)
    for path in (work, work / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(UsageError, match="another user") as caught:
        Repository(work)
    assert "safe.directory" in (caught.value.hint or "")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "safe.directory")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(work))
    Repository(work)  # for this reason, settings of the environment are kept
