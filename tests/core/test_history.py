"""Pure questions to the entries of a ledger."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from assent.core.digest import Digest
from assent.core.entry import Draft, Entry, Kind, ReviewRecord, decode_entry
from assent.core.history import (
    History,
    Query,
    approval_words,
    by_words,
    digests_of,
    instant,
    last_until,
    lead_times,
    lead_words,
    namings,
    note_words,
    people_called,
    select,
    state_after,
    verdict_of,
)
from assent.core.identity import Actor
from assent.core.registry import fold
from tests.builders import approved, digest, draft, person, promoted, registered, subject
from tests.core.histories import written

NOW = "2026-06-01T00:00:00Z"


def entries_of(*drafts: Draft) -> list[Entry]:
    return [decode_entry(content) for content in written(list(drafts))]


def on(day: str) -> str:
    return f"2026-{day}T12:00:00Z"


def renamed(name: str, login: str, *, kind: str = "person", proof: str = "forge") -> Actor:
    return Actor(
        kind=kind,  # type: ignore[arg-type]  # by name
        forge="local",
        host="local",
        id=name,
        login=login,
        proof=proof,  # type: ignore[arg-type]  # by name
    )


def review(by: str, bundle: str, at: str, **fields: object) -> ReviewRecord:
    values: dict[str, object] = {"role": "*", **fields}
    return ReviewRecord(person=person(by), bundle=digest(bundle), at=at, **values)  # type: ignore[arg-type]  # by name


BOB = review("bob", "b1", on("01-01"))
BOB_THERE = review("bob", "b1", on("01-01"), change="#7", head="c" * 40)
CAROL = review("carol", "b1", on("01-03"))


@pytest.fixture
def lived() -> list[Entry]:
    """One version through two stages, noted and rolled back to."""
    return entries_of(
        draft(Kind.APPROVED, subject("b1"), approvals=(BOB_THERE,), at=on("01-01")),
        registered(1, approvals=(BOB,), required=1, at=on("01-02"), commit="a" * 40),
        promoted(1, "staging", approvals=(BOB,), required=0, at=on("01-03"), commit="b" * 40),
        draft(Kind.APPROVED, subject("b1", 1), approvals=(CAROL,), at=on("01-03")),
        promoted(1, "production", approvals=(CAROL,), required=1, at=on("01-04"), commit="b" * 40),
        registered(2, required=0, at=on("02-01")),
        draft(Kind.OVERRIDDEN, subject("b2", 2), stage="production", at=on("02-02")),
        promoted(2, "production", 1, required=1, at=on("02-02")),
        draft(
            Kind.ROLLED_BACK,
            subject("b1", 1),
            stage="production",
            replaces=2,
            approvals=(CAROL,),
            required=0,
            at=on("02-03"),
        ),
        draft(
            Kind.NOTED,
            subject("b1", 1),
            at=on("03-01"),
            happened="2026-02-14",
            reason="more stay",
            metrics={"retention": 0.5},
            links={"trial": "https://trials.example/1"},
        ),
    )


def seqs(entries: Sequence[Entry]) -> list[int]:
    return [entry.seq for entry in entries]


def asked(entries: list[Entry], **fields: object) -> list[int]:
    return seqs(select(entries, Query(**fields)).entries)  # type: ignore[arg-type]  # by name


def test_without_a_question_all_are_the_answer(lived: list[Entry]) -> None:
    assert asked(lived) == list(range(10))
    assert Query().is_of_all


def test_by_kind_stage_bundle_and_person(lived: list[Entry]) -> None:
    assert asked(lived, kinds=frozenset({Kind.PROMOTED})) == [2, 4, 7]
    assert asked(lived, stages=frozenset({"staging"})) == [2]
    assert asked(lived, bundle=digest("b2")) == [5, 6, 7]
    assert asked(lived, people=frozenset({person("carol").key})) == [3, 4, 8]
    assert asked(lived, people=frozenset({person("bob").key})) == [0, 1, 2]
    assert asked(lived, people=frozenset()) == []


def test_by_time_both_ends_belong_to_it(lived: list[Entry]) -> None:
    assert asked(lived, since=on("01-03"), until=on("01-04")) == [2, 3, 4]
    assert asked(lived, since="2026-02-03T12:00:01Z") == [9]
    assert asked(lived, until="2025-12-31T00:00:00Z") == []


def test_a_note_is_found_when_it_was_written_and_when_it_happened(lived: list[Entry]) -> None:
    day = {"since": "2026-02-14T20:00:00Z", "until": "2026-02-14T21:00:00Z"}
    assert asked(lived, **day) == [9]
    assert asked(lived, since="2026-02-15T00:00:00Z", until="2026-02-16T00:00:00Z") == []


def test_what_a_wrong_date_leaves_out_is_told() -> None:
    entries = entries_of(
        registered(1, at=on("05-01")),
        registered(2, at="2020-01-01T00:00:00Z"),
        registered(3, at=on("05-02")),
    )
    history = History(entries, NOW)
    assert list(history.doubted) == [1]
    found = select(entries, Query(since=on("04-01")), history.doubted)
    assert (seqs(found.entries), found.doubtful) == ([0, 2], (1,))
    assert select(entries, Query(stages=frozenset({"x"})), history.doubted).doubtful == ()


def test_a_date_that_cannot_be_right_neither_ends_nor_hides_what_stood() -> None:
    entries = entries_of(
        registered(1, at=on("05-01")),
        promoted(1, "production", at="2035-01-01T00:00:00Z"),
        registered(2, at=on("05-02")),
    )
    doubted = History(entries, NOW).doubted
    assert list(doubted) == [1]
    assert last_until(entries, on("05-01"), doubted) == 0
    assert last_until(entries, on("05-02"), doubted) == 2
    assert last_until(entries, "2025-01-01T00:00:00Z", doubted) == -1


def test_the_state_of_then_is_that_of_the_fold(lived: list[Entry]) -> None:
    from assent.core.entry import encode_entry

    for seq in range(-1, len(lived)):
        contents = [encode_entry(entry) for entry in lived[: seq + 1]]
        assert state_after("churn", lived, seq) == fold("churn", contents).state
    assert state_after("churn", lived, 4).stages["production"].version == 1
    assert state_after("churn", lived, 1).stages == {}


@pytest.mark.parametrize(
    ("text", "end", "moment"),
    [
        ("2026-01-31", False, "2026-01-31T00:00:00Z"),
        ("2026-01-31", True, "2026-01-31T23:59:59Z"),
        ("2026-01-31T12:00:00+02:00", True, "2026-01-31T10:00:00Z"),
        ("30d", True, "2026-05-02T00:00:00Z"),
        ("90m", False, "2026-05-31T22:30:00Z"),
    ],
)
def test_moments_as_people_write_them(text: str, end: bool, moment: str) -> None:
    assert instant(text, NOW, end=end) == moment


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "2026-W05-6", "2026-02-30", "2026-01-31T12:00:00"),
        *("99999999w", "\x1b[31m", "30"),
    ],
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match="is not a day"):
        instant(text, NOW)


def test_a_person_is_found_by_login_id_and_key_whatever_they_are_called_now() -> None:
    entries = entries_of(
        draft(Kind.NOTED, actor=renamed("12", "alice")),
        draft(Kind.NOTED, actor=renamed("12", "alicia")),
        draft(Kind.NOTED, actor=renamed("99", "alice")),
    )
    assert set(people_called(entries, "@ALICIA")) == {"local:local:12"}
    assert set(people_called(entries, "alice")) == {"local:local:12", "local:local:99"}
    assert set(people_called(entries, "99")) == {"local:local:99"}
    assert set(people_called(entries, "local:local:12")) == {"local:local:12"}
    assert people_called(entries, "ali") == {}


def test_an_approval_is_named_as_what_it_was(lived: list[Entry]) -> None:
    history = History(lived, NOW)
    staging = history.moment(lived[2])
    assert staging.unapproved
    [bob] = staging.approvals
    assert (bob.recorded, bob.counted, bob.counted_for) == (0, 1, "register v1")
    assert bob.change == "#7"
    assert approval_words(staging) == (
        "nobody had to approve this; approved before by bob (claimed) in #7 on "
        f"{on('01-01')}, entry 0, for entry 1: register v1",
    )
    back = history.moment(lived[8])
    assert back.unapproved
    assert (back.approvals[0].recorded, back.approvals[0].counted) == (3, 4)


def test_what_had_to_be_approved_says_by_how_many(lived: list[Entry]) -> None:
    history = History(lived, NOW)
    [words] = approval_words(history.moment(lived[4]))
    assert words == f"needed 1 approval: carol (claimed) on {on('01-03')}, entry 3"
    [overridden] = approval_words(history.moment(lived[7]))
    assert overridden == "needed 1 approval, and had none"
    assert not history.moment(lived[4]).unapproved


def test_an_approval_that_did_not_count_for_anything_is_none_of_the_first(
    lived: list[Entry],
) -> None:
    """What a decision that needed none has listed is not what a later one rests on."""
    entries = entries_of(
        draft(Kind.APPROVED, subject("b1"), approvals=(BOB_THERE,), at=on("01-01")),
        registered(1, approvals=(BOB,), required=0, at=on("01-02")),
        promoted(1, "staging", approvals=(BOB,), required=1, at=on("01-03")),
    )
    history = History(entries, NOW)
    assert history.moment(entries[2]).approvals[0].counted is None
    assert history.moment(entries[1]).unapproved


def test_an_approval_that_came_with_the_run_is_not_called_an_earlier_one() -> None:
    """Somebody let the job into the environment, which the policy did not ask for."""
    with_run = review("carol", "b1", on("01-03"))
    entries = entries_of(
        draft(Kind.APPROVED, subject("b1"), approvals=(BOB_THERE,), at=on("01-01")),
        registered(1, approvals=(BOB,), required=1, at=on("01-02")),
        promoted(1, "staging", approvals=(BOB, with_run), required=0, at=on("01-03")),
    )
    [words] = approval_words(History(entries, NOW).moment(entries[2]))
    assert "approved before by bob" in words
    assert f"approved with this run by carol (claimed) on {on('01-03')}" in words


def test_nobody_had_to_and_nobody_had(lived: list[Entry]) -> None:
    moment = History(lived, NOW).moment(lived[5])
    assert approval_words(moment) == ("nobody had to approve this, and nobody had",)


def test_entries_of_before_do_not_claim_what_was_not_recorded() -> None:
    entries = entries_of(
        draft(Kind.APPROVED, subject("b1"), approvals=(BOB_THERE,), at=on("01-01")),
        registered(1, approvals=(BOB,), at=on("01-02")),
        promoted(1, "staging", approvals=(BOB,), at=on("01-03")),
    )
    history = History(entries, NOW)
    moments = [history.moment(entry) for entry in entries]
    assert [moment.unapproved for moment in moments] == [False, False, False]
    assert "was not recorded then" not in approval_words(moments[1])[0]
    assert approval_words(moments[2])[0].endswith(
        "How many had to approve this was not recorded then"
    )


def test_an_override_belongs_to_what_it_was_written_with(lived: list[Entry]) -> None:
    history = History(lived, NOW)
    assert [history.moment(entry).against for entry in lived] == [None] * 7 + [6, None, None]


def test_who_did_it_is_the_person_and_not_the_job_that_wrote_it_down() -> None:
    bot = renamed("1", "ci[bot]", kind="automation")
    ours, theirs, claimed = entries_of(
        approved("b1", "bob"),
        draft(Kind.APPROVED, subject("b2"), approvals=(BOB,), actor=bot),
        draft(Kind.NOTED, actor=renamed("1", "ci", kind="automation", proof="claimed")),
    )
    assert by_words(theirs) == "bob (claimed); recorded by ci[bot] (automation)"
    assert by_words(claimed) == "ci (automation, claimed)"
    assert by_words(ours) == "bob (claimed); recorded by alice (claimed)"


def test_the_time_from_commit_is_that_of_the_trained_one_or_of_the_landed_one(
    lived: list[Entry],
) -> None:
    trained = {"b" * 40: "2026-01-01T12:00:00Z", "a" * 40: "2026-01-02T00:00:00Z"}
    lead = History(lived, NOW).with_dates(trained).moment(lived[4]).lead
    assert lead is not None
    assert (lead.seconds, lead.is_landed) == (3 * 86_400, False)
    landed = History(lived, NOW).with_dates({"a" * 40: "2026-01-02T12:00:00Z"})
    other = landed.moment(lived[4]).lead
    assert other is not None
    assert (other.commit, other.seconds, other.is_landed) == ("a" * 40, 2 * 86_400, True)
    assert lead_words(other) == "2d after commit aaaaaaaaaaaa, as which it landed"
    assert History(lived, NOW).moment(lived[4]).lead is None
    assert landed.moment(lived[8]).lead is None  # going back is no way from a commit
    assert History(lived, NOW).commits([lived[4]]) == {"a" * 40, "b" * 40}


def test_a_commit_that_says_it_is_of_tomorrow_took_no_time(lived: list[Entry]) -> None:
    lead = History(lived, NOW).with_dates({"b" * 40: "2030-01-01T00:00:00Z"}).moment(lived[4]).lead
    assert lead is not None
    assert lead.seconds == 0


def test_lead_times_count_the_first_promotion_of_each_version(lived: list[Entry]) -> None:
    history = History(lived, NOW).with_dates({"b" * 40: "2026-01-01T12:00:00Z"})
    staging, production = lead_times(history.moment(entry) for entry in lived)
    assert (staging.stage, staging.versions, staging.median_s) == ("staging", 1, 2 * 86_400)
    assert (production.versions, production.unknown) == (1, 1)
    assert production.longest_s == 3 * 86_400


def test_notes_are_newest_first_and_say_all_they_have(lived: list[Entry]) -> None:
    history = History(lived, NOW)
    assert seqs(history.notes(digest("b1"))) == [9]
    assert history.notes(digest("b2")) == ()
    assert note_words(lived[9]) == (
        "2026-02-14: more stay; retention = 0.5; trial: https://trials.example/1 "
        "(alice (claimed), entry 9)"
    )


def test_the_digest_of_an_entry_is_what_the_next_one_follows(lived: list[Entry]) -> None:
    head = Digest("sha256:" + "e" * 64)
    digests = digests_of(lived, head)
    assert digests[0] == lived[1].prev
    assert digests[9] == head
    assert digests_of([], head) == {}


def test_what_a_digest_is_to_an_entry(lived: list[Entry]) -> None:
    own = Digest("sha256:" + "e" * 64)
    roles = {naming.digest: naming.role for naming in namings(lived[1], own)}
    assert roles[own] == "entry 1"
    assert roles[digest("b1")] == "bundle of v1"
    assert roles["a" * 40] == "commit of v1"
    heads = [naming.role for naming in namings(lived[0], own) if naming.digest == "c" * 40]
    assert heads == ["commit that was approved"]


def test_an_entry_without_a_verdict_judged_nothing(lived: list[Entry]) -> None:
    assert verdict_of(lived[9]) is None
