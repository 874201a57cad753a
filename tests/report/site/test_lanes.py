"""The timeline as a picture."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from assent.core.entry import Draft, Kind
from assent.report.site.history import history_of
from assent.report.site.lanes import NARROW, WIDE, Place, date_marks, lanes
from tests.builders import draft, promoted, registered, subject
from tests.report.site.test_history import entries_of, told

DAY = 86_400.0


def drawn(*drafts: Draft) -> str:
    return lanes(told(*drafts), WIDE, "v{}.html".format)


def at(day: int) -> str:
    return f"2026-01-{day:02d}T00:00:00Z"


def test_each_stay_is_a_bar_of_its_length() -> None:
    picture = drawn(
        registered(1, at=at(1)),
        promoted(1, "production", at=at(1)),
        registered(2, at=at(11)),
        promoted(2, "production", 1, at=at(11)),
        registered(3, at=at(21)),
        promoted(3, "production", 2, at=at(21)),
    )
    bars = re.findall(r'class="stay[^"]*" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', picture)
    starts = [float(x) for x, _ in bars]
    assert len(bars) == 3
    assert starts[2] - starts[1] == pytest.approx(starts[1] - starts[0], abs=0.3)
    assert picture.count('class="stay now"') == 1
    assert 'href="v2.html"' in picture


def test_a_rollback_is_told_by_more_than_its_colour() -> None:
    back = draft(Kind.ROLLED_BACK, subject("b1", 1), stage="production", replaces=2, at=at(9))
    picture = drawn(
        registered(1, at=at(1)),
        promoted(1, "production", at=at(2)),
        registered(2, at=at(3)),
        promoted(2, "production", 1, at=at(5)),
        back,
    )
    assert "stay now back" in picture
    assert "\N{LEFTWARDS ARROW WITH HOOK} v1" in picture
    assert "rolled back to v1" in picture


def test_a_date_in_doubt_stands_where_the_one_before_does_and_moves_no_other() -> None:
    entries = entries_of(
        registered(1, at=at(1)), registered(2, at="2126-01-01T00:00:00Z"), registered(3, at=at(3))
    )
    place = Place.of(entries, {1: "in the future"})
    assert place.seconds[1] == place.seconds[0]
    assert place.last - place.first == 2 * DAY


def test_time_never_runs_back() -> None:
    entries = entries_of(registered(1, at=at(9)), registered(2, at=at(2)))
    place = Place.of(entries, {})
    assert place.seconds[1] == place.seconds[0]


def test_marks_that_would_lie_on_one_another_are_one() -> None:
    picture = drawn(*(registered(number, at=at(1 + number // 1000)) for number in range(1, 2001)))
    assert picture.count('class="tick-mark"') <= 3
    assert "999 times registered v1 to registered v999" in picture
    assert len(picture) < 5_000


@pytest.mark.threat(33)
def test_a_hostile_stage_and_reason_are_text() -> None:
    history = told(registered(1), stages=("</text><script>alert(1)</script>\u202e",))
    note = replace(entries_of(draft(Kind.NOTED, reason="<script>\u202e" * 100_000))[0], seq=1)
    history = replace(history, entries=(*history.entries, note))
    picture = lanes(history, NARROW, str)
    assert "<script" not in picture
    assert "\u202e" not in picture
    assert len(picture) < 10_000


@pytest.mark.parametrize(
    "span",
    [0, 1, 60, 3600, DAY, 3 * DAY, 40 * DAY, 200 * DAY, 4_000 * DAY, 300_000 * DAY, 2e6 * DAY],
)
def test_an_axis_has_a_few_round_dates_in_their_order(span: float) -> None:
    marks = date_marks(1.6e9, 1.6e9 + span, 6)
    assert 0 < len(marks) <= 7 or span in (1,)
    assert [mark for mark, _ in marks] == sorted({mark for mark, _ in marks})
    assert len({text for _, text in marks}) == len(marks)
    assert all(1.6e9 <= mark <= 1.6e9 + span for mark, _ in marks)


def test_a_stay_that_was_over_before_the_picture_begins_is_not_in_it() -> None:
    drafts = [registered(1, at=at(1)), promoted(1, "production", at=at(2))]
    drafts += [registered(2, at=at(3)), promoted(2, "production", 1, at=at(4))]
    drafts += [registered(3, at=at(5)), promoted(3, "production", 2, at=at(6))]
    history = history_of("churn", entries_of(*drafts), ("production",), {})
    picture = lanes(history, WIDE, str, since=4)
    assert picture.count("<rect") == 2
    assert "held v1" not in picture
