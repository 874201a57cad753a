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


def test_several_merges_are_registered_at_once_and_late(shipped: Project) -> None:
    """On a laptop, where no forge tells which branch a step came from."""
    bundles: list[str] = []
    for name, accuracy in (("one", "0.85"), ("two", "0.9")):
        shipped.branch(name, start="one" if bundles else "main", accuracy=accuracy)
        bundles.append(
            shipped.run("review", "--json", code=11).json["report"]["diff"]["candidate"]["bundle"]
        )
        shipped.run("approve", "--as", GRACE)
    shipped.merge("one", "--squash")
    shipped.merge("two", "-X", "theirs", "--no-ff")
    shipped.write("README.md", "# Churn\n")
    shipped.commit("docs", push=True)
    result = shipped.run("register", "--json").json
    assert (result["version"], result["bundle"]) == (3, bundles[1])
    assert shipped.entries()[:2] == ["register v3", "register v2"]
    assert shipped.run("register", "--json").json["version"] == 3


def test_a_shallow_clone_fetches_what_has_landed(shipped: Project) -> None:
    shipped.branch("better", accuracy="0.9")
    shipped.run("review", code=11)
    shipped.run("approve", "--as", GRACE)
    shipped.merge("better")
    for number in range(3):
        shipped.write("README.md", f"{number}\n")
        shipped.commit("docs", push=True)
    clone = shipped.clone("shallow", "--depth=1")
    result = clone.run("register", "--json").json
    assert result["version"] == 2
    assert shipped.entries()[0] == "register v2"


def test_a_version_that_several_landed_commits_have_is_said_once(fresh: Project) -> None:
    fresh.edit("assent.yaml", "production: {after: staging,", "production: {after: shadow,")
    fresh.commit("Other stages", push=True)
    fresh.run("review", code=11)
    fresh.run("approve", "--as", GRACE)
    shown = fresh.run("register").stdout
    assert shown.startswith("registered ")
    assert "already" not in shown
    assert "is v1 already" in fresh.run("register").stdout
