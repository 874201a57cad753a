"""The stand-in behaves as GitLab does, seen through the real client."""

from __future__ import annotations

from typing import Any

import pytest
from gitlab import Gitlab, GitlabError, GitlabHttpError
from gitlab.v4.objects import Project

from requests import RequestException
from tests.gitlab.conftest import refusal
from tests.gitlab.server import Server
from tests.gitlab.world import GitLab


def test_pages_are_linked_and_counted(server: Server, gitlab: GitLab, project: Project) -> None:
    change, alice = gitlab.open_merge_request(gitlab.user("alice")), gitlab.user("carol")
    for number in range(45):
        gitlab.tick()
        change.note(alice, f"note {number}")
    found = project.mergerequests.get(7).notes.list(iterator=True, sort="asc")
    assert [one.body for one in found] == [f"note {number}" for number in range(45)]
    assert server.count("GET", "/notes") == 3
    page = project.mergerequests.get(7).notes.list(iterator=True)
    assert (page.current_page, page.next_page, page.total, page.total_pages) == (1, 2, 45, 3)
    assert (page.per_page, page.prev_page) == (20, None)


def test_a_page_has_twenty_unless_asked_and_never_more_than_a_hundred(
    gitlab: GitLab, project: Project
) -> None:
    change, alice = gitlab.open_merge_request(gitlab.user("alice")), gitlab.user("carol")
    for number in range(120):
        change.note(alice, f"note {number}")
    notes = project.mergerequests.get(7).notes
    assert len(notes.list(page=1)) == 20
    assert len(notes.list(page=1, per_page=500)) == 100
    assert notes.list(page=9) == []


def test_commits_are_not_counted(gitlab: GitLab, project: Project) -> None:
    found = project.commits.list(iterator=True)
    assert found.total is None
    assert [one.title for one in found] == ["start"]


def test_users_jobs_and_files_come_by_keyset_too(gitlab: GitLab, project: Project) -> None:
    alice = gitlab.user("alice")
    pipeline = gitlab.run_pipeline("push", alice)
    names = [pipeline.job(f"job {number}").name for number in range(5)]
    for number in range(3):
        gitlab.project.push(alice, files={f"file-{number}.txt": "x\n"})
    jobs = project.jobs.list(iterator=True, pagination="keyset", order_by="id", per_page=2)
    assert [one.name for one in jobs] == names[::-1]
    tree = project.repository_tree(iterator=True, pagination="keyset", per_page=2)
    assert [one["name"] for one in tree] == [
        "README.md",
        *(f"file-{number}.txt" for number in range(3)),
    ]


def test_files_and_commits_are_those_of_git(gitlab: GitLab, project: Project) -> None:
    alice = gitlab.user("alice", email="alice@example.com")
    sha = gitlab.project.push(
        alice,
        files={"docs/a b.txt": "text\n"},
        message="Try\n\nCo-authored-by: Bob <bob@example.com>",
    )
    assert project.files.get("docs/a b.txt", ref="main").decode() == b"text\n"
    assert project.files.raw("docs/a b.txt", ref=sha) == b"text\n"
    with pytest.raises(GitlabError) as refused:
        project.files.get("nothing", ref="main")
    assert refusal(refused) == (404, "404 File Not Found")
    found = project.commits.get(sha)
    assert (found.author_email, found.title) == ("alice@example.com", "Try")
    assert found.trailers == {"Co-authored-by": "Bob <bob@example.com>"}
    assert "author" not in found.attributes
    base: Any = project.repository_merge_base([sha, found.parent_ids[0]])
    assert base["id"] == found.parent_ids[0]
    compared: Any = project.repository_compare(base["id"], sha)
    assert [one["id"] for one in compared["commits"]] == [sha]


def test_graphql_maps_the_author_of_a_commit(gitlab: GitLab, client: Gitlab) -> None:
    alice = gitlab.user("alice", email="alice@example.com")
    change = gitlab.open_merge_request(alice)
    second = change.push(email="nobody@example.com")
    third = change.push(email=alice.private_email)
    query = """query($project: ID!, $iid: String!, $after: String) {
      project(fullPath: $project) { mergeRequest(iid: $iid) { commits(first: 2, after: $after) {
        pageInfo { hasNextPage endCursor } nodes { sha author { id } } } } } }"""
    found, after = [], None
    for _ in range(2):
        variables = {"project": "acme/churn", "iid": "7", "after": after}
        asked = {"query": query, "variables": variables}
        got: Any = client.http_post(f"{client.url}/api/graphql", post_data=asked)
        page = got["data"]["project"]["mergeRequest"]["commits"]
        found += [(one["sha"], one["author"] and one["author"]["id"]) for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert page["pageInfo"]["hasNextPage"] is False
    own = f"gid://gitlab/User/{alice.id}"
    assert found == [(third, own), (second, None), (change.commits[0], own)]


def test_it_lives_below_a_path() -> None:
    with Server(sub_path="/gitlab", web="https://example.com/gitlab") as server:
        server.gitlab.open_merge_request(server.gitlab.user("alice"))
        with Gitlab(server.site, private_token=server.gitlab.project_token()) as client:
            found = client.projects.get("acme/churn").mergerequests.get(7)
        assert found.web_url == "https://example.com/gitlab/acme/churn/-/merge_requests/7"
        assert server.url.endswith("/gitlab/api/v4")
        assert server.count("GET", "/merge_requests/7") == 1


def test_too_many_requests_are_said_in_plain_text(server: Server, client: Gitlab) -> None:
    server.faults.too_many("GET", "/version", retry_after_s=7)
    with pytest.raises(GitlabHttpError) as refused:
        client.http_get("/version", obey_rate_limit=False)
    assert refused.value.response_code == 429
    assert refused.value.response_body == b"Retry later\n"
    assert server.faults.is_done


def test_an_error_after_the_write(server: Server, gitlab: GitLab, project: Project) -> None:
    change = gitlab.open_merge_request(gitlab.user("alice"))
    server.faults.gateway("POST", "*/notes", after=True)
    with pytest.raises(GitlabError) as refused:
        project.mergerequests.get(7).notes.create({"body": "x"})
    assert refused.value.response_code == 502
    assert len(change.notes) == 1


def test_a_token_that_follows_a_redirect_is_seen(server: Server, gitlab: GitLab) -> None:
    """requests drops only `Authorization` on the way to another host."""
    server.faults.redirect("GET", "/version", f"{server.elsewhere}/version")
    token = gitlab.project_token()
    with Gitlab(server.site, private_token=token) as client, pytest.raises(GitlabHttpError):
        client.http_get("/version")
    assert [one.path for one in server.leaks] == ["/version"]


def test_a_connection_ends_before_or_after_the_write(
    server: Server, gitlab: GitLab, project: Project
) -> None:
    change = gitlab.open_merge_request(gitlab.user("alice"))
    notes = project.mergerequests.get(7).notes
    for after, count in ((False, 0), (True, 1)):
        server.faults.hang_up("POST", "*/notes", after=after)
        with pytest.raises(RequestException):
            notes.create({"body": "x"})
        assert len(change.notes) == count


# --- what is only read ---


def test_a_page_of_everything_else(gitlab: GitLab, client: Gitlab, project: Project) -> None:
    """Each answer is judged by the contract; here is what they say."""
    alice, bob = gitlab.user("alice", role="developer"), gitlab.user("bob", role="maintainer")
    change = gitlab.open_merge_request(alice, branch="topic", files={"a.txt": "1\n"})
    pipeline = gitlab.run_pipeline("merge_request_event", alice, merge_request=change)
    rule = gitlab.project.require_approval("security", bob, gitlab.group("acme/ml", bob), count=2)
    request = project.mergerequests.get(7)
    assert [one.id for one in request.commits()] == change.commits
    assert [one.id for one in request.pipelines.list(get_all=True)] == [pipeline.id]
    assert request.head_pipeline["id"] == pipeline.id
    assert project.pipelines.get(pipeline.id).user["id"] == alice.id
    assert [one.id for one in project.pipelines.list(source="push", get_all=True)] == []
    assert [one.id for one in project.approvalrules.list(get_all=True)] == [rule.id]
    assert project.approvals.get().merge_requests_author_approval is False
    assert [one.name for one in project.branches.list(search="^top", get_all=True)] == ["topic"]
    assert client.http_get("/metadata") != {}
    made = project.environments.create({"name": "staging"})
    with pytest.raises(GitlabError, match="already been taken"):
        project.environments.create({"name": "staging"})
    assert [one.id for one in project.environments.list(get_all=True)] == [made.id]
    tip = change.merge(bob)
    assert project.commits.get(tip).last_pipeline is None
    listed = project.commits.list(ref_name="main", first_parent=True, get_all=True)
    assert [one.id for one in listed] == [tip, gitlab.project.objects.commit(tip).parents[0]]
    asked = {"environment": "staging", "sha": tip, "ref": "main", "tag": False}
    deployment = project.deployments.create({**asked, "status": "success"})
    assert [one.iid for one in deployment.mergerequests.list(get_all=True)] == [7]
    users = client.users.list(iterator=True, pagination="keyset", order_by="id", per_page=1)
    assert {one.username for one in users} >= {"alice", "bob"}
