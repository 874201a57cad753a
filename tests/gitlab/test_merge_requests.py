"""Merge requests, seen through the real client."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gitlab import Gitlab, GitlabAuthenticationError, GitlabError
from gitlab.v4.objects import Project

from tests.builders import new_clone, new_repository, run_git
from tests.gitlab.conftest import Connect, refusal
from tests.gitlab.merge_requests import How
from tests.gitlab.server import Server
from tests.gitlab.world import GitLab
from tests.standin.branches import ConflictError


def test_every_push_makes_a_version(gitlab: GitLab, project: Project) -> None:
    change = gitlab.open_merge_request(gitlab.user("alice"), files={"a.txt": "1\n"})
    first, opened = change.sha, gitlab.now
    gitlab.tick(90)
    second = change.push(files={"b.txt": "2\n"})
    found = project.mergerequests.get(7).diffs.list(get_all=True)
    assert [(one.head_commit_sha, one.created_at) for one in found] == [
        (second, "2026-01-02T03:05:35.000Z"),
        (first, opened.strftime("%Y-%m-%dT%H:%M:%S.000Z")),
    ]
    assert found[0].patch_id_sha != found[1].patch_id_sha
    assert project.mergerequests.get(7).sha == second
    assert project.mergerequests.get(7).diff_refs["head_sha"] == second
    detail = project.mergerequests.get(7).diffs.get(found[0].id)
    assert [one["id"] for one in detail.commits] == [second, first]


def test_a_rebase_has_another_version_with_the_same_patch(gitlab: GitLab, project: Project) -> None:
    alice = gitlab.user("alice")
    change = gitlab.open_merge_request(alice, files={"a.txt": "1\n"})
    change.approve(gitlab.user("bob", role="developer"))
    gitlab.project.push(alice, files={"c.txt": "3\n"})
    rebased = gitlab.project.commit(
        alice, parent=gitlab.project.tip("main"), files={"a.txt": "1\n"}
    )
    change.push(rebased)
    new, old = project.mergerequests.get(7).diffs.list(get_all=True)
    assert new.head_commit_sha != old.head_commit_sha
    assert new.patch_id_sha == old.patch_id_sha
    assert len(project.mergerequests.get(7).approvals.get().approved_by) == 1


def test_an_approval_names_no_commit(gitlab: GitLab, project: Project) -> None:
    bob = gitlab.user("bob", role="developer")
    change = gitlab.open_merge_request(gitlab.user("alice", role="developer"))
    gitlab.tick()
    change.approve(bob)
    given = project.mergerequests.get(7).approvals.get().approved_by
    assert [(one["user"]["id"], one["approved_at"]) for one in given] == [
        (bob.id, "2026-01-02T03:05:05.000Z")
    ]
    gitlab.tells_approved_at = False
    assert "approved_at" not in project.mergerequests.get(7).approvals.get().approved_by[0]
    change.unapprove(bob)
    assert project.mergerequests.get(7).approvals.get().approved_by == []


def test_a_push_takes_approvals_away_on_paid_tiers_only() -> None:
    for tier, left in (("free", 1), ("premium", 0)):
        with Server(tier=tier) as server:
            gitlab = server.gitlab
            change = gitlab.open_merge_request(gitlab.user("alice"))
            change.approve(gitlab.user("bob", role="developer"))
            change.push()
            assert len(change.approvals) == left
            client = Gitlab(server.site, private_token=gitlab.project_token())
            found = client.projects.get("acme/churn").mergerequests.get(7).approvals.get()
            assert len(found.approved_by) == left
            assert found.approved is (True if tier == "premium" else bool(left))
            client.session.close()


def test_approved_can_be_true_of_what_nobody_approved(gitlab: GitLab, project: Project) -> None:
    alice, bob = gitlab.user("alice", role="developer"), gitlab.user("bob", role="developer")
    gitlab.open_merge_request(alice)
    rule = gitlab.project.require_approval("security", alice)
    found = project.mergerequests.get(7).approvals.get()
    assert (found.approved, found.approved_by) == (True, [])
    assert [one["name"] for one in found.invalid_approvers_rules] == ["security"]
    state = project.mergerequests.get(7).approval_state.get()
    assert state.rules[0]["approved"] is True
    rule.users.append(bob)
    found = project.mergerequests.get(7).approvals.get()
    assert (found.approved, found.approvals_left) == (False, 1)


def test_people_approve_through_the_api_once(
    gitlab: GitLab, connect: Connect, project: Project
) -> None:
    bob = gitlab.user("bob", role="developer")
    change = gitlab.open_merge_request(gitlab.user("alice"))
    theirs = connect(gitlab.personal_token(bob)).projects.get("acme/churn").mergerequests.get(7)
    with pytest.raises(GitlabError) as refused:
        theirs.approve(sha="0" * 40)
    assert refused.value.response_code == 409
    theirs.approve(sha=change.sha)
    with pytest.raises(GitlabAuthenticationError):
        theirs.approve()
    theirs.unapprove()
    assert change.approvals == []
    bodies = [one.body for one in project.mergerequests.get(7).notes.list(get_all=True)]
    assert bodies == ["unapproved this merge request", "approved this merge request"]


def test_reviewers_have_states(gitlab: GitLab, project: Project) -> None:
    bob, carol = gitlab.user("bob", role="developer"), gitlab.user("carol", role="developer")
    change = gitlab.open_merge_request(gitlab.user("alice"))
    change.ask(bob)
    change.approve(bob)
    change.request_changes(carol)
    found = {
        one.user["id"]: one.state
        for one in project.mergerequests.get(7).reviewer_details.list(get_all=True)
    }
    assert found == {bob.id: "approved", carol.id: "requested_changes"}
    change.request_changes(bob)
    assert change.approvals == []


def test_notes_are_system_ones_or_edited_ones(gitlab: GitLab, project: Project) -> None:
    alice, bob = gitlab.user("alice", role="developer"), gitlab.user("bob", role="developer")
    change = gitlab.open_merge_request(alice)
    note = change.note(bob, "/assent approve churn")
    gitlab.tick()
    change.approve(bob)
    notes = project.mergerequests.get(7).notes
    assert [(one.body, one.system) for one in notes.list(get_all=True)] == [
        ("approved this merge request", True),
        ("/assent approve churn", False),
    ]
    assert notes.get(note.id).created_at == notes.get(note.id).updated_at
    note.edit("something else")
    assert notes.get(note.id).created_at < notes.get(note.id).updated_at
    assert [one.body for one in notes.list(activity_filter="only_comments", get_all=True)] == [
        "something else"
    ]


def test_gitlab_obeys_its_own_commands_in_a_note(gitlab: GitLab, project: Project) -> None:
    change = gitlab.open_merge_request(gitlab.user("alice"))
    notes = project.mergerequests.get(7).notes
    kept = notes.create({"body": "Fine.\n/approve\n```\n/close\n```\n/assent approve churn"})
    assert kept.body == "Fine.\n```\n/close\n```\n/assent approve churn"
    assert change.commands == ["/approve"]
    assert len(change.approvals) == 1
    assert "id" not in notes.create({"body": "/close"}).attributes
    assert change.state == "closed"


def test_a_note_has_a_million_characters_at_most(gitlab: GitLab, project: Project) -> None:
    gitlab.open_merge_request(gitlab.user("alice"))
    notes = project.mergerequests.get(7).notes
    note = notes.create({"body": "x" * 1_000_000})
    with pytest.raises(GitlabError) as refused:
        notes.create({"body": "x" * 1_000_001})
    assert refused.value.response_code == 400
    assert "too long" in refusal(refused)[1]
    note.body = "short"
    note.save()
    assert notes.get(note.id).body == "short"
    note.delete()
    assert notes.list(get_all=True) == []


def test_others_notes_are_for_maintainers(gitlab: GitLab, connect: Connect) -> None:
    change = gitlab.open_merge_request(gitlab.user("alice"))
    note = change.note(gitlab.user("bob", role="developer"), "mine")
    token = gitlab.project_token(role="developer")
    theirs = connect(token).projects.get("acme/churn").mergerequests.get(7).notes.get(note.id)
    theirs.body = "ours"
    with pytest.raises(GitlabError) as refused:
        theirs.save()
    assert refusal(refused) == (403, "403 Forbidden")


@pytest.mark.parametrize(
    ("how", "method", "expected"),
    [
        ("merge", "merge", ("merge_commit_sha",)),
        ("squash", "merge", ("merge_commit_sha",)),
        ("squash", "ff", ("squash_commit_sha",)),
        ("ff", "ff", ("sha",)),
        ("rebase", "ff", ("sha",)),
    ],
)
def test_each_way_to_merge_is_found_from_the_landed_commit(
    how: How, method: Any, expected: tuple[str, ...], gitlab: GitLab, project: Project
) -> None:
    gitlab.project.merge_method = method
    carol = gitlab.user("carol", role="maintainer")
    change = gitlab.open_merge_request(gitlab.user("alice"), files={"a.txt": "1\n"})
    change.push(files={"b.txt": "2\n"})
    if method == "merge" or how == "rebase":
        gitlab.project.push(carol, files={"c.txt": "3\n"})
    tip = change.merge(carol, how)
    found = project.mergerequests.get(7)
    assert found.state == "merged"
    assert found.merge_user["id"] == carol.id
    assert project.branches.get("main").commit["id"] == tip
    fields = ("sha", "merge_commit_sha", "squash_commit_sha")
    assert tuple(name for name in fields if getattr(found, name) == tip) == expected
    assert [one["iid"] for one in project.commits.get(tip).merge_requests()] == [7]
    names = {one["name"] for one in project.repository_tree(get_all=True)}
    assert names >= {"a.txt", "b.txt"}


def test_what_conflicts_cannot_be_merged(gitlab: GitLab, project: Project) -> None:
    alice = gitlab.user("alice")
    change = gitlab.open_merge_request(alice, files={"a.txt": "1\n"})
    gitlab.project.push(alice, files={"a.txt": "2\n"})
    assert project.mergerequests.get(7).has_conflicts is True
    for how in ("merge", "squash", "rebase"):
        with pytest.raises(ConflictError):
            change.merge(alice, how)


def test_the_merge_requests_of_a_commit_come_late(gitlab: GitLab, project: Project) -> None:
    change = gitlab.open_merge_request(gitlab.user("alice"))
    commit = project.commits.get(change.merge(gitlab.user("bob")))
    gitlab.lag_of_merge_requests = 2
    assert [[one["iid"] for one in commit.merge_requests()] for _ in range(3)] == [[], [], [7]]


def test_a_fork_has_its_own_project(gitlab: GitLab, project: Project) -> None:
    bob = gitlab.user("bob")
    fork = gitlab.fork(bob)
    gitlab.open_merge_request(bob, fork=fork)
    found = project.mergerequests.get(7)
    assert (found.source_project_id, found.target_project_id) == (fork.id, gitlab.project.id)
    gitlab.delete_fork(fork)
    assert project.mergerequests.get(7).source_project_id is None


def test_a_merge_request_is_opened_and_changed_through_the_api(
    gitlab: GitLab, project: Project
) -> None:
    gitlab.project.commit(gitlab.user("alice"), branch="retrain")
    asked = {"source_branch": "retrain", "target_branch": "main", "title": "Retrain"}
    made = project.mergerequests.create(asked)
    with pytest.raises(GitlabError) as refused:
        project.mergerequests.create(asked)
    assert refused.value.response_code == 409
    made.title = "Retrained"
    made.save()
    found = project.mergerequests.list(source_branch="retrain", state="opened", get_all=True)
    assert [(one.iid, one.title) for one in found] == [(7, "Retrained")]


def test_git_and_the_api_agree(tmp_path: Path) -> None:
    new_repository(tmp_path / "seed")
    run_git(tmp_path / "seed", "commit", "-q", "--allow-empty", "-m", "seed")
    bare = tmp_path / "origin.git"
    run_git(tmp_path, "clone", "-q", "--bare", str(tmp_path / "seed"), str(bare))
    with Server(git=bare) as server:
        gitlab = server.gitlab
        change = gitlab.open_merge_request(gitlab.user("alice"), branch="topic")
        work = new_clone(bare, tmp_path / "work")
        run_git(work, "fetch", "-q", "origin", "refs/merge-requests/7/head")
        assert run_git(work, "rev-parse", "FETCH_HEAD").strip() == change.sha
        run_git(work, "checkout", "-q", "-B", "topic", "FETCH_HEAD")
        run_git(work, "commit", "-q", "--allow-empty", "-m", "more")
        run_git(work, "push", "-q", "origin", "topic")
        gitlab.follow_pushes()
        assert change.sha == run_git(work, "rev-parse", "topic").strip()
        assert len(change.versions) == 2


def test_the_approvals_of_a_deleted_account_go_with_it(gitlab: GitLab, project: Project) -> None:
    bob = gitlab.user("bob", role="developer")
    gitlab.open_merge_request(gitlab.user("alice")).approve(bob)
    bob.delete()
    assert project.mergerequests.get(7).approvals.get().approved_by == []
