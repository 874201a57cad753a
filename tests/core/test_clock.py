"""Clocks that are wrong: what is believed, what is only said, and what a soak counts from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.core.clock import (
    MACHINE,
    Clock,
    ClockReading,
    Start,
    clock_of,
    doubts,
    event_time,
    needs_entries,
    spent,
    wrong_clock,
)
from assent.core.entry import Draft, Entry, Kind, dated, decode_entry, encode_entry
from assent.core.identity import Actor
from assent.core.registry import fold
from tests.builders import digest, draft, person, promoted, registered
from tests.core import histories
from tests.core.histories import START, at, cleared, written

BEGAN = Start(at=START, stopwatch_s=5.0)

HOUR, DAY = 3600, 86_400
DECADE = 10 * 365 * DAY
FORGE = Actor(kind="person", forge="github", host="github.com", id="7", login="sam", proof="forge")


def sight(ahead_s: float, *, took_s: float = 0.0, began_s: float = 5.0) -> ClockReading:
    """What a forge shows to a machine whose clock is so much ahead, with the stopwatch at 5."""
    shown_s = int(START.timestamp() - ahead_s + (began_s - 5))
    return ClockReading(of="GitHub", shown_s=shown_s, asked_s=began_s, answered_s=began_s + took_s)


@pytest.mark.threat(30)
@pytest.mark.parametrize("ahead", [HOUR, -HOUR, DECADE, -DECADE])
def test_the_time_is_the_forges_whatever_this_machines_clock_says(ahead: int) -> None:
    clock = clock_of(BEGAN, sight(ahead))
    assert clock.of == "GitHub"
    assert clock.now in (at(-ahead), at(-ahead + 1))
    problem = wrong_clock(clock)
    assert problem is not None
    assert ("ahead of" if ahead > 0 else "behind") in problem


@pytest.mark.parametrize(("ahead", "is_right"), [(299, True), (302, False), (-300, True)])
def test_five_minutes_are_no_wrong_clock(ahead: int, is_right: bool) -> None:
    assert (wrong_clock(clock_of(BEGAN, sight(ahead))) is None) is is_right


def test_a_slow_answer_makes_no_difference_between_clocks() -> None:
    slow = ClockReading(
        of="GitHub", shown_s=START.timestamp() + 400, asked_s=5.0, answered_s=1000.0
    )
    clock = clock_of(BEGAN, slow)
    assert (clock.ahead_s, clock.now) == (0.0, at(0))
    assert wrong_clock(clock) is None


def test_what_was_measured_later_is_the_time_of_the_beginning() -> None:
    """There is one `now` for a run, however late the forge is first asked."""
    late = clock_of(BEGAN, sight(HOUR, began_s=5 + 7 * HOUR))
    assert late.now in (at(-HOUR), at(-HOUR + 1))


def test_without_a_forge_it_is_this_machines_clock() -> None:
    clock = clock_of(BEGAN, None)
    assert (clock.now, clock.of) == (at(0), MACHINE)
    assert clock.words == "by this machine's clock"
    assert wrong_clock(clock) is None


def entries_of(*drafts: Draft) -> list[Entry]:
    return [decode_entry(content) for content in written(list(drafts))]


def note(seconds: int, actor: Actor | None = None) -> Draft:
    return draft(Kind.NOTED, at=at(seconds), actor=actor or person("alice"))


def doubted(now: int, *drafts: Draft) -> dict[int, str]:
    found = doubts([entry.dated for entry in entries_of(*drafts)], at(now))
    return {seq: doubt.why for seq, doubt in found.items()}


@pytest.mark.threat(30)
@pytest.mark.parametrize("error", [HOUR, DECADE])
def test_a_date_in_the_future_is_doubted_and_those_around_it_are_not(error: int) -> None:
    found = doubted(120, note(0), note(60 + error), note(90), note(100))
    assert list(found) == [1]
    assert found[1] == f"in the future: it is {at(120)}"


@pytest.mark.threat(30)
@pytest.mark.parametrize("error", [HOUR, DECADE])
def test_a_date_before_its_predecessor_is_doubted_and_those_after_it_are_not(error: int) -> None:
    found = doubted(120, note(0), note(60 - error), note(90))
    assert list(found) == [1]
    assert found[1] == f"before entry 0, which came earlier and says {at(0)}"


@pytest.mark.threat(30)
def test_a_forges_date_is_believed_before_a_machines() -> None:
    """An hour later the machine's date is no longer in the future; the forge's show that it was."""
    now = 2 * HOUR
    found = doubted(now, note(0), note(60 + HOUR), note(90, FORGE), note(100, FORGE))
    assert list(found) == [1]
    assert "after entry 2, which came later" in found[1]
    assert "by the forge's clock" in found[1]
    # Between two of machines nobody can say which is wrong; the later one is named.
    assert list(doubted(now, note(0), note(60 + HOUR), note(90))) == [2]


def test_clocks_that_are_minutes_apart_are_not_doubted() -> None:
    assert doubted(0, note(299), note(0), note(250)) == {}


def test_the_date_in_an_entrys_bytes_is_its_date() -> None:
    for entry in entries_of(note(3), note(4, FORGE)):
        assert dated(encode_entry(entry)) == entry.dated


# --- soak -----------------------------------------------------------------------------------------


def soaked(now: int, *moves: tuple[Draft, int]) -> tuple[float, bool]:
    """How long v1 was in staging, and whether there is no date to count from."""
    contents = written([histories.dated(move, seconds) for move, seconds in moves])
    registry = fold("churn", contents)
    record = registry.records[digest("b1")]
    start = needs_entries(record, "staging", registry.state, at(now))
    entries = [] if start is None else [decode_entry(one) for one in contents[start:]]
    found = spent(record, "staging", at(now), entries)
    return found.seconds, found.is_unknown


NOTE = draft(Kind.NOTED)
STAGED = promoted(1, "staging")


@pytest.mark.threat(30)
@pytest.mark.parametrize("error", [HOUR, DECADE, -HOUR, -DECADE])
def test_a_soak_from_a_bad_date_counts_from_the_next_good_one(error: int) -> None:
    begun = [(registered(1), 0), (STAGED, 60 + error)]
    assert soaked(600, *begun) == (0, True)
    assert soaked(600, *begun, (NOTE, 120)) == (480, False)
    # A bad one in between is no date to count from.
    assert soaked(600, *begun, (NOTE, 70 + error), (NOTE, 120)) == (480, False)


@pytest.mark.threat(30)
@pytest.mark.parametrize("error", [HOUR, DECADE, -HOUR, -DECADE])
def test_a_bad_date_beside_it_takes_nothing_from_a_soak(error: int) -> None:
    before = [(registered(1), 0), (NOTE, 30 + error), (STAGED, 60)]
    after = [(registered(1), 0), (STAGED, 60), (NOTE, 90 + error)]
    assert soaked(600, *before) == (540, False)
    assert soaked(600, *after) == (540, False)


@pytest.mark.threat(30)
@pytest.mark.parametrize("error", [DECADE, -HOUR, -DECADE])
def test_a_stay_that_ended_at_a_bad_date_counts_what_is_known_of_it(error: int) -> None:
    stay = [(registered(1), 0), (STAGED, 60), (NOTE, 160), (cleared("staging", 1), 200 + error)]
    assert soaked(DAY, *stay) == (100, False)
    again = [*stay, (STAGED, 300)]
    assert soaked(400, *again) == (200, False)


def test_a_soak_whose_dates_are_good_needs_no_entries() -> None:
    moves = [histories.dated(registered(1), 0), histories.dated(STAGED, 5)]
    registry = fold("churn", written(moves))
    assert needs_entries(registry.records[digest("b1")], "staging", registry.state, at(9)) is None


def test_a_bad_date_long_ago_makes_nobody_read_the_whole_ledger() -> None:
    notes = [note(0), note(-HOUR), *(note(second) for second in range(200))]
    moves = [histories.dated(registered(1), 300), histories.dated(STAGED, 310)]
    registry = fold("churn", written([*notes, *moves]))
    assert registry.state.back == 1
    assert needs_entries(registry.records[digest("b1")], "staging", registry.state, at(400)) is None


ERRORS = st.sampled_from([0, 0, HOUR, -HOUR, DECADE, -DECADE])


@pytest.mark.threat(30)
@given(
    before=st.lists(ERRORS, max_size=3),
    own=ERRORS,
    after=st.lists(ERRORS, max_size=4),
    gap=st.integers(1, 200),
    wait=st.integers(0, 2 * DAY),
)
def test_no_wrong_clock_makes_a_soak_longer_than_it_was_or_holds_it_up(
    before: list[int], own: int, after: list[int], gap: int, wait: int
) -> None:
    times = range(0, 10_000, gap)
    moves = [registered(1), *[NOTE] * len(before), STAGED, *[NOTE] * len(after)]
    wrong = [0, *before, own, *after]
    written_at = [(move, times[i] + wrong[i]) for i, move in enumerate(moves)]
    now = times[len(moves)] + wait
    seconds, _ = soaked(now, *written_at)
    arrived = times[1 + len(before)]
    assert seconds <= now - arrived + 300
    # Whoever writes by a right clock has it count from then on, when what is an hour ahead is past.
    later = now + 2 * HOUR
    good = [*written_at, (NOTE, later)]
    assert soaked(later, *good)[1] is False
    assert soaked(later + 2 * DAY, *good)[0] >= 2 * DAY


# --- when something happened ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("2025-12-31", "2025-12-31"),
        ("2026-01-02T01:30:00+02:00", "2026-01-01T23:30:00Z"),
        ("2026-01-01T12:00:00Z", "2026-01-01T12:00:00Z"),
        ("2026-01-02", "2026-01-02"),
        ("0001-01-01", "0001-01-01"),
        ("2026-01-02T00:04:00Z", "2026-01-02T00:04:00Z"),
    ],
)
def test_when_an_event_happened_is_a_day_or_a_time(told: str, kept: str) -> None:
    assert event_time(told, at(0)) == kept
    entries_of(draft(Kind.NOTED, happened=kept))


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ("yesterday", "is not a day"),
        ("2026-02-31", "is not a day"),
        ("2026-01-01T12:00:00", "does not say its offset"),
        ("20260101", "does not say its offset"),
        ("2026-01-04", "is still to come"),
        ("2026-01-02T00:06:00Z", "is still to come"),
        ("0001-01-01T00:00:00+14:00", "is not a day"),
        ("9999-12-31", "is still to come"),
    ],
)
def test_what_is_no_time_of_an_event_is_refused(told: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        event_time(told, at(0))


def test_clocks_have_words() -> None:
    assert Clock(now=at(0), of="GitLab").words == "by GitLab's clock"
