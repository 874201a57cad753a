"""A remote that takes connections and never says a word: a real socket, with short limits."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from assent.errors import OutsideError
from assent.git import Patience, Repository, SilentError, git
from assent.git.addresses import ssh_host
from assent.git.remotes import bearing, limit_s
from assent.git.silence import LIMIT_S, Activity, has_moved
from assent.ledgers.git.ledger import GitLedger
from tests.builders import new_clone, new_repository, registered, run_git
from tests.silent import silent_server
from tests.waiting import has_ended, wait_until


@pytest.fixture
def silent() -> Iterator[str]:
    with silent_server() as address:
        yield address


def open_silent(folder: Path, address: str, said: list[str]) -> Repository:
    """A clone whose remote is there. Its user's patience is a second, in Git's own words."""
    run_git(new_repository(folder), "remote", "add", "origin", address)
    run_git(folder, "config", "http.lowSpeedTime", "1")
    return Repository(folder, say=said.append)


@pytest.mark.threat(32)
@pytest.mark.parametrize("scheme", ["http", "https", "git", "ssh"])
def test_a_ledger_at_a_silent_remote_is_said_and_given_up(
    tmp_path: Path, silent: str, scheme: str
) -> None:
    said: list[str] = []
    repository = open_silent(tmp_path / "work", f"{scheme}://{silent}/x.git", said)
    with pytest.raises(OutsideError, match="reading the ledger of churn from origin") as caught:
        GitLedger(repository, "origin").read("churn")
    assert caught.value.hint
    if scheme != "http":  # there Git itself is as impatient
        assert "origin has not answered" in caught.value.problem
        assert said == ["waiting for origin (reading the ledger of churn from origin)"]


def test_so_is_fetching_a_commit(tmp_path: Path, silent: str) -> None:
    said: list[str] = []
    repository = open_silent(tmp_path / "work", f"git://{silent}/x.git", said)
    with pytest.raises(SilentError, match="origin has not answered"):
        repository.bring("origin", "0" * 40)
    assert said


def test_so_is_an_object_that_a_partial_clone_has_left_out(tmp_path: Path, silent: str) -> None:
    """Git asks for it by itself, in the middle of reading."""
    remote = new_repository(tmp_path / "remote")
    (remote / "train.py").write_text("1")
    run_git(remote, "add", "-A")
    run_git(remote, "commit", "-qm", "one")
    run_git(remote, "config", "uploadpack.allowFilter", "true")
    part, address = tmp_path / "part", remote.as_uri()
    run_git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", address, str(part))
    run_git(part, "remote", "set-url", "origin", f"git://{silent}/x.git")
    run_git(part, "config", "http.lowSpeedTime", "1")
    said: list[str] = []
    with pytest.raises(SilentError, match="a remote of this clone has not answered"):
        Repository(part, say=said.append).show("HEAD", "train.py")
    assert said


@pytest.mark.threat(32)
def test_a_push_to_a_server_that_hangs_is_in_doubt(tmp_path: Path) -> None:
    """Its process lives, so that the connection does, and no sign of life comes."""
    remote = new_repository(tmp_path / "remote.git", bare=True)
    script = tmp_path / "hang"
    script.write_text('#!/bin/sh\ncase $2 in *receive*) exec sleep 1000;; esac\nexec sh -c "$2"\n')
    script.chmod(0o755)
    clone = new_clone(remote, tmp_path / "clone")
    run_git(clone, "remote", "set-url", "origin", f"ssh://host{remote}")
    run_git(clone, "config", "core.sshCommand", str(script))
    run_git(clone, "config", "ssh.variant", "simple")
    run_git(clone, "config", "http.lowSpeedTime", "1")
    ledger = GitLedger(Repository(clone), "origin")
    view = ledger.read("churn")
    with pytest.raises(OutsideError, match="in doubt whether it was written") as caught:
        ledger.append(view, [registered(1)])
    assert "run the same verb again" in (caught.value.hint or "")


def test_a_git_that_gets_on_is_not_given_up(tmp_path: Path) -> None:
    """However long it takes: here twice as long as it may be silent, a byte at a time."""
    work = "for one in $(seq 40); do printf x >>there; sleep .1; done"
    git(
        ["-c", f"alias.work=!cd '{tmp_path}' && {work}", "work"],
        folder=tmp_path,
        doing="working",
        patience=Patience(2),
    )
    assert (tmp_path / "there").stat().st_size == 40


@pytest.mark.parametrize(
    ("bytes_moved", "cpu_s", "moved"),
    [
        (100, 1.0, False),
        (101, 1.0, True),  # a byte came
        (90, 1.0, True),  # one of the processes has ended
        (100, 1.2, True),  # it computes
        (100, 1.04, False),  # it looks now and then whether something has come
        (None, 1.0, False),
        (None, 1.01, True),  # on a system that does not count bytes
    ],
)
def test_what_counts_as_getting_on(bytes_moved: int | None, cpu_s: float, moved: bool) -> None:
    last = Activity(100, 1.0, is_web=False)
    assert has_moved(last, Activity(bytes_moved, cpu_s, is_web=False), quiet_s=1) == moved


def test_what_is_seldom_is_no_getting_on_in_a_long_silence() -> None:
    last, later = Activity(0, 0, is_web=True), Activity(0, 0.2, is_web=True)
    assert has_moved(last, later, quiet_s=30)
    assert not has_moved(last, later, quiet_s=60)


def test_bytes_that_trickle_are_silence() -> None:
    """But not what a server says that is at work: five bytes every five seconds."""
    last, later = Activity(0, 0, is_web=False), Activity(5, 0, is_web=False)
    assert has_moved(last, later, quiet_s=5.5)
    assert not has_moved(last, later, quiet_s=30)


def test_who_waits_for_nothing_is_given_up_with_all_it_has_started(tmp_path: Path) -> None:
    """Whoever would be left would keep the pipes open, and us waiting."""
    words = ["-c", f"alias.work=!echo $$ >'{tmp_path}/pid'; sleep 1000 & sleep 1000", "work"]
    with pytest.raises(SilentError, match=r"whoever Git waits for has not answered for 1 "):
        git(words, folder=tmp_path, doing="working", patience=Patience(1))
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: has_ended(pid), "what Git has started has ended")


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [("http.lowSpeedLimit", "1"), ("http.lowSpeedTime", str(LIMIT_S))]
    assert bearing(set(), ["https://git.example/x"]) == both
    assert bearing({"http.lowspeedtime"}, ["https://git.example/x"]) == both[:1]
    assert bearing({"core.sshcommand"}, ["git@git.example:x"]) == both
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -v")
    assert bearing(set(), ["git@git.example:x"]) == both
    monkeypatch.setenv("GIT_HTTP_LOW_SPEED_TIME", "7")
    assert bearing(set(), ["https://git.example/x"]) == both[:1]
    assert limit_s("9") == 7
    monkeypatch.delenv("GIT_HTTP_LOW_SPEED_TIME")
    assert [limit_s(given) for given in ("9", "0", "x", None)] == [9, LIMIT_S, LIMIT_S, LIMIT_S]


@pytest.mark.parametrize(
    ("settings", "given"),
    [
        ("", ["-oConnectTimeout=30", "-oServerAliveInterval=15"]),
        ("Host *\n ConnectTimeout 9\n", ["-oServerAliveInterval=15"]),
        ("Host git.example\n ServerAliveInterval 9\n ConnectTimeout 5\n", []),
    ],
)
def test_ssh_is_told_what_the_user_s_settings_do_not_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, given: list[str]
) -> None:
    """Asked of SSH itself; its settings are read from a file that is named."""
    file, real = tmp_path / "config", _ssh()
    file.write_text(settings)
    program = tmp_path / "ssh"
    program.write_text(f"#!/bin/sh\nexec {real} -F '{file}' \"$@\"\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for name in ("GIT_SSH", "GIT_SSH_COMMAND"):
        monkeypatch.delenv(name, raising=False)
    found = dict(bearing(set(), ["git@git.example:x"])).get("core.sshCommand", "ssh")
    assert found.split() == ["ssh", *given]


def _ssh() -> str:
    found = subprocess.run(["sh", "-c", "command -v ssh"], capture_output=True, text=True)
    if found.returncode != 0:
        pytest.skip("there is no ssh")
    return found.stdout.strip()


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("git@git.example:a/b.git", "git.example"),
        ("ssh://git@git.example:22/a", "git.example"),
        ("ssh://git.example/a", "git.example"),
        ("https://user@git.example/a", None),
        ("file:///a:b", None),
        ("/a/b", None),
        ("./a:b", None),
        ("-oProxyCommand=x:y", None),
    ],
)
def test_the_host_of_an_address(address: str, host: str | None) -> None:
    assert ssh_host(address) == host
