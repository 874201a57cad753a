"""What the stand-in answers, one file per kind of thing. Importing this registers all of them."""

from tests.gitlab.routes import (
    approvals,
    commits,
    deployments,
    environments,
    files,
    instance,
    members,
    merge_requests,
    notes,
    pipelines,
    projects,
    statuses,
    users,
)

__all__ = [
    "approvals",
    "commits",
    "deployments",
    "environments",
    "files",
    "instance",
    "members",
    "merge_requests",
    "notes",
    "pipelines",
    "projects",
    "statuses",
    "users",
]
