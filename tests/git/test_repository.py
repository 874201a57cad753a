"""Facts of a working tree that Git tells only to whoever asks in the right way."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from assent.errors import AssentError
from assent.git import BaseBranch, Repository, objects
from tests.builders import new_clone, new_repository, run_git


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository with one file of an ordinary and three of odd names."""
    folder = new_repository(tmp_path / "work")
    for name in ("train.py", "a\nb.py", 'quo"te.py', "sub/x.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("1")
    run_git(folder, "add", "-A")
    run_git(folder, "commit", "-qm", "files")
    return folder


@pytest.mark.parametrize("name", ["train.py", "a\nb.py", 'quo"te.py', "sub/x.py"])
def test_what_differs_is_named_whatever_its_name(work: Path, name: str) -> None:
    repository = Repository(work)
    assert repository.show("HEAD", name) == b"1"
    assert repository.show("HEAD", f"{name}\nnot") is None
    assert not repository.is_dirty()
    (work / name).write_text("2")
    assert repository.changed_files() == (name,)
    assert repository.changed_files([name]) == (name,)
    assert repository.changed_files(["other.py"]) == ()


def test_a_folder_stands_for_the_files_below_it(work: Path) -> None:
    (work / "sub/x.py").write_text("2")
    assert Repository(work).changed_files(["sub"]) == ("sub/x.py",)
    assert not Repository(work).is_dirty(["su"])


def test_names_that_are_no_text_are_compared_as_they_are(work: Path) -> None:
    name = b"caf\xe9.py".decode(errors="surrogateescape")
    (work / name).write_text("1")
    run_git(work, "add", "-A")
    run_git(work, "commit", "-qm", "latin")
    repository = Repository(work)
    assert repository.show("HEAD", name) == b"1"
    (work / name).write_text("2")
    assert repository.changed_files([name]) == (name,)


def test_more_files_are_asked_for_than_a_command_line_holds(work: Path) -> None:
    (work / "train.py").write_text("2")
    names = [f"data/{'long' * 40}/{number}.csv" for number in range(30_000)]
    assert Repository(work).changed_files([*names, "train.py"]) == ("train.py",)


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_file_that_git_was_told_not_to_look_at_is_looked_at(work: Path, flag: str) -> None:
    run_git(work, "update-index", flag, "train.py")
    repository = Repository(work)
    assert not repository.is_dirty()
    (work / "train.py").write_text("forged")
    assert run_git(work, "status", "--porcelain") == ""
    assert repository.changed_files() == ("train.py",)


def test_a_sparse_checkout_is_clean(work: Path) -> None:
    run_git(work, "sparse-checkout", "set", "--no-cone", "/train.py")
    assert not (work / "sub").exists()
    assert not Repository(work).is_dirty()


def test_line_ends_that_git_converts_are_no_difference(work: Path) -> None:
    run_git(work, "config", "core.autocrlf", "true")
    (work / "crlf.txt").write_bytes(b"a\r\nb\r\n")
    run_git(work, "add", "-A")
    run_git(work, "commit", "-qm", "crlf")
    repository = Repository(work)
    assert repository.show("HEAD", "crlf.txt") == b"a\nb\n"
    assert not repository.is_dirty()
    run_git(work, "update-index", "--assume-unchanged", "crlf.txt")
    assert not repository.is_dirty()


def test_what_assent_wrote_itself_is_no_change_of_the_team(work: Path) -> None:
    (work / "sub/.assent").mkdir()
    (work / "sub/.assent/x.json").write_text("1")
    run_git(work, "add", "-f", "-A")
    run_git(work, "commit", "-qm", "tracked")
    (work / "sub/.assent/x.json").write_text("2")
    assert not Repository(work).is_dirty()


def test_a_lock_that_was_left_does_no_harm(work: Path) -> None:
    (work / ".git/index.lock").write_text("")
    (work / "train.py").touch()
    assert not Repository(work).is_dirty()


def test_a_submodule_at_another_commit_is_a_difference(work: Path, tmp_path: Path) -> None:
    library = new_repository(tmp_path / "library")
    allow = ("-c", "protocol.file.allow=always")
    run_git(work, *allow, "submodule", "--quiet", "add", str(library), "lib")
    run_git(work, "config", "submodule.lib.ignore", "all")
    run_git(work, "commit", "-qm", "lib")
    assert not Repository(work).is_dirty()
    run_git(work / "lib", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q",
            "--allow-empty", "-m", "more")  # fmt: skip
    assert Repository(work).changed_files() == ("lib",)


def test_a_branch_has_its_name_although_a_tag_has_it_too(work: Path) -> None:
    run_git(work, "checkout", "-qb", "fänge/模型")
    run_git(work, "tag", "fänge/模型")
    assert Repository(work).branch() == "fänge/模型"
    run_git(work, "checkout", "-q", "--detach")
    assert Repository(work).branch() is None


def test_the_trunk_is_found_although_a_local_branch_is_called_like_it(
    work: Path, tmp_path: Path
) -> None:
    run_git(work, "branch", "-m", "trunk")
    run_git(tmp_path, "clone", "-q", str(work), "clone")
    clone = tmp_path / "clone"
    run_git(clone, "branch", "origin/trunk")
    run_git(clone, "tag", "trunk")
    trunk = BaseBranch(Repository(clone), "origin")
    assert (trunk.name, trunk.commit) == ("trunk", run_git(work, "rev-parse", "HEAD"))


def test_a_comparison_that_cannot_be_made_is_no_answer(work: Path) -> None:
    repository = Repository(work)
    head = run_git(work, "rev-parse", "HEAD")
    assert not repository.contains(head, "0" * 40)  # as far as history is here
    [parent] = repository.parents(head)
    path = work / ".git/objects" / parent[:2] / parent[2:]
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    with pytest.raises(AssentError):
        Repository(work).contains(head, parent)


def test_a_commit_is_fetched_from_a_partial_clone_s_remote(tmp_path: Path, work: Path) -> None:
    run_git(work, "config", "uploadpack.allowFilter", "true")
    run_git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", work.as_uri(), "part")
    repository = Repository(tmp_path / "part")
    assert repository.show("HEAD", "train.py") == b"1"
    assert repository.resolve("0" * 40) is None


def test_ids_of_a_clone_tell_their_format(tmp_path: Path) -> None:
    run_git(tmp_path, "init", "-q", "--object-format=sha256", "new")
    assert Repository(tmp_path / "new").object_format == "sha256"
    assert Repository(new_repository(tmp_path / "old")).object_format == "sha1"


def test_a_remote_of_several_addresses_has_them_in_order(tmp_path: Path) -> None:
    work = new_clone(tmp_path / "first.git", tmp_path / "w")
    run_git(work, "remote", "set-url", "--add", "origin", "/second.git")
    repository = Repository(work)
    assert repository.configured("remote.origin.url") == [
        str(tmp_path / "first.git"),
        "/second.git",
    ]


@pytest.mark.threat(39)
def test_a_link_that_is_as_long_as_a_file_leads_nowhere(work: Path) -> None:
    (work / "long").write_text("x" * 5000)
    blob = run_git(work, "hash-object", "-w", "long")
    (work / "short").symlink_to("train.py")
    run_git(work, "add", "short")
    run_git(work, "update-index", "--add", "--cacheinfo", f"120000,{blob},link")
    run_git(work, "commit", "-qm", "links")
    assert Repository(work).links("HEAD", most=10) == {"short": "train.py"}
    assert Repository(work).show("HEAD", "short") == b"train.py"


@pytest.mark.threat(39)
def test_what_does_not_fit_into_memory_is_not_read(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "MAX_BYTES", 10_000)
    (work / "large").write_text("x" * 10_001)
    run_git(work, "add", "large")
    run_git(work, "commit", "-qm", "large")
    repository = Repository(work)
    with pytest.raises(AssentError, match="has 10,001 bytes"):
        repository.show("HEAD", "large")
    assert repository.show("HEAD", "train.py") == b"1"


def test_when_commits_were_made_as_far_as_they_are_here(tmp_path: Path) -> None:
    work = new_repository(tmp_path / "dated")
    zone = "GIT_COMMITTER_DATE=2026-01-02T03:04:05+02:00"
    command = ["env", zone, "git", "commit", "-q", "--allow-empty", "-m", "x\n\nfeed 12"]
    subprocess.run(command, cwd=work, check=True)
    head, start = (run_git(work, "rev-parse", name) for name in ("HEAD", "HEAD^"))
    tree = run_git(work, "rev-parse", "HEAD^{tree}")
    repository = Repository(work)
    asked = [head, start, "f" * 40, tree, "HEAD", "--all", "", "x\ny"]
    dates = repository.dates(asked)
    assert dates.keys() == {head, start}
    assert dates[head] == "2026-01-02T01:04:05Z"
    assert repository.dates([]) == {}
    assert repository.dates(["--all"]) == {}
