"""What lies in submodules, and in repositories that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.git import Holders, Repository, changed_within, submodules, untracked
from tests.builders import new_repository, run_git

ALLOW = ("-c", "protocol.file.allow=always", "-c", "user.name=a", "-c", "user.email=a@b")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository with the submodule `lib/[a]`, which has the submodule `deep`."""
    for name in ("deep", "lib", "work"):
        folder = new_repository(tmp_path / name)
        (folder / "code.py").write_text(name)
        run_git(folder, "add", "-A")
    run_git(tmp_path / "deep", *ALLOW, "commit", "-qm", "deep")
    run_git(tmp_path / "lib", *ALLOW, "submodule", "--quiet", "add", str(tmp_path / "deep"), "deep")
    run_git(tmp_path / "lib", *ALLOW, "commit", "-qm", "lib")
    work = tmp_path / "work"
    run_git(work, *ALLOW, "submodule", "--quiet", "add", str(tmp_path / "lib"), "lib/[a]")
    run_git(work, *ALLOW, "commit", "-qm", "work")
    run_git(work, *ALLOW, "submodule", "--quiet", "update", "--init", "--recursive")
    return work


def test_a_submodule_is_looked_into(work: Path) -> None:
    repository = Repository(work)
    assert submodules(repository) == ["lib/[a]"]
    assert changed_within(repository, "lib/[a]") == []
    assert changed_within(repository, "code.py") is None
    (work / "lib/[a]/deep/code.py").write_text("other")
    (work / "lib/[a]/code.py").write_text("other")
    assert repository.changed_files() == ("lib/[a]",)
    assert changed_within(repository, "lib/[a]") == ["lib/[a]/code.py", "lib/[a]/deep/code.py"]


def test_a_submodule_at_another_commit_is_not_looked_into(work: Path) -> None:
    run_git(work / "lib/[a]", *ALLOW, "commit", "-q", "--allow-empty", "-m", "more")
    assert changed_within(Repository(work), "lib/[a]") is None
    run_git(work, *ALLOW, "add", "-A")
    assert changed_within(Repository(work), "lib/[a]") is None


def test_a_submodule_that_is_not_fetched(work: Path) -> None:
    run_git(work, "submodule", "--quiet", "deinit", "--force", "--all")
    repository = Repository(work)
    assert submodules(repository) == ["lib/[a]"]
    assert changed_within(repository, "lib/[a]") is None
    assert untracked(repository, ["lib/[a]/code.py"]) == []


def test_what_nobody_has_added(work: Path) -> None:
    for name in ("new.py", "lib/[a]/new.py", "lib/[a]/deep/new.py"):
        (work / name).write_text("")
    own = new_repository(work / "own")
    (own / "code.py").write_text("")
    expected = ["lib/[a]/deep/new.py", "lib/[a]/new.py", "new.py", "own/"]
    repository = Repository(work)
    assert sorted(untracked(repository, ["lib/[a]/deep/code.py"])) == expected
    assert sorted(untracked(repository, ["lib/[a]/x.py", "new.py"])) == expected[1:]
    assert sorted(untracked(repository, ["new.py"])) == expected[2:]


@pytest.mark.parametrize(
    ("name", "top", "inner"),
    [
        ("code.py", ".", "code.py"),
        ("lib/[a]/code.py", "lib/[a]", "code.py"),
        ("lib/[a]/deep/code.py", "lib/[a]/deep", "code.py"),
        ("lib/code.py", ".", "lib/code.py"),
        ("own/code.py", ".", "own/code.py"),
    ],
)
def test_whose_commits_hold_a_file(work: Path, name: str, top: str, inner: str) -> None:
    run_git(work, "init", "-q", "own")
    found, there = Holders(Repository(work)).of(name)
    assert (found.top, there) == (work / top, inner)
    assert (found.id_of("HEAD", there) is not None) == (work / name).is_file()


def test_a_submodule_is_opened_once(work: Path) -> None:
    holders = Holders(Repository(work))
    for folder in ("lib/[a]", "lib/[a]/deep"):
        (first, _), (again, _) = (holders.of(f"{folder}/{name}") for name in ("code.py", "new.py"))
        assert first is again
