"""Payloads of events as GitHub writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.github import payloads
from tests.github.server import Server

Json = dict[str, Any]


def every(server: Server) -> dict[str, Json]:
    """One payload of each event and action, by both."""
    github, events = server.github, server.events
    alice, bob = github.user("alice", role="write"), github.user("bob")
    before = github.repository.tip("main")
    pull = github.open_pull(alice, fork=github.fork(alice), body="Why")
    review, comment = pull.review(bob, body="Fine"), pull.comment(bob, "/assent help")
    found = {
        "pull_request$opened": events.pull_request(pull),
        "pull_request_review$submitted": events.pull_request_review(review),
        "pull_request_review$edited": events.pull_request_review(review, "edited"),
        "issue_comment$created": events.issue_comment(comment),
        "workflow_dispatch$event": events.workflow_dispatch(alice, {"version": "3"}),
    }
    run = github.start_run(event="pull_request", actor=alice, pull=pull)
    found["workflow_run$requested"] = events.workflow_run(run, "requested")
    run.complete()
    found["workflow_run$completed"] = events.workflow_run(run)
    old = pull.head_sha
    pull.push()
    found["pull_request$synchronize"] = events.pull_request(pull, "synchronize", before=old)
    github.repository.commit(alice, branch="side")
    moved = pull.retarget("side")
    found["pull_request$edited"] = events.pull_request(pull, "edited", base=moved)
    assert payloads.errors("pull_request", events.pull_request(pull, "edited")) == []
    pull.retarget("main")
    review.dismiss()
    found["pull_request_review$dismissed"] = events.pull_request_review(review, "dismissed")
    pull.close()
    pull.reopen()
    found["pull_request$reopened"] = events.pull_request(pull, "reopened")
    ref, _ = pull.enqueue(alice)
    found["merge_group$checks_requested"] = events.merge_group(ref, alice)
    pull.merge(bob, "queue")
    found["pull_request$closed"] = events.pull_request(pull, "closed")
    found["push$event"] = events.push(bob, before=before)
    return found


def test_every_payload_is_as_github_describes_it(server: Server) -> None:
    found = every(server)
    assert set(found) == {name for name in payloads.described() if "$" in name}
    for name, payload in found.items():
        assert payloads.errors(name.partition("$")[0], payload) == [], name


@pytest.mark.parametrize("event", sorted(payloads.examples()))
def test_the_description_fits_what_github_once_sent(event: str) -> None:
    """The examples are older than the schemas: some new keys are missing, and nothing else."""
    errors = payloads.errors(event, payloads.examples()[event])
    assert [one for one in errors if "is a required property" not in one] == []


def test_a_payload_has_the_keys_of_githubs_example(server: Server) -> None:
    """Not one key that we read can be missing from what GitHub sends."""
    for name, payload in every(server).items():
        example = payloads.examples()[name.partition("$")[0]]
        if example.get("action", "event") == name.partition("$")[2]:
            assert set(payload) - set(example) - {"organization"} == set(), name


def test_a_wrong_payload_is_found(server: Server) -> None:
    alice = server.github.user("alice")
    payload = server.events.pull_request(server.github.open_pull(alice))
    payload["pull_request"]["merged"] = "no"
    payload["pull_request"]["approvals"] = []
    said = "\n".join(payloads.errors("pull_request", payload))
    assert "'no' is not of type 'boolean'" in said
    assert "'approvals' was unexpected" in said


def test_events_say_what_the_api_says(server: Server) -> None:
    found = every(server)
    assert found["pull_request$synchronize"]["before"] != found["pull_request$synchronize"]["after"]
    assert found["pull_request_review$submitted"]["review"]["state"] == "approved"
    assert found["pull_request_review$dismissed"]["review"]["state"] == "dismissed"
    assert found["issue_comment$created"]["issue"]["pull_request"]["url"].endswith("/pulls/7")
    assert found["pull_request$closed"]["pull_request"]["merged"] is True
    assert found["push$event"]["commits"][-1]["id"] == found["push$event"]["after"]
    group = found["merge_group$checks_requested"]["merge_group"]
    assert group["head_ref"].startswith("refs/heads/gh-readonly-queue/main/pr-7-")
    assert group["base_ref"] == "refs/heads/main"
    run = found["workflow_run$completed"]["workflow_run"]
    assert run["pull_requests"] == []  # a fork's: GitHub does not tell
    assert run["head_repository"]["full_name"] == "alice/churn"


def environment(server: Server, folder: Path, event: str, **facts: Any) -> dict[str, str]:
    alice = server.github.user("alice", role="write")
    pull = server.github.open_pull(alice) if facts.pop("is_of_pull", False) else None
    run = server.github.start_run(event=event, actor=alice, pull=pull, **facts)
    return server.write_event(folder, run, {"action": "opened"}, GITHUB_TOKEN="t")


def test_a_job_of_a_pull_request_sees_the_test_merge(server: Server, tmp_path: Path) -> None:
    found = environment(server, tmp_path, "pull_request", is_of_pull=True)
    pull = server.github.repository.pulls[0]
    assert found["GITHUB_REF"] == "refs/pull/7/merge"
    assert found["GITHUB_SHA"] == pull.merge_commit_sha != pull.head_sha
    assert (found["GITHUB_HEAD_REF"], found["GITHUB_BASE_REF"]) == ("change-7", "main")
    assert json.loads(Path(found["GITHUB_EVENT_PATH"]).read_text()) == {"action": "opened"}
    assert found["GITHUB_TOKEN"] == "t"


def test_a_job_on_the_default_branch_sees_the_branch(server: Server, tmp_path: Path) -> None:
    server.github.repository.protect("main")
    found = environment(server, tmp_path, "workflow_dispatch")
    assert found["GITHUB_REF"] == "refs/heads/main"
    assert found["GITHUB_SHA"] == server.github.repository.tip("main")
    assert found["GITHUB_REF_PROTECTED"] == "true"
    assert found["GITHUB_API_URL"] == server.url
    assert found["GITHUB_GRAPHQL_URL"] == f"{server.url}/graphql"
