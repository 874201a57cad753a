"""Git in the jobs of GitLab: over HTTP, with real credentials, and what happens without them."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.gitlab import World
from tests.gitlab.merge_requests import MergeRequest
from tests.standin.listening import Request
from tests.templates.site import Running

WRAPPER = """\
#!/bin/sh
printf '%s\\n' "$*" >>'{log}'
exec '{git}' "$@"
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        # As docs/gitlab.md has it set up.
        world.gitlab.project.protect("assent/*")
        yield world


@pytest.fixture
def approved(world: World) -> MergeRequest:
    """A merge request that only has to be merged."""
    change = world.propose(0.9)
    world.review(change)
    world.approve(change, world.grace)
    return change


def pushes(world: World) -> list[Request]:
    return [
        one
        for one in world.server.requests
        if one.method == "POST" and one.path.endswith("git-receive-pack")
    ]


def credentials(request: Request) -> str:
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    assert kind.lower() == "basic"
    return base64.b64decode(secret).decode()


def registering(running: Running) -> tuple[int, str]:
    """How the first job ended that writes to the ledger."""
    ended = running.ended["assent-approve"]
    return ended.code, ended.log


@pytest.mark.threat(38)
def test_the_ledger_is_pushed_with_its_own_token_that_is_written_nowhere(
    world: World,
    approved: MergeRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    git = shutil.which("git")
    wrapper, log = tmp_path / "bin/git", tmp_path / "arguments"
    wrapper.parent.mkdir()
    wrapper.write_text(WRAPPER.format(log=log, git=git))
    wrapper.chmod(0o755)
    world.site.programs.insert(0, wrapper.parent)
    merged = world.merge(approved)
    assert [one.code for one in merged.ended.values()] == [0, 0]
    token = world.site.protected["ASSENT_LEDGER_TOKEN"]
    assert {credentials(one) for one in pushes(world)} == {f"oauth2:{token}"}
    assert {one.status for one in pushes(world)} == {200}
    fetched = [one for one in world.server.requests if one.path.endswith("git-upload-pack")]
    assert {credentials(one) for one in fetched} >= {f"oauth2:{token}"}

    secrets = [*world.site.protected.values(), *(one.token.value for one in merged.jobs.values())]
    logs = "\n".join(one.log for one in merged.ended.values())
    arguments = log.read_text()
    assert "push" in arguments
    entries = world.git("log", "-p", "refs/heads/assent/churn")
    assert "register v1" in entries
    for secret in secrets:
        encoded = base64.b64encode(f"oauth2:{secret}".encode()).decode()
        for text in (logs, arguments, entries):
            assert secret not in text
            assert encoded not in text
    kept = b"".join(
        path.read_bytes()
        for folder in (merged.runner.folder, world.store)
        for path in folder.rglob("*")
        if path.is_file() and os.access(path, os.R_OK)
    )
    for secret in world.site.protected.values():
        assert secret.encode() not in kept


@pytest.mark.parametrize(
    ("scope", "role", "is_revoked", "said"),
    [
        ("read_repository", "maintainer", False, "does not have the scope"),
        ("write_repository", "developer", False, "not allowed to push code to protected branches"),
        ("write_repository", "reporter", False, "not allowed to push code to this project"),
        ("write_repository", "maintainer", True, "Access denied"),
    ],
)
def test_a_token_that_may_not_push_is_named_with_what_it_needs(
    world: World, approved: MergeRequest, scope: str, role: str, is_revoked: bool, said: str
) -> None:
    token = world.gitlab.project_token(scope, role=role)
    world.site.protected["ASSENT_LEDGER_TOKEN"] = token
    if is_revoked:
        world.gitlab.revoke(token)
    code, log = registering(world.merge(approved))
    assert code == 3
    assert said in log
    assert "hint: Git acts with ASSENT_LEDGER_TOKEN: it must be" in log
    assert "scope `write_repository`" in log
    assert "role Maintainer" in log
    assert token not in log
    assert "refs/heads/assent/churn" not in world.git("for-each-ref", "--format=%(refname)")


def test_without_a_token_of_its_own_it_is_said_which_one_was_used(
    world: World, approved: MergeRequest
) -> None:
    del world.site.protected["ASSENT_LEDGER_TOKEN"]
    code, log = registering(world.merge(approved))
    assert code == 3
    assert "Git acts with ASSENT_GITLAB_TOKEN, because ASSENT_LEDGER_TOKEN is not set" in log
    world.gitlab.project.protect("assent/*", push="developer")
    code, log = registering(world.site.start("web", world.sam).play())
    assert code == 0, log
    assert "approve sha256:" in world.git("log", "--format=%s", "refs/heads/assent/churn")


def test_the_token_of_the_job_may_read_and_not_push(world: World, approved: MergeRequest) -> None:
    """What the runner has left in the address of the clone."""
    del world.site.protected["ASSENT_LEDGER_TOKEN"]
    token = world.site.protected.pop("ASSENT_GITLAB_TOKEN")
    merged = world.merge(approved)
    code, log = registering(merged)
    assert code in (2, 3)
    assert "CI_JOB_TOKEN" in log
    assert token not in log
    assert all(one.token.value not in log for one in merged.jobs.values())
    fetched = [one for one in world.server.requests if one.path.endswith("git-upload-pack")]
    job = merged.jobs["assent-approve"].token.value
    assert f"gitlab-ci-token:{job}" in {credentials(one) for one in fetched}
