"""What has landed since the newest version, where somebody has rewritten the branch."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from assent.core.change import Review, ReviewState
from assent.core.digest import Digest
from assent.verbs.approve import approve
from tests.builders import run_git
from tests.properties.test_landing import CONFIG, Request, Team


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


def said(team: Team, request: Request, by: str, state: ReviewState, bundle: Digest | None) -> None:
    """A review at what the request holds now; of no bundle, if none was shown yet."""
    team.forge.open_change = None
    review = Review(
        person=team.forge.person(by),
        state=state,
        at=team._now(),
        head=request.head,
        bundle=bundle,
        id=f"review:{team.number()}",
    )
    team.forge.given.append(("churn", request.id, review))


def test_an_approval_that_does_not_count_answers_an_objection(tmp_path: Path) -> None:
    """It was given before the new bundle was shown."""
    team = Team(tmp_path, CONFIG.replace("[grace]", "[grace, bob]"), "bob")
    request = team.open([("a.txt", 1)])
    said(team, request, "grace", ReviewState.CHANGES_REQUESTED, None)
    said(team, request, "grace", ReviewState.APPROVED, None)
    team.review(request)
    team.approve(request, "bob")
    team.merge(request, "squash")
    team.run("push")
    assert team.registered() == [request.shown[request.head]]


def test_an_objection_that_nobody_answered_still_stands(tmp_path: Path) -> None:
    """What somebody else says answers nothing."""
    team = Team(tmp_path, CONFIG.replace("[grace]", "[grace, bob]"), "bob")
    request = team.open([("a.txt", 1)])
    said(team, request, "grace", ReviewState.APPROVED, None)
    said(team, request, "grace", ReviewState.CHANGES_REQUESTED, None)
    team.review(request)
    team.approve(request, "bob")
    team.merge(request, "squash")
    team.run("push")
    assert team.registered() == []


def test_an_approval_that_was_taken_back_and_given_again_is_recorded_again(tmp_path: Path) -> None:
    """Nothing ran in between."""
    team = Team(tmp_path, CONFIG.replace("[grace]", "[grace, bob]").replace("1, f", "2, f"), "bob")
    request = team.open([("a.txt", 1)])
    team.review(request)
    team.approve(request, "bob")
    team.merge(request, "squash")
    team.run("push")
    assert team.registered() == []
    digest = request.shown[request.head]
    place, (model, change, review) = next(
        (place, one) for place, one in enumerate(team.forge.given) if one[2].person.login == "bob"
    )
    gone = msgspec.structs.replace(review, state=ReviewState.DISMISSED)
    team.forge.given[place] = (model, change, gone)
    said(team, request, "bob", ReviewState.APPROVED, digest)
    said(team, request, "grace", ReviewState.APPROVED, digest)
    team.run("schedule")
    assert team.registered() == [digest]


def moved_to(team: Team, request: Request) -> None:
    """The branch of a request has merged the base branch, and that is moved to it as it is: its
    first parent is the branch, as where a forge moves forward only.
    """
    tree = run_git(team.folder, "merge-tree", "--write-tree", request.head, team.tip).split()[0]
    request.head = team.commit(request.head, [], team.tip, tree=tree)


@pytest.mark.threat(43)
def test_the_base_branch_is_found_where_it_was_merged_the_other_way_round(tmp_path: Path) -> None:
    team = Team(tmp_path, CONFIG, "bob", "sam")
    replaced = team.open([("a.txt", 1)], "ada")
    team.review(replaced)
    team.merge(replaced, "squash")
    docs = team.open([("docs.md", 1)], "sam")
    bundles = []
    for value in (2, 3):
        work = team.open([("a.txt", value)], "bob")
        team.review(work)
        team.approve(work)
        bundles.append(work.shown[work.head])
        team.merge(work, "squash")
        if value == 2:
            team.run("push")  # what comes after it nobody has registered yet
    late = replaced.shown[replaced.head]
    said(team, replaced, "grace", ReviewState.APPROVED, late)
    moved_to(team, docs)
    team._land(docs.head, docs)
    team.run("push")
    team.run("schedule")
    assert team.registered() == bundles, "each of what has landed, and nothing that was replaced"
