"""`show`: everything that is recorded about a version, an entry or a digest."""

from __future__ import annotations

import pytest

from assent.core.entry import Kind
from assent.errors import UsageError
from assent.verbs.show import ShowResult, show
from tests.builders import draft, subject
from tests.verbs.place import MODEL, Place


@pytest.fixture
def lived(place: Place) -> Place:
    place.version(1)
    place.hold("staging", 1)
    place.version(2)
    return place


def shown(place: Place, name: str | None = None, **words: int) -> ShowResult:
    return show(place.open(), MODEL, name, **words)


def seqs(result: ShowResult) -> list[int]:
    return [recorded.moment.entry.seq for recorded in result.entries]


def test_a_version_with_its_entries_oldest_first_and_its_evidence(lived: Place) -> None:
    result = shown(lived, "v1")
    assert seqs(result) == [0, 1]
    assert result.version is not None
    assert [place.stage for place in result.version.places] == ["staging"]
    assert result.evidence is not None
    assert result.evidence.metrics == {"accuracy": 0.801}
    assert seqs(shown(lived, "staging")) == [0, 1]
    assert seqs(shown(lived, "2")) == [2]


def test_an_entry_with_the_digest_that_the_next_one_follows(lived: Place) -> None:
    [first] = shown(lived, entry=0).entries
    [second] = shown(lived, "#1").entries
    assert second.moment.entry.prev == first.digest
    [last] = shown(lived, entry=2).entries
    assert last.digest == lived.ledger.read(MODEL).head


def test_what_a_digest_or_a_commit_is(lived: Place) -> None:
    bundle = lived.ledger.read(MODEL).bundle_of(1)
    assert bundle is not None
    whole = shown(lived, bundle)
    assert (whole.digest, whole.roles) == (bundle, ("bundle of v1",))
    assert seqs(whole) == [0, 1]
    assert shown(lived, bundle[:19]).digest == bundle
    assert shown(lived, bundle[7:19]).digest == bundle
    lived.write(Kind.NOTED, 1, bundle, commit="ab" * 20)
    commit = shown(lived, "abababab")
    assert (commit.roles, seqs(commit)) == (("commit of v1",), [3])
    [entry] = shown(lived, entry=0).entries
    assert shown(lived, entry.digest).roles == ("entry 0",)


def test_digits_of_several_and_of_none(lived: Place) -> None:
    bundle = lived.ledger.read(MODEL).bundle_of(1)
    assert bundle is not None
    lived.write(Kind.NOTED, 1, bundle, commit="abababab" + "1" * 32)
    lived.write(Kind.NOTED, 1, bundle, commit="abababab" + "2" * 32)
    with pytest.raises(UsageError, match="2 begin so"):
        shown(lived, "abababab")
    with pytest.raises(UsageError, match="no entry names such a digest"):
        shown(lived, "sha256:abababab")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("v9", "the newest is v2"),
        ("stagin", "did you mean 'staging'"),
        ("production", "the stage holds nothing"),
        ("#3", "the newest is entry 2"),
        ("\x1b[31m", "it is no version"),
    ],
)
def test_what_there_is_not(lived: Place, name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        shown(lived, name)


def test_one_thing_is_asked_for(lived: Place) -> None:
    with pytest.raises(UsageError, match="either a name or --entry"):
        shown(lived)
    with pytest.raises(UsageError, match="either a name or --entry"):
        shown(lived, "v1", entry=1)


def test_an_empty_ledger(place: Place) -> None:
    with pytest.raises(UsageError, match="there is none yet"):
        shown(place, entry=0)
    with pytest.raises(UsageError, match="nothing is registered yet"):
        shown(place, "v1")


def test_what_was_purged_or_retired_and_a_store_that_moved_is_said(lived: Place) -> None:
    bundle = lived.ledger.read(MODEL).bundle_of(2)
    assert bundle is not None
    lived.write(Kind.PURGED, 2, bundle, reason="personal data")
    moved = draft(Kind.MOVED, links={"from": "a", "to": "b"}, reason="cheaper")
    lived.ledger.append(lived.ledger.read(MODEL), [moved])
    result = shown(lived, "v2")
    assert result.version is not None
    assert (result.version.purged, result.version.is_retired) == (3, True)
    assert result.evidence is None
    assert "it was purged by entry 3" in (result.evidence_problem or "")
    assert [move.entry.links for move in result.moves] == [{"from": "a", "to": "b"}]


def test_a_store_that_lost_the_evidence_hides_nothing_of_the_ledger(lived: Place) -> None:
    lived.store.blobs.clear()
    result = shown(lived, "v1")
    assert seqs(result) == [0, 1]
    assert result.evidence is None
    assert result.evidence_problem


def test_a_model_that_left_the_configuration(lived: Place) -> None:
    entry = draft(Kind.REGISTERED, subject("o1", 1), model="old")
    lived.ledger.append(lived.ledger.read("old"), [entry])
    result = show(lived.open(), "old", "v1")
    assert seqs(result) == [0]
    assert result.evidence_problem
    with pytest.raises(UsageError, match="it is no version"):
        show(lived.open(), "old", "production")
