"""The variables that GitLab sets for a job."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.gitlab.merge_requests import MergeRequest
from tests.gitlab.pipelines import Job, Pipeline
from tests.gitlab.project import Project
from tests.gitlab.shapes.addresses import Addresses, commit_stamp, stamp
from tests.gitlab.shapes.pipelines import TIERS


def variables(where: Addresses, job: Job) -> dict[str, str]:
    """`CI_*` of a job. In a merge request's pipeline there is no `CI_COMMIT_BRANCH`."""
    pipeline = job.pipeline
    project, change = pipeline.project, pipeline.merge_request
    branch = change.source_branch if change else pipeline.ref
    found = {
        **_server(where),
        **_project(where, project),
        **_commit(project, pipeline.sha, branch),
        "CI_COMMIT_BEFORE_SHA": _before(pipeline) or "0" * 40,
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_JOB_ID": str(job.id),
        "CI_JOB_IMAGE": "python:3.11",
        "CI_JOB_NAME": job.name,
        "CI_JOB_NAME_SLUG": job.name.replace(":", "-").lower(),
        "CI_JOB_STAGE": job.stage,
        "CI_JOB_STARTED_AT": stamp(job.started_at or job.created_at),
        "CI_JOB_STATUS": "running",
        "CI_JOB_TOKEN": job.token.value,
        "CI_JOB_URL": where.page(project, f"/jobs/{job.id}"),
        "CI_PIPELINE_CREATED_AT": stamp(pipeline.created_at),
        "CI_PIPELINE_ID": str(pipeline.id),
        "CI_PIPELINE_IID": str(pipeline.iid),
        "CI_PIPELINE_SOURCE": pipeline.source,
        "CI_PIPELINE_URL": where.page(project, f"/pipelines/{pipeline.id}"),
        "GITLAB_USER_EMAIL": job.user.email,
        "GITLAB_USER_ID": str(job.user.id),
        "GITLAB_USER_LOGIN": job.user.username,
        "GITLAB_USER_NAME": job.user.name,
    }
    if change is not None:
        found |= _merge_request(where, change)
    else:
        found["CI_COMMIT_BRANCH"] = branch
        found |= _open_ones(project, branch)
    if job.is_manual:
        found["CI_JOB_MANUAL"] = "true"
    if pipeline.source == "schedule":
        found["CI_PIPELINE_SCHEDULE_DESCRIPTION"] = "nightly"
    if pipeline.source == "trigger":
        found["CI_PIPELINE_TRIGGERED"] = "true"
    if job.environment is not None:
        name = job.environment.name
        found |= {
            "CI_ENVIRONMENT_NAME": name,
            "CI_ENVIRONMENT_SLUG": name.replace("/", "-").lower()[:24],
            "CI_ENVIRONMENT_ACTION": "start",
            "CI_ENVIRONMENT_TIER": name if name in TIERS else "other",
        }
    return found


def _server(where: Addresses) -> dict[str, str]:
    parts = urlsplit(where.web)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {
        "CI_API_V4_URL": where.api,
        "CI_SERVER": "yes",
        "CI_SERVER_FQDN": parts.netloc,
        "CI_SERVER_HOST": parts.hostname or "",
        "CI_SERVER_NAME": "GitLab",
        "CI_SERVER_PORT": str(port),
        "CI_SERVER_PROTOCOL": parts.scheme,
        "CI_SERVER_URL": where.web,
    }


def _project(where: Addresses, project: Project) -> dict[str, str]:
    space, _, name = project.full_name.rpartition("/")
    return {
        "CI_DEFAULT_BRANCH": project.default_branch,
        "CI_PROJECT_ID": str(project.id),
        "CI_PROJECT_NAME": name,
        "CI_PROJECT_NAMESPACE": space,
        "CI_PROJECT_NAMESPACE_ID": str(project.namespace.id),
        "CI_PROJECT_PATH": project.full_name,
        "CI_PROJECT_ROOT_NAMESPACE": space.partition("/")[0],
        "CI_PROJECT_TITLE": name,
        "CI_PROJECT_URL": where.page(project),
        "CI_PROJECT_VISIBILITY": project.visibility,
        "CI_REPOSITORY_URL": f"{where.page(project)}.git",
    }


def _commit(project: Project, sha: str, branch: str) -> dict[str, str]:
    commit = project.objects.commit(sha)
    title, _, rest = commit.message.partition("\n")
    return {
        "CI_COMMIT_AUTHOR": f"{commit.author.name} <{commit.author.email}>",
        "CI_COMMIT_DESCRIPTION": rest.strip(),
        "CI_COMMIT_MESSAGE": commit.message,
        "CI_COMMIT_REF_NAME": branch,
        "CI_COMMIT_REF_PROTECTED": str(project.protection(branch) is not None).lower(),
        "CI_COMMIT_REF_SLUG": branch.replace("/", "-").lower(),
        "CI_COMMIT_SHA": sha,
        "CI_COMMIT_SHORT_SHA": sha[:8],
        "CI_COMMIT_TIMESTAMP": commit_stamp(commit.committer.at),
        "CI_COMMIT_TITLE": title,
    }


def _before(pipeline: Pipeline) -> str | None:
    """Where the branch was before the push that started a pipeline; whatever else starts one has
    none.
    """
    if pipeline.source != "push":
        return None
    pushes = [one for one in pipeline.project.pushes if one.branch == pipeline.ref]
    return next((one.before for one in reversed(pushes) if one.after == pipeline.sha), None)


def _merge_request(where: Addresses, change: MergeRequest) -> dict[str, str]:
    project, source = change.project, change.source_project or change.project
    approved = {"CI_MERGE_REQUEST_APPROVED": "true"} if change.is_approved else {}
    return {
        **approved,
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": change.versions[-1].base,
        "CI_MERGE_REQUEST_DIFF_ID": str(change.versions[-1].id),
        "CI_MERGE_REQUEST_DRAFT": str(change.is_draft).lower(),
        "CI_MERGE_REQUEST_EVENT_TYPE": "detached",
        "CI_MERGE_REQUEST_ID": str(change.id),
        "CI_MERGE_REQUEST_IID": str(change.iid),
        "CI_MERGE_REQUEST_PROJECT_ID": str(project.id),
        "CI_MERGE_REQUEST_PROJECT_PATH": project.full_name,
        "CI_MERGE_REQUEST_PROJECT_URL": where.page(project),
        "CI_MERGE_REQUEST_REF_PATH": f"refs/merge-requests/{change.iid}/head",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": change.source_branch,
        "CI_MERGE_REQUEST_SOURCE_BRANCH_PROTECTED": str(
            source.protection(change.source_branch) is not None
        ).lower(),
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": str(source.id),
        "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": source.full_name,
        "CI_MERGE_REQUEST_SOURCE_PROJECT_URL": where.page(source),
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": change.target_branch,
        "CI_MERGE_REQUEST_TARGET_BRANCH_PROTECTED": str(
            project.protection(change.target_branch) is not None
        ).lower(),
        "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": "",
        "CI_MERGE_REQUEST_TITLE": change.title,
    }


def _open_ones(project: Project, branch: str) -> dict[str, str]:
    """Of a branch's pipeline: the open merge requests of the branch, four at most."""
    named = [
        f"{one.project.full_name}!{one.iid}"
        for one in project.merge_requests
        if one.state == "opened" and one.source_branch == branch and one.source_project is project
    ]
    return {"CI_OPEN_MERGE_REQUESTS": ",".join(named[:4])} if named else {}
