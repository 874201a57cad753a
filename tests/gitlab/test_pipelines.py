"""Statuses, jobs, deployments and variables, seen through the real client."""

from __future__ import annotations

import pytest
from gitlab import Gitlab, GitlabError
from gitlab.v4.objects import Project

from tests.gitlab.conftest import Connect, read, refusal
from tests.gitlab.server import Server
from tests.gitlab.world import GitLab


def test_a_status_is_refused_the_state_that_it_has(gitlab: GitLab, project: Project) -> None:
    change = gitlab.open_merge_request(gitlab.user("alice"))
    statuses = project.commits.get(change.sha).statuses
    first = statuses.create({"state": "pending", "name": "assent/churn"})
    with pytest.raises(GitlabError) as refused:
        statuses.create({"state": "pending", "name": "assent/churn"})
    assert refusal(refused) == (
        400,
        "Cannot transition status via :enqueue from :pending (Reason(s): Status cannot "
        'transition via "enqueue")',
    )
    gitlab.tick()
    done = statuses.create({"state": "success", "name": "assent/churn", "description": "pass"})
    assert (done.id, done.created_at) == (first.id, first.created_at)
    again = statuses.create({"state": "success", "name": "assent/churn"})
    assert again.id != first.id
    assert [one.id for one in statuses.list(get_all=True)] == [again.id]
    assert [one.id for one in statuses.list(all=True, get_all=True)] == [first.id, again.id]


def test_a_status_of_somebody_else_is_another_one(
    gitlab: GitLab, project: Project, connect: Connect
) -> None:
    bob = gitlab.user("bob", role="developer")
    change = gitlab.open_merge_request(gitlab.user("alice"))
    ours = project.commits.get(change.sha).statuses
    theirs = connect(gitlab.personal_token(bob)).projects.get("acme/churn").commits
    ours.create({"state": "pending", "name": "assent/churn"})
    theirs.get(change.sha).statuses.create({"state": "success", "name": "assent/churn"})
    found = ours.list(all=True, get_all=True)
    assert [(one.status, one.author["id"] == bob.id) for one in found] == [
        ("pending", False),
        ("success", True),
    ]


def test_jobs_are_statuses_too(gitlab: GitLab, project: Project) -> None:
    alice = gitlab.user("alice", role="developer")
    change = gitlab.open_merge_request(alice)
    job = gitlab.run_pipeline("merge_request_event", alice, merge_request=change).job(
        "assent/churn"
    )
    found = project.commits.get(change.sha).statuses.list(all=True, get_all=True)
    assert [(one.name, one.author["id"], one.description) for one in found] == [
        ("assent/churn", alice.id, None)
    ]
    assert found[0].target_url.endswith(f"/-/jobs/{job.id}")


def test_a_commit_on_no_branch_needs_the_name_of_one(gitlab: GitLab, project: Project) -> None:
    bob = gitlab.user("bob")
    change = gitlab.open_merge_request(bob, fork=gitlab.fork(bob))
    statuses = project.commits.get(change.sha).statuses
    with pytest.raises(GitlabError) as refused:
        statuses.create({"state": "success", "name": "x"})
    assert refusal(refused) == (404, "404 References for commit Not Found")
    made = statuses.create({"state": "success", "name": "x", "ref": "refs/merge-requests/7/head"})
    assert made.ref == "refs/merge-requests/7/head"
    with pytest.raises(GitlabError) as refused:
        statuses.create({"state": "success", "name": "x" * 256, "ref": "topic"})
    assert "too long" in refusal(refused)[1]


def test_whoever_presses_the_button_is_in_the_job(gitlab: GitLab, connect: Connect) -> None:
    alice, bob = gitlab.user("alice", role="developer"), gitlab.user("bob", role="maintainer")
    job = gitlab.run_pipeline("web", alice).job("promote", is_manual=True)
    assert job.status == "manual"
    job.play(bob)
    assert read(connect(job.token.value), "/job")["user"]["id"] == bob.id
    job.finish("failed")
    again = job.retry(alice)
    found = read(connect(again.token.value), "/job")
    assert (found["user"]["id"], found["name"]) == (alice.id, "promote")
    assert found["id"] != job.id
    assert found["pipeline"]["id"] == job.pipeline.id


def test_retried_jobs_are_shown_only_if_asked_for(gitlab: GitLab, project: Project) -> None:
    alice = gitlab.user("alice", role="developer")
    pipeline = gitlab.run_pipeline("push", alice)
    first = pipeline.job("train")
    first.finish("failed")
    second = first.retry(alice)
    jobs = project.pipelines.get(pipeline.id).jobs
    assert [one.id for one in jobs.list(get_all=True)] == [second.id]
    assert [one.id for one in jobs.list(include_retried=True, get_all=True)] == [
        second.id,
        first.id,
    ]
    assert project.jobs.get(first.id).failure_reason == "script_failure"


def test_a_job_with_an_environment_makes_a_deployment(gitlab: GitLab, project: Project) -> None:
    alice = gitlab.user("alice", role="maintainer")
    job = gitlab.run_pipeline("push", alice).job("deploy", environment="production")
    (found,) = project.deployments.list(environment="production", get_all=True)
    assert (found.status, found.deployable["id"], found.sha) == (
        "running",
        job.id,
        gitlab.project.tip("main"),
    )
    with pytest.raises(GitlabError) as refused:
        project.deployments.update(found.id, {"status": "success"})
    assert "can not be updated using the API" in refusal(refused)[1]
    job.finish()
    environment = project.environments.list(name="production", get_all=True)[0]
    assert project.environments.get(environment.id).last_deployment["id"] == found.id
    assert environment.tier == "production"


def test_a_deployment_is_made_as_often_as_it_is_asked_for(gitlab: GitLab, project: Project) -> None:
    sha = gitlab.project.tip("main")
    asked = {"environment": "staging", "sha": sha, "ref": "main", "tag": False}
    first = project.deployments.create({**asked, "status": "running"})
    second = project.deployments.create({**asked, "status": "success"})
    assert first.id != second.id
    assert first.deployable is None
    project.deployments.update(first.id, {"status": "success"})
    found = project.deployments.list(order_by="id", sort="desc", status="success", get_all=True)
    assert [one.id for one in found] == [second.id, first.id]
    with pytest.raises(GitlabError) as refused:
        project.deployments.create({**asked, "sha": "0" * 40, "status": "success"})
    assert refused.value.response_code == 404


def test_a_protected_environment_waits_for_approvals(gitlab: GitLab, project: Project) -> None:
    alice, carol = gitlab.user("alice", role="maintainer"), gitlab.user("carol", role="maintainer")
    gitlab.project.protect_environment("production", carol, gitlab.group("acme/ml", alice))
    job = gitlab.run_pipeline("web", alice).job("promote", environment="production")
    assert (job.status, job.deployment and job.deployment.status) == ("manual", "blocked")
    gitlab.approve_deployment(job, carol, "go")
    (listed,) = project.deployments.list(environment="production", get_all=True)
    assert "approvals" not in listed.attributes
    found = project.deployments.get(listed.id)
    assert [(one["user"]["id"], one["status"]) for one in found.approvals] == [
        (carol.id, "approved")
    ]
    assert found.pending_approval_count == 1
    rules = found.approval_summary["rules"]
    assert [(one["user_id"], one["status"]) for one in rules] == [
        (carol.id, "approved"),
        (None, "pending_approval"),
    ]
    gitlab.approve_deployment(job, alice)
    assert job.play(alice).status == "running"
    protection = project.protected_environments.get("production")
    assert [one["required_approvals"] for one in protection.approval_rules] == [1, 1]


def test_a_rejected_deployment_does_not_run(gitlab: GitLab, project: Project) -> None:
    carol = gitlab.user("carol", role="maintainer")
    gitlab.project.protect_environment("production", "maintainer")
    job = gitlab.run_pipeline("web", carol).job("promote", environment="production")
    gitlab.approve_deployment(job, carol, status="rejected")
    (found,) = project.deployments.list(status="failed", get_all=True)
    assert project.deployments.get(found.id).approvals[0]["status"] == "rejected"


def test_the_free_tier_has_neither_rules_nor_protected_environments() -> None:
    with Server(tier="free") as server:
        gitlab = server.gitlab
        carol = gitlab.user("carol", role="maintainer")
        gitlab.project.protect_environment("production", carol)
        gitlab.open_merge_request(gitlab.user("alice"))
        job = gitlab.run_pipeline("web", carol).job("promote", environment="production")
        assert job.status == "running"
        with Gitlab(server.site, private_token=gitlab.project_token()) as client:
            project = client.projects.get("acme/churn")
            for ask, status in (
                (project.protected_environments.list, 404),
                (project.approvals.get, 403),
                (project.approvalrules.list, 403),
            ):
                with pytest.raises(GitlabError) as refused:
                    ask()
                assert refused.value.response_code == status
            assert "approvals" not in project.deployments.get(job.deployment.id).attributes  # type: ignore[union-attr]  # it has one
            assert "approvals_required" not in (
                project.mergerequests.get(7).approvals.get().attributes
            )
            levels = project.protectedbranches.get("main").push_access_levels
            assert levels[0]["access_level"] == 40


def test_branches_are_protected_by_pattern(gitlab: GitLab, project: Project) -> None:
    gitlab.project.protect("assent/*", push="none")
    gitlab.project.commit(gitlab.user("alice"), branch="assent/churn")
    assert project.branches.get("assent/churn").protected is True
    found = {
        one.name: one.push_access_levels[0]["access_level_description"]
        for one in project.protectedbranches.list(get_all=True)
    }
    assert found == {"main": "Maintainers", "assent/*": "No one"}
    with pytest.raises(GitlabError):
        project.protectedbranches.get("assent/churn")


def test_the_variables_of_a_merge_requests_pipeline(gitlab: GitLab, server: Server) -> None:
    bob = gitlab.user("bob", role="developer")
    fork = gitlab.fork(bob)
    change = gitlab.open_merge_request(bob, branch="topic", fork=fork)
    job = gitlab.run_pipeline("merge_request_event", bob, merge_request=change).job("review")
    found = server.variables(job)
    assert found["CI_PIPELINE_SOURCE"] == "merge_request_event"
    assert found["CI_MERGE_REQUEST_IID"] == "7"
    assert found["CI_PROJECT_ID"] == str(fork.id)
    assert found["CI_MERGE_REQUEST_PROJECT_ID"] == str(gitlab.project.id)
    assert found["CI_COMMIT_SHA"] == change.sha
    assert (found["CI_COMMIT_REF_NAME"], found["CI_COMMIT_REF_PROTECTED"]) == ("topic", "false")
    assert "CI_COMMIT_BRANCH" not in found


def test_the_variables_of_the_default_branch(gitlab: GitLab, server: Server) -> None:
    alice, bob = gitlab.user("alice"), gitlab.user("bob", role="maintainer")
    for source in ("push", "web", "schedule", "trigger", "api"):
        found = server.variables(gitlab.run_pipeline(source, alice).job("approve"))
        assert found["CI_PIPELINE_SOURCE"] == source
        assert found["CI_COMMIT_BRANCH"] == found["CI_DEFAULT_BRANCH"] == "main"
        assert found["CI_COMMIT_REF_PROTECTED"] == "true"
        assert ("CI_PIPELINE_SCHEDULE_DESCRIPTION" in found) == (source == "schedule")
        assert "CI_MERGE_REQUEST_IID" not in found
    pipeline = gitlab.run_pipeline("web", alice)
    job = pipeline.job("promote", is_manual=True, environment="production").play(bob)
    found = server.variables(job)
    assert (found["CI_JOB_MANUAL"], found["CI_ENVIRONMENT_NAME"]) == ("true", "production")
    assert found["GITLAB_USER_LOGIN"] == "bob"
    assert found["CI_API_V4_URL"] == server.url


def test_only_a_push_says_where_the_branch_was_before(gitlab: GitLab, server: Server) -> None:
    alice, project = gitlab.user("alice"), gitlab.project
    first = project.tip("main")
    second = project.push(alice, files={"a": "1"})
    third = project.push(alice, files={"a": "2"})
    for sha, expected in ((third, second), (second, first)):  # a pipeline is of its own push
        job = gitlab.run_pipeline("push", alice, sha=sha).job("approve")
        assert server.variables(job)["CI_COMMIT_BEFORE_SHA"] == expected
    for source in ("web", "schedule", "trigger", "api"):
        job = gitlab.run_pipeline(source, alice).job("approve")
        assert server.variables(job)["CI_COMMIT_BEFORE_SHA"] == "0" * 40, source


def test_what_a_person_types_in_replaces_what_gitlab_has_set(
    gitlab: GitLab, server: Server
) -> None:
    bob = gitlab.user("bob", role="developer")
    pipeline = gitlab.run_pipeline("web", bob, variables={"CI_JOB_NAME": "x", "A": "1"})
    job = pipeline.job("promote", is_manual=True).play(bob, GITLAB_USER_LOGIN="alice", A="2")
    found = server.variables(job)
    assert (found["GITLAB_USER_LOGIN"], found["CI_JOB_NAME"], found["A"]) == ("alice", "x", "2")


def test_a_button_is_not_pressed_before_the_approvals(gitlab: GitLab) -> None:
    carol = gitlab.user("carol", role="maintainer")
    gitlab.project.protect_environment("production", carol)
    job = gitlab.run_pipeline("web", carol).job("promote", environment="production")
    with pytest.raises(AssertionError, match="waits for approvals"):
        job.play(carol)
    gitlab.approve_deployment(job, carol)
    assert job.play(carol).status == "running"


def test_artifacts_are_here_or_on_another_host(
    gitlab: GitLab, project: Project, server: Server
) -> None:
    job = gitlab.run_pipeline("push", gitlab.user("alice")).job("bundle")
    with pytest.raises(GitlabError) as refused:
        project.jobs.get(job.id).artifacts()
    assert refused.value.response_code == 404
    job.leave(b"PK of any kind")
    found = project.jobs.get(job.id)
    assert [one["file_type"] for one in found.attributes["artifacts"]] == ["trace", "archive"]
    assert found.artifacts() == b"PK of any kind"
    assert server.leaks == []
    gitlab.keeps_files_elsewhere = True
    assert found.artifacts() == b"PK of any kind"
    # python-gitlab follows the redirect with the token, which is why Assent does not let it.
    assert [one.path for one in server.leaks] == [f"/artifacts/{job.id}.zip"]


def test_pipelines_of_a_private_fork_are_not_listed(gitlab: GitLab, project: Project) -> None:
    fred = gitlab.user("fred")
    fork = gitlab.fork(fred)
    change = gitlab.open_merge_request(fred, fork=fork)
    pipeline = gitlab.run_pipeline("merge_request_event", fred, merge_request=change)
    pipelines = project.mergerequests.get(change.iid).pipelines
    assert pipelines.list(get_all=True) == []
    fork.visibility = "public"
    [shown] = pipelines.list(get_all=True)
    assert (shown.id, shown.project_id) == (pipeline.id, fork.id)


def test_a_variable_says_whether_it_is_protected(
    gitlab: GitLab, project: Project, connect: Connect
) -> None:
    gitlab.project.variables["TOKEN"] = True
    assert project.variables.get("TOKEN").protected is True
    with pytest.raises(GitlabError) as refused:
        project.variables.get("OTHER")
    assert refusal(refused)[0] == 404
    developer = connect(gitlab.project_token(role="developer")).projects.get("acme/churn")
    with pytest.raises(GitlabError) as refused:
        developer.variables.get("TOKEN")
    assert refusal(refused)[0] == 403
