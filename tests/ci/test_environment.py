"""The environment of the CI run as one value."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.ci.environment import read_context, read_run
from assent.core.context import Channel, Context
from assent.core.evidence import Run
from assent.errors import PolicyError, UsageError
from assent.forges.github import context as github
from assent.forges.gitlab import context as gitlab
from assent.forges.variables import MAX_PAYLOAD_BYTES, number_at, text_at

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_RUN_ID": "42",
    "GITHUB_RUN_ATTEMPT": "3",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/churn",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PIPELINE_ID": "41",
    "CI_JOB_ID": "77",
    "CI_JOB_NAME": "promote",
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
        untrusted="",
        way=github.WAY,
        without_tokens=github.WITHOUT_TOKENS,
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


# GitLab

JOB = {
    **GITLAB,
    "CI_PIPELINE_SOURCE": "push",
    "CI_COMMIT_BRANCH": "main",
    "CI_COMMIT_SHA": SHA,
    "CI_PROJECT_ID": "12",
    "CI_PROJECT_PATH": "acme/ml/churn",
    "CI_SERVER_URL": "https://git.acme.example/gitlab",
    "CI_API_V4_URL": "https://git.acme.example/gitlab/api/v4",
    "CI_ENVIRONMENT_NAME": "churn/production",
}
OF_REQUEST = {
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_COMMIT_BRANCH": "",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_REF_PATH": "refs/merge-requests/7/head",
}


def job(hook: bytes = b"{}", /, **changed: str) -> Context:
    def read(path: str, limit: int) -> bytes:
        assert path == "/hook"
        return hook[:limit]

    return read_context({**JOB, **changed}, read)


def test_everything_that_gitlab_says_is_one_value() -> None:
    assert job() == Context(
        system="gitlab",
        event="push",
        ref="refs/heads/main",
        sha=SHA,
        repository="acme/ml/churn",
        server_url="https://git.acme.example/gitlab",
        api_url="https://git.acme.example/gitlab/api/v4",
        run=Run(system="gitlab", id="41/promote", address=GITLAB["CI_JOB_URL"]),
        project=12,
        environment="churn/production",
        untrusted="",
        way=gitlab.WAY,
        without_tokens=gitlab.WITHOUT_TOKENS,
        new_checkout=gitlab.NEW_CHECKOUT,
        git_settings=(gitlab.RUNNERS_SETTINGS,),
    )


@pytest.mark.threat(22)
def test_a_job_that_is_retried_is_the_same_run() -> None:
    first, again = job(CI_JOB_ID="77").run, job(CI_JOB_ID="78").run
    assert first is not None
    assert again is not None
    assert first.id == again.id
    other = job(CI_PIPELINE_ID="42").run
    assert other is not None
    assert other.id != first.id


@pytest.mark.parametrize("source", ["push", "web", "schedule", "trigger", "api", "pipeline"])
def test_gitlab_is_trusted_on_the_default_branch(source: str) -> None:
    found = job(CI_PIPELINE_SOURCE=source)
    assert found.is_trusted("main")
    assert not found.is_trusted("trunk")
    assert not found.is_trusted(None)


@pytest.mark.threat(16)
@pytest.mark.parametrize(
    "source",
    [
        *("merge_request_event", "external_pull_request_event", "parent_pipeline", "external"),
        *("chat", "webide", "ondemand_dast_scan", "security_orchestration_policy", ""),
    ],
)
def test_any_other_source_is_not_trusted(source: str) -> None:
    found = job(CI_PIPELINE_SOURCE=source)
    assert not found.is_trusted("main")
    with pytest.raises(PolicyError, match="code of the default branch only") as caught:
        found.require_trusted("main", "registering churn")
    assert "protected default branch" in str(caught.value.hint)


@pytest.mark.threat(16)
@pytest.mark.threat(19)
@pytest.mark.parametrize(
    "changed",
    [
        {"CI_COMMIT_BRANCH": "hostile"},
        {"CI_COMMIT_BRANCH": "main2"},
        {"CI_COMMIT_BRANCH": ""},
        {"CI_COMMIT_BRANCH": "", "CI_COMMIT_TAG": "main"},
        OF_REQUEST,
        {**OF_REQUEST, "CI_PIPELINE_SOURCE": "push"},
    ],
)
def test_any_other_ref_of_gitlab_is_not_trusted(changed: dict[str, str]) -> None:
    assert not job(**changed).is_trusted("main")


def test_the_merge_request_is_a_hint() -> None:
    found = job(**OF_REQUEST)
    assert (found.request, found.ref) == (7, "refs/merge-requests/7/head")
    assert job().request is None
    assert job(ASSENT_MERGE_REQUEST="8").request == 8
    assert job(**OF_REQUEST, ASSENT_MERGE_REQUEST="8").request == 7


@pytest.mark.parametrize(
    ("hook", "request_", "note"),
    [
        (
            b'{"object_kind": "note", "merge_request": {"iid": 7}, "object_attributes": '
            b'{"id": 5, "noteable_type": "MergeRequest", "action": "create"}}',
            7,
            5,
        ),
        (
            b'{"object_kind": "note", "merge_request": {"iid": 7}, "object_attributes": '
            b'{"id": 5, "noteable_type": "MergeRequest", "action": "update"}}',
            7,
            None,
        ),
        (
            b'{"object_kind": "note", "issue": {"iid": 7}, "object_attributes": '
            b'{"id": 5, "noteable_type": "Issue"}}',
            None,
            None,
        ),
        (b'{"object_kind": "merge_request", "object_attributes": {"iid": 7, "id": 5}}', 7, None),
        (b'{"object_kind": "push", "object_attributes": {"iid": 7, "id": 5}}', None, None),
        (b'{"object_kind": "merge_request", "object_attributes": {"iid": "7"}}', None, None),
        (b'{"object_kind": "merge_request", "object_attributes": {"iid": -7}}', None, None),
        (b"{}", None, None),
    ],
)
def test_a_webhook_says_what_to_ask_about(
    hook: bytes, request_: int | None, note: int | None
) -> None:
    found = job(hook, CI_PIPELINE_SOURCE="trigger", TRIGGER_PAYLOAD="/hook")
    assert (found.request, found.message) == (request_, note)
    other = job(hook, CI_PIPELINE_SOURCE="push", TRIGGER_PAYLOAD="/hook")
    assert (other.request, other.message) == (None, None)


def test_a_broken_webhook_is_named() -> None:
    with pytest.raises(UsageError, match="reading TRIGGER_PAYLOAD of the CI run: the event is no"):
        job(b"[", CI_PIPELINE_SOURCE="trigger", TRIGGER_PAYLOAD="/hook")


@pytest.mark.threat(20)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CI_PROJECT_PATH", "acme"),
        ("CI_PROJECT_PATH", "acme/../x"),
        ("CI_PROJECT_PATH", "acme/."),
        ("CI_PROJECT_PATH", "acme//x"),
        ("CI_PROJECT_PATH", "acme/ch\nurn"),
        ("CI_PROJECT_PATH", "acme/x?y"),
        ("CI_PROJECT_ID", "12/x"),
        ("CI_COMMIT_SHA", "main"),
        ("CI_COMMIT_BRANCH", "a b"),
        ("CI_COMMIT_BRANCH", "main\n"),
        ("CI_COMMIT_BRANCH", "-x"),
        ("CI_COMMIT_TAG", "v1~1"),
        ("CI_PIPELINE_ID", "41/../42"),
        ("CI_PIPELINE_ID", "٤١"),
        ("CI_JOB_NAME", "promote\n"),
        ("CI_JOB_NAME", ""),
        ("CI_PIPELINE_SOURCE", "push\n"),
        ("CI_MERGE_REQUEST_IID", "0"),
        ("CI_MERGE_REQUEST_IID", "7/../8"),
        ("ASSENT_MERGE_REQUEST", "!7"),
        ("CI_MERGE_REQUEST_REF_PATH", "main"),
        ("CI_ENVIRONMENT_NAME", "a\nb"),
        ("CI_SERVER_URL", "ftp://git.acme.example"),
        ("CI_SERVER_URL", "https://user@git.acme.example"),
    ],
)
def test_what_cannot_be_true_of_a_job_is_refused(name: str, text: str) -> None:
    changed = {"CI_COMMIT_BRANCH": "", name: text} if name != "CI_COMMIT_BRANCH" else {name: text}
    with pytest.raises(UsageError, match=name):
        job(**changed)


@pytest.mark.threat(23)
@pytest.mark.parametrize(
    "address",
    [
        "http://git.acme.example/gitlab/api/v4",
        "https://evil.example/gitlab/api/v4",
        "https://git.acme.example.evil.example/api/v4",
        "https://api.git.acme.example/api/v4",
        "https://git.acme.example:8443/gitlab/api/v4",
        "https://token@git.acme.example/gitlab/api/v4",
        "https://git.acme.example/api/v4?to=evil",
    ],
)
def test_an_api_of_gitlab_elsewhere_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="CI_API_V4_URL"):
        job(CI_API_V4_URL=address)


@pytest.mark.parametrize(
    ("server", "api"),
    [
        ("", "https://gitlab.com/api/v4"),
        ("https://git.acme.example:8443/x/", "https://git.acme.example:8443/x/api/v4"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1/api/v4"),
    ],
)
def test_the_api_of_gitlab_is_that_of_the_server(server: str, api: str) -> None:
    assert job(CI_SERVER_URL=server, CI_API_V4_URL="").api_url == api


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
    assert number_at(found.payload, "workflow_run", "id") == 5
    assert text_at(found.payload, "workflow_run", "path") == "x.yml"
