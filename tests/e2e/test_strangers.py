"""Two habits of real teams, on both forges: outputs that Git tracks, and data that only the job
which trains has fetched. Every way of merging, and a base branch that has moved on meanwhile.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import github, gitlab
from tests.e2e.github import outputs
from tests.effort import more_in_soak
from tests.github.pulls import How
from tests.gitlab.merge_requests import How as Way

TRACKED = {
    ".gitignore": ".assent/\nmodel/\ndata/train.csv\n",
    "metrics.json": '{"accuracy": 0.7}\n',
    "data/train.csv.dvc": "outs:\n- md5: 6882d119e6fd5bd2d1474e01431f8d82\n  path: train.csv\n",
    # Stands for `dvc pull`: what it fetches is not in the repository.
    "pull.sh": "printf 'x,y\\n1,0\\n2,1\\n' >data/train.csv\n",
}


def files_of(files: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in {**files, **TRACKED}.items() if name != "data/train.csv"}


def test_on_github(tmp_path: Path) -> None:
    files = files_of(github.FILES)
    with github.World(tmp_path, files=files, fetch="sh pull.sh") as world:
        ways: list[How] = ["squash", "rebase", "merge"]
        for number, way in enumerate(ways, 1):
            pull = world.propose(0.8 + number / 100, fork=number == 1)
            judged = world.review(pull)
            [comment] = world.comments(pull)
            assert "made from its revision" in comment.body, judged.log
            assert "uncommitted" not in comment.body
            approval = world.approve(pull, world.bob)
            if number == 1:  # the others are recorded by the merge
                world.wake(approval)
            # Somebody else merges something that no model is made from.
            world.github.repository.push(world.sam, files={f"notes-{number}.md": "# Notes\n"})
            merged = world.merge(pull, way)
            assert merged.conclusion == "success", merged.log
            assert outputs(merged, "register")["version"] == f"v{number}", merged.log
        docs = world.github.open_pull(world.sam, title="Docs", files={"README.md": "# Churn\n"})
        assert outputs(world.review(docs), "review")["verdict"] == "passed"
        merged = world.merge(docs)
        assert merged.conclusion == "success", merged.log
        assert "the inputs are those of v3" in merged.log
        queued = world.propose(0.9)
        world.review(queued)
        world.wake(world.approve(queued, world.bob))
        ref, group = queued.enqueue(world.sam)
        world.queue(ref)
        assert [state for _, state, _ in world.statuses(group)] == ["success"]
        assert outputs(world.merge(queued, "queue"), "register")["version"] == "v4"
        started, payload = world.press("promote", {"stage": "staging", "version": "v4"})
        assert world.play(started, payload).conclusion == "success"
        # Data changes by its pointer alone, and Git says so.
        other = {"data/train.csv.dvc": files["data/train.csv.dvc"].replace("6882", "0000")}
        data = world.github.open_pull(world.sam, title="Data", files=other)
        assert outputs(world.review(data), "review")["verdict"] == "pending"


@pytest.mark.parametrize("is_fetched_again", [False, *more_in_soak(True)])
def test_on_gitlab(tmp_path: Path, is_fetched_again: bool) -> None:
    jobs = ["assent-train", *(["assent-evaluate"] if is_fetched_again else [])]
    added = "".join(f"\n{job}:\n  before_script: [sh pull.sh]\n" for job in jobs)
    with gitlab.World(tmp_path, files=files_of(gitlab.FILES), added=added) as world:
        ways: list[Way] = ["squash"] if is_fetched_again else ["merge", "squash"]
        for number, way in enumerate(ways, 1):
            change = world.propose(0.8 + number / 100)
            review = world.review(change)
            assert "made from its revision" in review.log
            [note] = [one for one in change.notes if not one.is_system]
            assert "uncommitted" not in note.body
            world.approve(change, world.grace)
            world.gitlab.project.push(world.sam, files={f"notes-{number}.md": "# Notes\n"})
            merged = world.merge(change, way)
            assert merged.ended["assent-register"].code == 0, merged.ended["assent-register"].log
            assert f"as v{number}" in merged.ended["assent-register"].log
        assert merged.press("assent-promote: [staging]", world.sam).code == 0
