"""What the stand-in answers, one file per kind of thing. Importing this registers all of them."""

from tests.github.routes import (
    actions,
    checks,
    commits,
    deployments,
    issues,
    people,
    pulls,
    references,
    repositories,
    rules,
    statuses,
)

__all__ = [
    "actions",
    "checks",
    "commits",
    "deployments",
    "issues",
    "people",
    "pulls",
    "references",
    "repositories",
    "rules",
    "statuses",
]
