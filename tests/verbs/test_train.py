"""`train`: the team's command, run once for the same inputs."""

from __future__ import annotations

import pytest

from assent.errors import AssentError
from assent.verbs.bundle import bundle
from assent.verbs.evaluate import evaluate
from assent.verbs.train import train
from tests.builders import run_git
from tests.verbs.place import MODEL, Place


def test_it_runs_the_command_and_the_second_time_nothing(trains: Place) -> None:
    first = train(trains.open(), MODEL)
    assert first.reused is None
    evaluate(trains.open(), MODEL)
    made = bundle(trains.open(), MODEL)
    model = trains.folder / "model/model.bin"
    model.unlink()
    again = train(trains.open(), MODEL)
    assert again.reused == made.bundle
    assert model.read_text() == "weights of 0.8"
    forced = train(trains.open(), MODEL, force=True)
    assert forced.reused is None


def test_other_inputs_are_trained_again(trains: Place) -> None:
    train(trains.open(), MODEL)
    trains.commit(0.9)
    assert train(trains.open(), MODEL).step is not None
    assert (trains.folder / "model/model.bin").read_text() == "weights of 0.9"


def test_a_command_that_fails_leaves_no_model_of_an_earlier_run_as_its_own(trains: Place) -> None:
    train(trains.open(), MODEL)
    (trains.folder / "train.py").write_text("raise SystemExit(3)\n")
    run_git(trains.folder, "commit", "-qam", "broken")
    with pytest.raises(AssentError, match="3"):
        train(trains.open(), MODEL)


def test_a_command_that_writes_nothing_has_trained_nothing(trains: Place) -> None:
    train(trains.open(), MODEL)
    (trains.folder / "train.py").write_text("pass\n")
    run_git(trains.folder, "commit", "-qam", "idle")
    with pytest.raises(AssentError, match="model"):
        train(trains.open(), MODEL)
