"""`evaluate`: what is measured, of which model, and when nothing is run again."""

from __future__ import annotations

import json
import sys

import pytest

from assent.errors import CommandError, UsageError
from assent.verbs.bundle import bundle
from assent.verbs.evaluate import evaluate
from assent.verbs.train import train
from tests.verbs.place import MODEL, Place

JUDGES = """\
import json, pathlib
weights = pathlib.Path("model/model.bin").read_text()
pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": float(weights.split()[-1])}))
with open("runs.log", "a") as log:
    log.write("evaluated\\n")
"""


@pytest.fixture
def judges(trains: Place) -> Place:
    """A model that was trained, with another command that evaluates it."""
    lines = (trains.folder / "train.py").read_text().splitlines(keepends=True)
    (trains.folder / "train.py").write_text("".join(lines[:-1]))  # the metrics are not its job
    config = trains.folder / "assent.yaml"
    command = f"    evaluate: {sys.executable} judge.py\n    inputs:"
    config.write_text(config.read_text().replace("    inputs:", command))
    (trains.folder / "judge.py").write_text(JUDGES)
    ignored = trains.folder / ".gitignore"
    ignored.write_text(f"{ignored.read_text()}runs.log\n")
    trains.commit(0.8)
    train(trains.open(), MODEL)
    return trains


def runs(place: Place) -> int:
    log = place.folder / "runs.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_the_evidence_is_of_this_model_and_these_inputs(judges: Place) -> None:
    (judges.folder / "metrics.json").write_text('{"accuracy": 1.0}')  # of an earlier run
    result = evaluate(judges.open(), MODEL)
    assert result.evidence is not None
    assert dict(result.evidence.metrics) == {"accuracy": 0.8}
    assert result.reused is None
    assert {"train.py", "params.json"} <= set(result.evidence.inputs)
    assert result.evidence.train is not None
    assert runs(judges) == 1


def test_a_finished_bundle_of_the_same_inputs_is_not_evaluated_again(judges: Place) -> None:
    evaluate(judges.open(), MODEL)
    made = bundle(judges.open(), MODEL)
    again = evaluate(judges.open(), MODEL)
    assert (again.reused, runs(judges)) == (made.bundle, 1)
    assert evaluate(judges.open(), MODEL, force=True).reused is None
    assert runs(judges) == 2


def test_a_model_that_nobody_has_trained_is_not_evaluated(judges: Place) -> None:
    (judges.folder / "model/model.bin").write_text("weights of 0.99")
    with pytest.raises(UsageError, match="has changed since it was trained"):
        evaluate(judges.open(), MODEL)
    assert runs(judges) == 0


def test_another_model_of_the_same_inputs_has_evidence_of_its_own(judges: Place) -> None:
    script = judges.folder / "train.py"
    text = script.read_text().replace('open("params.json")', 'open("../world.json")')
    script.write_text(text)  # what it learns is not all in the repository
    judges.commit(0.8)
    for accuracy in (0.8, 0.9):
        (judges.folder.parent / "world.json").write_text(json.dumps({"accuracy": accuracy}))
        train(judges.open(), MODEL, force=True)
        result = evaluate(judges.open(), MODEL)
        assert result.reused is None
        assert result.evidence is not None
        assert dict(result.evidence.metrics) == {"accuracy": accuracy}
        bundle(judges.open(), MODEL)
    assert runs(judges) == 2


def test_a_command_that_fails_ends_with_its_exit_code(judges: Place) -> None:
    (judges.folder / "judge.py").write_text("raise SystemExit(5)\n")
    judges.commit(0.8)
    with pytest.raises(CommandError) as raised:
        evaluate(judges.open(), MODEL)
    assert raised.value.exit_code == 5
    with pytest.raises(UsageError):
        bundle(judges.open(), MODEL)


def test_metrics_of_an_earlier_run_are_not_those_of_this_one(judges: Place) -> None:
    (judges.folder / "metrics.json").write_text('{"accuracy": 1.0}')
    (judges.folder / "judge.py").write_text("pass\n")
    judges.commit(0.8)
    train(judges.open(), MODEL)
    with pytest.raises(UsageError, match=r"metrics\.json"):
        evaluate(judges.open(), MODEL)


def test_without_a_model_there_is_nothing_to_evaluate(trains: Place) -> None:
    with pytest.raises(UsageError):
        evaluate(trains.open(), MODEL)
