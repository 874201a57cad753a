"""A decision is asked again when somebody else was first, and what came of the last one counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assent.core.entry import Kind
from assent.ports import View
from assent.recording.appending import Intent, record
from assent.recording.idempotency_keys import Key
from assent.testing.ledger import MemoryLedger
from assent.testing.store import MemoryStore
from assent.wiring import open_workspace
from assent.workspace import Workspace
from tests.builders import AT, draft, new_repository, run_git

CONFIG = """\
store: store
models:
  churn:
    model: model.bin
    metrics: [m.json]
    gates: [{metric: roc_auc, min: 0.5}]
    approvals: {count: 0}
"""


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    folder = new_repository(tmp_path / "work")
    (folder / "assent.yaml").write_text(CONFIG)
    run_git(folder, "add", "assent.yaml")
    run_git(folder, "commit", "-q", "-m", "begin")
    now = datetime.fromisoformat(AT).astimezone(UTC)
    opened = open_workspace(folder, environ={}, now=now, say=lambda text: None)
    return replace(opened, ledger=MemoryLedger(), store=MemoryStore())


NOTE = draft(Kind.NOTED, reason="mine")


def test_what_came_of_the_decision_is_given_back(place: Workspace) -> None:
    done = record(place, "churn", lambda view: Intent(outcome="yes", drafts=(NOTE,)))
    assert done.outcome == "yes"
    assert [(one.seq, one.reason) for one in done.entries] == [(0, "mine")]
    assert done.view.state.seq == -1


def test_a_decision_on_nothing_writes_nothing(place: Workspace) -> None:
    done = record(place, "churn", lambda view: Intent(outcome="no"))
    assert (done.outcome, done.entries) == ("no", ())
    assert place.ledger.read("churn").state.seq == -1


def test_whoever_was_not_first_decides_again(place: Workspace) -> None:
    seen: list[int] = []

    def decide(view: View) -> Intent[int]:
        if not seen:
            other = draft(Kind.NOTED, reason="theirs")
            place.ledger.append(place.ledger.read("churn"), [other])
        seen.append(view.state.seq)
        return Intent(outcome=view.state.seq, drafts=(NOTE,))

    done = record(place, "churn", decide)
    assert seen == [-1, 0]
    assert done.outcome == 0
    assert [(one.seq, one.reason) for one in done.entries] == [(1, "mine")]


def test_a_decision_that_changes_its_mind_writes_nothing(place: Workspace) -> None:
    """The first attempt was refused by the ledger; the second one has nothing to write."""

    def decide(view: View) -> Intent[str]:
        if view.state.seq >= 0:
            return Intent(outcome="too late")
        place.ledger.append(view, [draft(Kind.NOTED, reason="theirs")])
        return Intent(outcome="in time", drafts=(NOTE,))

    done = record(place, "churn", decide)
    assert (done.outcome, done.entries) == ("too late", ())


def test_what_was_written_under_the_key_is_not_decided_again(place: Workspace) -> None:
    key = Key("k" * 16, is_repeated=True)
    first = record(
        place, "churn", lambda view: Intent(outcome="once", drafts=(NOTE,)), key=Key(key.value)
    )

    def never(view: View) -> Intent[str]:
        raise AssertionError("it was written already")

    again = record(place, "churn", never, key=key)
    assert again.entries == first.entries
    assert again.last is None
