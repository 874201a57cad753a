"""What a token may, seen through the real client."""

from __future__ import annotations

from datetime import date

import pytest
from gitlab import GitlabAuthenticationError, GitlabError, GitlabHttpError

from tests.gitlab.conftest import Connect, read, refusal
from tests.gitlab.server import Server
from tests.gitlab.world import GitLab


def test_a_token_needs_its_scope(gitlab: GitLab, connect: Connect) -> None:
    reader = connect(gitlab.project_token("read_api"))
    gitlab.open_merge_request(gitlab.user("alice"))
    notes = reader.projects.get("acme/churn").mergerequests.get(7).notes
    with pytest.raises(GitlabError) as refused:
        notes.create({"body": "no"})
    assert refused.value.response_code == 403
    assert b'"scope": "api"' in (refused.value.response_body or b"")
    with pytest.raises(GitlabError) as refused:
        connect(gitlab.project_token("write_repository")).projects.get("acme/churn")
    assert refusal(refused) == (403, "insufficient_scope")
    assert read(reader, "/personal_access_tokens/self")["scopes"] == ["read_api"]
    files = connect(gitlab.project_token("read_repository"))
    path = f"/projects/{gitlab.project.id}/repository/files/README.md"
    assert read(files, path, ref="main")["size"] == 8
    assert read(files, "/personal_access_tokens/self")["scopes"] == ["read_repository"]


def test_a_token_needs_its_role(gitlab: GitLab, connect: Connect) -> None:
    change = gitlab.open_merge_request(gitlab.user("alice"))
    reporter = connect(gitlab.project_token(role="reporter")).projects.get("acme/churn")
    reporter.mergerequests.get(7).notes.create({"body": "yes"})
    with pytest.raises(GitlabError) as refused:
        reporter.commits.get(change.sha).statuses.create({"state": "success"})
    assert refusal(refused) == (403, "403 Forbidden")
    with pytest.raises(GitlabError) as refused:
        reporter.protectedbranches.list(get_all=True)
    assert refusal(refused) == (403, "403 Forbidden")
    guest = connect(gitlab.project_token(role="guest")).projects.get("acme/churn")
    with pytest.raises(GitlabError) as refused:
        guest.mergerequests.get(7)
    assert refusal(refused) == (403, "403 Forbidden")
    stranger = connect(gitlab.personal_token(gitlab.user("mallory")))
    with pytest.raises(GitlabError) as refused:
        stranger.projects.get("acme/churn")
    assert refusal(refused) == (404, "404 Project Not Found")


def test_a_public_project_is_read_by_everybody(gitlab: GitLab, connect: Connect) -> None:
    gitlab.project.visibility = "public"
    gitlab.open_merge_request(gitlab.user("alice"))
    stranger = connect(gitlab.personal_token(gitlab.user("mallory"))).projects.get("acme/churn")
    change = stranger.mergerequests.get(7)
    assert change.approvals.get().approved_by == []
    with pytest.raises(GitlabError) as refused:
        change.approve()
    assert refused.value.response_code == 403


def test_tokens_end(gitlab: GitLab, connect: Connect) -> None:
    alice = gitlab.user("alice", role="developer")
    token = gitlab.personal_token(alice)
    gitlab.revoke(token)
    with pytest.raises(GitlabAuthenticationError) as refused:
        connect(token).auth()
    assert b"revoked" in (refused.value.response_body or b"")
    over = gitlab.personal_token(alice, expires_on=date(2026, 1, 1))
    with pytest.raises(GitlabAuthenticationError) as refused:
        connect(over).auth()
    assert b"expired" in (refused.value.response_body or b"")
    blocked = gitlab.personal_token(alice)
    for lock, said in ((alice.block, "blocked"), (alice.deactivate, "deactivated")):
        lock()
        with pytest.raises(GitlabError, match=said) as no:
            connect(blocked).auth()
        assert no.value.response_code == 403


def test_the_token_of_a_job_opens_few_doors(
    gitlab: GitLab, connect: Connect, server: Server
) -> None:
    alice = gitlab.user("alice", role="developer")
    change = gitlab.open_merge_request(alice)
    job = gitlab.run_pipeline("push", alice).job("review")
    client = connect(job.token.value)
    path = f"/projects/{gitlab.project.id}"
    assert read(client, "/job")["user"]["id"] == alice.id
    assert read(client, f"{path}/merge_requests/7")["iid"] == 7
    assert read(client, f"{path}/merge_requests/7/notes") == []
    assert read(client, f"{path}/deployments") == []
    assert read(client, f"{path}/repository/commits/{change.sha}")["id"] == change.sha
    raw = client.http_get(f"{path}/repository/files/README.md/raw", query_data={"ref": "main"})
    assert getattr(raw, "content", None) == b"# churn\n"
    for closed in ("/merge_requests/7/approvals", "/merge_requests/7/versions", "/members/all/1"):
        with pytest.raises(GitlabHttpError) as refused:
            read(client, path + closed)
        assert refusal(refused) == (404, "404 Project Not Found")
    for closed, body in (
        ("/merge_requests/7/notes", {"body": "x"}),
        (f"/statuses/{change.sha}", {"state": "success"}),
    ):
        with pytest.raises(GitlabAuthenticationError):
            client.http_post(path + closed, post_data=body)
    job.finish()
    with pytest.raises(GitlabAuthenticationError):
        read(client, "/job")
    assert server.gitlab.project.statuses == []


def test_the_token_of_a_job_is_for_its_own_project(gitlab: GitLab, connect: Connect) -> None:
    bob = gitlab.user("bob", role="developer")
    fork = gitlab.fork(bob)
    job = fork.start_pipeline("push", bob).job("test")
    with pytest.raises(GitlabHttpError) as refused:
        read(connect(job.token.value), f"/projects/{gitlab.project.id}/merge_requests")
    assert "not allowed from bob/churn to acme/churn" in refusal(refused)[1]
