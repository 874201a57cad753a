"""The stand-in behaves as GitHub does, seen through the real client."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from github import Github, GithubException
from github.Repository import Repository

from tests.builders import new_clone, new_repository, run_git
from tests.github.accounts import ACTIONS_BOT_ID, QUEUE_BOT_ID
from tests.github.pulls import How
from tests.github.server import Server
from tests.github.world import GitHub
from tests.standin.branches import ConflictError

Connect = Callable[[str], Github]


def ask(repo: Repository, verb: str, path: str, **sent: Any) -> Any:
    return repo.requester.requestJsonAndCheck(verb, f"{repo.url}{path}", **sent)[1]


def status_of(refused: pytest.ExceptionInfo[GithubException]) -> tuple[int, str]:
    return refused.value.status, refused.value.data["message"]


# --- pull requests and reviews ---


def test_pages_are_linked(server: Server, github: GitHub, repo: Repository) -> None:
    pull, alice = github.open_pull(github.user("alice")), github.user("carol")
    for number in range(205):
        pull.comment(alice, f"comment {number}")
    bodies = [one.body for one in repo.get_pull(7).get_issue_comments()]
    assert bodies == [f"comment {number}" for number in range(205)]
    assert server.count("GET", "/comments") == 3


def test_a_page_has_thirty_unless_asked_and_never_more_than_a_hundred(
    github: GitHub, repo: Repository
) -> None:
    pull, alice = github.open_pull(github.user("alice")), github.user("carol")
    for _ in range(120):
        pull.review(alice, "COMMENTED")
    address = f"{repo.url}/pulls/7/reviews"
    headers, first = repo.requester.requestJsonAndCheck("GET", address)
    assert len(first) == 30
    assert f'<{address}?page=2>; rel="next"' in headers["link"]
    assert f'<{address}?page=4>; rel="last"' in headers["link"]
    assert len(ask(repo, "GET", "/pulls/7/reviews", parameters={"per_page": 500})) == 100
    headers, last = repo.requester.requestJsonAndCheck("GET", f"{address}?page=4")
    assert len(last) == 30
    assert "next" not in headers["link"]
    assert ask(repo, "GET", "/pulls/7/reviews", parameters={"page": 9}) == []


def test_a_review_stays_with_the_commit_that_was_seen(github: GitHub, repo: Repository) -> None:
    alice, bob = github.user("alice", role="write"), github.user("bob", role="write")
    pull = github.open_pull(alice)
    old = pull.head_sha
    github.tick()
    review = pull.review(bob)
    new = pull.push()
    pull.review(bob, "CHANGES_REQUESTED")
    pull.review(alice, "PENDING")
    review.dismiss()
    found = list(repo.get_pull(7).get_reviews())
    assert [(one.state, one.user.id, one.commit_id) for one in found] == [
        ("DISMISSED", bob.id, old),
        ("CHANGES_REQUESTED", bob.id, new),
    ]
    assert found[0].submitted_at == github.now
    assert repo.get_pull(7).head.sha == new


def test_pulls_are_found_by_head_of_a_fork(github: GitHub, repo: Repository) -> None:
    alice, bob = github.user("alice"), github.user("bob")
    github.open_pull(alice, branch="topic")
    theirs = github.open_pull(bob, branch="topic", fork=github.fork(bob))
    found = list(repo.get_pulls(head="bob:topic", state="open"))
    assert [(one.number, one.head.repo.full_name) for one in found] == [(8, "bob/churn")]
    assert [one.number for one in repo.get_pulls()] == [8, 7]
    theirs.close()
    assert [one.number for one in repo.get_pulls()] == [7]
    assert [one.number for one in repo.get_pulls(state="closed")] == [8]
    assert [one.number for one in repo.get_pulls(state="all", base="other")] == []


def test_a_deleted_fork_leaves_the_pull_without_a_head_repository(
    github: GitHub, repo: Repository
) -> None:
    bob = github.user("bob")
    fork = github.fork(bob)
    github.open_pull(bob, fork=fork)
    github.delete_fork(fork)
    assert ask(repo, "GET", "/pulls/7")["head"]["repo"] is None


def test_a_commit_shows_the_account_of_its_address(github: GitHub, repo: Repository) -> None:
    alice = github.user("alice", email="alice@example.com")
    pull = github.open_pull(alice)
    pull.push(by=alice, email="Alice@Example.com", message="second", committer=github.user("bob"))
    pull.push(by=None, message="third")
    found = list(repo.get_pull(7).get_commits())
    assert [getattr(one.author, "login", None) for one in found] == ["alice", "alice", None]
    assert found[1].committer.login == "bob"
    assert found[1].commit.author.email == "Alice@Example.com"


def test_no_more_than_250_commits_of_a_pull_are_listed(github: GitHub, repo: Repository) -> None:
    alice = github.user("alice")
    pull = github.open_pull(alice)
    for number in range(254):
        pull.head_sha = github.repository.commit(
            alice, parent=pull.head_sha, message=f"{number}", files={}
        )
    assert len(pull.commits) == 255
    assert repo.get_pull(7).commits == 255
    assert repo.get_pull(7).get_commits().totalCount == 250


@pytest.mark.parametrize("how", ["merge", "squash", "rebase", "queue"])
def test_each_way_to_merge_is_found_from_the_landed_commit(
    how: How, github: GitHub, repo: Repository
) -> None:
    alice, carol = github.user("alice"), github.user("carol", role="write")
    pull = github.open_pull(alice, files={"a.txt": "1\n"})
    pull.push(files={"b.txt": "2\n"})
    github.repository.push(carol, files={"c.txt": "3\n"})
    test_merge = repo.get_pull(7).merge_commit_sha
    assert not repo.get_pull(7).merged
    assert test_merge is not None
    tip = pull.merge(carol, how)
    found = repo.get_pull(7)
    assert (found.merged, found.state, found.merge_commit_sha) == (True, "closed", tip)
    assert found.merged_by.id == (QUEUE_BOT_ID if how == "queue" else carol.id)
    assert [one.number for one in repo.get_commit(tip).get_pulls()] == [7]
    assert repo.get_branch("main").commit.sha == tip
    assert {one.path for one in repo.get_contents("")} >= {"a.txt", "b.txt", "c.txt"}  # type: ignore[union-attr]  # a folder is a list
    parents = len(github.repository.objects.commit(tip).parents)
    assert parents == (2 if how in ("merge", "queue") else 1)
    # Git and the API agree on what was in the pull request.
    assert [one.sha for one in found.get_commits()] == pull.commits
    assert len(pull.commits) == 2


def test_the_queue_lands_what_it_checked(github: GitHub, repo: Repository) -> None:
    alice = github.user("alice", role="write")
    pull = github.open_pull(alice)
    ref, sha = pull.enqueue(alice, "squash")
    assert ref == f"refs/heads/gh-readonly-queue/main/pr-7-{pull.base_sha}"
    assert repo.get_branch(ref.removeprefix("refs/heads/")).commit.sha == sha
    github.tick()
    assert pull.merge(alice, "queue") == sha
    assert github.repository.find(ref) is None
    assert [one.number for one in repo.get_commit(sha).get_pulls()] == [7]


def test_a_squash_names_the_other_authors(github: GitHub, repo: Repository) -> None:
    alice, bob = github.user("alice"), github.user("bob")
    pull = github.open_pull(alice, title="Deeper trees")
    pull.push(by=bob, message="help")
    found = repo.get_commit(pull.merge(github.user("carol"), "squash"))
    assert found.author.login == "alice"
    assert found.committer.login == "web-flow"
    assert found.commit.message.startswith("Deeper trees (#7)")
    assert f"Co-authored-by: {bob.name} <{bob.email}>" in found.commit.message


def test_a_conflict_is_seen_and_cannot_be_merged(github: GitHub, repo: Repository) -> None:
    alice = github.user("alice")
    pull = github.open_pull(alice, files={"a.txt": "1\n"})
    github.repository.push(alice, files={"a.txt": "2\n"})
    assert repo.get_pull(7).mergeable is False
    assert ask(repo, "GET", "/pulls/7")["merge_commit_sha"] is None
    for how in ("squash", "rebase"):
        with pytest.raises(ConflictError):
            pull.merge(alice, how)


def test_the_pulls_of_a_commit_come_late(github: GitHub, repo: Repository) -> None:
    pull = github.open_pull(github.user("alice"))
    commit = repo.get_commit(pull.merge(github.user("bob")))
    github.lag_of_pulls = 2
    assert [[one.number for one in commit.get_pulls()] for _ in range(3)] == [[], [], [7]]


def test_a_commit_that_is_not_landed_shows_the_pulls_that_have_it(
    github: GitHub, repo: Repository
) -> None:
    bob = github.user("bob")
    pull = github.open_pull(bob, fork=github.fork(bob))
    assert [one.number for one in repo.get_commit(pull.head_sha).get_pulls()] == [7]
    pull.close()
    assert list(repo.get_commit(pull.head_sha).get_pulls()) == []


def test_a_pull_can_be_opened_and_changed_through_the_api(github: GitHub, repo: Repository) -> None:
    sha = github.repository.commit(github.user("alice"), branch="retrain")
    with pytest.raises(GithubException) as no:
        repo.create_pull("main", "retrain", title="Retrain", body="b")
    assert status_of(no)[0] == 403
    github.repository.workflows_may_approve = True
    made = repo.create_pull("main", "retrain", title="Retrain", body="b")
    assert (made.head.sha, made.user.id) == (sha, ACTIONS_BOT_ID)
    made.edit(title="Retrained")
    assert repo.get_pull(made.number).title == "Retrained"
    with pytest.raises(GithubException) as again:
        repo.create_pull("main", "retrain", title="Retrain", body="b")
    assert "already exists" in str(again.value)


# --- people ---


def test_an_account_is_its_number(github: GitHub, client: Github) -> None:
    first = github.user("alice")
    first.rename("alicia")
    second = github.user("alice")
    assert (client.get_user("alicia").id, client.get_user("alice").id) == (first.id, second.id)
    assert first.id != second.id


def test_a_deleted_account_is_null_in_reviews_and_a_ghost_elsewhere(
    github: GitHub, client: Github, repo: Repository
) -> None:
    bob = github.user("bob", role="write")
    pull = github.open_pull(github.user("alice"))
    pull.review(bob)
    pull.comment(bob, "yes")
    bob.delete()
    assert ask(repo, "GET", "/pulls/7/reviews")[0]["user"] is None
    assert ask(repo, "GET", "/issues/7/comments")[0]["user"]["login"] == "ghost"
    with pytest.raises(GithubException) as refused:
        client.get_user("bob")
    assert refused.value.status == 404


def test_a_suspended_account_is_not_found(github: GitHub, client: Github) -> None:
    github.user("bob").suspend()
    with pytest.raises(GithubException) as refused:
        client.get_user("bob")
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("role", "permission"),
    [("none", "none"), ("triage", "read"), ("maintain", "write"), ("auditor", "write")],
)
def test_a_permission_says_less_than_the_role(
    role: str, permission: str, github: GitHub, repo: Repository
) -> None:
    github.repository.custom_roles["auditor"] = "write"
    bob = github.user("bob", role=role)
    found = ask(repo, "GET", "/collaborators/bob/permission")
    assert (found["permission"], found["role_name"], found["user"]["id"]) == (
        *(permission, role),
        bob.id,
    )
    with pytest.raises(GithubException) as refused:
        ask(repo, "GET", "/collaborators/nobody/permission")
    assert status_of(refused) == (404, "nobody is not a user")


def test_a_team_membership_needs_a_token_that_may_read_members(
    github: GitHub, connect: Connect, client: Github
) -> None:
    alice, bob, carol = (github.user(name, role="read") for name in ("alice", "bob", "carol"))
    leads = github.team("leads", alice)
    github.team("seniors", bob, parent=leads)
    leads.add(carol, pending=True)
    address = "/orgs/acme/teams/leads/memberships/"

    def state(client: Github, login: str) -> str:
        return str(client.requester.requestJsonAndCheck("GET", address + login)[1]["state"])

    able = connect(github.app_token(github.bot("lookup[bot]")))
    assert [state(able, name) for name in ("alice", "bob", "carol")] == [
        "active",
        "active",
        "pending",
    ]
    leads.remove(alice)
    with pytest.raises(GithubException) as gone:
        state(able, "alice")
    assert gone.value.status == 404
    with pytest.raises(GithubException) as refused:
        state(client, "bob")
    assert status_of(refused) == (403, "Resource not accessible by integration")
    with pytest.raises(GithubException):
        state(connect(github.classic_token(alice, "repo")), "bob")


def test_a_team_and_an_account_are_found(github: GitHub, connect: Connect) -> None:
    alice = github.user("alice")
    able = connect(github.app_token(github.bot("lookup[bot]")))
    github.team("leads", alice)
    found = able.requester.requestJsonAndCheck("GET", "/orgs/acme/teams/leads")[1]
    assert (found["slug"], found["members_count"]) == ("leads", 1)
    alice.rename("alicia")
    assert able.get_user_by_id(alice.id).login == "alicia"
    alice.suspend()
    with pytest.raises(GithubException) as refused:
        able.get_user_by_id(alice.id)
    assert refused.value.status == 404
    with pytest.raises(GithubException):
        able.requester.requestJsonAndCheck("GET", "/orgs/acme/teams/others")


def test_two_commits_are_compared(github: GitHub, repo: Repository) -> None:
    bob = github.user("bob")
    pull = github.open_pull(bob, branch="a/topic", fork=github.fork(bob), files={"a.txt": "1\n"})
    base = github.repository.tip("main")
    found = repo.compare("main", "bob:a/topic")
    assert (found.status, found.ahead_by, found.behind_by) == ("ahead", 1, 0)
    assert [one.sha for one in found.commits] == [pull.head_sha]
    assert [one.filename for one in found.files] == ["a.txt"]
    assert repo.compare(pull.head_sha, base).status == "behind"
    assert repo.compare("main", base).status == "identical"
    github.repository.push(bob)
    found = repo.compare("main", pull.head_sha)
    assert (found.status, found.merge_base_commit.sha) == ("diverged", base)
    with pytest.raises(GithubException) as missing:
        ask(repo, "GET", "/compare/main...gone")
    assert missing.value.status == 404


def test_a_workflow_token_is_no_user(github: GitHub, client: Github, connect: Connect) -> None:
    with pytest.raises(GithubException) as refused:
        _ = client.get_user().login
    assert status_of(refused) == (403, "Resource not accessible by integration")
    alice = github.user("alice")
    assert connect(github.classic_token(alice)).get_user().id == alice.id


def test_a_token_can_do_what_it_was_given(github: GitHub, connect: Connect) -> None:
    pull = github.open_pull(github.user("alice"))
    reader = connect(github.workflow_token(contents="read", pull_requests="read"))
    repo = reader.get_repo("acme/churn")
    assert repo.get_pull(7).head.sha == pull.head_sha
    for path, body in (
        ("/issues/7/comments", {"body": "hello"}),
        (f"/statuses/{pull.head_sha}", {"state": "success"}),
        ("/deployments", {"ref": "main"}),
    ):
        with pytest.raises(GithubException) as refused:
            ask(repo, "POST", path, input=body)
        assert status_of(refused) == (403, "Resource not accessible by integration")
    with pytest.raises(GithubException):
        ask(repo, "GET", "/actions/permissions/workflow")
    assert pull.comments == []


def test_a_stranger_does_not_see_a_private_repository(github: GitHub, connect: Connect) -> None:
    stranger = connect(github.classic_token(github.user("eve")))
    with pytest.raises(GithubException) as refused:
        stranger.get_repo("acme/churn")
    assert refused.value.status == 404
    github.repository.is_private = False
    github.open_pull(github.user("alice"))
    repo = stranger.get_repo("acme/churn")
    assert repo.get_pull(7).number == 7
    with pytest.raises(GithubException) as unable:
        repo.get_commit("main").create_status("success")
    assert unable.value.status == 403
    with pytest.raises(GithubException) as unknown:
        connect("nonsense").get_repo("acme/churn")
    assert unknown.value.status == 401


def test_a_revoked_token_is_refused(github: GitHub, connect: Connect) -> None:
    token = github.workflow_token()
    client = connect(token)
    assert client.get_repo("acme/churn").id
    github.revoke(token)
    with pytest.raises(GithubException, match="Bad credentials"):
        client.get_repo("acme/churn")


# --- what automation writes ---


def test_a_comment_is_written_edited_and_minimized(github: GitHub, repo: Repository) -> None:
    pull = github.open_pull(github.user("alice"))
    made = repo.get_pull(7).create_issue_comment("first")
    github.tick()
    made.edit("second")
    assert (made.user.id, made.body) == (ACTIONS_BOT_ID, "second")
    assert made.updated_at > made.created_at
    assert made.minimize()
    assert pull.comments[0].is_minimized
    first, second = made.create_reaction("rocket"), made.create_reaction("rocket")
    assert first.id == second.id
    with pytest.raises(GithubException) as refused:
        made.edit("x" * 65_537)
    assert refused.value.status == 422


def test_statuses_are_kept_for_ever_newest_first(github: GitHub, repo: Repository) -> None:
    commit = repo.get_commit(github.open_pull(github.user("alice")).head_sha)
    assert commit.get_combined_status().state == "pending"
    for state in ("pending", "success"):
        github.tick()
        commit.create_status(state, "https://example.com", f"is {state}", "assent/churn")
    found = list(commit.get_statuses())
    assert [(one.state, one.description) for one in found] == [
        ("success", "is success"),
        ("pending", "is pending"),
    ]
    assert found[0].creator.id == ACTIONS_BOT_ID
    assert found[0].created_at > found[1].created_at
    assert commit.get_combined_status().state == "success"
    with pytest.raises(GithubException, match="too long"):
        commit.create_status("success", description="x" * 141)


def test_check_runs_belong_to_apps(github: GitHub, connect: Connect, repo: Repository) -> None:
    alice = github.user("alice", role="admin")
    sha = github.open_pull(alice).head_sha
    made = repo.create_check_run("assent/churn", sha, conclusion="failure", status="completed")
    note = {"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "failure"}
    for _ in range(2):
        output: Any = {"title": "t", "summary": "s", "annotations": [{**note, "message": "m"}]}
        made.edit(output=output)
    found = list(repo.get_commit(sha).get_check_runs(check_name="assent/churn"))
    assert [(one.conclusion, one.output.annotations_count) for one in found] == [("failure", 2)]
    with pytest.raises(GithubException, match="GitHub App"):
        connect(github.classic_token(alice)).get_repo("acme/churn").create_check_run("x", sha)


def test_a_deployment_that_succeeds_ends_the_one_before(repo: Repository) -> None:
    made = []
    for version in (1, 2):
        one = repo.create_deployment(
            "main",
            task="assent:promote",
            auto_merge=False,
            required_contexts=[],
            payload={"model": "churn", "version": version},
            environment="production",
        )
        one.create_status("success", environment_url="https://example.com/12")
        made.append(one)
    found = list(repo.get_deployments(environment="production", task="assent:promote"))
    assert [one.payload["version"] for one in found] == [2, 1]
    assert [one.state for one in made[0].get_statuses()] == ["inactive", "success"]
    assert [one.state for one in made[1].get_statuses()] == ["success"]
    assert repo.get_environment("production").name == "production"


def test_a_deployment_merges_and_checks_unless_told_not_to(
    github: GitHub, repo: Repository
) -> None:
    alice = github.user("alice")
    pull = github.open_pull(alice)
    github.repository.push(alice)
    address = f"{repo.url}/deployments"
    headers_and_body = repo.requester.requestJson("POST", address, input={"ref": pull.head_ref})
    assert headers_and_body[0] == 202
    repo.get_commit("main").create_status("failure", context="tests")
    with pytest.raises(GithubException) as refused:
        repo.create_deployment("main")
    assert refused.value.status == 409
    assert github.repository.deployments == []


# --- runs ---


def test_a_run_keeps_who_started_and_who_approved(github: GitHub, repo: Repository) -> None:
    alice, carol = github.user("alice", role="write"), github.user("carol", role="admin")
    github.protect_environment("production", carol, github.team("leads", carol), wait_minutes=5)
    run = github.start_run(event="workflow_dispatch", actor=alice, environment="production")
    waiting = ask(repo, "GET", f"/actions/runs/{run.id}/pending_deployments")
    assert [one["environment"]["name"] for one in waiting] == ["production"]
    run.approve("production", carol, "go")
    given = ask(repo, "GET", f"/actions/runs/{run.id}/approvals")
    assert [(one["state"], one["user"]["id"], one["comment"]) for one in given] == [
        ("approved", carol.id, "go")
    ]
    assert ask(repo, "GET", f"/actions/runs/{run.id}/pending_deployments") == []
    run.rerun(carol)
    found = repo.get_workflow_run(run.id)
    assert (found.run_attempt, found.actor.id, found.triggering_actor.id) == (2, alice.id, carol.id)
    environment = ask(repo, "GET", "/environments/production")
    assert environment["can_admins_bypass"] is True
    rules = environment["protection_rules"]
    assert [one["type"] for one in rules] == ["wait_timer", "required_reviewers"]
    assert [one["type"] for one in rules[1]["reviewers"]] == ["User", "Team"]


def test_a_bypass_leaves_no_approval(github: GitHub, repo: Repository) -> None:
    run = github.start_run(
        event="workflow_dispatch", actor=github.user("alice"), environment="production"
    )
    run.bypass("production")
    assert ask(repo, "GET", f"/actions/runs/{run.id}/approvals") == []
    run.wait("production")
    run.reject("production", github.user("carol"))
    assert ask(repo, "GET", f"/actions/runs/{run.id}/approvals")[0]["state"] == "rejected"


def test_a_run_of_a_fork_does_not_name_its_pull(github: GitHub, repo: Repository) -> None:
    alice, bob = github.user("alice", role="write"), github.user("bob")
    ours = github.open_pull(alice)
    theirs = github.open_pull(bob, fork=github.fork(bob))
    runs = [
        repo.get_workflow_run(github.start_run(event="pull_request", actor=by, pull=pull).id)
        for by, pull in ((alice, ours), (bob, theirs))
    ]
    assert [[one.number for one in run.pull_requests] for run in runs] == [[7], []]
    assert runs[1].head_repository.full_name == "bob/churn"
    assert runs[1].head_sha == theirs.head_sha


def test_an_artifact_is_on_another_host(server: Server, github: GitHub, repo: Repository) -> None:
    run = github.start_run(event="push", actor=github.user("alice"))
    run.upload("bundle", b"first")
    artifact = run.upload("bundle", b"second")
    run.upload("other", b"third")
    path = f"/actions/runs/{run.id}/artifacts"
    listed = ask(repo, "GET", path, parameters={"name": "bundle"})
    assert [one["id"] for one in listed["artifacts"]] == [artifact.id, artifact.id - 1]
    status, headers, _ = repo.requester.requestJson(
        "GET", f"{repo.url}/actions/artifacts/{artifact.id}/zip", follow_302_redirect=False
    )
    assert (status, headers["location"].startswith(server.elsewhere)) == (302, True)
    artifact.is_expired = True
    with pytest.raises(GithubException) as gone:
        ask(repo, "GET", f"/actions/artifacts/{artifact.id}/zip")
    assert gone.value.status == 410


# --- rules and contents ---


def test_rules_hold_for_the_branches_they_name(github: GitHub, repo: Repository) -> None:
    kept = github.repository
    kept.add_ruleset("ledger", "refs/heads/assent/**", rules=[{"type": "deletion"}])
    kept.add_ruleset("default", "~DEFAULT_BRANCH", rules=[{"type": "non_fast_forward"}])
    kept.add_ruleset("off", "~ALL", rules=[{"type": "creation"}], enforcement="disabled")

    def rules(branch: str) -> list[str]:
        return [one["type"] for one in ask(repo, "GET", f"/rules/branches/{branch}")]

    assert (rules("assent/churn"), rules("main"), rules("other")) == (
        *(["deletion"], ["non_fast_forward"]),
        [],
    )
    assert [one["name"] for one in ask(repo, "GET", "/rulesets")] == ["ledger", "default", "off"]
    found = ask(repo, "GET", f"/rulesets/{kept.rulesets[0].id}")
    assert found["conditions"]["ref_name"]["include"] == ["refs/heads/assent/**"]
    assert "bypass_actors" not in found
    assert repo.get_branch("main").protected


def test_branch_protection_is_for_administrators(
    github: GitHub, connect: Connect, repo: Repository
) -> None:
    github.repository.protect("main")
    with pytest.raises(GithubException) as refused:
        ask(repo, "GET", "/branches/main/protection")
    assert refused.value.status == 403
    admin = connect(github.classic_token(github.user("carol", role="admin")))
    able = admin.get_repo("acme/churn")
    assert ask(able, "GET", "/branches/main/protection")["allow_deletions"] == {"enabled": False}
    with pytest.raises(GithubException) as missing:
        ask(able, "GET", "/branches/other/protection")
    assert status_of(missing) == (404, "Branch not protected")
    found = ask(able, "GET", "/actions/permissions/workflow")
    assert found["default_workflow_permissions"] == "read"


def test_a_free_private_repository_has_no_rules(github: GitHub, repo: Repository) -> None:
    github.repository.plan = "free"
    github.protect_environment("production", github.user("carol"))
    github.repository.protect("main")
    assert ask(repo, "GET", "/environments/production")["protection_rules"] == []
    assert not repo.get_branch("main").protected
    for path in ("/rulesets", "/rules/branches/main"):
        with pytest.raises(GithubException, match="Upgrade to GitHub Pro"):
            ask(repo, "GET", path)
    github.repository.is_private = False
    assert ask(repo, "GET", "/rulesets") == []
    assert [one.type for one in repo.get_environment("production").protection_rules] == [
        "required_reviewers"
    ]


def test_contents_are_those_of_the_ref(github: GitHub, repo: Repository) -> None:
    alice = github.user("alice")
    pull = github.open_pull(alice, files={".github/CODEOWNERS": "* @alice\n", "a/b.txt": b"\xff"})
    found = repo.get_contents(".github/CODEOWNERS", ref=pull.head_sha)
    assert not isinstance(found, list)
    assert found.decoded_content == b"* @alice\n"
    listed = repo.get_contents("a", ref=pull.head_ref)
    assert isinstance(listed, list)
    assert [(one.path, one.type, one.size) for one in listed] == [("a/b.txt", "file", 1)]
    with pytest.raises(GithubException) as missing:
        repo.get_contents(".github/CODEOWNERS")
    assert missing.value.status == 404
    assert [(one.filename, one.status) for one in repo.get_pull(7).get_files()] == [
        (".github/CODEOWNERS", "added"),
        ("a/b.txt", "added"),
    ]


def test_a_rename_is_a_rename(github: GitHub, repo: Repository) -> None:
    pull = github.open_pull(github.user("alice"), files={"README.md": None, "READ.md": "# churn\n"})
    found = list(repo.get_commit(pull.head_sha).files)
    assert [(one.filename, one.status, one.previous_filename) for one in found] == [
        ("READ.md", "renamed", "README.md")
    ]


def test_references_are_made_and_read(github: GitHub, repo: Repository) -> None:
    sha = github.repository.tip("main")
    repo.create_git_ref("refs/heads/assent/churn", sha)
    assert ask(repo, "GET", "/git/ref/heads/assent/churn")["object"]["sha"] == sha
    assert repo.get_git_commit(sha).message == "start"
    with pytest.raises(GithubException, match="already exists"):
        repo.create_git_ref("refs/heads/assent/churn", sha)


def test_git_and_the_api_agree(tmp_path: Path) -> None:
    bare = new_repository(tmp_path / "origin.git", bare=True)
    work = new_clone(bare, tmp_path / "work")
    run_git(work, "push", "-q", "origin", "main", "main:topic")
    (work / "a.txt").write_text("1\n")
    run_git(work, "add", "a.txt")
    run_git(work, "commit", "-q", "-m", "work")
    with Server(git=bare) as server:
        github = server.github
        alice = github.user("alice", email="alice@example.com")
        pull = github.open_pull(alice, branch="topic")
        assert pull.head_sha == github.repository.tip("main")
        run_git(work, "push", "-q", "origin", "HEAD:topic")
        github.follow_pushes()
        assert pull.head_sha == run_git(work, "rev-parse", "HEAD")
        tip = pull.merge(alice, "squash")
        run_git(work, "fetch", "-q", "origin", "main", "refs/pull/7/head")
        assert run_git(work, "rev-parse", "FETCH_HEAD") == tip
        assert run_git(work, "ls-remote", "origin", "refs/pull/7/head").startswith(pull.head_sha)
        assert run_git(work, "diff", "HEAD", tip) == ""


# --- what goes wrong ---


def test_a_request_can_fail_before_or_after_its_effect(
    server: Server, github: GitHub, repo: Repository
) -> None:
    pull = github.open_pull(github.user("alice"))
    body = {"body": "hello"}
    server.faults.fail("POST", "*/comments", 503)
    server.faults.fail_after("POST", "*/comments", 502)
    server.faults.hang_up("POST", "*/comments", after=True)
    said = []
    for expected in (0, 1):
        with pytest.raises(GithubException) as refused:
            ask(repo, "POST", "/issues/7/comments", input=body)
        said.append((refused.value.status, len(pull.comments)))
        assert len(pull.comments) == expected
    with pytest.raises(OSError, match="Connection aborted"):
        ask(repo, "POST", "/issues/7/comments", input=body)
    assert said == [(503, 0), (502, 1)]
    assert len(pull.comments) == 2
    assert server.faults.is_done
    assert [one.status for one in server.writes] == [503, 502, 0]
    assert ask(repo, "POST", "/issues/7/comments", input=body)["body"] == "hello"


def test_a_quota_ends_and_says_when_it_starts_again(
    server: Server, github: GitHub, repo: Repository
) -> None:
    github.open_pull(github.user("alice"))
    server.faults.primary_limit(resets_in_s=1000, left=1, status=429)
    assert ask(repo, "GET", "/pulls/7")["number"] == 7
    with pytest.raises(GithubException) as refused:
        ask(repo, "GET", "/pulls/7")
    headers = refused.value.headers or {}
    assert status_of(refused)[0] == 429
    assert status_of(refused)[1].startswith("API rate limit exceeded")
    assert headers["x-ratelimit-remaining"] == "0"
    assert int(headers["x-ratelimit-reset"]) > 0
    assert repo.requester.requestJsonAndCheck("GET", "/rate_limit")[1]["rate"]["remaining"] == 0
    server.faults.primary_limit(resets_in_s=-1)
    assert ask(repo, "GET", "/pulls/7")["number"] == 7


def test_too_much_at_once_is_told_to_wait(server: Server, repo: Repository) -> None:
    server.faults.secondary_limit("GET", "*/pulls", retry_after_s=7)
    with pytest.raises(GithubException) as refused:
        ask(repo, "GET", "/pulls")
    assert "secondary rate limit" in status_of(refused)[1]
    assert (refused.value.headers or {})["retry-after"] == "7"


def test_a_page_can_be_nonsense(server: Server, repo: Repository) -> None:
    server.faults.answer("GET", "*/pulls", b"<html>", content_type="text/html")
    server.faults.answer("GET", "*/pulls", b'[{"number": 7', times=1)
    for _ in range(2):
        with pytest.raises((GithubException, ValueError, AttributeError, TypeError)):
            [one.number for one in repo.get_pulls()]
    assert list(repo.get_pulls()) == []


def test_a_token_that_follows_a_redirect_is_seen(server: Server, repo: Repository) -> None:
    server.faults.redirect("GET", "*/pulls", f"{server.elsewhere}/repos/acme/churn/pulls")
    with pytest.raises(RuntimeError, match="to localhost"):
        list(repo.get_pulls())
    assert server.leaks == []
    headers = {"Authorization": "Bearer secret"}
    request = urllib.request.Request(f"{server.elsewhere}/repos/acme/churn", headers=headers)
    with pytest.raises(urllib.error.HTTPError) as careless:
        urllib.request.urlopen(request)
    careless.value.close()
    assert [one.path for one in server.leaks] == ["/repos/acme/churn"]


def test_requests_are_counted(server: Server, github: GitHub, repo: Repository) -> None:
    github.open_pull(github.user("alice"))
    server.requests.clear()
    repo.get_pull(7).create_issue_comment("hello")
    assert (server.count(), server.count("GET", "/pulls/7"), len(server.writes)) == (2, 1, 1)
    assert server.writes[0].json() == {"body": "hello"}


def test_an_enterprise_server_has_a_prefix() -> None:
    from github import Auth

    with Server(prefix="/api/v3", web="https://git.acme.example") as server:
        auth = Auth.Token(server.github.workflow_token())
        with Github(
            base_url=server.url, auth=auth, retry=None, seconds_between_writes=None
        ) as client:
            pull = server.github.open_pull(server.github.user("alice"))
            found = client.get_repo("acme/churn").get_pull(7)
            assert found.html_url == "https://git.acme.example/acme/churn/pull/7"
            comment = found.create_issue_comment("x")
            assert comment.minimize()
        assert pull.comments[0].is_minimized
