"""What has landed since the newest version, where somebody has rewritten the branch."""

from __future__ import annotations

from pathlib import Path

from assent.core.change import ReviewState
from assent.verbs.approve import approve
from tests.builders import run_git
from tests.properties.test_landing import Team


def test_what_was_replaced_stays_so_when_the_branch_is_rewritten(tmp_path: Path) -> None:
    """It is approved late, after a later change got its version; the newest commit is amended."""
    team = Team(tmp_path)
    team.open([("a.txt", 1)])
    late = team.requests[-1]
    team.review(late)
    team.merge(late, "squash")
    team.run("push")
    team.open([("a.txt", 2)])
    newest = team.requests[-1]
    team.review(newest)
    team.approve(newest)
    team.merge(newest, "squash")
    team.run("push")
    versions = team.registered()
    assert versions == [newest.shown[newest.head]]

    shown = late.shown[late.head]
    workspace = team._of(late)
    workspace.forge.review(
        "churn", shown, by="grace", state=ReviewState.APPROVED, at=team._now(), reason=None
    )
    approve(workspace, "churn", name=shown)
    tree = run_git(team.folder, "rev-parse", f"{team.tip}^{{tree}}")
    amended = team.commit(run_git(team.folder, "rev-parse", f"{team.tip}^1"), [], tree=tree)
    run_git(team.folder, "update-ref", "refs/heads/main", amended)
    team.run("schedule")
    assert team.registered() == versions

    after = team.open([("b.txt", 1)])
    team.review(after)
    team.approve(after)
    team.merge(after, "squash")
    team.run("push")
    assert team.registered() == [*versions, after.shown[after.head]]
