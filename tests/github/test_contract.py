"""What is not as GitHub describes it does not pass."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from github import Github, GithubException
from github.Repository import Repository

from tests.github.contract import Contract
from tests.github.extract import api, events, key_count, structure, unnamed
from tests.github.routes import __all__ as kinds
from tests.github.routing import ROUTES
from tests.github.server import MismatchError, Server, contract
from tests.github.world import GitHub
from tests.standin.judging import closed

Json = dict[str, Any]


def taken(server: Server) -> str:
    """The mismatches so far, which then do not fail the test."""
    found = "\n".join(server.mismatches)
    server.mismatches.clear()
    return found


def ask(repo: Repository, verb: str, path: str, **sent: Any) -> Any:
    return repo.requester.requestJsonAndCheck(verb, f"{repo.url}{path}", **sent)[1]


def test_every_operation_of_the_extract_is_answered() -> None:
    assert kinds
    assert set(ROUTES) == set(contract().operations)


def test_an_unknown_parameter_is_a_mismatch(server: Server, repo: Repository) -> None:
    with pytest.raises(GithubException, match="unknown query parameter"):
        ask(repo, "GET", "/pulls", parameters={"stat": "all"})
    assert "pulls?stat=all (pulls/list): unknown query parameter 'stat'" in taken(server)


def test_a_parameter_of_a_wrong_kind_is_a_mismatch(server: Server, repo: Repository) -> None:
    with pytest.raises(GithubException):
        ask(repo, "GET", "/pulls", parameters={"state": "merged", "page": "last"})
    said = taken(server)
    assert "?state=" in said
    assert "?page=" in said


def test_an_unknown_or_missing_key_of_a_body_is_a_mismatch(
    server: Server, github: GitHub, repo: Repository
) -> None:
    pull = github.open_pull(github.user("alice"))
    for body in ({"state": "success", "contxt": "assent/churn"}, {"context": "assent/churn"}):
        with pytest.raises(GithubException):
            ask(repo, "POST", f"/statuses/{pull.head_sha}", input=body)
    said = taken(server)
    assert "'contxt' was unexpected" in said
    assert "'state' is a required property" in said
    assert github.repository.statuses == []


def test_a_body_with_alternatives_is_closed_too(server: Server, repo: Repository) -> None:
    body = {"name": "x", "head_sha": "0" * 40, "status": "in_progress", "result": "success"}
    with pytest.raises(GithubException):
        ask(repo, "POST", "/check-runs", input=body)
    assert "result" in taken(server)


def test_an_unknown_operation_is_a_mismatch(server: Server, repo: Repository) -> None:
    with pytest.raises(GithubException, match="404"):
        ask(repo, "DELETE", "/issues/comments/7")
    assert "not an operation of the extract" in taken(server)


def test_another_graphql_query_is_a_mismatch(server: Server, client: Github) -> None:
    client.requester.requestJson("POST", "/graphql", input={"query": "query { viewer { login } }"})
    assert "not the mutation minimizeComment" in taken(server)


def test_an_answer_of_a_wrong_kind_is_a_mismatch(
    server: Server, github: GitHub, repo: Repository
) -> None:
    pull = github.open_pull(github.user("alice"))
    pull.title = 7  # type: ignore[assignment]  # the stand-in's own mistake
    ask(repo, "GET", "/pulls/7")
    assert "$.title: 7 is not of type 'string'" in taken(server)


def test_a_key_that_github_does_not_send_is_a_mismatch() -> None:
    operation = contract().operations["actions/get-reviews-for-run"]
    assert contract().answer_errors(operation, 200, []) == []
    found = contract().answer_errors(operation, 200, [{"approved_by": "alice"}])
    assert "approved_by" in "".join(found)
    assert contract().answer_errors(operation, 418, []) == ["status 418 is not described"]


def swallowing() -> None:
    """A client that asks for something wrong and does not mind the answer."""
    with Server() as server:
        token = server.github.workflow_token()
        address = f"{server.url}/repos/acme/churn?x=1"
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
        try:
            urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            error.close()


def test_a_mismatch_fails_the_test_that_caused_it() -> None:
    with pytest.raises(MismatchError, match="unknown query parameter 'x'"):
        swallowing()


def failing() -> None:
    with Server() as server:
        server.mismatches.append("something else")
        raise ZeroDivisionError


def test_a_mismatch_does_not_hide_the_error_of_the_test() -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        failing()
    assert "something else" in "".join(raised.value.__notes__)


def test_a_fault_of_the_stand_in_itself_is_a_mismatch(
    server: Server, github: GitHub, repo: Repository
) -> None:
    github.repository.default_branch = "gone"
    github.open_pull(github.user("alice"), base="main").base_ref = "gone"
    with pytest.raises(GithubException, match="500"):
        ask(repo, "GET", "/pulls/7")
    assert "has no branch gone" in taken(server)


def test_what_is_nullable_may_be_null_and_nothing_else_is_said() -> None:
    described = {
        "type": "string",
        "nullable": True,
        "enum": ["a"],
        "description": "prose",
        "x-github": {},
        "example": "a",
    }
    assert structure(described) == {"type": ["string", "null"], "enum": ["a", None]}
    referring = {"nullable": True, "allOf": [{"$ref": "#/components/schemas/thing"}]}
    assert structure(referring) == {
        "anyOf": [{"allOf": [{"$ref": "#/schemas/thing"}]}, {"type": "null"}]
    }
    named = {"properties": {"title": {"type": "string"}, "description": {"type": "string"}}}
    assert structure(named) == named


def test_an_object_is_closed_unless_it_is_a_part() -> None:
    whole: Json = {"properties": {"a": {"properties": {"b": {}}}}}
    assert closed(whole) == {
        "properties": {"a": {"properties": {"b": {}}, "additionalProperties": False}},
        "additionalProperties": False,
    }
    parts: Json = {"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}
    assert closed(parts) == {**parts, "unevaluatedProperties": False}
    free = {"additionalProperties": True, "type": "object"}
    assert closed(free) == free


def test_the_extract_refuses_a_description_without_an_operation() -> None:
    with pytest.raises(SystemExit, match="pulls/get"):
        api({"paths": {}, "components": {"schemas": {}}})


def test_the_youngest_example_is_taken() -> None:
    old, new = {"action": "opened", "a": 1}, {"action": "opened", "a": {"b": [{"c": 1}]}}
    assert (key_count(old), key_count(new)) == (2, 4)
    described = {"name": "pull_request", "examples": [old, new, old]}
    schemas: Json = {
        name: {}
        for name in (
            *("issue_comment$created", "merge_group$checks_requested", "push$event"),
            *(
                f"pull_request${one}"
                for one in ("opened", "edited", "synchronize", "reopened", "closed")
            ),
            *(f"pull_request_review${one}" for one in ("submitted", "dismissed", "edited")),
            *("workflow_dispatch$event", "workflow_run$completed", "workflow_run$requested"),
        )
    }
    found = events({"definitions": schemas}, [described, {"name": "other", "examples": [{}]}])
    assert found["examples"] == {"pull_request": new}


def test_people_of_the_examples_are_not_named() -> None:
    recorded = {"head": [{"name": "Ada", "email": "ada@example.org"}], "name": "churn"}
    assert unnamed(recorded) == {
        "head": [{"name": "Somebody", "email": "somebody@example.com"}],
        "name": "churn",
    }


def test_paths_with_slashes_are_understood() -> None:
    found = Contract().find
    start = "/repos/acme/churn"
    for path, operation, name, value in (
        ("/contents/", "repos/get-content", "path", ""),
        ("/contents/a/b%20c.yaml", "repos/get-content", "path", "a/b c.yaml"),
        ("/branches/assent/churn", "repos/get-branch", "branch", "assent/churn"),
        ("/branches/a/b/protection", "repos/get-branch-protection", "branch", "a/b"),
        ("/rules/branches/assent%2Fchurn", "repos/get-branch-rules", "branch", "assent/churn"),
        ("/commits/heads/main/statuses", "repos/list-commit-statuses-for-ref", "ref", "heads/main"),
        ("/statuses/0a", "repos/list-commit-statuses-for-ref", "ref", "0a"),
        (
            "/commits/0a/pulls",
            "repos/list-pull-requests-associated-with-commit",
            "commit_sha",
            "0a",
        ),
        ("/git/ref/heads/main", "git/get-ref", "ref", "heads/main"),
    ):
        match = found("GET", start + path)
        assert match is not None, path
        assert (match[0].id, match[1][name]) == (operation, value), path


def test_the_extracts_are_small_and_have_a_line_per_thing() -> None:
    for name in ("openapi.json", "webhooks.json"):
        text = contract().file.with_name(name).read_text()
        assert len(text) < 250_000
        assert text.count("\n") > len(json.loads(text)["schemas"])
        assert '"description":"' not in text.partition('"schemas"')[2]
