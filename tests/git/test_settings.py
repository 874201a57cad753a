"""Settings of a clone that make Git run something, or go elsewhere."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from assent.ci.environment import read_context
from assent.git import Repository, steering


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    return folder


def set_(clone: Path, key: str, value: str) -> None:
    subprocess.run(["git", "-C", str(clone), "config", key, value], check=True)


@pytest.mark.threat(47)
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("core.fsmonitor", "/tmp/spy"),
        ("core.hooksPath", "/tmp/hooks"),
        ("core.sshCommand", "spy"),
        ("include.path", "/tmp/more"),
        ("includeIf.gitdir:/.path", "/tmp/more"),
        ("filter.spy.clean", "spy"),
        ("filter.lfs.process", "git-lfs filter-process; spy"),
        ("diff.external", "spy"),
        ("diff.x.textconv", "spy"),
        ("credential.helper", "!spy"),
        ("credential.https://example.com.helper", "!spy"),
        ("remote.origin.uploadpack", "spy"),
        ("url.https://evil.example.com/.insteadOf", "https://github.com/"),
        ("http.https://github.com/.proxy", "http://evil.example.com"),
        ("http.sslVerify", "false"),
        ("alias.status", "!spy"),
        ("protocol.ext.allow", "always"),
        ("protocol.allow", "always"),
        ("remote.origin.url", "ext::spy"),
        ("remote.origin.pushurl", "https://evil.example.com/churn"),
        ("gc.recentObjectsHook", "spy"),
        ("hook.spy.command", "spy"),
        ("submodule.x.update", "!spy"),
        ("fetch.bundleURI", "https://evil.example.com/churn"),
    ],
)
def test_a_setting_that_steers_git_is_named(clone: Path, key: str, value: str) -> None:
    assert steering(Repository(clone)) == ()
    set_(clone, key, value)
    section, _, name = key.rpartition(".")
    head, dot, middle = section.partition(".")
    shown = f"{head.lower()}{dot}{middle}.{name.lower()}"
    assert steering(Repository(clone)) == (shown,)


def test_what_checkouts_and_git_lfs_write_is_none(clone: Path, tmp_path: Path) -> None:
    settings = {
        "core.fsmonitor": "false",
        "gc.auto": "0",
        "remote.origin.url": "https://github.com/acme/churn",
        "remote.mirror.url": "git@github.com:acme/churn.git",
        "submodule.x.update": "rebase",
        "protocol.version": "2",
        "filter.lfs.clean": "git-lfs clean -- %f",
        "filter.lfs.smudge": "git-lfs smudge --skip -- %f",
        "filter.lfs.process": "git-lfs filter-process",
        "credential.interactive": "never",
        "include.path": f"{clone}.tmp/.gitlab-runner.ext.conf",
        "includeIf.gitdir:/x.path": str(tmp_path / "git-credentials-1.config"),
        "http.https://gitlab.example.com.sslCAInfo": "/etc/ca",
    }
    for key, value in settings.items():
        set_(clone, key, value)
    on_gitlab = read_context({"GITLAB_CI": "true"}).git_settings
    on_github = read_context({"GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(tmp_path)}).git_settings
    assert steering(Repository(clone), [*on_gitlab, *on_github]) == ()
    assert steering(Repository(clone), on_gitlab) == ("includeif.gitdir:/x.path",)
    assert steering(Repository(clone), on_github) == ("include.path",)
    nested = str(tmp_path / "below/git-credentials-1.config")
    set_(clone, "includeIf.gitdir:/x.path", nested)
    assert steering(Repository(clone), [*on_gitlab, *on_github]) == ("includeif.gitdir:/x.path",)


@pytest.mark.threat(47)
def test_no_git_of_ours_runs_a_hook_of_the_clone(clone: Path) -> None:
    ran = clone / "ran"
    hook = clone / ".git/hooks/reference-transaction"
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    repository = Repository(clone)
    blob = repository.git("hash-object", "-w", "--stdin", doing="testing", stdin=b"1")
    repository.run("update-ref", "refs/tests/one", blob.decode().strip(), doing="testing")
    assert not ran.exists()
    plain = ["git", "-C", str(clone), "update-ref", "refs/tests/two", blob.decode().strip()]
    subprocess.run(plain, check=True)
    assert ran.exists(), "a Git of somebody else does"
