"""What is explained of a move is what is decided: one judgement for all who ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assent.core.entry import Draft, Kind, decode_entry
from assent.core.verdict import Decision, Outcome
from assent.errors import UsageError
from assent.judging.promotion import Move, decide_move, judge_move, stage_rule
from assent.making.bundle_lookup import find
from assent.policy.rules import ApprovalRule, Policy
from assent.recording.pointers import point_all
from assent.recording.reading import read_ledger
from assent.stores.directory import DirectoryStore
from assent.testing.ledger import MemoryLedger
from assent.verbs.explain import explain
from assent.verbs.promote import promote
from assent.wiring import open_workspace
from assent.workspace import Workspace
from tests.builders import AT, new_repository, person, run_git
from tests.compat.make_golden import store_bundle

CONFIG = """\
store: store
models:
  churn:
    train: python train.py
    evaluate: python evaluate.py
    inputs: [train.py]
    model: model/
    metrics: [m.json]
    gates: [{metric: roc_auc, min: 0.5}]
    approvals: {count: 0}
    override: {from: [sam]}
    stages:
      staging: {}
      production: {after: staging, approvals: {count: 1, from: [grace]}, rollback: {approvals: 0}}
"""


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """Two versions; staging holds v1, and production held it before v2."""
    folder = new_repository(tmp_path / "work")
    (folder / "assent.yaml").write_text(CONFIG)
    run_git(folder, "add", "assent.yaml")
    run_git(folder, "commit", "-q", "-m", "begin")
    opened = open_workspace(
        folder, environ={}, now=datetime.fromisoformat(AT).astimezone(UTC), say=lambda text: None
    )
    return replace(opened, ledger=MemoryLedger())


def after(place: Workspace, *moves: tuple[Kind, int, str | None]) -> Workspace:
    """Both versions registered, and what has happened to them since."""
    store = DirectoryStore(place.root / "store")
    abouts = {number: store_bundle(store, number) for number in (1, 2)}
    happened = [(Kind.REGISTERED, 1, None), (Kind.REGISTERED, 2, None), *moves]
    held: dict[str | None, int] = {}
    drafts: list[Draft] = []
    for kind, number, stage in happened:
        drafts.append(
            Draft(
                kind=kind,
                at=AT,
                model="churn",
                actor=person("a"),
                subject=abouts[number],
                stage=stage,
                replaces=held.get(stage),
            )
        )
        if stage is not None:
            held[stage] = number
    place.ledger.append(place.ledger.read("churn"), drafts)
    entries = [decode_entry(one) for one in place.ledger.read("churn").entries()]
    point_all(place, "churn", entries)
    return place


HISTORIES: Sequence[tuple[tuple[Kind, int, str | None], ...]] = [
    (),
    ((Kind.PROMOTED, 1, "staging"),),
    ((Kind.PROMOTED, 1, "staging"), (Kind.PROMOTED, 2, "staging"), (Kind.RETIRED, 1, None)),
]


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("stage", ["staging", "production"])
def test_what_is_explained_is_what_is_decided(
    place: Workspace, stage: str, history: tuple[tuple[Kind, int, str | None], ...]
) -> None:
    after(place, *history)
    told = explain(place, "churn", name="v1", stage=stage)
    done = promote(place, "churn", stage, version="v1")
    if done.was_so:
        assert [one.version for one in place.ledger.read("churn").state.stages.values()] == [1]
        return
    assert told.verdict == done.verdict
    assert bool(done.entries) is (told.verdict.decision is Decision.PASSED)


def move(place: Workspace, number: int, stage: str, *, is_back: bool = False) -> Move:
    policy = place.binding_policy("churn")
    view = read_ledger(place, "churn")
    candidate = find(place, view, "churn", f"v{number}")
    rule = stage_rule(policy, "churn", stage)
    return Move(stage=stage, policy=policy, rule=rule, candidate=candidate, is_back=is_back)


def test_going_back_is_judged_by_rules_of_its_own(place: Workspace) -> None:
    """A stage that has never held it has nothing to go back to; one that has asks nobody."""
    after(place, (Kind.PROMOTED, 1, "staging"), (Kind.PROMOTED, 2, "staging"))
    view = read_ledger(place, "churn")
    held = judge_move(place, view, move(place, 1, "staging", is_back=True))
    assert held.verdict.decision is Decision.PASSED
    assert held.approvals.required == 0
    never = judge_move(place, view, move(place, 1, "production", is_back=True))
    [why] = never.verdict.of(Outcome.FAILED)
    assert why.reason == "it never has"
    assert "assent promote production v1" in why.remedy


def test_who_approves_a_move_is_said_by_the_stage(place: Workspace) -> None:
    after(place)
    forward, back = move(place, 1, "production"), move(place, 1, "production", is_back=True)
    assert forward.approvers == ApprovalRule(count=1, from_=("grace",))
    assert back.approvers == ApprovalRule(count=0, from_=("grace",))
    assert move(place, 1, "staging").approvers == place.binding_policy("churn").approvals


def test_a_stage_that_holds_it_is_left_as_it_is(place: Workspace) -> None:
    after(place, (Kind.PROMOTED, 1, "staging"))
    view = read_ledger(place, "churn")
    intent = decide_move(place, view, move(place, 1, "staging"), reason=None)
    assert intent.drafts == ()
    assert intent.outcome.stands is not None
    assert intent.outcome.stands.seq == view.state.stages["staging"].seq


def test_a_move_that_may_not_be_made_records_nothing(place: Workspace) -> None:
    after(place)
    view = read_ledger(place, "churn")
    intent = decide_move(place, view, move(place, 1, "production"), reason=None)
    assert (intent.drafts, intent.outcome.stands) == ((), None)
    assert intent.outcome.verdict.decision is Decision.BLOCKED


def test_the_entry_says_what_it_replaces(place: Workspace) -> None:
    after(place, (Kind.PROMOTED, 1, "staging"))
    view = read_ledger(place, "churn")
    [draft] = decide_move(place, view, move(place, 2, "staging"), reason="newer").drafts
    assert (draft.kind, draft.replaces, draft.reason) == (Kind.PROMOTED, 1, "newer")
    [back] = decide_move(place, view, move(place, 2, "staging"), reason=None).drafts
    assert back.subject == draft.subject


@pytest.mark.parametrize(("stage", "hint"), [("v12", "the stage comes first"), ("prod", "it has")])
def test_a_stage_that_is_none_is_named(place: Workspace, stage: str, hint: str) -> None:
    policy: Policy = place.binding_policy("churn")
    with pytest.raises(UsageError) as caught:
        stage_rule(policy, "churn", stage)
    assert hint in str(caught.value.hint)
