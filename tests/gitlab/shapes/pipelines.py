"""Pipelines and jobs, environments and deployments."""

from __future__ import annotations

from typing import Any

from tests.gitlab.pipelines import (
    AccessLevel,
    Deployment,
    DeploymentApproval,
    Environment,
    Job,
    Pipeline,
    ProtectedEnvironment,
)
from tests.gitlab.shapes import commits, people
from tests.gitlab.shapes.addresses import Addresses, stamp, stamp_or_null

Json = dict[str, Any]
NAMES = {30: "Developers + Maintainers", 40: "Maintainers"}
TIERS = {"production", "staging", "testing", "development"}


def short(where: Addresses, found: Pipeline) -> Json:
    return {
        "id": found.id,
        "iid": found.iid,
        "project_id": found.project.id,
        "sha": found.sha,
        "ref": found.ref,
        "status": found.status,
        "source": found.source,
        "created_at": stamp(found.created_at),
        "updated_at": stamp(found.updated_at),
        "web_url": where.page(found.project, f"/pipelines/{found.id}"),
    }


def pipeline(where: Addresses, found: Pipeline) -> Json:
    nothing = ("yaml_errors", "finished_at", "committed_at", "duration", "queued_duration")
    return {
        **short(where, found),
        "before_sha": "0" * 40,
        "tag": False,
        "user": people.short(where, found.user),
        "started_at": stamp(found.created_at),
        **dict.fromkeys((*nothing, "coverage", "name")),
        "detailed_status": {"text": found.status, "group": found.status},
    }


def job(where: Addresses, found: Job) -> Json:
    project = found.pipeline.project
    nothing = ("coverage", "erased_at", "duration", "queued_duration", "runner", "runner_manager")
    shown: Json = {
        "id": found.id,
        "status": found.status,
        "stage": found.stage,
        "name": found.name,
        "ref": found.pipeline.ref,
        "tag": False,
        "allow_failure": found.is_manual,
        "created_at": stamp(found.created_at),
        "started_at": stamp_or_null(found.started_at),
        "finished_at": stamp_or_null(found.finished_at),
        **dict.fromkeys((*nothing, "artifacts_expire_at")),
        "user": people.whole(where, found.user),
        "commit": commits.commit(where, project, found.pipeline.sha),
        "pipeline": short(where, found.pipeline),
        "web_url": where.page(project, f"/jobs/{found.id}"),
        "project": {"ci_job_token_scope_enabled": False},
        "artifacts": _files(found),
        "archived": False,
        "tag_list": [],
    }
    return {**shown, "failure_reason": "script_failure"} if found.status == "failed" else shown


def _files(found: Job) -> list[Json]:
    """What a job has left: its log, and the archive of its artifacts."""
    sizes = {"trace": 1000}
    if found.archive is not None:
        sizes["archive"] = len(found.archive)
    names = {"trace": "job.log", "archive": "artifacts.zip"}
    formats = {"trace": None, "archive": "zip"}
    return [
        {"file_type": kind, "size": size, "filename": names[kind], "file_format": formats[kind]}
        for kind, size in sizes.items()
    ]


def environment_short(found: Environment) -> Json:
    return {
        "id": found.id,
        "name": found.name,
        "slug": found.name.replace("/", "-").lower()[:24],
        "external_url": found.external_url,
        "created_at": stamp(found.created_at),
        "updated_at": stamp(found.updated_at),
    }


def environment(found: Environment) -> Json:
    nothing = ("auto_stop_at", "description", "cluster_agent", "kubernetes_namespace")
    return {
        **environment_short(found),
        "tier": found.name if found.name in TIERS else "other",
        "state": "stopped" if found.is_stopped else "available",
        "auto_stop_setting": "always",
        **dict.fromkeys((*nothing, "flux_resource_path")),
    }


def environment_detail(where: Addresses, found: Environment, last: Deployment | None) -> Json:
    return {
        **environment(found),
        "last_deployment": deployment(where, last) if last else None,
    }


def deployment(where: Addresses, found: Deployment) -> Json:
    return {
        "id": found.id,
        "iid": found.iid,
        "ref": found.ref,
        "sha": found.sha,
        "created_at": stamp(found.created_at),
        "updated_at": stamp(found.updated_at),
        "user": people.short(where, found.user),
        "environment": environment_short(found.environment),
        "deployable": job(where, found.job) if found.job else None,
        "status": found.status,
    }


def deployment_detail(
    where: Addresses, found: Deployment, protection: ProtectedEnvironment | None, *, is_free: bool
) -> Json:
    """One deployment. Its approvals are there on paid tiers only."""
    shown = deployment(where, found)
    if is_free:
        return shown
    given = [approval(where, one) for one in found.approvals]
    required = protection.required_approvals if protection else 0
    shown["pending_approval_count"] = max(required - len(given), 0)
    shown["approvals"] = given
    if protection is not None and protection.rules:
        shown["approval_summary"] = {
            "rules": [deployment_rule(where, found, one) for one in protection.rules]
        }
    return shown


def approval(where: Addresses, found: DeploymentApproval) -> Json:
    return {
        "user": people.short(where, found.user),
        "status": found.status,
        "created_at": stamp(found.created_at),
        "comment": found.comment,
    }


def deployment_rule(where: Addresses, deployment: Deployment, rule: AccessLevel) -> Json:
    """What was given for a rule: by its person, by members of its group, by holders of its role."""
    given = [one for one in deployment.approvals if _fits(deployment, rule, one)]
    return {
        **approval_rule(rule),
        "status": "approved" if len(given) >= rule.required_approvals else "pending_approval",
        "can_approve": False,
        "deployment_approvals": [approval(where, one) for one in given],
    }


def _fits(deployment: Deployment, rule: AccessLevel, given: DeploymentApproval) -> bool:
    if rule.user is not None:
        return given.user is rule.user
    if rule.group is not None:
        return given.user.id in rule.group.all_members()
    assert rule.level is not None
    return given.user.gitlab.project.level(given.user) >= rule.level


def access_level(found: AccessLevel) -> Json:
    if found.user is not None:
        name = found.user.name
    else:
        name = found.group.path if found.group else NAMES[found.level or 0]
    return {
        "id": found.id,
        "access_level": found.level,
        "access_level_description": name,
        "user_id": found.user.id if found.user else None,
        "group_id": found.group.id if found.group else None,
        "group_inheritance_type": 0,
    }


def approval_rule(found: AccessLevel) -> Json:
    return {**access_level(found), "required_approvals": found.required_approvals}


def protected_environment(found: ProtectedEnvironment) -> Json:
    return {
        "name": found.name,
        "deploy_access_levels": [access_level(one) for one in found.deployers],
        "required_approval_count": found.approval_count,
        "approval_rules": [approval_rule(one) for one in found.rules],
    }
