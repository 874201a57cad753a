"""What reaches the Git processes that Assent starts, and what of their errors reaches people."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from assent.errors import OutsideError
from assent.git import GitError, Repository, environment, git, said
from assent.git.process import LOCAL_VARIABLES
from tests.builders import new_clone, new_repository, run_git


def test_every_variable_that_git_calls_local_is_kept_from_it_or_kept_for_a_reason() -> None:
    shown = subprocess.run(
        ["git", "rev-parse", "--local-env-vars"], check=True, capture_output=True, text=True
    )
    kept = {"GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"}
    assert set(shown.stdout.split()) - LOCAL_VARIABLES == kept


@pytest.mark.parametrize("name", sorted(LOCAL_VARIABLES))
def test_no_variable_of_another_repository_changes_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    repository = new_repository(tmp_path / "work")
    (repository / "a[1].txt").write_text("1")
    run_git(repository, "add", "-A")
    run_git(repository, "commit", "-qm", "one")
    expected = _facts(repository)
    other = new_repository(tmp_path / "other")
    monkeypatch.setenv(name, str(other / ".git"))
    assert _facts(repository) == expected


def _facts(folder: Path) -> tuple[object, ...]:
    repository = Repository(folder)
    head = repository.resolve("HEAD")
    assert head is not None
    before = repository.is_dirty()
    (folder / "a[1].txt").write_text("2")
    try:
        dirty = repository.changed_files(["a[1].txt"])
    finally:
        (folder / "a[1].txt").write_text("1")
    return (
        repository.top,
        repository.common,
        head,
        repository.tree(head),
        repository.parents(head),
        repository.show("HEAD", "a[1].txt"),
        repository.config("user.name"),
        before,
        dirty,
    )


def test_settings_that_ci_gives_by_the_environment_still_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = new_repository(tmp_path / "work")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "http.https://git.example/.extraheader")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "AUTHORIZATION: basic secret")
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'credential.helper'='store'")
    found = Repository(repository)
    assert found.config("http.https://git.example/.extraheader") == "AUTHORIZATION: basic secret"
    assert found.config("credential.helper") == "store"


def test_settings_of_ours_follow_those_of_the_user() -> None:
    env = environment({"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b"}, [("c.d", "e")])
    last = int(env["GIT_CONFIG_COUNT"]) - 1
    assert (env["GIT_CONFIG_KEY_0"], env[f"GIT_CONFIG_KEY_{last}"]) == ("a.b", "c.d")
    assert env[f"GIT_CONFIG_VALUE_{last}"] == "e"


def test_replaced_objects_and_grafts_are_not_believed(tmp_path: Path) -> None:
    work = new_repository(tmp_path / "work")
    first = run_git(work, "rev-parse", "HEAD")
    (work / "train.py").write_text("honest")
    run_git(work, "add", "-A")
    run_git(work, "commit", "-qm", "honest")
    honest = run_git(work, "rev-parse", "HEAD")
    (work / "train.py").write_text("forged")
    run_git(work, "commit", "-qam", "forged")
    forged = run_git(work, "rev-parse", "HEAD")
    run_git(work, "reset", "-q", "--hard", honest)
    run_git(work, "replace", honest, forged)
    (work / ".git/info").mkdir(exist_ok=True)
    (work / ".git/info/grafts").write_text(f"{honest}\n")
    assert run_git(work, "show", "HEAD:train.py") == "forged"
    repository = Repository(work)
    assert repository.show("HEAD", "train.py") == b"honest"
    assert repository.parents(honest) == [first]
    assert repository.contains(honest, first)
    assert not repository.is_dirty()


@pytest.mark.threat(36)
def test_what_a_server_says_is_shown_without_secrets_and_without_commands_to_a_terminal() -> None:
    lines = said("remote: \x1b[2J\x1b]0;x\x07no\nfatal: error: https://bob:pw@host/x\n\nremote: \n")
    assert lines == ["[2J ]0;x no", "https://[redacted]@host/x"]
    assert len(said("x" * 10_000)[0]) <= 500


def test_settings_of_a_user_do_not_change_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = new_repository(tmp_path / "work")
    config = tmp_path / "config"
    config.write_text(
        "[log]\nshowSignature = true\n[i18n]\nlogOutputEncoding = latin1\n"
        "[color]\nui = always\n[core]\nfsmonitor = /bin/false\nquotePath = true\n"
        "[status]\nshort = true\nbranch = true\n[diff]\nnoprefix = true\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    (work / "é\n.txt").write_text("1")
    run_git(work, "add", "-A")
    run_git(work, "commit", "-qm", "één")
    repository = Repository(work)
    assert not repository.is_dirty()
    assert repository.run("log", "-1", "--format=%s", doing="reading") == "één"
    (work / "é\n.txt").write_text("2")
    assert repository.changed_files() == ("é\n.txt",)


def test_a_folder_that_cannot_be_entered_is_said(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(OutsideError, match="git cannot be run in"):
        git(["status"], folder=file, doing="reading")


def test_an_error_of_git_knows_its_exit_code(tmp_path: Path) -> None:
    work = new_repository(tmp_path / "work")
    with pytest.raises(GitError) as caught:
        Repository(work).run("rev-parse", "--quiet", "--verify", "nothing", doing="looking")
    assert caught.value.code == 1


def test_a_clone_may_be_made_where_the_names_are_odd(tmp_path: Path) -> None:
    remote = new_repository(tmp_path / "remote.git", bare=True)
    work = new_clone(remote, tmp_path / "a\nb ü")
    repository = Repository(work)
    assert (repository.top, repository.common) == (work, work / ".git")
