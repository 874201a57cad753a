"""What is not as GitLab has it does not pass."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

import pytest
from gitlab import Gitlab, GitlabError, GitlabHttpError
from gitlab.v4.objects import Project

from tests.gitlab.contract import Contract, meant, schema_of
from tests.gitlab.graphql import Query, QueryError
from tests.gitlab.routing import ROUTES
from tests.gitlab.server import MismatchError, Server, contract
from tests.gitlab.world import GitLab


def taken(server: Server) -> str:
    """The mismatches so far, which then do not fail the test."""
    found = "\n".join(server.mismatches)
    server.mismatches.clear()
    return found


def test_every_operation_of_the_contract_is_answered() -> None:
    assert set(ROUTES) == set(contract().operations)


def test_an_unknown_parameter_is_a_mismatch(server: Server, project: Project) -> None:
    with pytest.raises(GitlabError, match="unknown query parameter"):
        project.mergerequests.list(stat="all", get_all=True)
    assert "unknown query parameter 'stat'" in taken(server)


def test_a_parameter_of_a_wrong_kind_is_a_mismatch(server: Server, project: Project) -> None:
    with pytest.raises(GitlabError):
        project.mergerequests.list(state="open", page="last")
    said = taken(server)
    assert "?state=" in said
    assert "?page=" in said


def test_an_unknown_or_missing_key_of_a_body_is_a_mismatch(
    server: Server, gitlab: GitLab, client: Gitlab
) -> None:
    change = gitlab.open_merge_request(gitlab.user("alice"))
    path = f"/projects/{gitlab.project.id}/statuses/{change.sha}"
    for body in ({"state": "success", "contxt": "x"}, {"context": "x"}, {"state": "error"}):
        with pytest.raises(GitlabHttpError):
            client.http_post(path, post_data=body)
    said = taken(server)
    assert "'contxt' was unexpected" in said
    assert "'state' is a required property" in said
    assert "'error' is not one of" in said
    assert gitlab.project.statuses == []


def test_an_unknown_operation_is_a_mismatch(server: Server, project: Project) -> None:
    with pytest.raises(GitlabError):
        project.labels.list(get_all=True)
    assert "not an operation of the contract" in taken(server)


def test_an_answer_of_a_wrong_kind_is_a_mismatch(
    server: Server, gitlab: GitLab, project: Project
) -> None:
    change = gitlab.open_merge_request(gitlab.user("alice"))
    change.title = 7  # type: ignore[assignment]  # the stand-in's own mistake
    project.mergerequests.get(7)
    assert "$.title: 7 is not of type 'string'" in taken(server)


def test_a_token_in_the_address_is_a_mismatch(server: Server, gitlab: GitLab) -> None:
    address = f"{server.url}/version?private_token={gitlab.project_token()}"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(address)
    refused.value.close()
    assert "a token in the query" in taken(server)


def test_another_graphql_query_is_a_mismatch(server: Server, client: Gitlab) -> None:
    body = {"query": "{ currentUser { email } }"}
    got: Any = client.http_post(f"{client.url}/api/graphql", post_data=body)
    assert "doesn't exist" in got["errors"][0]["message"]
    assert "Field 'currentUser' doesn't exist on type 'Query'" in taken(server)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{ a ", "the end"),
        ("{ a(b: $c) }", "not declared"),
        ("query($a: ID!) { b }", "must have a value"),
        ("{ a } { b }", "more than one"),
        ("{ a ~ }", "not GraphQL"),
    ],
)
def test_a_query_that_is_none_is_refused(text: str, problem: str) -> None:
    with pytest.raises(QueryError, match=problem):
        Query(text, {})


def swallowing() -> None:
    """A client that asks for something wrong and does not mind the answer."""
    with Server() as server:
        headers = {"PRIVATE-TOKEN": server.gitlab.project_token()}
        request = urllib.request.Request(f"{server.url}/version?x=1", headers=headers)
        try:
            urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            error.close()


def test_a_mismatch_fails_the_test_that_caused_it() -> None:
    with pytest.raises(MismatchError, match="unknown query parameter 'x'"):
        swallowing()


def test_a_fault_of_the_stand_in_itself_is_a_mismatch(
    server: Server, gitlab: GitLab, project: Project
) -> None:
    gitlab.open_merge_request(gitlab.user("alice")).target_branch = "gone"
    with pytest.raises(GitlabError) as refused:
        project.mergerequests.get(7)
    assert refused.value.response_code == 500
    assert "has no branch gone" in taken(server)


def test_every_key_is_there_unless_it_is_marked() -> None:
    schema = schema_of({"a": "integer", "b?": "[text]", "c": "time?"})
    assert schema["required"] == ["a", "c"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["b"] == {"type": "array", "items": {"type": "string"}}
    assert schema["properties"]["c"]["anyOf"][1] == {"type": "null"}
    assert schema_of({"one": "x y"}) == {"enum": ["x", "y"]}


def test_a_key_that_gitlab_does_not_send_is_a_mismatch() -> None:
    operation = contract().operations["merge-requests/reviewers"]
    assert contract().answer_errors(operation, 200, []) == []
    found = contract().answer_errors(operation, 200, [{"state": "approved"}])
    assert "'user' is a required property" in "".join(found)
    assert contract().answer_errors(operation, 418, {}) == ["status 418 is not described"]


def test_parameters_mean_what_gitlab_takes_them_for() -> None:
    assert meant({"type": "boolean"}, ["True"]) is True
    assert meant({"type": "boolean"}, ["0"]) is False
    assert meant({"type": "array", "items": {"type": "integer"}}, ["1", "2"]) == [1, 2]
    assert meant({"type": "integer"}, ["last"]) == "last"


def test_the_longest_path_wins() -> None:
    found = Contract().find
    start = "/projects/acme%2Fchurn"
    for path, operation, name, value in (
        ("/members/all/7", "projects/any-member", "user_id", "7"),
        ("/members/all", "projects/all-members", "id", "acme/churn"),
        ("/members/7", "projects/member", "user_id", "7"),
        ("/repository/files/a%2Fb.txt/raw", "files/raw", "file_path", "a/b.txt"),
        ("/repository/branches/assent%2Fchurn", "branches/get", "branch", "assent/churn"),
        ("/merge_requests/7/approvals", "merge-requests/approvals", "iid", "7"),
    ):
        match = found("GET", start + path)
        assert match is not None, path
        assert (match[0].id, match[1][name]) == (operation, value), path
    assert found("GET", f"{start}/nothing") is None
