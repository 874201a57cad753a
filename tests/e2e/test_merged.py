"""That something was merged is proven by the base branch, not by its commit being there."""

from __future__ import annotations

import pytest

from tests.e2e.project import GRACE, Project


@pytest.mark.threat(40)
@pytest.mark.parametrize("checkout", ["topic", "--detach"])
def test_a_commit_that_is_in_the_remote_but_not_merged_is_not_registered(
    shipped: Project, checkout: str
) -> None:
    shipped.branch("topic", accuracy="0.9")
    shipped.run("review", code=11)
    shipped.run("approve", "--as", GRACE)
    shipped.git("push", "--quiet", "origin", "topic")
    shipped.git("checkout", "--quiet", checkout)
    before = shipped.entries()
    assert "is not part of main" in shipped.run("register", code=10).stderr
    assert shipped.entries() == before


@pytest.mark.threat(40)
def test_a_local_main_that_was_not_pushed_is_not_the_base_branch(shipped: Project) -> None:
    shipped.branch("topic", accuracy="0.9")
    shipped.run("review", code=11)
    shipped.run("approve", "--as", GRACE)
    shipped.git("checkout", "--quiet", "main")
    shipped.git("merge", "--quiet", "--no-edit", "topic")
    assert "is not part of main" in shipped.run("register", code=10).stderr
    shipped.git("push", "--quiet", "origin", "main")
    shipped.run("register")
