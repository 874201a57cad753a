"""The law of the registry: what entries may follow each other, and what they add up to."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.core.digest import Digest, digest_of
from assent.core.entry import (
    GENESIS,
    Draft,
    Kind,
    Subject,
    decode_entry,
    encode_entry,
    entry_digest,
    placed,
)
from assent.core.evidence import Run
from assent.core.identity import Resolved
from assent.core.registry import (
    NEWEST,
    ChainError,
    IllegalEntryError,
    Record,
    Registry,
    State,
    advance,
    fold,
    rfc3339,
    seconds_between,
    spent_s,
    touched,
)
from tests.builders import AT, approved, digest, draft, person, promoted, registered, subject
from tests.core.histories import (
    EMPTY,
    STAGES,
    Notebook,
    append,
    at,
    cleared,
    dated,
    histories,
    rejected,
    rolled_back,
    written,
)

History = list[tuple[Draft, int]]
LEDGER = written(
    [
        approved("b1", "bob"),
        registered(1),
        promoted(1, "staging"),
        registered(2),
        promoted(2, "staging", 1),
        cleared("staging", 2),
        draft(Kind.NOTED),
    ]
)
HEAD = fold("churn", LEDGER).head
STATE = fold("churn", LEDGER).state
positions = st.integers(0, len(LEDGER) - 1)


def registry_of(*entries: Draft) -> Registry:
    return fold("churn", written(list(entries)))


def first_bad(contents: list[bytes]) -> int:
    with pytest.raises(ChainError) as caught:
        fold("churn", contents)
    return caught.value.seq


# The chain


@pytest.mark.threat(26)
@given(positions, st.data())
def test_an_edited_byte_is_found_where_it_is_or_in_the_next_entry(
    seq: int, data: st.DataObject
) -> None:
    content = bytearray(LEDGER[seq])
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    edited = [*LEDGER[:seq], bytes(content), *LEDGER[seq + 1 :]]
    follower = placed(draft(Kind.NOTED), seq=len(LEDGER), prev=HEAD, state=STATE.standing)
    assert first_bad([*edited, encode_entry(follower)]) in (seq, seq + 1)


@pytest.mark.threat(26)
@given(positions)
def test_a_well_formed_edit_is_found_in_the_next_entry(seq: int) -> None:
    entry = msgspec.structs.replace(decode_entry(LEDGER[seq]), actor=person("mallory"))
    edited = [*LEDGER[:seq], encode_entry(entry), *LEDGER[seq + 1 :]]
    if seq < len(LEDGER) - 1:
        assert first_bad(edited) == seq + 1
    else:
        assert fold("churn", edited).head != entry_digest(LEDGER[-1])


@pytest.mark.threat(26)
@given(st.integers(0, len(LEDGER) - 2), st.integers(1, len(LEDGER)))
def test_entries_cut_out_of_the_middle_are_found_where_they_were(seq: int, count: int) -> None:
    kept = [*LEDGER[:seq], *LEDGER[min(seq + count, len(LEDGER) - 1) :]]
    assert first_bad(kept) == seq


@pytest.mark.threat(26)
@given(positions, positions)
def test_two_swapped_entries_are_found_at_the_first(one: int, other: int) -> None:
    swapped = list(LEDGER)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    if one == other:
        assert fold("churn", swapped) == fold("churn", LEDGER)
    else:
        assert first_bad(swapped) == min(one, other)


@pytest.mark.threat(26)
@given(st.integers(0, len(LEDGER)), st.one_of(positions, st.binary()))
def test_an_inserted_entry_is_found_where_it_is(seq: int, inserted: int | bytes) -> None:
    content = LEDGER[inserted] if isinstance(inserted, int) else inserted
    is_itself = seq < len(LEDGER) and content == LEDGER[seq]
    assert first_bad([*LEDGER[:seq], content, *LEDGER[seq:]]) == seq + is_itself


@pytest.mark.threat(26)
@given(st.integers(0, len(LEDGER)))
def test_a_chain_cut_at_its_end_is_a_valid_shorter_one(length: int) -> None:
    registry = fold("churn", LEDGER[:length])
    assert registry.state.seq == length - 1
    assert registry.head == (entry_digest(LEDGER[length - 1]) if length else GENESIS)


@pytest.mark.threat(26)
def test_an_entry_of_another_model_is_named() -> None:
    other = msgspec.structs.replace(decode_entry(LEDGER[0]), model="fraud")
    assert first_bad([encode_entry(other)]) == 0


@pytest.mark.threat(26)
def test_an_entry_that_states_another_state_is_named() -> None:
    last = msgspec.structs.replace(decode_entry(LEDGER[-1]), state=digest("what I wish"))
    assert first_bad([*LEDGER[:-1], encode_entry(last)]) == len(LEDGER) - 1


@pytest.mark.threat(26)
def test_a_well_chained_entry_that_the_law_forbids_is_named() -> None:
    registry = fold("churn", LEDGER)
    seq = registry.state.seq + 1
    forged = placed(
        promoted(7, "production"), seq=seq, prev=registry.head, state=registry.state.standing
    )
    assert first_bad([*LEDGER, encode_entry(forged)]) == seq


# The fold


@given(histories())
def test_the_fold_is_every_step_after_the_other(history: History) -> None:
    state, head = State(model="churn"), GENESIS
    records: dict[Digest, Record] = {}
    contents = []
    for seq, (entry, _) in enumerate(history):
        known = {one: records[one] for one in touched(state, entry) if one in records}
        state, changed = advance(state, known, entry, seq)
        records |= changed
        contents.append(encode_entry(placed(entry, seq=seq, prev=head, state=state.standing)))
        head = digest_of(contents[-1])
    folded = fold("churn", contents)
    assert (folded.state, folded.records, folded.head) == (state, records, head)


@given(histories(least=1), st.data())
def test_any_batching_gives_the_same_bytes_and_the_same_registry(
    history: History, data: st.DataObject
) -> None:
    entries = [entry for entry, _ in history]
    cuts = data.draw(st.sets(st.integers(1, len(entries))))
    bounds = [0, *sorted(cuts | {len(entries)})]
    registry, contents = EMPTY, list[bytes]()
    for start, stop in pairwise(bounds):
        registry, batch = append(registry, entries[start:stop])
        contents += batch
    assert contents == written(entries)
    assert registry == fold("churn", contents)


@given(histories(least=1), st.integers(0, 20_000))
def test_the_registry_is_what_a_notebook_would_hold(history: History, now: int) -> None:
    notebook, registry = Notebook(), EMPTY
    for entry, seconds in history:
        registry, _ = append(registry, [entry])
        notebook.write(entry, seconds)
    state, records = registry.state, registry.records
    assert state.seq == len(history) - 1
    assert state.versions == notebook.versions
    assert registry.versions == {n: digest(f"b{n}") for n in range(1, notebook.versions + 1)}
    assert {stage: held.version for stage, held in state.stages.items()} == notebook.stages
    assert {record.version for record in records.values() if record.retired} == notebook.retired
    assert {
        bundle: {key: opinion.kind for key, opinion in record.opinions.items()}
        for bundle, record in records.items()
        if record.opinions
    } == {
        digest(name): {person(login).key: kind for login, kind in said.items()}
        for name, said in notebook.opinions.items()
    }
    for stage, number in notebook.visits:
        stay = records[digest(f"b{number}")].stays[stage]
        assert spent_s(stay, at(now)) == notebook.spent_s(stage, number, now)


@pytest.mark.threat(29)
@given(histories())
def test_only_promoting_and_rolling_back_ever_fill_a_stage(history: History) -> None:
    registry = EMPTY
    for entry, _ in history:
        before = registry.state
        registry, _ = append(registry, [entry])
        state = registry.state
        if entry.kind is Kind.CLEARED:
            expected = {name: held for name, held in before.stages.items() if name != entry.stage}
            assert state.stages == expected
        elif entry.kind not in (Kind.PROMOTED, Kind.ROLLED_BACK):
            assert state.stages == before.stages
        assert not any(registry.records[held.bundle].retired for held in state.stages.values())
        assert state.versions == before.versions + (entry.kind is Kind.REGISTERED)
        assert len(state.newest) == min(state.versions, NEWEST)
        assert set(state.stages) <= set(STAGES)


@given(histories(least=8))
def test_the_way_back_of_every_stage_has_an_end(history: History) -> None:
    registry, _ = append(EMPTY, [entry for entry, _ in history])
    for stage, held in registry.state.stages.items():
        there, seen = held.previous, set[int]()
        while there is not None:
            assert there not in seen
            seen.add(there)
            there = registry.records[registry.versions[there]].stays[stage].replaced


def test_the_state_stays_small_whatever_the_length() -> None:
    short = registry_of(*(registered(n) for n in range(1, 51)))
    long = registry_of(*(registered(n) for n in range(1, 501)))
    assert [line.version for line in long.state.newest] == list(range(500, 480, -1))
    assert len(msgspec.json.encode(long.state)) < len(msgspec.json.encode(short.state)) + 100


# The law, by example


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (registered(4), "the next version is v3"),
        (registered(2), "the next version is v3"),
        (draft(Kind.REGISTERED, subject("b1", 3)), "these bytes are v1 already"),
        (draft(Kind.REGISTERED), "no bundle"),
        (promoted(3, "staging", 2), "the bundle is not registered as v3"),
        (draft(Kind.PROMOTED, subject("b1", 2), stage="production"), "not registered as v2"),
        (draft(Kind.PROMOTED, subject("b1"), stage="production"), "not registered as nothing"),
        (draft(Kind.PROMOTED, subject("b1", 1)), "no stage"),
        (promoted(1, "staging"), "staging holds v2"),
        (promoted(2, "staging", 1), "staging holds v2"),
        (promoted(2, "staging", 2), "staging holds v2 already"),
        (promoted(1, "production", 2), "production holds nothing"),
        (rolled_back(1, "production", None), "v1 was never in production"),
        (rolled_back(3, "staging", 2), "the bundle is not registered as v3"),
        (cleared("production", 1), "production holds nothing"),
        (draft(Kind.CLEARED), "None holds nothing"),
        (draft(Kind.RETIRED, subject("b2", 2)), "v2 is in staging"),
        (draft(Kind.RETIRED, subject("b3", 3)), "the bundle is not registered as v3"),
        (draft(Kind.PURGED, subject("b2", 2)), "v2 is in staging"),
        (draft(Kind.PURGED, subject("b3", 3)), "the bundle is not registered as v3"),
        (draft(Kind.APPROVED), "no bundle"),
        (registered(3, model="fraud"), "it belongs to fraud"),
        (registered(3, at="yesterday"), "'yesterday' is not a time in UTC"),
        (registered(3, at="2026-01-02T03:04:05"), "is not a time in UTC"),
        (registered(3, at="2026-01-02T03:04:05+02:00"), "is not a time in UTC"),
    ],
)
def test_what_the_law_forbids_is_refused_with_the_reason(entry: Draft, problem: str) -> None:
    registry = registry_of(
        registered(1), registered(2), promoted(1, "staging"), promoted(2, "staging", 1)
    )
    with pytest.raises(IllegalEntryError, match=problem):
        append(registry, [entry])


def test_a_retired_version_enters_no_stage() -> None:
    entries = [registered(1), registered(2), promoted(1, "staging"), promoted(2, "staging", 1)]
    registry = registry_of(*entries, draft(Kind.RETIRED, subject("b1", 1)))
    for entry in (rolled_back(1, "staging", 2), promoted(1, "production")):
        with pytest.raises(IllegalEntryError, match="v1 is retired"):
            append(registry, [entry])
    assert [line.retired for line in registry.state.newest] == [False, True]


@pytest.mark.parametrize("before", [[], [draft(Kind.RETIRED, subject("b1", 1))]])
def test_a_purged_version_is_retired_for_good(before: list[Draft]) -> None:
    entries = [registered(1), registered(2), promoted(1, "staging"), promoted(2, "staging", 1)]
    registry = registry_of(*entries, *before, draft(Kind.PURGED, subject("b1", 1)))
    record = registry.records[digest("b1")]
    assert (record.retired, record.purged) == (True, registry.state.seq)
    assert [(one.retired, one.purged) for one in registry.state.newest] == [
        (False, False),
        (True, True),
    ]
    for entry in (rolled_back(1, "staging", 2), promoted(1, "production")):
        with pytest.raises(IllegalEntryError, match="v1 is purged"):
            append(registry, [entry])
    for kind in (Kind.PURGED, Kind.RETIRED):
        with pytest.raises(IllegalEntryError, match="v1 is purged already"):
            append(registry, [draft(kind, subject("b1", 1))])


def test_a_store_that_moves_changes_nothing_else() -> None:
    links = {"from": "store", "to": "oci://registry.example/models"}
    registry = registry_of(registered(1), promoted(1, "staging"))
    after, _ = append(registry, [draft(Kind.MOVED, links=links)])
    assert after.state.standing == registry.state.standing
    assert (after.records, after.versions) == (registry.records, registry.versions)


def test_a_bundle_keeps_its_model_digest() -> None:
    about = Subject(version=1, bundle=digest("b1"), model_digest=digest("other files"))
    with pytest.raises(IllegalEntryError, match="another model digest"):
        append(registry_of(registered(1)), [draft(Kind.PROMOTED, about, stage="staging")])


@pytest.mark.threat(28)
def test_the_same_bytes_are_registered_once() -> None:
    with pytest.raises(IllegalEntryError, match="these bytes are v1 already"):
        append(registry_of(registered(1)), [draft(Kind.REGISTERED, subject("b1", 2))])


@pytest.mark.threat(28)
def test_two_versions_may_come_from_one_commit() -> None:
    registry = registry_of(registered(1, commit="c0ffee"), registered(2, commit="c0ffee"))
    assert registry.versions == {1: digest("b1"), 2: digest("b2")}


@pytest.mark.threat(29)
def test_clearing_a_stage_revives_nothing() -> None:
    entries = [registered(1), registered(2), promoted(1, "production")]
    registry = registry_of(*entries, promoted(2, "production", 1), cleared("production", 2))
    assert registry.state.stages == {}


@pytest.mark.threat(29)
def test_what_is_in_a_stage_is_not_retired() -> None:
    registry = registry_of(registered(1), promoted(1, "production"))
    with pytest.raises(IllegalEntryError, match="v1 is in production"):
        append(registry, [draft(Kind.RETIRED, subject("b1", 1))])


def test_rolling_back_twice_goes_further_back() -> None:
    entries = [*(registered(n) for n in (1, 2, 3)), promoted(1, "production")]
    entries += [promoted(2, "production", 1), promoted(3, "production", 2)]
    once, _ = append(registry_of(*entries), [rolled_back(2, "production", 3)])
    assert once.state.stages["production"].previous == 1
    twice, _ = append(once, [rolled_back(1, "production", 2)])
    assert twice.state.stages["production"].previous is None


def test_the_way_back_from_an_older_version_that_was_promoted_again_has_an_end() -> None:
    entries = [registered(1), registered(2), promoted(1, "production")]
    entries += [promoted(2, "production", 1), promoted(1, "production", 2)]
    registry = registry_of(*entries)
    assert registry.state.stages["production"].previous == 2
    registry, _ = append(registry, [rolled_back(2, "production", 1)])
    assert registry.state.stages["production"].previous == 1
    registry, _ = append(registry, [rolled_back(1, "production", 2)])
    assert registry.state.stages["production"].previous is None


@pytest.mark.threat(22)
def test_a_stay_remembers_every_run_that_promoted_and_no_run_that_rolled_back() -> None:
    runs = {name: Run(system="github", id=name) for name in ("a", "b", "c", "d")}
    registry = registry_of(
        registered(1),
        registered(2),
        promoted(1, "production", run=runs["a"]),
        promoted(2, "production", 1, run=runs["b"]),
        msgspec.structs.replace(rolled_back(1, "production", 2), run=runs["c"]),
        promoted(2, "production", 1, run=runs["d"]),
    )
    assert registry.records[digest("b1")].stays["production"].runs == ("a",)
    assert registry.records[digest("b2")].stays["production"].runs == ("b", "d")


def test_the_later_opinion_of_a_person_replaces_the_earlier() -> None:
    registry = registry_of(approved("b1", "bob"), rejected("b1", "bob"), approved("b1", "carol"))
    opinions = registry.records[digest("b1")].opinions
    assert {key: opinion.kind for key, opinion in opinions.items()} == {
        person("bob").key: Kind.REJECTED,
        person("carol").key: Kind.APPROVED,
    }


@pytest.mark.threat(1)
def test_whoever_was_named_an_author_stays_one() -> None:
    first = msgspec.structs.replace(approved("b1", "bob"), authors=(person("alice"),))
    registry = registry_of(first, registered(1, authors=(person("carol"), person("alice"))))
    assert registry.records[digest("b1")].authors == (person("alice").key, person("carol").key)


@pytest.mark.threat(30)
def test_order_is_the_sequence_and_never_the_clock() -> None:
    entries = [registered(1), registered(2), promoted(1, "production")]
    times = [500, 500, 400, 100]
    entries = [*entries, promoted(2, "production", 1)]
    registry = registry_of(*(dated(one, when) for one, when in zip(entries, times, strict=True)))
    assert registry.state.stages["production"].version == 2
    assert spent_s(registry.records[digest("b1")].stays["production"], at(9_000)) == 0


@pytest.mark.threat(30)
@pytest.mark.parametrize(
    ("earlier", "later", "seconds"),
    [
        (AT, "2026-01-02T03:04:06Z", 1),
        ("2026-01-02T03:04:06Z", AT, 0),
        (AT, AT, 0),
        (AT, "2026-01-02T05:04:05+02:00", 0),
        (AT, "2026-01-03T03:04:05Z", 86_400),
    ],
)
def test_seconds_between_are_never_negative(earlier: str, later: str, seconds: float) -> None:
    assert seconds_between(earlier, later) == seconds


def test_times_are_written_in_utc_with_whole_seconds() -> None:
    local = datetime(2026, 1, 2, 5, 4, 5, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert rfc3339(local) == AT


@pytest.mark.threat(42)
def test_what_a_name_meant_first_stays_until_the_policy_says_another_one() -> None:
    def yes(bundle: str, role: str, number: str) -> Draft:
        given = approved(bundle, "bob")
        [approval] = given.approvals
        meant = Resolved(name="bob", id=number)
        approval = msgspec.structs.replace(approval, role=role, resolved=meant)
        return msgspec.structs.replace(given, approvals=(approval,))

    first, second = yes("b1", "bob", "user:1"), yes("b2", "bob", "user:2")
    assert registry_of(first, second).state.pins == {"bob": "user:1"}
    assert registry_of(first, yes("b3", "bob#3", "user:3")).state.pins == {"bob": "user:3"}
    assert registry_of(first, yes("b3", "bob#3", "user:3"), second).state.pins == {"bob": "user:3"}


def test_entries_that_do_not_say_what_a_name_meant_bind_nothing() -> None:
    assert registry_of(approved("b1", "bob")).state.pins == {}


@given(st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False, allow_infinity=False)))
def test_figures_of_a_note_are_read_back_as_they_were_written(metrics: dict[str, float]) -> None:
    contents = written([draft(Kind.NOTED, metrics=metrics)])
    assert fold("churn", contents).state.seq == 0
    assert decode_entry(contents[0]).metrics == metrics


@pytest.mark.parametrize("value", [1, True, float("nan"), float("inf"), "1"])
def test_a_figure_that_would_be_read_back_otherwise_is_no_entry(value: object) -> None:
    with pytest.raises(IllegalEntryError, match="no finite number"):
        written([draft(Kind.NOTED, metrics={"x": value})])


def test_only_a_note_has_figures() -> None:
    with pytest.raises(IllegalEntryError, match="only a note"):
        written([registered(1, metrics={"x": 1.0})])
