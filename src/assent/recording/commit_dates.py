"""When the commits were made that entries name, as far as this clone has them."""

from __future__ import annotations

from collections.abc import Collection

from assent.git import GitError
from assent.workspace import Workspace


def commit_dates(workspace: Workspace, commits: Collection[str]) -> dict[str, str]:
    """The dates of commits, by id; RFC 3339. They are only shown, so that what Git cannot say is
    left out.
    """
    try:
        return workspace.repository.dates(commits)
    except GitError:
        return {}
