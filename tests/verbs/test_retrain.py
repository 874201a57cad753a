"""`retrain`: what is better than production is proposed, and nothing else is."""

from __future__ import annotations

import json

import pytest

from assent.config.lock import read_lock
from assent.core.context import Context
from assent.core.entry import Kind
from assent.errors import CommandError, PolicyError, UsageError
from assent.verbs.bundle import bundle
from assent.verbs.evaluate import evaluate
from assent.verbs.retrain import retrain
from assent.verbs.train import train
from tests.builders import run_git
from tests.verbs.place import MODEL, Place

BRANCH = f"retrain/{MODEL}"


@pytest.fixture
def living(trains: Place) -> Place:
    """v1 is in production, and what it learns comes from outside of the repository."""
    script = trains.folder / "train.py"
    script.write_text(script.read_text().replace('open("params.json")', 'open("../world.json")'))
    world(trains, 0.8)
    trains.commit(0.8)
    remote = trains.folder.parent / "remote.git"
    run_git(trains.folder, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    run_git(trains.folder, "remote", "add", "origin", str(remote))
    run_git(trains.folder, "push", "--quiet", "origin", "HEAD:main")
    train(trains.open(), MODEL)
    evaluate(trains.open(), MODEL)
    made = bundle(trains.open(), MODEL)
    trains.write(Kind.REGISTERED, 1, made.bundle)
    trains.hold("production", 1)
    return trains


def world(place: Place, accuracy: float) -> None:
    """Let a training have this accuracy from now on."""
    (place.folder.parent / "world.json").write_text(json.dumps({"accuracy": accuracy}))


def branches(place: Place) -> list[str]:
    shown = run_git(place.folder.parent / "remote.git", "for-each-ref", "--format=%(refname:short)")
    return shown.splitlines()


def test_a_better_model_is_noted_locked_pushed_and_proposed(living: Place) -> None:
    world(living, 0.9)
    result = retrain(living.open(), MODEL)
    assert (result.is_better, result.metric, result.branch) == (True, "accuracy", BRANCH)
    assert "accuracy 0.8 → 0.9" in result.sentence
    noted = living.entries[-1]
    assert (noted.kind, noted.subject.bundle) == (Kind.NOTED, result.bundle)
    assert noted.commit == run_git(living.folder, "rev-parse", "HEAD")
    assert sorted(branches(living)) == ["main", BRANCH]
    remote = living.folder.parent / "remote.git"
    text = run_git(remote, "show", f"{BRANCH}:assent.lock")
    assert read_lock(text.encode(), "assent.lock")[MODEL].bundle == result.bundle
    [proposal] = living.forge.proposals.values()
    assert (proposal.branch, proposal.base) == (BRANCH, "main")
    assert result.bundle is not None
    assert result.bundle in proposal.body.replace("\N{NO-BREAK SPACE}", " ")


def test_an_open_proposal_that_is_as_good_stays(living: Place) -> None:
    world(living, 0.9)
    first = retrain(living.open(), MODEL)
    remote = living.folder.parent / "remote.git"
    before, log = run_git(remote, "rev-parse", BRANCH), living.log
    again = retrain(living.open(), MODEL)
    assert again.bundle == first.bundle
    assert "as proposed already" in again.sentence
    assert (run_git(remote, "rev-parse", BRANCH), living.log) == (before, log)


def test_a_dry_run_says_the_same_and_proposes_nothing(living: Place) -> None:
    world(living, 0.9)
    before = living.log
    result = retrain(living.open(), MODEL, dry_run=True)
    assert (result.is_better, result.branch, result.change) == (True, None, None)
    assert (living.log, branches(living), living.forge.proposals) == (before, ["main"], {})


@pytest.mark.parametrize("accuracy", [0.75, 0.6])
def test_what_is_worse_or_blocked_is_not_proposed(living: Place, accuracy: float) -> None:
    world(living, accuracy)
    before = living.log
    result = retrain(living.open(), MODEL)
    assert not result.is_better
    assert bool(result.failed) == (accuracy < 0.7)
    assert (living.log, branches(living), living.forge.proposals) == (before, ["main"], {})


def test_the_same_bytes_are_nothing_new(living: Place) -> None:
    result = retrain(living.open(), MODEL)
    assert not result.is_better
    assert "v1 again, byte for byte" in result.sentence


def test_without_anything_to_be_better_than_nothing_is_trained(trains: Place) -> None:
    result = retrain(trains.open(), MODEL)
    assert "nothing yet" in result.sentence
    assert not (trains.folder / "model").exists()


def test_a_metric_that_production_does_not_have(living: Place) -> None:
    with pytest.raises(UsageError, match="no number called 'f1'"):
        retrain(living.open(), MODEL, metric="f1")


def test_elsewhere_than_at_the_newest_commit_of_the_base_branch(living: Place) -> None:
    run_git(living.folder, "checkout", "--quiet", "-b", "elsewhere")
    living.commit(0.9)
    with pytest.raises(UsageError, match="not the newest commit of main"):
        retrain(living.open(), MODEL)


def test_a_working_tree_with_changes_is_not_what_was_committed(living: Place) -> None:
    (living.folder / "params.json").write_text("{}")
    with pytest.raises(UsageError, match=r"params\.json"):
        retrain(living.open(), MODEL)


def test_beside_a_token_that_can_write_nothing_is_trained(living: Place) -> None:
    living.commit(0.8)
    in_ci = Context(system="github", untrusted="", ref="refs/heads/main")
    with pytest.raises(PolicyError, match="could read its token"):
        retrain(living.open(context=in_ci), MODEL)
    assert living.forge.proposals == {}


def test_a_training_that_fails_ends_with_its_exit_code(living: Place) -> None:
    (living.folder.parent / "world.json").unlink()
    before = living.log
    with pytest.raises(CommandError):
        retrain(living.open(), MODEL)
    assert living.log == before
