"""`timeline`: every decision, newest first."""

from __future__ import annotations

import pytest

from assent.core.entry import Kind
from assent.errors import UsageError
from assent.verbs.timeline import timeline
from tests.verbs.place import MODEL, Place


@pytest.fixture
def lived(place: Place) -> Place:
    place.version(1)
    place.hold("staging", 1)
    place.version(2)
    return place


def sentences(place: Place, **words: object) -> list[str]:
    return [one.sentence for one in timeline(place.open(), MODEL, **words).moments]  # type: ignore[arg-type]  # by name


def test_newest_first(lived: Place) -> None:
    assert sentences(lived) == ["register v2", "promote v1 to staging", "register v1"]
    assert timeline(lived.open(), MODEL).total == 3


def test_the_newest_alone_and_from_where_the_chain_was_verified(lived: Place) -> None:
    result = timeline(lived.open(), MODEL, limit=2)
    assert [one.entry.seq for one in result.moments] == [2, 1]
    assert (result.verified_from, result.total) == (1, 3)


def test_of_one_version(lived: Place) -> None:
    assert sentences(lived, version="v1") == ["promote v1 to staging", "register v1"]
    assert sentences(lived, version="staging") == ["promote v1 to staging", "register v1"]
    assert sentences(lived, version="v1", limit=1) == ["promote v1 to staging"]
    with pytest.raises(UsageError):
        sentences(lived, version="v7")


def test_a_date_that_goes_back_is_in_doubt(lived: Place) -> None:
    bundle = lived.ledger.read(MODEL).bundle_of(2)
    assert bundle is not None
    lived.write(Kind.NOTED, 2, bundle, at="2020-01-01T00:00:00Z", reason="late")
    newest, *others = timeline(lived.open(), MODEL).moments
    assert newest.doubt is not None
    assert [one.doubt for one in others] == [None, None, None]


def test_an_empty_one(place: Place) -> None:
    result = timeline(place.open(), MODEL)
    assert (result.total, result.moments) == (0, ())
