"""When a lock is believed."""

from __future__ import annotations

import pytest

from assent.config.lock import Locked
from assent.config.settings import ModelSettings
from assent.core.entry import Kind
from assent.making.inputs import InputNames
from assent.making.locks import retraining
from assent.making.outputs import outputs_of
from assent.testing.ledger import MemoryLedger
from tests.builders import approved, digest, draft, registered, subject


def locked(bundle: str, entry: int) -> Locked:
    return Locked(bundle=digest(bundle), inputs=digest("inputs"), entry=entry)


@pytest.mark.threat(18)
def test_only_an_entry_of_a_retraining_proves_a_lock() -> None:
    ledger = MemoryLedger()
    noted = [
        draft(Kind.NOTED, subject("b1")),  # 0: a retraining
        approved("b2", "alice"),  # 1
        registered(1),  # 2
        draft(Kind.NOTED, subject("b1", 1)),  # 3: a note on a version
        draft(Kind.NOTED),  # 4: a note on the model
    ]
    ledger.append(ledger.read("churn"), noted)
    view = ledger.read("churn")
    found = retraining(view, locked("b1", 0))
    assert found is not None
    assert found.seq == 0
    for bundle, entry in [("b2", 0), ("b2", 1), ("b1", 2), ("b1", 3), ("b1", 4), ("b1", 5)]:
        assert retraining(view, locked(bundle, entry)) is None, (bundle, entry)
    assert retraining(MemoryLedger().read("churn"), locked("b1", 0)) is None


SETTINGS = ModelSettings(
    model="model/",
    train="python ./train.py --all",
    evaluate="sh evaluate.sh",
    inputs=("src/**", "./lib", "data/part-*.csv"),
    params=("params.yaml",),
    data={"test": "data/test.csv"},
)


def is_input(settings: ModelSettings, path: str) -> bool:
    return InputNames(settings, outputs_of(settings)).cover(path)


@pytest.mark.parametrize(
    "path",
    [
        *("train.py", "evaluate.sh", "src/a/b.py", "lib/x.py", "data/part-7.csv", "params.yaml"),
        "data/test.csv",
    ],
)
def test_what_may_be_an_input_counts_as_one(path: str) -> None:
    assert is_input(SETTINGS, path)


@pytest.mark.parametrize(
    "path",
    [
        *("README.md", "assent.lock", "docs/src/a.md", "data/other.csv", "data/part-new.csv.gz"),
        *("model/weights", "model"),
    ],
)
def test_what_cannot_be_an_input_does_not_count(path: str) -> None:
    assert not is_input(SETTINGS, path)


def test_the_lock_is_never_an_input() -> None:
    everything = ModelSettings(model="model/", train="make", inputs=("**",))
    assert is_input(everything, "README.md")
    assert not is_input(everything, "assent.lock")
