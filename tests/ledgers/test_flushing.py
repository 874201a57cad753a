"""How Git is told to flush what it receives, and where it is not. That what is flushed is there
after the power was cut is tested by `tests/e2e/test_power_cuts.py`.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from assent.git import Repository
from assent.ledgers.git import flushing
from assent.ledgers.git.ledger import GitLedger
from tests.builders import new_clone, new_repository, registered, run_git


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A remote that writes down by which settings it receives."""
    folder = new_repository(tmp_path / "remote.git", bare=True)
    hook = folder / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ngit config --list | grep -i fsync >{folder}/seen || :\n")
    hook.chmod(0o755)
    return folder


@pytest.fixture
def work(remote: Path, tmp_path: Path) -> Path:
    return new_clone(remote, tmp_path / "work")


def seen(remote: Path, work: Path) -> set[str]:
    """By which settings of flushing an entry is received."""
    ledger = GitLedger(Repository(work), "origin")
    (remote / "seen").unlink(missing_ok=True)
    ledger.append(ledger.read("churn"), [registered(1)])
    return set((remote / "seen").read_text().split())


NOW = {"core.fsync=all", "core.fsyncmethod=fsync"}


def test_a_folder_is_told_to_flush_all(remote: Path, work: Path) -> None:
    assert seen(remote, work) == NOW


def test_an_address_of_a_file_is_a_folder(remote: Path, work: Path) -> None:
    run_git(work, "config", "remote.origin.url", f"file://{remote}")
    assert seen(remote, work) == NOW


def test_an_address_that_git_rewrites_to_a_folder(remote: Path, work: Path) -> None:
    run_git(work, "config", f"url.{remote.parent}/.insteadOf", "ours:")
    run_git(work, "config", "remote.origin.url", f"ours:{remote.name}")
    assert seen(remote, work) == NOW


def test_settings_of_the_user_that_lead_to_a_folder(
    remote: Path, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those for pushing too, and however the address looks before."""
    config = tmp_path / "config"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    for alias, address in (("ours:", f"ours:{remote.name}"), ("corp/", f"corp/{remote.name}")):
        config.write_text(f'[url "{remote.parent}/"]\ninsteadOf = {alias}\n[user]\nname = a\n')
        run_git(work, "config", "remote.origin.url", address)
        run_git(remote, "update-ref", "-d", "refs/heads/assent/churn")
        shutil.rmtree(work / ".git/assent", ignore_errors=True)
        assert seen(remote, work) == NOW
    (tmp_path / "mirror.git").symlink_to(remote)
    mirror = tmp_path / "mirror.git"
    config.write_text(f'[url "{remote}"]\npushInsteadOf = {mirror}\n[user]\nname = a\n')
    run_git(work, "config", "remote.origin.url", str(mirror))
    run_git(remote, "update-ref", "-d", "refs/heads/assent/churn")
    shutil.rmtree(work / ".git/assent")
    assert seen(remote, work) == NOW


@pytest.mark.parametrize("kind", ["worktree", "its folder", "separate", "submodule"])
def test_a_folder_that_a_file_leads_to(remote: Path, work: Path, tmp_path: Path, kind: str) -> None:
    run_git(work, "commit", "--allow-empty", "-qm", "x")
    run_git(work, "push", "-q", "origin", "HEAD:main")
    place = tmp_path / "linked"
    if kind == "separate":
        run_git(tmp_path, "init", "-q", "--separate-git-dir", str(tmp_path / "real"), str(place))
        assert flushing.folder_of(str(place)) == tmp_path / "real"
        return
    if kind == "submodule":
        (place / "deep").mkdir(parents=True)
        (place / "deep/.git").write_text(f"gitdir: ../../{remote.name}\n")
        found = flushing.folder_of(str(place / "deep"))
        assert found is not None
        assert found.samefile(remote)
        return
    run_git(remote, "worktree", "add", "-q", "--detach", str(place), "main")
    address = place if kind == "worktree" else remote / "worktrees/linked"
    assert flushing.folder_of(str(address)) == remote
    if kind == "worktree":
        run_git(work, "config", "remote.origin.url", str(place))
        assert seen(remote, work) == NOW


def test_the_repository_itself_where_it_has_no_remote(tmp_path: Path) -> None:
    alone = new_repository(tmp_path / "alone")
    hook = alone / ".git/hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ngit config --list | grep -i fsync >seen || :\n")
    hook.chmod(0o755)
    ledger = GitLedger(Repository(alone), None)
    ledger.append(ledger.read("churn"), [registered(1)])
    assert set((alone / ".git/seen").read_text().split()) == NOW


def test_git_before_2_36_knows_another_setting(
    remote: Path, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.which("git")
    older = tmp_path / "bin/git"
    older.parent.mkdir()
    older.write_text(
        f'#!/bin/sh\n[ "$1" = version ] && echo git version 2.35.8 && exit\nexec {real} "$@"\n'
    )
    older.chmod(0o755)
    monkeypatch.setenv("PATH", f"{older.parent}:{os.environ['PATH']}")
    assert seen(remote, work) == {"core.fsyncobjectfiles=true"}


def test_a_program_that_the_user_has_chosen_stays(remote: Path, work: Path, tmp_path: Path) -> None:
    own = tmp_path / "receive"
    own.write_text('#!/bin/sh\nexec git -c core.fsync=none receive-pack "$@"\n')
    own.chmod(0o755)
    run_git(work, "config", "remote.origin.receivepack", str(own))
    assert seen(remote, work) == {"core.fsync=none"}


def test_a_server_is_told_nothing(
    remote: Path, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text(
        f'#!/bin/sh\nfor last; do :; done\necho "$last" >>{tmp_path}/asked\neval "$last"\n'
    )
    ssh.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    run_git(work, "config", "remote.origin.url", f"ssh://server{remote}")
    assert seen(remote, work) == set()
    assert f"git-receive-pack '{remote}'" in (tmp_path / "asked").read_text()


@pytest.mark.parametrize(
    "address", ["https://example.com/r.git", "server:r.git", "ssh://server/r", "", "relative"]
)
def test_what_is_no_folder_of_git(address: str) -> None:
    assert flushing.folder_of(address) is None


def test_a_folder_that_git_finds_by_a_shorter_name(remote: Path) -> None:
    assert flushing.folder_of(str(remote.with_suffix(""))) == remote
