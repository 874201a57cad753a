"""The ledger in Git where the repository is not as our own are: other ids, other variables, other
branches, servers that refuse.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assent.core.registry import fold
from assent.errors import OutsideError
from assent.git import Repository
from assent.ledgers import layout
from assent.ledgers.git.ledger import GitLedger
from assent.ports import BusyError, MovedError
from tests.builders import new_clone, new_repository, registered, run_git


def new_ledger(work: Path) -> GitLedger:
    return GitLedger(Repository(work), "origin")


def append(ledger: GitLedger, number: int) -> None:
    ledger.append(ledger.read("churn"), [registered(number)])


def said(ledger: GitLedger) -> OutsideError:
    """What is said, at once, of a push that is refused."""
    with pytest.raises(OutsideError) as caught:
        append(ledger, 1)
    assert not isinstance(caught.value, MovedError)
    return caught.value


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return new_repository(tmp_path / "remote.git", bare=True)


@pytest.fixture
def work(remote: Path, tmp_path: Path) -> Path:
    return new_clone(remote, tmp_path / "work")


# --- variables and settings -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["GIT_DIR", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY"])
def test_variables_of_a_hook_do_not_lead_to_another_repository(
    work: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    append(new_ledger(work), 1)
    before = run_git(work, "for-each-ref")
    monkeypatch.setenv(name, str(work / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(work))
    monkeypatch.setenv("GIT_INDEX_FILE", str(work / ".git/index"))
    monkeypatch.setenv("GIT_QUARANTINE_PATH", str(work))
    monkeypatch.setenv("GIT_NAMESPACE", "other")
    ledger = new_ledger(work)
    assert ledger.read("churn").state.versions == 1
    append(ledger, 2)
    view = new_ledger(work).read("churn")
    assert view.astray(fold("churn", view.entries())) == ()
    monkeypatch.undo()
    assert run_git(work, "for-each-ref") == before


def test_bare_repositories_that_git_may_not_find(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text("[safe]\nbareRepository = explicit\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    append(new_ledger(work), 1)
    view = new_ledger(work).read("churn")
    assert view.astray(fold("churn", view.entries())) == ()


def test_hooks_of_the_user_are_not_for_the_ledger(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "pre-push").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-push").chmod(0o755)
    (tmp_path / "template/hooks").mkdir(parents=True)
    (tmp_path / "template/hooks/pre-push").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "template/hooks/pre-push").chmod(0o755)
    config = tmp_path / "config"
    config.write_text(f"[init]\ntemplateDir = {tmp_path}/template\n[core]\nhooksPath = {hooks}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    append(new_ledger(work), 1)


def test_an_address_in_the_user_s_own_settings_and_one_for_pushing(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = new_repository(tmp_path / "w")
    config = tmp_path / "config"
    config.write_text(
        f'[remote "origin"]\nurl = {tmp_path}/mirror.git\npushurl = {remote}\n'
        "[user]\nname = a\nemail = a@b\n"
    )
    (tmp_path / "mirror.git").symlink_to(remote)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    append(new_ledger(work), 1)
    assert new_ledger(work).read("churn").state.versions == 1


def test_a_remote_whose_name_is_odd(remote: Path, tmp_path: Path) -> None:
    work = new_repository(tmp_path / "w")
    run_git(work, "remote", "add", "ledger", "/nowhere")
    run_git(work, "remote", "add", "up.stream-1", str(remote))
    ledger = GitLedger(Repository(work), "up.stream-1")
    append(ledger, 1)
    assert ledger.models() == ["churn"]


# --- other ids ------------------------------------------------------------------------------------


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of three and folders of six: constants, not behaviours, are changed."""
    monkeypatch.setattr(layout, "BLOCK", 3)
    monkeypatch.setattr(layout, "FILES", 2)


def new_sha256(folder: Path, *how: str) -> Path:
    run_git(folder.parent, "init", "-q", "-b", "main", "--object-format=sha256", *how, str(folder))
    return folder


@pytest.mark.usefixtures("small_blocks")
def test_a_repository_with_sha_256(tmp_path: Path) -> None:
    remote = new_sha256(tmp_path / "remote.git", "--bare")
    work = new_sha256(tmp_path / "work")
    run_git(work, "remote", "add", "origin", str(remote))
    ledger = new_ledger(work)
    for number in range(1, 15):
        append(ledger, number)
    assert len(run_git(remote, "rev-parse", "assent/churn")) == 64
    run_git(tmp_path, "clone", "-q", str(remote), "other")
    view = new_ledger(tmp_path / "other").read("churn")
    view.check()
    assert view.astray(fold("churn", view.entries())) == ()
    other = new_ledger(tmp_path / "other")
    other.rebuild(other.read("churn"), fold("churn", view.entries()))
    append(ledger, 15)


@pytest.mark.parametrize("is_filled", [False, True])
@pytest.mark.parametrize("is_sha256", [False, True])
def test_the_ledger_may_be_in_a_repository_of_another_kind_than_the_code(
    tmp_path: Path, is_sha256: bool, is_filled: bool
) -> None:
    kinds = ("sha1", "sha256") if is_sha256 else ("sha256", "sha1")
    code, remote = tmp_path / "code", tmp_path / "remote.git"
    run_git(tmp_path, "init", "-q", f"--object-format={kinds[0]}", "code")
    run_git(tmp_path, "init", "-q", "--bare", f"--object-format={kinds[1]}", "remote.git")
    run_git(code, "remote", "add", "origin", str(remote))
    if is_filled:
        run_git(tmp_path, "init", "-q", f"--object-format={kinds[1]}", "first")
        run_git(tmp_path / "first", "remote", "add", "origin", str(remote))
        append(new_ledger(tmp_path / "first"), 1)
    ledger = new_ledger(code)
    if not is_filled:
        with pytest.raises(MovedError):
            append(ledger, 1)
        append(ledger, 1)
    append(ledger, 2)
    assert new_ledger(code).read("churn").state.versions == 2


# --- branches and servers -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["assent", "assent/churn/try"])
def test_a_branch_that_is_in_the_way_is_named(work: Path, remote: Path, name: str) -> None:
    run_git(work, "push", "-q", "origin", f"HEAD:refs/heads/{name}")
    error = said(new_ledger(work))
    assert f"the branch '{name}' of origin is in the way of 'assent/churn'" in error.problem
    assert "rename or delete it" in (error.hint or "")
    run_git(remote, "update-ref", "-d", f"refs/heads/{name}")
    append(new_ledger(work), 1)


def test_a_branch_in_the_way_where_there_is_no_remote(tmp_path: Path) -> None:
    work = new_repository(tmp_path / "work")
    run_git(work, "branch", "assent")
    ledger = GitLedger(Repository(work), None)
    with pytest.raises(OutsideError, match="'assent' of this repository is in the way"):
        append(ledger, 1)


def test_branches_that_only_end_like_a_ledger_are_none(work: Path) -> None:
    append(new_ledger(work), 1)
    for name in ("team/assent/x", "assent/deep/er", "other"):
        run_git(work, "push", "-q", "origin", f"HEAD:refs/heads/{name}")
    assert new_ledger(work).models() == ["churn"]


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_a_hook_that_declines_is_quoted(work: Path, remote: Path, hook: str) -> None:
    path = remote / "hooks" / hook
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\nprintf 'not on a \\033[31mFriday' >&2\nexit 1\n")
    path.chmod(0o755)
    error = said(new_ledger(work))
    assert "hook declined" in error.problem
    assert "not on a" in error.problem
    assert "Friday" in error.problem
    assert "\033" not in error.problem
    assert error.hint


def test_a_quota_is_quoted(work: Path, remote: Path) -> None:
    run_git(remote, "config", "receive.maxInputSize", "10")
    error = said(new_ledger(work))
    assert "maximum allowed size" in error.problem


@pytest.mark.skipif(os.geteuid() == 0, reason="root is bound by no file mode")
def test_a_remote_that_cannot_be_written_to(work: Path, remote: Path) -> None:
    remote.joinpath("objects").chmod(0o555)
    error = said(new_ledger(work))
    assert "may this account write to origin" in (error.hint or "")
    remote.joinpath("objects").chmod(0o755)


@pytest.mark.parametrize(
    "words",
    ["ssh: connect to host h port 22: timed out", "Host key verification failed."],
)
def test_who_is_not_reached_has_got_nothing(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """There is an address of its own for pushing: to read works all the same."""
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 255\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    run_git(work, "config", "remote.origin.pushurl", "ssh://h/r.git")
    error = said(new_ledger(work))
    assert "in doubt" not in error.problem
    assert words.rstrip(".") in error.problem


def test_a_hidden_branch_is_said(work: Path, remote: Path) -> None:
    run_git(remote, "config", "receive.hideRefs", "refs/heads/assent")
    assert "hidden ref" in said(new_ledger(work)).problem


def test_a_remote_in_which_somebody_has_checked_out_the_ledger(work: Path, tmp_path: Path) -> None:
    append(new_ledger(work), 1)
    run_git(tmp_path, "clone", "-q", "-b", "assent/churn", str(tmp_path / "remote.git"), "desk")
    run_git(work, "remote", "set-url", "origin", str(tmp_path / "desk"))
    ledger = new_ledger(work)
    with pytest.raises(OutsideError, match="checked out") as caught:
        append(ledger, 2)
    assert "check out another branch there" in (caught.value.hint or "")


def test_a_lock_that_was_left_on_the_server_is_named(work: Path, remote: Path) -> None:
    append(new_ledger(work), 1)
    lock = remote / "refs/heads/assent/churn.lock"
    lock.write_text("")
    ledger = new_ledger(work)
    with pytest.raises(BusyError, match=r"churn\.lock") as caught:
        append(ledger, 2)
    assert "remove the lock file" in (caught.value.hint or "")
    lock.unlink()
    append(ledger, 2)


def test_another_writer_between_reading_and_writing_is_a_lost_race(
    work: Path, remote: Path, tmp_path: Path
) -> None:
    ledger = new_ledger(work)
    view = ledger.read("churn")
    append(new_ledger(new_clone(remote, tmp_path / "other")), 1)
    with pytest.raises(MovedError, match="somebody else wrote to it first"):
        ledger.append(view, [registered(1)])
    append(ledger, 2)


def test_a_part_of_a_repository_that_was_left_is_made_anew(work: Path) -> None:
    append(new_ledger(work), 1)
    [folder] = (work / ".git/assent").glob("*/ledger.git")
    for name in ("HEAD", "config"):
        (folder / name).unlink()
    assert new_ledger(work).read("churn").state.versions == 1
    append(new_ledger(work), 2)
