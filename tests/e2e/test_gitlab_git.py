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


OWN, USUAL = "ASSENT_LEDGER_TOKEN", "ASSENT_GITLAB_TOKEN"
TOKENS = [
    ("read_repository", "maintainer", False, "does not have the scope"),
    ("write_repository", "developer", False, "not allowed to push code to protected branches"),
    ("write_repository", "reporter", False, "not allowed to push code to this project"),
    ("write_repository", "maintainer", True, "Access denied"),
]
"""Tokens that may not push to the ledger: scope, role, whether it is revoked, what is said."""


def test_what_may_not_push_is_named_with_what_it_needs(
    world: World, approved: MergeRequest
) -> None:
    """One merge; its first job fails, is given something else to push with, and is run again."""
    secrets = world.site.protected
    del secrets[OWN]
    merged = world.merge(approved)
    said = failed(world, merged)
    assert f"Git acts with {USUAL}, because {OWN} is not set" in said

    for scope, role, is_revoked, why in TOKENS:
        secrets[OWN] = token = world.gitlab.project_token(scope, role=role)
        if is_revoked:
            world.gitlab.revoke(token)
        merged.retry("assent-approve", world.sam)
        said = failed(world, merged)
        assert why in said
        assert f"hint: Git acts with {OWN}: it must be" in said
        assert "scope `write_repository`" in said
        assert "role Maintainer" in said
        assert token not in said

    # What the runner has left in the address of the clone may read and not push.
    del secrets[OWN]
    usual = secrets.pop(USUAL)
    later = world.site.start("web", world.sam).play()
    said = failed(world, later, codes=(2, 3))
    assert "CI_JOB_TOKEN" in said
    assert usual not in said
    token = later.jobs["assent-approve"].token.value
    assert token not in said
    fetched = [one for one in world.server.requests if one.path.endswith("git-upload-pack")]
    assert f"gitlab-ci-token:{token}" in {credentials(one) for one in fetched}

    secrets[USUAL] = usual
    world.gitlab.project.protect("assent/*", push="developer")
    merged.retry("assent-approve", world.sam)
    code, said = registering(merged)
    assert code == 0, said
    assert "approve sha256:" in world.git("log", "--format=%s", "refs/heads/assent/churn")


def failed(world: World, merged: Running, codes: tuple[int, ...] = (3,)) -> str:
    """What the job said that could not write; nothing was written."""
    code, said = registering(merged)
    assert code in codes, said
    assert "refs/heads/assent/churn" not in world.git("for-each-ref", "--format=%(refname)")
    return said
