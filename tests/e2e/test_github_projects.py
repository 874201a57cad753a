"""A repository of two projects on GitHub: each has its `assent.yaml`, its model and its jobs."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.github import FILES, World, outputs

OTHER = """\
store: {store}
models:
  price:
    train: python train.py
    evaluate: python evaluate.py
    inputs: [train.py, params.json, data/train.csv]
    model: model/
    metrics: [metrics.json]
    gates:
      - {{metric: accuracy, min: 0.5}}
    approvals: {{count: 1, from: [bob, grace]}}
    stages: {{staging: {{}}}}
"""


def test_two_projects_are_trained_reviewed_registered_and_promoted(tmp_path: Path) -> None:
    more = {f"teams/price/{name}": text for name, text in FILES.items() if name != ".gitignore"}
    more["teams/price/.gitignore"] = FILES[".gitignore"]
    more["teams/price/assent.yaml"] = OTHER.format(store=tmp_path / "store")
    with World(tmp_path, files={**FILES, **more}) as world:
        pull = world.propose(0.8, files={"teams/price/params.json": '{"accuracy": 0.9}\n'})
        started, made = world.train(pull)
        assert made.conclusion == "success", made.log
        judged = world.follow(started)
        assert judged.conclusion == "success", judged.log
        assert {one[0] for one in world.statuses(pull.head_sha)} == {
            "assent/churn",
            "assent/price",
        }
        assert len(world.comments(pull)) == 2
        review = world.approve(pull, world.bob)
        assert world.wake(review).conclusion == "success"
        registered = world.merge(pull)
        assert registered.conclusion == "success", registered.log
        pressed, payload = world.press("promote", {"stage": "staging", "model": "price"})
        promoted = world.play(pressed, payload)
        assert promoted.conclusion == "success", promoted.log
        assert outputs(promoted, "promote")["version"] == "v1"
        assert [one[:2] for one in world.deployments()] == [("staging", 1)]
