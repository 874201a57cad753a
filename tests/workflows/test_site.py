"""Runners and API are one: what a job may do is what its workflow asks for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tests.workflows.site import Site

UNTRUSTED = """\
    name: assent
    on: pull_request
    permissions: {contents: read, statuses: write}
    jobs:
      one:
        runs-on: ubuntu-latest
        steps:
          - uses: actions/checkout@v7
          - {id: merge, run: cat params.yaml}
          - {uses: actions/upload-artifact@v7, with: {name: made, path: params.yaml}}
          - uses: actions/setup-python@v7
          - run: pip install PyGithub
          - {id: write, run: python api.py "$SHA", env: {TOKEN: "${{ github.token }}", SHA: "${{
              github.event.pull_request.head.sha }}"}}
    """
TRUSTED = """\
    name: trusted
    on: {workflow_run: {workflows: [assent]}}
    permissions: {}
    jobs:
      one:
        runs-on: ubuntu-latest
        environment: production
        permissions: {statuses: write, contents: read}
        steps:
          - uses: actions/checkout@v7
          - uses: actions/setup-python@v7
          - run: pip install PyGithub
          - {id: write, run: python api.py "$SHA", env: {TOKEN: "${{ github.token }}", SHA: "${{
              github.event.workflow_run.head_sha }}"}}
    """
API = """\
    import os, sys
    from github import Auth, Github

    client = Github(base_url=os.environ["GITHUB_API_URL"], auth=Auth.Token(os.environ["TOKEN"]))
    repository = client.get_repo(os.environ["GITHUB_REPOSITORY"])
    repository.get_commit(sys.argv[1]).create_status("success", context="harness")
    """


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path / "site") as site:
        files = {
            ".github/workflows/assent.yml": UNTRUSTED,
            ".github/workflows/trusted.yml": TRUSTED,
            "api.py": API,
            "params.yaml": "a: 1\n",
        }
        author = site.github.user("alice", role="write")
        texts = {name: dedent(text) for name, text in files.items()}
        site.github.repository.push(author, message="start", files=texts)
        yield site


@pytest.mark.parametrize("is_approved", [True, False])
def test_a_fork_only_reads_and_the_trusted_run_writes(site: Site, is_approved: bool) -> None:
    github = site.github
    mallory, bob = github.user("mallory"), github.user("bob", role="write")
    fork = github.fork(mallory)
    pull = github.open_pull(by=mallory, fork=fork, files={"params.yaml": "a: 2\n"})
    first = github.start_run(event="pull_request", actor=mallory, pull=pull)
    job = site.play(first, site.events.pull_request(pull)).job("one")
    assert job.step("merge").log == "a: 2\n"
    assert "Resource not accessible by integration" in job.step("write").log
    assert first.conclusion == "failure"
    assert [one.name for one in first.artifacts] == ["made"]

    second = github.start_run(
        event="workflow_run",
        actor=mallory,
        path=".github/workflows/trusted.yml",
        name="trusted",
        environment="production",
    )
    if is_approved:
        second.approve("production", bob)
    job = site.play(second, site.events.workflow_run(first)).job("one")
    assert second.conclusion == ("success" if is_approved else "failure")
    posted = [one for one in site.server.writes if one.status == 201]
    assert [one.path for one in posted] == (
        [f"/repos/acme/churn/statuses/{pull.head_sha}"] if is_approved else []
    )
