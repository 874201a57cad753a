"""The environment variables that a runner sets for a job."""

from __future__ import annotations

from pathlib import Path

from tests.github.runs import Run
from tests.github.shapes.addresses import Addresses


def variables(where: Addresses, run: Run, event_file: Path, *, job: str = "job") -> dict[str, str]:
    """GITHUB_* of a run. Of a pull request's run ref and SHA are those of the test merge; the
    run's own `head_sha` in the API is the head.
    """
    repository = run.repository
    ref, sha, head_ref, base_ref = f"refs/heads/{run.head_branch}", run.head_sha, "", ""
    if run.event.startswith("pull_request") and run.pull is not None:
        ref = f"refs/pull/{run.pull.number}/merge"
        sha = run.pull.merge_commit_sha or sha
        head_ref, base_ref = run.pull.head_ref, run.pull.base_ref
    branch = run.head_branch or ""
    has_rules = bool(branch in repository.protections or repository.rules_of(branch))
    graphql = where.api.removesuffix("/v3") + "/graphql"
    return {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTOR": run.actor.login,
        "GITHUB_ACTOR_ID": str(run.actor.id),
        "GITHUB_API_URL": where.api,
        "GITHUB_BASE_REF": base_ref,
        "GITHUB_EVENT_NAME": run.event,
        "GITHUB_EVENT_PATH": str(event_file),
        "GITHUB_GRAPHQL_URL": graphql,
        "GITHUB_HEAD_REF": head_ref,
        "GITHUB_JOB": job,
        "GITHUB_REF": ref,
        "GITHUB_REF_NAME": ref.removeprefix("refs/heads/").removeprefix("refs/pull/"),
        "GITHUB_REF_PROTECTED": str(has_rules and repository.has_rules).lower(),
        "GITHUB_REF_TYPE": "branch",
        "GITHUB_REPOSITORY": repository.full_name,
        "GITHUB_REPOSITORY_ID": str(repository.id),
        "GITHUB_REPOSITORY_OWNER": repository.owner.login,
        "GITHUB_REPOSITORY_OWNER_ID": str(repository.owner.id),
        "GITHUB_RUN_ATTEMPT": str(run.attempt),
        "GITHUB_RUN_ID": str(run.id),
        "GITHUB_RUN_NUMBER": str(run.number),
        "GITHUB_SERVER_URL": where.web,
        "GITHUB_SHA": sha,
        "GITHUB_TRIGGERING_ACTOR": run.triggering_actor.login,
        "GITHUB_WORKFLOW": run.name,
        "GITHUB_WORKFLOW_REF": f"{repository.full_name}/{run.path}@{ref}",
        "GITHUB_WORKFLOW_SHA": sha,
        "RUNNER_ENVIRONMENT": "github-hosted",
        "RUNNER_OS": "Linux",
    }
