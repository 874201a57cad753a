"""Statuses, check runs and deployments."""

from __future__ import annotations

from typing import Any

from tests.github.records import CheckRun, Deployment, DeploymentStatus, Status
from tests.github.repository import Repository
from tests.github.shapes import people, repositories
from tests.github.shapes.addresses import Addresses, stamp, stamp_or_null

Json = dict[str, Any]


def short_status(where: Addresses, repository: Repository, found: Status) -> Json:
    at = stamp(found.created_at)
    return {
        "url": where.repo(repository, f"/statuses/{found.sha}"),
        "avatar_url": people.user(where, found.creator)["avatar_url"],
        "id": found.id,
        "node_id": f"SC_{found.id}",
        "state": found.state,
        "description": found.description,
        "target_url": found.target_url,
        "context": found.context,
        "created_at": at,
        "updated_at": at,
    }


def status(where: Addresses, repository: Repository, found: Status) -> Json:
    creator = people.user_or_null(where, found.creator)
    return {**short_status(where, repository, found), "creator": creator}


def combined(where: Addresses, repository: Repository, sha: str, newest: list[Status]) -> Json:
    """One state out of the newest status of each context; pending if there is none."""
    states = {one.state for one in newest}
    state = "failure" if states & {"failure", "error"} else "success"
    if not states or (state == "success" and "pending" in states):
        state = "pending"
    return {
        "state": state,
        "sha": sha,
        "total_count": len(newest),
        "statuses": [short_status(where, repository, one) for one in newest],
        "repository": repositories.minimal(where, repository),
        "commit_url": where.repo(repository, f"/commits/{sha}"),
        "url": where.repo(repository, f"/commits/{sha}/status"),
    }


def check_run(where: Addresses, repository: Repository, found: CheckRun) -> Json:
    url = where.repo(repository, f"/check-runs/{found.id}")
    page = where.page(repository, f"/runs/{found.id}")
    return {
        "id": found.id,
        "node_id": f"CR_{found.id}",
        "name": found.name,
        "head_sha": found.head_sha,
        "status": found.status,
        "conclusion": found.conclusion,
        "started_at": stamp(found.started_at),
        "completed_at": stamp_or_null(found.completed_at),
        "details_url": found.details_url or page,
        "external_id": found.external_id or "",
        "url": url,
        "html_url": page,
        "output": {
            "title": found.output.get("title"),
            "summary": found.output.get("summary"),
            "text": found.output.get("text"),
            "annotations_count": len(found.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": found.id + 1_000_000},
        "app": people.actions_app(where, repository.github.ghost),
        "pull_requests": [],
    }


def deployment(where: Addresses, repository: Repository, found: Deployment) -> Json:
    url = where.repo(repository, f"/deployments/{found.id}")
    at = stamp(found.created_at)
    return {
        "url": url,
        "id": found.id,
        "node_id": f"DE_{found.id}",
        "sha": found.sha,
        "ref": found.ref,
        "task": found.task,
        "payload": found.payload,
        "original_environment": found.environment,
        "environment": found.environment,
        "description": found.description,
        "creator": people.user_or_null(where, found.creator),
        "created_at": at,
        "updated_at": at,
        "statuses_url": f"{url}/statuses",
        "repository_url": where.repo(repository),
        "transient_environment": found.is_transient,
        "production_environment": found.is_production,
        "performed_via_github_app": None,
    }


def deployment_status(
    where: Addresses, repository: Repository, of: Deployment, found: DeploymentStatus
) -> Json:
    url = where.repo(repository, f"/deployments/{of.id}")
    at = stamp(found.created_at)
    return {
        "url": f"{url}/statuses/{found.id}",
        "id": found.id,
        "node_id": f"DES_{found.id}",
        "state": found.state,
        "creator": people.user_or_null(where, found.creator),
        "description": found.description,
        "environment": found.environment,
        "target_url": found.log_url,
        "created_at": at,
        "updated_at": at,
        "deployment_url": url,
        "repository_url": where.repo(repository),
        "environment_url": found.environment_url,
        "log_url": found.log_url,
        "performed_via_github_app": None,
    }
