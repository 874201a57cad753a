"""What every forge promises of what is said on a change."""

from __future__ import annotations

import msgspec
import pytest

from assent.ports import Asked
from tests.builders import AT, digest, notice
from tests.contracts.forges.cases import Case


@pytest.mark.threat(35)
def test_there_is_one_comment_per_model(case: Case) -> None:
    forge = case.forge
    first = forge.comment(notice("churn", "b", "one"))
    second = forge.comment(notice("churn", "c", "two"))
    assert first == second
    assert forge.comment(notice("fraud", "b", "one")) != first


def test_what_was_shown_is_known_until_it_is_taken_back(case: Case) -> None:
    forge = case.forge
    assert forge.shown("churn") is None
    for bundle in ("b", "c"):
        forge.comment(notice("churn", bundle, bundle))
        assert forge.shown("churn") == (digest(bundle) if case.records else None)
    assert forge.shown("fraud") is None
    forge.retract("churn", "it has moved on")
    assert forge.shown("churn") is None


def test_a_run_that_no_comment_woke_up_was_asked_nothing(case: Case) -> None:
    assert case.forge.asked() is None


def test_a_comment_is_answered_in_one_place(case: Case) -> None:
    asked = Asked(id="1", by=case.forge.person("rosa"), at=AT, commands=())
    assert case.forge.answer(asked, "one") == case.forge.answer(asked, "two")
    other = msgspec.structs.replace(asked, id="2")
    is_shown = case.forge.answer(asked, "one") is not None
    assert (case.forge.answer(other, "one") != case.forge.answer(asked, "one")) is is_shown
