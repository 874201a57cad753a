"""Jobs: who pressed the button, who let it through, and who started a run."""

from __future__ import annotations

import pytest

from assent.core.evidence import Run
from assent.errors import OutsideError, PolicyError, UsageError
from tests.forges.gitlab.conftest import Scene
from tests.gitlab.pipelines import Job


def deploy(scene: Scene, environment: str | None = "production") -> Job:
    pipeline = scene.gitlab.run_pipeline("push", scene.alice)
    return pipeline.job("promote", is_manual=True, environment=environment)


@pytest.mark.threat(20)
def test_the_presser_is_read_from_the_job(scene: Scene) -> None:
    job = deploy(scene)
    job.play(scene.bob)
    forge = scene.job(job)
    assert forge.whoami().id == str(scene.bob.id)
    request = forge.deployment_request("production")
    assert request.by == forge.whoami()
    assert (request.approvals, request.is_guarded) == ((), False)


@pytest.mark.threat(20)
@pytest.mark.parametrize("run", ["1/promote", "{pipeline}/other", "{pipeline}"])
def test_variables_that_name_another_job_are_refused(scene: Scene, run: str) -> None:
    """Whoever presses the button can set variables. The job's token says which job this is."""
    job = deploy(scene)
    job.play(scene.bob)
    named = run.format(pipeline=job.pipeline.id)
    with pytest.raises(UsageError, match="its token is of another one"):
        scene.job(job, run=named).deployment_request("production")


@pytest.mark.threat(20)
def test_a_token_of_a_job_of_another_project_is_refused(premium: Scene) -> None:
    fork = premium.gitlab.fork(premium.bob)
    job = fork.start_pipeline("push", premium.bob).job("promote")
    with pytest.raises(UsageError, match="its token is of another one"):
        premium.job(job).whoami()


def test_without_the_job_s_token_nobody_is_believed(premium: Scene) -> None:
    job = deploy(premium)
    job.play(premium.bob)
    with pytest.raises(UsageError, match="no CI_JOB_TOKEN"):
        premium.job(job, job_token=None).whoami()
    job.finish()
    with pytest.raises(OutsideError, match="which job this is: GitLab answered 401"):
        premium.job(job).whoami()


def test_outside_ci_it_is_the_account_of_the_token(scene: Scene) -> None:
    token = scene.gitlab.personal_token(scene.bob)
    assert scene.forge(token=token).whoami().login == "bob"
    assert (
        scene.forge(token=token).deployment_request("production").by
        == scene.forge(token=token).whoami()
    )
    assert scene.forge().whoami().kind == "automation"


def test_a_job_s_own_token_is_enough_for_the_button(scene: Scene) -> None:
    """GitLab lets it read deployments and who pressed, but no other people."""
    job = deploy(scene)
    job.play(scene.bob)
    with_token, without = scene.job(job), scene.job(job, token=None)
    assert without.branch() == "main"
    assert without.whoami() == with_token.whoami()
    assert without.deployment_request("production") == with_token.deployment_request("production")
    with pytest.raises(OutsideError) as caught:
        without.matches(with_token.whoami(), "*")
    assert "the job token (CI_JOB_TOKEN) may not do this" in str(caught.value.hint)


def test_whether_an_approver_is_a_person_a_job_s_own_token_cannot_tell(premium: Scene) -> None:
    premium.project.protect_environment("production", premium.bob)
    job = deploy(premium)
    premium.gitlab.approve_deployment(job, premium.bob)
    job.play(premium.alice)
    with pytest.raises(OutsideError, match="reading the account") as caught:
        premium.job(job, token=None).deployment_request("production")
    assert "set ASSENT_GITLAB_TOKEN" in str(caught.value.hint)


def test_who_let_a_deployment_go_on(premium: Scene) -> None:
    carol = premium.gitlab.user("carol", role="developer")
    premium.project.protect_environment("production", carol, premium.bob, required=1)
    job = deploy(premium)
    premium.gitlab.approve_deployment(job, carol, "Go.")
    premium.gitlab.tick()
    premium.gitlab.approve_deployment(job, premium.bob)
    job.play(premium.alice)
    request = premium.job(job).deployment_request("production")
    assert request.is_guarded
    assert not request.is_bypassed
    assert [(one.person.login, one.reason) for one in request.approvals] == [
        ("carol", "Go."),
        ("bob", None),
    ]
    first, second = request.approvals
    assert first.at < second.at
    assert (first.bundle, first.head) == (None, job.pipeline.sha)
    assert premium.job(job).deployment_request("staging").approvals == ()


def test_a_deployment_that_somebody_rejected_has_no_approval_of_theirs(premium: Scene) -> None:
    premium.project.protect_environment("production", premium.bob)
    job = deploy(premium)
    premium.gitlab.approve_deployment(job, premium.bob, "No.", status="rejected")
    request = premium.job(job, run=f"{job.pipeline.id}/promote")
    job.token.is_revoked = False
    assert request.deployment_request("production").approvals == ()


def test_a_run_that_went_past_those_whom_gitlab_asks_is_seen(premium: Scene) -> None:
    job = deploy(premium)
    premium.project.protect_environment("production", premium.bob)
    job.play(premium.alice)
    assert premium.job(job).deployment_request("production").is_bypassed


def test_a_token_that_cannot_read_protected_environments_asks_the_deployment(
    premium: Scene,
) -> None:
    premium.project.protect_environment("production", premium.bob)
    job = deploy(premium)
    premium.gitlab.approve_deployment(job, premium.bob)
    job.play(premium.alice)
    premium.faults.fail("GET", "*/protected_environments/*", 403)
    request = premium.job(job).deployment_request("production")
    assert request.is_guarded
    assert [one.person.login for one in request.approvals] == ["bob"]
    premium.faults.fail("GET", "*/protected_environments/*", 500, times=9)
    with pytest.raises(OutsideError, match="protection of the environment 'production'"):
        premium.job(job).deployment_request("production")


# who started a run


def started(scene: Scene, run: str, **said: object) -> list[str]:
    found = scene.forge(**said).started(Run(system="gitlab", id=run))
    return [actor.login for actor in found]


def pipeline_of(scene: Scene, **said: object) -> Job:
    values = {"merge_request": scene.request, **said}
    pipeline = scene.gitlab.run_pipeline("merge_request_event", scene.alice, **values)  # type: ignore[arg-type]  # what a test says
    return pipeline.job("train")


def test_who_started_a_run_of_the_merge_request(scene: Scene) -> None:
    job = pipeline_of(scene)
    assert started(scene, f"{job.pipeline.id}/train") == ["alice"]
    job.finish("failed")
    job.retry(scene.bob)
    assert started(scene, f"{job.pipeline.id}/train") == ["alice", "bob"]
    scene.request.push()
    assert started(scene, f"{job.pipeline.id}/train") == ["alice", "bob"]  # an earlier revision


def test_a_run_of_the_default_branch_is_nobody_s_choice(premium: Scene) -> None:
    job = premium.gitlab.run_pipeline("schedule", premium.bob).job("train")
    assert started(premium, f"{job.pipeline.id}/train") == ["bob"]


def test_a_run_of_a_fork_is_found_there(premium: Scene) -> None:
    fred = premium.gitlab.user("fred")
    fork = premium.gitlab.fork(fred)
    fork.visibility = premium.project.visibility = "public"
    request = premium.gitlab.open_merge_request(fred, fork=fork)
    pipeline = premium.gitlab.run_pipeline("merge_request_event", fred, merge_request=request)
    pipeline.job("train")
    assert started(premium, f"{pipeline.id}/train", merge_request=request.iid) == ["fred"]


@pytest.mark.threat(18)
def test_a_run_of_a_fork_that_cannot_be_seen_is_refused(premium: Scene) -> None:
    fred = premium.gitlab.user("fred")
    request = premium.gitlab.open_merge_request(fred, fork=premium.gitlab.fork(fred))
    pipeline = premium.gitlab.run_pipeline("merge_request_event", fred, merge_request=request)
    pipeline.job("train")
    with pytest.raises(PolicyError, match="no such run"):
        started(premium, f"{pipeline.id}/train", merge_request=request.iid)


@pytest.mark.threat(18)
def test_a_run_of_something_else_is_refused(premium: Scene) -> None:
    other = premium.gitlab.open_merge_request(premium.bob, branch="other", title="Other")
    job = pipeline_of(premium, merge_request=other)
    with pytest.raises(PolicyError, match="which is not of !7"):
        started(premium, f"{job.pipeline.id}/train")


@pytest.mark.threat(18)
@pytest.mark.parametrize(
    ("run", "problem"),
    [
        ("99999/train", "no such run"),
        ("../1/train", "no such run"),
        ("train", "no such run"),
        ("{pipeline}/trian", "no such job"),
    ],
)
def test_a_run_that_is_not_there_is_refused(premium: Scene, run: str, problem: str) -> None:
    job = pipeline_of(premium)
    with pytest.raises(PolicyError, match=problem):
        started(premium, run.format(pipeline=job.pipeline.id))


def test_a_run_of_another_system_cannot_be_known(premium: Scene) -> None:
    assert premium.forge().started(Run(system="ci", id="1/train")) == ()


@pytest.mark.threat(1)
def test_whoever_started_the_pipeline_is_named_whichever_job_the_evidence_names(
    scene: Scene,
) -> None:
    """The code of the change writes the name of the job, and could choose one that others run."""
    train = pipeline_of(scene)
    button = train.pipeline.job("preview", is_manual=True)
    button.play(scene.bob)
    assert started(scene, f"{train.pipeline.id}/preview") == ["alice", "bob"]
