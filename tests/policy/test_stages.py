"""Whether a version may enter a stage."""

from __future__ import annotations

import pytest

from assent.core.clock import MACHINE, Clock
from assent.core.entry import Kind, decode_entry
from assent.core.evidence import Run
from assent.core.registry import Record, Registry, Standing, State, Stay, fold
from assent.core.verdict import Finding, Outcome
from assent.policy.rules import StageRule
from assent.policy.stages import entries_wanted, judge_entry
from tests.builders import digest, draft, promoted, registered, subject
from tests.core.histories import at, cleared, dated, rolled_back, written

PASSED, FAILED, UNDECIDED, WAITING, WARNED, NOT_APPLICABLE = Outcome
SOAK = StageRule(after="staging", soak="1h")
HOUR = 3600


def record(*, stays: dict[str, Stay] | None = None, retired: bool = False) -> Record:
    return Record(
        bundle=digest("b3"),
        model_digest=digest("m"),
        version=3,
        retired=retired,
        stays=stays or {},
    )


def state(**stages: int) -> State:
    standing = {
        name: Standing(
            version=number,
            bundle=digest(f"b{number}"),
            model_digest=digest("m"),
            since=at(0),
            seq=0,
            by="alice",
        )
        for name, number in stages.items()
    }
    return State(model="churn", stages=standing)


def judge(
    rule: StageRule,
    known: Record,
    held: State | None = None,
    *,
    run: str | None = None,
    now: int = 0,
) -> list[Finding]:
    ran = None if run is None else Run(system="github", id=run)
    clock = Clock(now=at(now), of=MACHINE)
    return judge_entry(rule, "production", known, held or state(), run=ran, clock=clock)


def outcomes(findings: list[Finding]) -> list[Outcome]:
    return [finding.outcome for finding in findings]


@pytest.mark.parametrize(
    ("held", "outcome"),
    [(state(), PASSED), (state(production=2), PASSED), (state(production=4), FAILED)],
)
def test_a_stage_only_moves_forward(held: State, outcome: Outcome) -> None:
    assert outcomes(judge(StageRule(), record(), held)) == [outcome]


@pytest.mark.threat(22)
def test_moving_back_is_refused_and_says_how_to_roll_back() -> None:
    (finding,) = judge(StageRule(), record(), state(production=4))
    assert "production holds v4" in finding.reason
    assert "assent rollback production --to v3" in finding.remedy


def test_other_stages_do_not_matter_to_moving_forward() -> None:
    assert outcomes(judge(StageRule(), record(), state(staging=9))) == [PASSED]


def test_a_retired_version_is_refused() -> None:
    assert outcomes(judge(StageRule(), record(retired=True))) == [PASSED, FAILED]


def test_a_version_that_was_never_in_the_stage_before_is_refused() -> None:
    rule = StageRule(after="staging")
    _, finding = judge(rule, record(stays={"shadow": Stay(since=at(0))}))
    assert (finding.outcome, finding.reason) == (FAILED, "v3 was never in staging")
    assert finding.remedy == "run `assent promote staging v3` first"


def test_without_a_soak_having_been_there_is_enough() -> None:
    rule = StageRule(after="staging")
    assert outcomes(judge(rule, record(stays={"staging": Stay(since=at(0))}))) == [PASSED, PASSED]


@pytest.mark.parametrize(
    ("stay", "now", "outcome"),
    [
        (Stay(since=at(0)), 0, WAITING),
        (Stay(since=at(0)), HOUR - 1, WAITING),
        (Stay(since=at(0)), HOUR, PASSED),
        (Stay(since=at(0), left=at(HOUR - 1)), 9 * HOUR, WAITING),
        (Stay(since=at(0), left=at(HOUR)), 9 * HOUR, PASSED),
        (Stay(since=at(HOUR), spent_s=HOUR / 2), HOUR, WAITING),
        (Stay(since=at(HOUR), spent_s=HOUR / 2), HOUR + HOUR // 2, PASSED),
        (Stay(since=at(0), left=at(0), spent_s=HOUR), 0, PASSED),
    ],
)
def test_a_soak_is_served_in_all_stays_together(stay: Stay, now: int, outcome: Outcome) -> None:
    _, finding = judge(SOAK, record(stays={"staging": stay}), now=now)
    assert finding.outcome is outcome


def test_what_is_missing_of_a_soak_is_said() -> None:
    _, finding = judge(SOAK, record(stays={"staging": Stay(since=at(0))}), now=HOUR // 4)
    assert finding.rule == "after staging, soak 1h"
    assert finding.reason == "45m are missing"
    assert finding.evidence == "v3 was in staging for 15m by this machine's clock"


@pytest.mark.threat(30)
@pytest.mark.parametrize("stay", [Stay(since=at(5 * HOUR)), Stay(since=at(5 * HOUR), left=at(0))])
def test_a_clock_that_goes_backwards_serves_no_time_and_takes_none(stay: Stay) -> None:
    _, finding = judge(SOAK, record(stays={"staging": stay}), now=HOUR)
    assert finding.outcome is WAITING
    assert finding.evidence == "v3 was in staging for 0s by this machine's clock"


def ledger(*, last_by: str | None) -> Registry:
    """v1 of run r1 is rolled back to, production moves to v2 and back, and at last is cleared."""
    entries = [
        registered(1),
        registered(2),
        promoted(1, "production", run=Run(system="github", id="r1")),
        promoted(2, "production", 1, run=Run(system="github", id="r2")),
        rolled_back(1, "production", 2),
        cleared("production", 1),
    ]
    if last_by is not None:
        entries += [
            promoted(1, "production", run=Run(system="github", id=last_by)),
            draft(Kind.CLEARED, subject("b1", 1), stage="production", replaces=1),
        ]
    return fold("churn", written([dated(one, 10 * n) for n, one in enumerate(entries)]))


@pytest.mark.threat(22)
@pytest.mark.parametrize(
    ("last_by", "run", "outcome"),
    [
        (None, "r1", FAILED),
        (None, "r2", PASSED),
        (None, "r3", PASSED),
        (None, None, PASSED),
        ("r3", "r1", FAILED),
        ("r3", "r3", FAILED),
        ("r3", "r4", PASSED),
    ],
)
def test_a_run_that_promoted_once_never_brings_its_version_back(
    last_by: str | None, run: str | None, outcome: Outcome
) -> None:
    registry = ledger(last_by=last_by)
    known = registry.records[digest("b1")]
    (finding,) = judge(StageRule(), known, registry.state, run=run)
    assert finding.outcome is outcome
    assert (f"run {run} promoted v1 before" in finding.reason) is (outcome is FAILED)


@pytest.mark.threat(30)
def test_a_soak_without_a_date_to_count_from_says_so_and_how_to_get_one() -> None:
    contents = written([dated(registered(1), 0), dated(promoted(1, "staging"), -9 * HOUR)])
    registry = fold("churn", contents)
    known = registry.records[digest("b1")]
    clock = Clock(now=at(99 * HOUR), of="GitHub")
    start = entries_wanted(SOAK, known, registry.state, now=clock.now)
    assert start == 0
    entries = [decode_entry(content) for content in contents]
    _, finding = judge_entry(
        SOAK, "production", known, registry.state, run=None, clock=clock, entries=entries
    )
    assert finding.outcome is WAITING
    assert finding.evidence.startswith("v1 was in staging for 0s by GitHub's clock; entry 1 says")
    assert "before entry 0, which came earlier" in finding.evidence
    assert "assent note" in finding.remedy
    assert entries_wanted(StageRule(after="staging"), known, registry.state, now=clock.now) is None
