"""Git over HTTP: which token may read and push, with the real Git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.gitlab.server import Server
from tests.gitlab.world import GitLab


def git(*words: str, folder: Path | None = None) -> tuple[int, str]:
    """How Git ended, and what it said."""
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def address(server: Server, token: str | None, name: str = "oauth2") -> str:
    who = "" if token is None else f"{name}:{token}@"
    return f"http://{who}{server.host}/acme/churn.git"


def pushed(server: Server, folder: Path, token: str, branch: str, name: str = "oauth2") -> str:
    """What Git says to a push of a new commit; empty if it was taken."""
    work = folder / "work"
    if not work.exists():
        git("clone", "--quiet", str(server.git), str(work))
    git("commit", "--quiet", "--allow-empty", "-m", "x", folder=work)
    to = f"HEAD:refs/heads/{branch}"
    code, said = git("push", "--quiet", address(server, token, name), to, folder=work)
    return said if code else ""


def test_whoever_may_read_can_fetch(server: Server, gitlab: GitLab) -> None:
    reporter = gitlab.project_token("read_repository", role="reporter")
    job = gitlab.run_pipeline("push", gitlab.user("ada", role="developer")).job("train")

    def reads(token: str | None, name: str = "oauth2") -> str:
        code, said = git("ls-remote", address(server, token, name))
        return said if code else ""

    assert reads(reporter) == ""
    assert reads(gitlab.project_token("api", role="developer"), "anything") == ""
    assert reads(job.token.value, "gitlab-ci-token") == ""
    # Git asks for another password, which nobody gives it.
    for token, name in (
        (None, "oauth2"),
        ("glpat-wrong", "oauth2"),
        (job.token.value, "oauth2"),
        (reporter, "gitlab-ci-token"),
    ):
        said = reads(token, name)
        assert "could not read Username" in said or "Authentication failed" in said
    assert "403" in reads(gitlab.project_token("read_api"))
    job.finish()
    assert "Authentication failed" in reads(job.token.value, "gitlab-ci-token")
    gitlab.project.visibility = "public"
    assert reads(None) == ""


@pytest.mark.parametrize(
    ("scope", "role", "branch", "said"),
    [
        ("write_repository", "maintainer", "main", ""),
        ("write_repository", "developer", "topic", ""),
        ("api", "developer", "topic", ""),
        ("write_repository", "developer", "main", "protected branches"),
        ("write_repository", "developer", "assent/churn", "protected branches"),
        ("read_repository", "maintainer", "topic", "403"),
        ("write_repository", "reporter", "topic", "403"),
    ],
)
def test_who_may_push_where(
    server: Server, gitlab: GitLab, tmp_path: Path, scope: str, role: str, branch: str, said: str
) -> None:
    gitlab.project.protect("assent/*")
    found = pushed(server, tmp_path, gitlab.project_token(scope, role=role), branch)
    assert said in found
    assert bool(found) is bool(said)


def test_the_token_of_a_job_cannot_push(server: Server, gitlab: GitLab, tmp_path: Path) -> None:
    job = gitlab.run_pipeline("push", gitlab.user("sam", role="maintainer")).job("train")
    assert "403" in pushed(server, tmp_path, job.token.value, "topic", "gitlab-ci-token")
