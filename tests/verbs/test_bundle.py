"""`bundle`: what was evaluated under one digest, written once."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.core.bundle import read_manifest
from assent.errors import IntegrityError, UsageError
from assent.verbs.bundle import bundle
from assent.verbs.evaluate import evaluate
from assent.verbs.train import train
from tests.verbs.place import MODEL, Place


@pytest.fixture
def evaluated(trains: Place) -> Place:
    """A model that was trained and evaluated."""
    train(trains.open(), MODEL)
    evaluate(trains.open(), MODEL)
    return trains


def test_the_same_evidence_and_files_are_one_digest_and_written_once(evaluated: Place) -> None:
    first = bundle(evaluated.open(), MODEL)
    held = dict(evaluated.store.blobs)
    files = read_manifest(held[first.bundle]).files
    assert [file.path for file in files] == ["model.bin"]
    assert held[files[0].digest] == b"weights of 0.8"
    assert bundle(evaluated.open(), MODEL).bundle == first.bundle
    assert evaluated.store.blobs == held


def test_what_was_not_evaluated_is_no_bundle(trains: Place) -> None:
    with pytest.raises(UsageError):
        bundle(trains.open(), MODEL)
    train(trains.open(), MODEL)
    with pytest.raises(UsageError, match="evaluate"):
        bundle(trains.open(), MODEL)
    assert trains.store.blobs == {}


def test_a_model_that_has_changed_since_is_not_what_was_evaluated(evaluated: Place) -> None:
    (evaluated.folder / "model/model.bin").write_text("weights of somebody else")
    with pytest.raises(UsageError):
        bundle(evaluated.open(), MODEL)
    assert evaluated.store.remembered(MODEL) == frozenset()


def test_a_bundle_is_handed_to_another_job_as_it_is(evaluated: Place, tmp_path: Path) -> None:
    made = bundle(evaluated.open(), MODEL, output=tmp_path / "made")
    assert evaluated.store.blobs == {}
    taken = bundle(evaluated.open(), MODEL, made_in=tmp_path / "made")
    assert taken.bundle == made.bundle
    assert made.bundle in evaluated.store.blobs


def test_a_bundle_that_was_changed_on_the_way_is_not_taken(
    evaluated: Place, tmp_path: Path
) -> None:
    bundle(evaluated.open(), MODEL, output=tmp_path / "made")
    [weights] = [
        path
        for path in (tmp_path / "made").rglob("*")
        if path.is_file() and path.read_bytes() == b"weights of 0.8"
    ]
    weights.chmod(0o600)
    weights.write_bytes(b"weights of 0.9")
    with pytest.raises(IntegrityError):
        bundle(evaluated.open(), MODEL, made_in=tmp_path / "made")
    assert evaluated.store.blobs == {}
