"""Workflow runs, artifacts and environments."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from tests.github.accounts import Account, Team
from tests.github.repository import Repository
from tests.github.runs import Artifact, Environment, Machine, MachineGroup, Run, RunApproval
from tests.github.shapes import people, pulls, repositories
from tests.github.shapes.addresses import Addresses, stamp

Json = dict[str, Any]
KEPT = timedelta(days=90)


def attempt(where: Addresses, found: Run, number: int) -> Json:
    """One attempt of a run, as it was."""
    by = found.actor if number == 1 else found.attempts[number - 2]
    starter = {"run_attempt": number, "triggering_actor": people.user(where, by)}
    return {**run(where, found), **starter}


def run(where: Addresses, found: Run, *, with_pulls: bool = True) -> Json:
    """A run. The list of pull requests is empty for those of forks, as on GitHub."""
    repository = found.repository
    url = where.repo(repository, f"/actions/runs/{found.id}")
    commit = repository.objects.commit(found.head_sha)
    workflow = workflow_id(found)
    previous = f"{url}/attempts/{found.attempt - 1}" if found.attempt > 1 else None
    same = [
        one
        for one in repository.pulls
        if one.is_open
        and one.head_repository is repository
        and one.head_ref == found.head_branch
        and found.head_branch != repository.default_branch
    ]
    return {
        "id": found.id,
        "name": found.name,
        "node_id": f"WFR_{found.id}",
        "head_branch": found.head_branch,
        "head_sha": found.head_sha,
        "path": found.path,
        "display_title": commit.message.splitlines()[0],
        "run_number": found.number,
        "event": found.event,
        "status": found.status,
        "conclusion": found.conclusion,
        "workflow_id": workflow,
        "check_suite_id": found.id + 1_000_000,
        "check_suite_node_id": f"CS_{found.id + 1_000_000}",
        "url": url,
        "html_url": where.page(repository, f"/actions/runs/{found.id}"),
        "pull_requests": [pulls.minimal(where, one) for one in same] if with_pulls else [],
        "created_at": stamp(found.created_at),
        "updated_at": stamp(found.updated_at),
        "actor": people.user(where, found.actor),
        "run_attempt": found.attempt,
        "referenced_workflows": [],
        "run_started_at": stamp(found.updated_at),
        "triggering_actor": people.user(where, found.triggering_actor),
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "check_suite_url": where.repo(repository, f"/check-suites/{found.id + 1_000_000}"),
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "previous_attempt_url": previous,
        "workflow_url": where.repo(repository, f"/actions/workflows/{workflow}"),
        "head_commit": {
            "id": found.head_sha,
            "tree_id": commit.tree,
            "message": commit.message,
            "timestamp": stamp(commit.committer.at),
            "author": {"name": commit.author.name, "email": commit.author.email},
            "committer": {"name": commit.committer.name, "email": commit.committer.email},
        },
        "repository": repositories.minimal(where, repository),
        "head_repository": repositories.minimal(where, found.head_repository),
    }


def workflow_id(found: Run) -> int:
    """One number per workflow file."""
    return int(hashlib.sha256(found.path.encode()).hexdigest()[:6], 16)


def artifact(where: Addresses, of: Run, found: Artifact) -> Json:
    url = where.repo(of.repository, f"/actions/artifacts/{found.id}")
    return {
        "id": found.id,
        "node_id": f"ART_{found.id}",
        "name": found.name,
        "size_in_bytes": len(found.content),
        "url": url,
        "archive_download_url": f"{url}/zip",
        "expired": found.is_expired,
        "digest": f"sha256:{hashlib.sha256(found.content).hexdigest()}",
        "created_at": stamp(found.created_at),
        "updated_at": stamp(found.created_at),
        "expires_at": stamp(found.created_at + KEPT),
        "workflow_run": {
            "id": of.id,
            "repository_id": of.repository.id,
            "head_repository_id": of.head_repository.id,
            "head_branch": of.head_branch,
            "head_sha": of.head_sha,
        },
    }


def short_environment(where: Addresses, repository: Repository, found: Environment) -> Json:
    return {
        "id": found.id,
        "node_id": f"EN_{found.id}",
        "name": found.name,
        "url": where.repo(repository, f"/environments/{found.name}"),
        "html_url": where.page(
            repository, f"/deployments/activity_log?environments_filter={found.name}"
        ),
    }


def environment(where: Addresses, repository: Repository, found: Environment) -> Json:
    """An environment with its rules. A plan that has none shows none."""
    at = stamp(found.created_at)
    return {
        **short_environment(where, repository, found),
        "created_at": at,
        "updated_at": at,
        "can_admins_bypass": found.lets_admins_bypass,
        "protection_rules": rules(where, found) if repository.has_rules else [],
        "deployment_branch_policy": {
            "protected_branches": found.branch_policy == "protected",
            "custom_branch_policies": found.branch_policy == "custom",
        }
        if found.branch_policy
        else None,
    }


def rules(where: Addresses, found: Environment) -> list[Json]:
    shown: list[Json] = []

    def add(kind: str, **settings: object) -> None:
        number = found.id * 10 + len(shown)
        shown.append({"id": number, "node_id": f"GA_{number}", "type": kind, **settings})

    if found.wait_minutes:
        add("wait_timer", wait_timer=found.wait_minutes)
    if found.reviewers:
        add(
            "required_reviewers",
            prevent_self_review=found.prevents_self_review,
            reviewers=[reviewer(where, one) for one in found.reviewers],
        )
    if found.branch_policy:
        add("branch_policy")
    return shown


def reviewer(where: Addresses, one: Account | Team) -> Json:
    if isinstance(one, Team):
        return {"type": "Team", "reviewer": people.team(where, one)}
    return {"type": "User", "reviewer": people.user(where, one)}


def approval(where: Addresses, repository: Repository, found: RunApproval) -> Json:
    return {
        "state": found.state,
        "comment": found.comment,
        "environments": [
            {
                **short_environment(where, repository, one),
                "created_at": stamp(one.created_at),
                "updated_at": stamp(one.created_at),
            }
            for one in found.environments
        ],
        "user": people.user(where, found.author),
    }


def pending(where: Addresses, repository: Repository, found: Environment, seen_by: Account) -> Json:
    people_ids = {one.id for one in found.reviewers if isinstance(one, Account)}
    return {
        "environment": short_environment(where, repository, found),
        "wait_timer": found.wait_minutes,
        "wait_timer_started_at": None,
        "current_user_can_approve": seen_by.id in people_ids,
        "reviewers": [reviewer(where, one) for one in found.reviewers],
    }


def machine(found: Machine) -> Json:
    return {
        "id": found.id,
        "name": found.name,
        "os": "linux",
        "status": "online",
        "busy": False,
        "labels": [{"id": 1, "name": "self-hosted", "type": "read-only"}],
        "ephemeral": found.is_ephemeral,
    }


def machine_group(where: Addresses, found: MachineGroup) -> Json:
    return {
        "id": found.id,
        "name": found.name,
        "visibility": "all",
        "default": False,
        "runners_url": f"{where.api}/orgs/acme/actions/runner-groups/{found.id}/runners",
        "inherited": False,
        "allows_public_repositories": found.is_for_public,
        "restricted_to_workflows": found.workflows is not None,
        "selected_workflows": found.workflows or [],
        "workflow_restrictions_read_only": False,
    }
