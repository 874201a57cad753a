"""`timeline`: every decision, newest first, and what stood when."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from assent.core.entry import Kind, ReviewRecord, Subject
from assent.core.identity import Actor
from assent.errors import ExitCode, IntegrityError, UsageError
from assent.recording.models import recorded_model, recorded_models
from assent.verbs.note import note
from assent.verbs.timeline import Asked, TimelineResult, timeline
from tests.builders import draft, run_git, subject
from tests.verbs.place import MODEL, Place


@pytest.fixture
def lived(place: Place) -> Place:
    place.version(1)
    place.hold("staging", 1)
    place.version(2)
    return place


def told(place: Place, limit: int | None = 50, **asked: object) -> TimelineResult:
    return timeline(place.open(), (MODEL,), Asked(**asked), limit=limit)  # type: ignore[arg-type]  # by name


def sentences(place: Place, limit: int | None = 50, **asked: object) -> list[str]:
    return [moment.sentence for moment in told(place, limit, **asked).moments]


def test_newest_first(lived: Place) -> None:
    assert sentences(lived) == ["register v2", "promote v1 to staging", "register v1"]
    [model] = told(lived).models
    assert (model.model, model.total, model.matching) == (MODEL, 3, 3)


def test_the_newest_alone_and_from_where_the_chain_was_verified(lived: Place) -> None:
    lived.version(3)
    result = told(lived, 2)
    assert [moment.entry.seq for moment in result.moments] == [3, 2]
    [model] = result.models
    assert (model.verified_from, model.total) == (1, 4)


def test_of_one_version(lived: Place) -> None:
    assert sentences(lived, version="v1") == ["promote v1 to staging", "register v1"]
    assert sentences(lived, version="staging") == ["promote v1 to staging", "register v1"]
    assert sentences(lived, 1, version="v1") == ["promote v1 to staging"]
    with pytest.raises(UsageError):
        sentences(lived, version="v7")


def test_a_date_that_goes_back_is_in_doubt(lived: Place) -> None:
    bundle = lived.ledger.read(MODEL).bundle_of(2)
    assert bundle is not None
    lived.write(Kind.NOTED, 2, bundle, at="2020-01-01T00:00:00Z", reason="late")
    newest, *others = told(lived).moments
    assert newest.doubt is not None
    assert [moment.doubt for moment in others] == [None, None, None]
    [model] = told(lived, since="2026-01-01").models
    assert model.doubtful == (3,)


def test_an_empty_one(place: Place) -> None:
    result = told(place)
    assert result.moments == ()
    assert [model.total for model in result.models] == [0]
    assert told(place, at="2026-01-01").models[0].standing is not None


def test_by_kind_and_stage(lived: Place) -> None:
    assert sentences(lived, kinds=(Kind.PROMOTED,)) == ["promote v1 to staging"]
    assert sentences(lived, stages=("staging", "production")) == ["promote v1 to staging"]
    assert sentences(lived, stages=("production",)) == []


def test_a_stage_that_never_was_is_not_one_in_which_nothing_happened(lived: Place) -> None:
    with pytest.raises(UsageError, match="did you mean 'production'"):
        told(lived, stages=("prodution",))


def test_a_stage_that_left_the_configuration_is_still_asked_for(lived: Place) -> None:
    lived.hold("shadow", 2)
    assert sentences(lived, stages=("shadow",)) == ["promote v2 to shadow"]


def test_by_a_person_who_acted_or_approved(lived: Place) -> None:
    bundle = lived.ledger.read(MODEL).bundle_of(2)
    assert bundle is not None
    bob = lived.forge.accounts["bob"]
    review = ReviewRecord(person=bob, bundle=bundle, at="2026-01-02T03:00:00Z", role="*")
    lived.write(Kind.APPROVED, 2, bundle, approvals=(review,))
    assert sentences(lived, by="bob") == ["approve v2"]
    assert sentences(lived, by="id-bob") == ["approve v2"]
    assert len(sentences(lived, by="@Alice")) == 4
    with pytest.raises(UsageError, match=r"nobody called 'alcie'.*did you mean 'alice'"):
        told(lived, by="alcie")


def test_two_accounts_of_one_login_are_told_apart(lived: Place) -> None:
    other = msgspec.structs.replace(lived.forge.accounts["alice"], id="id-another")
    view = lived.ledger.read(MODEL)
    entry = msgspec.structs.replace(draft(Kind.NOTED, Subject(), reason="x"), actor=other)
    lived.ledger.append(view, [entry])
    assert {person.id for person in told(lived, by="alice").people} == {"id-alice", "id-another"}
    assert [moment.entry.seq for moment in told(lived, by="id-another").moments] == [3]


def test_what_stood_at_a_moment(place: Place) -> None:
    days = iter(range(1, 9))

    def day() -> str:
        return f"2025-01-0{next(days)}T12:00:00Z"

    bundles = {
        number: place.bundle(0.8 + number / 100, content=b"%d" % number) for number in (1, 2)
    }
    place.write(Kind.REGISTERED, 1, bundles[1], at=day())
    place.write(Kind.PROMOTED, 1, bundles[1], stage="production", at=day())
    place.write(Kind.REGISTERED, 2, bundles[2], at=day())
    place.write(Kind.PROMOTED, 2, bundles[2], stage="production", replaces=1, at=day())
    result = told(place, at="2025-01-03")
    [model] = result.models
    assert model.standing is not None
    assert (model.standing.seq, model.standing.versions) == (2, 2)
    assert model.standing.stages["production"].version == 1
    assert [moment.entry.seq for moment in result.moments] == [2, 1, 0]
    assert result.at == "2025-01-03T23:59:59Z"
    [before] = told(place, at="2024-12-31").models
    assert before.standing is not None
    assert (before.standing.seq, before.standing.stages) == (-1, {})


@pytest.mark.parametrize(
    "asked", [{"at": "2026-01-01", "since": "2026-01-01"}, {"since": "once"}, {"until": "12:00"}]
)
def test_questions_that_are_none(lived: Place, asked: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="reading the timeline"):
        told(lived, **asked)


def test_all_models_together_and_one_that_left_the_configuration(lived: Place) -> None:
    other = [
        draft(Kind.REGISTERED, subject("o1", 1), model="old", at="2026-01-02T03:04:04Z"),
        draft(Kind.RETIRED, subject("o1", 1), model="old", at="2027-01-01T00:00:00Z"),
    ]
    lived.ledger.append(lived.ledger.read("old"), other)
    workspace = lived.open()
    assert recorded_models(workspace) == (MODEL, "old")
    assert recorded_model(workspace, "old") == "old"
    result = timeline(workspace, recorded_models(workspace))
    assert [(moment.entry.model, moment.entry.seq) for moment in result.moments] == [
        ("old", 1),
        *((MODEL, seq) for seq in (2, 1, 0)),
        ("old", 0),
    ]
    assert [model.total for model in result.models] == [3, 2]
    with pytest.raises(UsageError, match="none of this name") as caught:
        recorded_model(workspace, "chrn")
    assert "did you mean 'churn'" in (caught.value.hint or "")


def test_a_wrong_date_puts_no_entry_of_a_model_behind_those_of_others(lived: Place) -> None:
    bundle = lived.ledger.read(MODEL).bundle_of(2)
    assert bundle is not None
    lived.write(Kind.NOTED, 2, bundle, at="2020-01-01T00:00:00Z", reason="late")
    other = draft(Kind.REGISTERED, subject("o1", 1), model="old", at="2021-01-01T00:00:00Z")
    lived.ledger.append(lived.ledger.read("old"), [other])
    moments = timeline(lived.open(), (MODEL, "old"), limit=4).moments
    assert [(moment.entry.model, moment.entry.seq) for moment in moments] == [
        (MODEL, seq) for seq in (3, 2, 1, 0)
    ]


def test_a_model_that_cannot_be_read_hides_no_other_and_does_not_pass(lived: Place) -> None:
    lived.ledger.append(
        lived.ledger.read("old"), [draft(Kind.REGISTERED, subject("o1", 1), model="old")]
    )
    lived.ledger.contents["old"][0] = b"{}\n"
    result = timeline(lived.open(), (MODEL, "old"), Asked(by="nobody"))
    assert result.exit_code == ExitCode.INTEGRITY
    assert [model.problem is None for model in result.models] == [True, False]
    with pytest.raises(IntegrityError):
        timeline(lived.open(), ("old",))


def test_nobody_had_to_approve_and_what_the_earlier_approval_was(lived: Place) -> None:
    """Also where the entry that it was recorded by is not among those that are shown."""
    bundle = lived.ledger.read(MODEL).bundle_of(1)
    assert bundle is not None
    bob = lived.forge.accounts["bob"]
    review = ReviewRecord(person=bob, bundle=bundle, at="2026-01-02T03:00:00Z", role="*")
    lived.write(Kind.APPROVED, 1, bundle, approvals=(review,))
    for number in range(3):
        lived.write(Kind.NOTED, 1, bundle, reason=f"{number}")
    lived.write(Kind.PROMOTED, 1, bundle, stage="production", approvals=(review,), required=0)
    [newest] = told(lived, 1).moments
    assert newest.unapproved
    assert newest.approvals[0].recorded == 3


def test_the_time_from_commit(place: Place) -> None:
    commit = run_git(place.folder, "rev-parse", "HEAD")
    bundle = place.bundle()
    place.write(Kind.REGISTERED, 1, bundle, commit=commit, at="2100-01-01T00:00:00Z")
    place.write(
        *(Kind.PROMOTED, 1, bundle), stage="production", commit="f" * 40, at="2100-01-02T00:00:00Z"
    )
    result = told(place)
    lead = result.moments[0].lead
    assert lead is not None
    assert (lead.commit, lead.is_landed) == (commit, True)
    assert [(line.stage, line.versions, line.unknown) for line in result.leads] == [
        ("production", 1, 0)
    ]


def test_notes_are_there_with_what_they_give(lived: Place) -> None:
    note(
        lived.open(),
        MODEL,
        "better",
        version="v1",
        metrics={"retention": 0.5},
        links={"trial": "https://trials.example/1"},
    )
    entry = told(lived, 1).moments[0].entry
    assert (entry.metrics, entry.links) == (
        {"retention": 0.5},
        {"trial": "https://trials.example/1"},
    )


def test_an_automation_is_told_from_a_person(lived: Place) -> None:
    bot = Actor(kind="automation", forge="m", host="m", id="1", login="ci", proof="forge")
    entry = msgspec.structs.replace(draft(Kind.NOTED, Subject(), reason="x"), actor=bot)
    lived.ledger.append(lived.ledger.read(MODEL), [entry])
    [moment] = told(lived, by="ci").moments
    assert moment.entry.actor.kind == "automation"
