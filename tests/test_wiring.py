"""Which forge a workspace gets, and what Git is given in CI."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assent.errors import UsageError
from assent.forges.gitlab.forge import GitLabForge
from assent.forges.gitlab.opening import gitlab_address
from assent.forges.local import LocalForge
from assent.git import Repository
from assent.wiring import open_workspace
from assent.workspace import Workspace
from tests.builders import new_repository, run_git

JOB = {
    "GITLAB_CI": "true",
    "CI_PIPELINE_ID": "41",
    "CI_JOB_NAME": "promote",
    "CI_JOB_TOKEN": "glcbt-1",
    "CI_PIPELINE_SOURCE": "push",
    "CI_COMMIT_BRANCH": "main",
    "CI_PROJECT_PATH": "acme/churn",
    "CI_SERVER_URL": "https://git.acme.example/gitlab",
    "CI_API_V4_URL": "https://git.acme.example/gitlab/api/v4",
}

CONFIG = """\
models:
  churn:
    model: model/
    metrics: [metrics.json]
    gates: [{metric: accuracy, min: 0.5}]
    approvals: {count: 1, from: [alice]}
"""


def workspace(folder: Path, origin: str | None = None, **environ: str) -> Workspace:
    work = new_repository(folder / "work")
    (work / "assent.yaml").write_text(CONFIG)
    if origin is not None:
        run_git(work, "remote", "add", "origin", origin)
    said: list[str] = []
    now = datetime(2026, 1, 2, tzinfo=UTC)
    return open_workspace(work, environ=environ, now=now, say=said.append)


def settings(repository: Repository) -> list[tuple[str, str]]:
    return [one for one in repository.own_settings() if one[0].endswith("extraheader")]


def test_gitlab_is_the_forge_of_its_own_ci(tmp_path: Path) -> None:
    assert isinstance(workspace(tmp_path, **JOB).forge, GitLabForge)


def test_on_a_laptop_it_is_the_local_one(tmp_path: Path) -> None:
    found = workspace(tmp_path, "git@gitlab.com:acme/churn.git", ASSENT_GITLAB_TOKEN="glpat-1")
    assert isinstance(found.forge, LocalForge)
    assert settings(found.repository) == []


@pytest.mark.parametrize(
    ("origin", "path", "server"),
    [
        ("git@gitlab.com:acme/churn.git", "acme/churn", "https://gitlab.com"),
        ("ssh://git@git.acme.example:2222/a/b/c.git", "a/b/c", "https://git.acme.example"),
        ("https://git.acme.example:8443/a/b/c", "a/b/c", "https://git.acme.example:8443"),
        ("https://u:p@gitlab.com/acme/churn.git/", "acme/churn", "https://gitlab.com"),
    ],
)
def test_a_laptop_can_ask_for_gitlab(tmp_path: Path, origin: str, path: str, server: str) -> None:
    found = workspace(tmp_path, origin, ASSENT_FORGE="gitlab")
    assert isinstance(found.forge, GitLabForge)
    assert gitlab_address({}, found.repository) == (path, f"{server}/api/v4")


def test_a_server_below_a_path_is_told(tmp_path: Path) -> None:
    told = {"CI_PROJECT_PATH": "a/b", "CI_API_V4_URL": "https://git.acme.example/x/api/v4"}
    found = workspace(tmp_path, "/srv/b.git", ASSENT_FORGE="gitlab", **told)
    assert gitlab_address(told, found.repository) == ("a/b", told["CI_API_V4_URL"])


@pytest.mark.parametrize("origin", [None, "/srv/churn.git", "http://gitlab.com/acme/churn"])
def test_an_origin_that_is_none_of_gitlab_is_named(tmp_path: Path, origin: str | None) -> None:
    with pytest.raises(UsageError, match="no address of GitLab") as caught:
        workspace(tmp_path, origin, ASSENT_FORGE="gitlab")
    assert "CI_API_V4_URL" in str(caught.value.hint)


def test_in_ci_nobody_claims_a_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a run of GitLab CI"):
        workspace(tmp_path, **JOB, ASSENT_FORGE="local")


def test_an_unknown_forge_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ASSENT_FORGE is 'gitea'"):
        workspace(tmp_path, ASSENT_FORGE="gitea")


@pytest.mark.threat(38)
def test_git_gets_the_access_token_and_not_in_the_clone(tmp_path: Path) -> None:
    repository = workspace(tmp_path, **JOB, ASSENT_GITLAB_TOKEN="glpat-1").repository
    secret = base64.b64encode(b"oauth2:glpat-1").decode()
    name = "http.https://git.acme.example/gitlab/.extraheader"
    assert settings(repository) == [(name, ""), (name, f"AUTHORIZATION: basic {secret}")]
    written = (repository.common / "config").read_text()
    assert "extraheader" not in written


def test_a_job_s_own_token_is_left_to_git(tmp_path: Path) -> None:
    """The checkout has it already, and it may not push everywhere."""
    assert settings(workspace(tmp_path, **JOB).repository) == []


def test_whom_a_remote_has_refused_is_said(tmp_path: Path) -> None:
    """Never the token itself."""
    tokens = {"ASSENT_GITLAB_TOKEN": "glpat-1", "ASSENT_LEDGER_TOKEN": "glpat-2"}
    account = workspace(tmp_path / "a", **JOB, **tokens).repository.account
    assert account.startswith("Git acts with ASSENT_LEDGER_TOKEN: it must be")
    del tokens["ASSENT_LEDGER_TOKEN"]
    account = workspace(tmp_path / "b", **JOB, **tokens).repository.account
    assert account.startswith("Git acts with ASSENT_GITLAB_TOKEN, because ASSENT_LEDGER_TOKEN")
    account = workspace(tmp_path / "c", **JOB).repository.account
    assert account.startswith("Git acts with the job token (CI_JOB_TOKEN), because")
    assert "glpat" not in account
    assert workspace(tmp_path / "d").repository.account == ""


@pytest.mark.threat(23)
def test_the_token_of_one_forge_is_not_sent_to_another(tmp_path: Path) -> None:
    """In the CI of one forge the address of its API is not that of the other one."""
    with pytest.raises(UsageError, match="no address of GitHub"):
        workspace(tmp_path / "a", **JOB, ASSENT_FORGE="github")
    there = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_RUN_ID": "4",
        "GITHUB_REPOSITORY": "acme/churn",
        "GITHUB_SERVER_URL": "https://git.acme.example",
        "GITHUB_API_URL": "https://git.acme.example/api/v4",
    }
    with pytest.raises(UsageError, match="no address of GitLab"):
        workspace(tmp_path / "b", **there, ASSENT_FORGE="gitlab")


def test_the_ledger_is_at_the_only_remote_whatever_its_name(tmp_path: Path) -> None:
    found = workspace(tmp_path)
    assert found.branch.remote is None
    run_git(found.root, "remote", "add", "upstream", str(tmp_path / "a.git"))
    assert reopened(found).branch.remote == "upstream"
    run_git(found.root, "remote", "add", "fork", str(tmp_path / "b.git"))
    with pytest.raises(UsageError, match="upstream, fork, and none is called origin") as caught:
        reopened(found)
    assert "ledger: git:upstream" in (caught.value.hint or "")
    run_git(found.root, "remote", "add", "origin", str(tmp_path / "c.git"))
    assert reopened(found).branch.remote == "origin"


def reopened(found: Workspace) -> Workspace:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    return open_workspace(found.root, environ={}, now=now, say=print)


@pytest.mark.threat(38)
def test_a_login_in_the_address_of_a_strange_store_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this release stores in") as caught:
        workspace(tmp_path, ASSENT_STORE="https://ada:hunter2@models.example.com/x")
    assert "hunter2" not in str(caught.value)
