"""The environment of the CI run as one value."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.ci.environment import (
    MAX_PAYLOAD_BYTES,
    Channel,
    Context,
    read_context,
    read_run,
)
from assent.core.evidence import Run
from assent.errors import PolicyError, UsageError

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_RUN_ID": "42",
    "GITHUB_RUN_ATTEMPT": "3",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/churn",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_JOB_ID": "77",
    "CI_JOB_URL": "https://gitlab.com/acme/churn/-/jobs/77",
}
OTHER = {"ASSENT_RUN_ID": "build-9", "ASSENT_RUN_ADDRESS": "https://ci.acme/9"}


def test_github_actions_is_known() -> None:
    address = "https://github.com/acme/churn/actions/runs/42"
    assert read_run(GITHUB) == Run(system="github", id="42", attempt=3, address=address)


def test_gitlab_is_known() -> None:
    run = read_run(GITLAB)
    assert run is not None
    assert (run.system, run.address) == ("gitlab", GITLAB["CI_JOB_URL"])


def test_any_other_system_can_say_who_it_is() -> None:
    assert read_run(OTHER) == Run(system="ci", id="build-9", address="https://ci.acme/9")
    attempt = read_run({**OTHER, "ASSENT_RUN_ATTEMPT": "2"})
    assert attempt is not None
    assert attempt.attempt == 2


def test_what_is_said_to_assent_wins_over_what_is_found() -> None:
    run = read_run({**GITHUB, **GITLAB, **OTHER})
    assert run is not None
    assert run.id == "build-9"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"CI": "true"},
        {"GITHUB_ACTIONS": "true"},
        {"GITHUB_RUN_ID": "42"},
        {**GITHUB, "GITHUB_ACTIONS": "false"},
        {"CI_JOB_ID": "77"},
        {"ASSENT_RUN_ID": ""},
    ],
)
def test_outside_ci_there_is_no_run(environ: dict[str, str]) -> None:
    assert read_run(environ) is None


@pytest.mark.threat(22)
@pytest.mark.parametrize(("text", "attempt"), [("7", 7), ("", 1), ("x", 1), ("-2", 1), ("1.5", 1)])
def test_an_attempt_that_is_no_number_is_the_first(text: str, attempt: int) -> None:
    run = read_run({**GITHUB, "GITHUB_RUN_ATTEMPT": text})
    assert run is not None
    assert (run.id, run.attempt) == ("42", attempt)


# The context

SHA = "a" * 40
PUSH = {
    **GITHUB,
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_SHA": SHA,
    "GITHUB_API_URL": "https://api.github.com",
    "GITHUB_EVENT_PATH": "/event.json",
    "GITHUB_OUTPUT": "/output",
    "GITHUB_STEP_SUMMARY": "/summary",
}


def context(event: bytes = b"{}", **changed: str) -> Context:
    def read(path: str, limit: int) -> bytes:
        assert path == "/event.json"
        return event[:limit]

    return read_context({**PUSH, **changed}, read)


def test_everything_that_github_says_is_one_value() -> None:
    found = context(b'{"ref": "refs/heads/main"}')
    assert found == Context(
        system="github",
        event="push",
        payload={"ref": "refs/heads/main"},
        ref="refs/heads/main",
        sha=SHA,
        repository="acme/churn",
        server_url="https://github.com",
        api_url="https://api.github.com",
        run=read_run(GITHUB),
        channel=Channel(output="/output", summary="/summary"),
    )


def test_outside_ci_there_is_nothing_to_say_and_nothing_to_distrust() -> None:
    found = read_context({})
    assert found == Context()
    assert found.is_trusted("main")
    assert found.is_trusted(None)


@pytest.mark.threat(16)
@pytest.mark.parametrize(
    "event",
    [
        *("pull_request", "pull_request_review", "pull_request_target", "issue_comment"),
        *("merge_group", "repository_dispatch", "release", ""),
    ],
)
def test_an_event_that_can_run_the_code_of_a_change_is_not_trusted(event: str) -> None:
    found = context(GITHUB_EVENT_NAME=event)
    assert not found.is_trusted("main")
    assert repr(event or "unknown") in (found.distrust("main") or "")
    with pytest.raises(PolicyError, match="code of the default branch only"):
        found.require_trusted("main", "registering churn")


@pytest.mark.parametrize("event", ["push", "workflow_run", "workflow_dispatch", "schedule"])
def test_code_of_the_default_branch_is_trusted(event: str) -> None:
    found = context(GITHUB_EVENT_NAME=event)
    assert found.is_trusted("main")
    found.require_trusted("main", "registering churn")


@pytest.mark.threat(19)
@pytest.mark.parametrize(
    "ref", ["refs/heads/hostile", "refs/tags/main", "refs/heads/main2", "refs/pull/7/merge", ""]
)
def test_any_other_branch_is_not_trusted(ref: str) -> None:
    found = context(GITHUB_EVENT_NAME="workflow_dispatch", GITHUB_REF=ref)
    assert not found.is_trusted("main")
    assert "'main'" in (found.distrust("main") or "")


def test_nothing_is_trusted_while_the_default_branch_is_not_known() -> None:
    assert not context().is_trusted(None)


@pytest.mark.threat(16)
def test_saying_to_be_another_ci_system_earns_no_trust() -> None:
    found = context(GITHUB_EVENT_NAME="pull_request", ASSENT_RUN_ID="9")
    assert found.system == "github"
    assert not found.is_trusted("main")


def test_gitlab_is_trusted_on_the_default_branch_only() -> None:
    main = {**GITLAB, "CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main"}
    assert read_context(main).is_trusted("main")
    assert not read_context({**main, "CI_COMMIT_BRANCH": "x"}).is_trusted("main")
    assert not read_context({**main, "CI_PIPELINE_SOURCE": "merge_request_event"}).is_trusted(
        "main"
    )
    assert not read_context(GITLAB).is_trusted("main")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("GITHUB_REPOSITORY", "acme"),
        ("GITHUB_REPOSITORY", "acme/churn/../x"),
        ("GITHUB_REPOSITORY", "acme/.."),
        ("GITHUB_REPOSITORY", "acme/ch\nurn"),
        ("GITHUB_SHA", "main"),
        ("GITHUB_SHA", "A" * 40),
        ("GITHUB_RUN_ID", "42/../43"),
        ("GITHUB_RUN_ID", "٤٢"),
        ("GITHUB_REF", "main"),
        ("GITHUB_REF", "refs/heads/a\n::b"),
        ("GITHUB_EVENT_NAME", "push\n"),
        ("GITHUB_SERVER_URL", "ftp://github.com"),
        ("GITHUB_SERVER_URL", "github.com"),
        ("GITHUB_SERVER_URL", "https://[github.com"),
    ],
)
def test_what_cannot_be_true_is_refused(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=name):
        read_context({**PUSH, name: text}, lambda path, limit: b"{}"[:limit])


@pytest.mark.threat(23)
@pytest.mark.parametrize(
    "address",
    [
        "http://api.github.com",
        "https://api.github.com.evil.example",
        "https://evil.example",
        "https://token@api.github.com",
        "https://api.github.com/?to=evil",
        "http://localhost:8000",
        "https://evil.api.github.com",
    ],
)
def test_an_api_elsewhere_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="GITHUB_API_URL"):
        context(GITHUB_API_URL=address)


@pytest.mark.parametrize(
    ("server", "api", "found"),
    [
        ("", "", "https://api.github.com"),
        ("https://git.acme.example/", "", "https://git.acme.example/api/v3"),
        ("https://git.acme.example", "https://git.acme.example/api/v3", None),
        ("https://acme.ghe.com", "https://api.acme.ghe.com", None),
        ("http://127.0.0.1:1", "http://localhost:2/api", None),
    ],
)
def test_the_api_of_an_enterprise_server_is_found(server: str, api: str, found: str | None) -> None:
    assert context(GITHUB_SERVER_URL=server, GITHUB_API_URL=api).api_url == (found or api)


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (b"", "no JSON"),
        (b"[1]", "no JSON object"),
        (b'{"a": \xff}', "no JSON"),
        (b"[" * 200_000, "no JSON"),
        (b" " * (MAX_PAYLOAD_BYTES + 1), "larger than"),
    ],
)
def test_a_broken_event_is_named(event: bytes, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        context(event)


def test_an_event_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_context({**PUSH, "GITHUB_EVENT_PATH": str(tmp_path / "none.json")})


def test_an_event_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text('{"workflow_run": {"id": 5, "path": "x.yml"}}')
    found = read_context({**PUSH, "GITHUB_EVENT_PATH": str(path)})
    assert found.number("workflow_run", "id") == 5
    assert found.text("workflow_run", "path") == "x.yml"


@pytest.mark.parametrize(
    ("event", "payload", "number"),
    [
        ("pull_request", b'{"pull_request": {"number": 7}}', 7),
        ("pull_request_review", b'{"pull_request": {"number": 7}}', 7),
        ("issue_comment", b'{"issue": {"number": 7, "pull_request": {}}}', 7),
        ("issue_comment", b'{"issue": {"number": 7}}', None),
        ("pull_request", b'{"pull_request": {"number": "7"}}', None),
        ("pull_request", b'{"pull_request": {"number": true}}', None),
        ("pull_request", b'{"pull_request": {"number": -7}}', None),
        ("pull_request", b'{"pull_request": [7]}', None),
        ("push", b'{"issue": {"number": 7}}', None),
    ],
)
def test_the_event_says_which_pull_request_to_ask_about(
    event: str, payload: bytes, number: int | None
) -> None:
    assert context(payload, GITHUB_EVENT_NAME=event).pull_number == number
