"""`reply`: what a comment with slash commands is told, and that nothing is recorded by it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from assent.core.change import Author, ReviewState
from assent.core.digest import Digest
from assent.ports import Asked, Command, CommandName
from assent.verbs.reply import MOST, Answer, reply
from assent.verbs.review import review
from tests.verbs.place import MODEL, Place

AT = "2026-01-02T03:00:00Z"


def ask(place: Place, *commands: Command, by: str = "bob") -> Asked:
    """Somebody types commands under the change."""
    asked = Asked(id="41", by=place.forge.accounts[by], at=AT, commands=commands)
    place.forge.question = asked
    return asked


def approval(place: Place, bundle: Digest, *, by: str = "bob") -> Command:
    """A line that approves what is shown, which the forge lists as a review, too."""
    place.approve(bundle, by)
    head = place.forge.open_change.head  # type: ignore[union-attr]  # there is one
    return Command(
        word=CommandName.APPROVE, model=MODEL, typed=bundle[:19], bundle=bundle, head=head
    )


def answers(place: Place) -> Sequence[Answer]:
    """What is told, twice the same, and nothing of it is on the record."""
    before = place.log
    result = reply(place.open())
    assert reply(place.open()).text == result.text
    assert place.forge.answers == {"41": result.text}
    assert place.log == before
    return result.answers


@pytest.fixture
def shown(place: Place) -> Digest:
    """The bundle that the review has shown."""
    bundle = place.bundle()
    review(place.open(), MODEL, name=bundle)
    return bundle


def test_a_run_that_no_comment_has_woken_answers_nothing(place: Place) -> None:
    result = reply(place.open())
    assert (result.asked, result.answers, result.text, result.address) == (None, (), "", None)
    assert place.forge.answers == {}


def test_help_names_the_models(place: Place) -> None:
    ask(place, Command(word=CommandName.HELP))
    assert [answer.word for answer in answers(place)] == [CommandName.HELP]
    assert MODEL in place.forge.answers["41"]


def test_an_approval_that_counts_for_the_version_counts_for_no_stage_of_others(
    place: Place, shown: Digest
) -> None:
    ask(place, approval(place, shown))
    [answer] = answers(place)
    assert (answer.counts, answer.bundle) == (True, shown)
    text = place.forge.answers["41"].replace("\N{NO-BREAK SPACE}", " ")
    assert "This approval counts." in text
    assert "it does not count:" in text  # production is carol's


def test_who_made_the_change_is_told_that_it_does_not_count(place: Place, shown: Digest) -> None:
    ask(place, approval(place, shown, by="alice"), by="alice")
    [answer] = answers(place)
    assert answer.counts is False
    assert any("made this change" in why for why in answer.why)


def test_an_approval_of_what_was_never_shown_does_not_count(place: Place, shown: Digest) -> None:
    command = approval(place, shown)
    ask(place, Command(word=CommandName.APPROVE, model=MODEL, typed=command.typed))
    [answer] = answers(place)
    assert answer.counts is False
    assert answer.why == (f"no such bundle of {MODEL} had been shown when the comment was written",)


def test_an_approval_of_an_earlier_revision_does_not_count(place: Place, shown: Digest) -> None:
    command = approval(place, shown)
    head = place.commit(0.9)
    ask(place, command)
    [answer] = answers(place)
    assert answer.counts is False
    [why] = answer.why
    assert why == f"#7 is at {head[:12]} now, where no bundle of {MODEL} is shown yet"


def test_nor_does_it_where_the_newest_revision_has_a_bundle_shown(
    place: Place, shown: Digest
) -> None:
    command = approval(place, shown)
    head = place.commit(0.9)
    newest = place.bundle(0.9)
    review(place.open(), MODEL, name=newest)
    place.approve(newest, "bob")
    ask(place, command)
    [answer] = answers(place)
    assert (answer.counts, answer.bundle) == (False, shown)
    assert answer.why == (f"#7 is at {head[:12]} now",)


def test_where_an_author_has_no_account_nobody_is_known_to_be_another(
    place: Place, shown: Digest
) -> None:
    change = place.forge.open_change
    assert change is not None
    ghost = Author(name="ghost", person=None)
    place.forge.open_change = msgspec.structs.replace(change, authors=(*change.authors, ghost))
    ask(place, approval(place, shown))
    [answer] = answers(place)
    assert (answer.counts, answer.why) == (
        *(False, ("a commit's author has no account: `ghost`",)),
    )


def test_a_later_opinion_of_the_same_person_is_the_one_that_is_heard(
    place: Place, shown: Digest
) -> None:
    ask(place, approval(place, shown))
    place.forge.review(
        MODEL,
        shown,
        by="bob",
        state=ReviewState.CHANGES_REQUESTED,
        at="2026-01-02T03:01:00Z",
        reason=None,
    )
    [answer] = answers(place)
    assert answer.counts is False
    assert any("a later opinion of the same person" in why for why in answer.why)


def test_to_explain_says_what_the_review_decides(place: Place, shown: Digest) -> None:
    ask(place, Command(word=CommandName.EXPLAIN))
    [answer] = answers(place)
    assert (answer.model, answer.bundle, answer.why) == (MODEL, shown, ("pending",))


def test_to_explain_before_anything_is_shown_says_so(place: Place) -> None:
    ask(place, Command(word=CommandName.EXPLAIN, model=MODEL))
    [answer] = answers(place)
    assert answer.bundle is None
    assert "no bundle of it is shown" in answer.why[0]


def test_a_model_that_there_is_not_is_an_answer_and_no_error(place: Place) -> None:
    ask(
        place,
        Command(word=CommandName.APPROVE, model="fraud", typed="sha256:1"),
        Command(word=CommandName.EXPLAIN, model="fraud"),
    )
    told = answers(place)
    assert [(answer.word, answer.counts) for answer in told] == [
        (CommandName.APPROVE, False),
        (CommandName.EXPLAIN, None),
    ]
    assert all("fraud" in answer.why[0] for answer in told)


def test_a_comment_of_very_many_commands_is_answered_in_part(place: Place) -> None:
    names = [f"model-{number}" for number in range(MOST + 5)]
    ask(place, *(Command(word=CommandName.EXPLAIN, model=name) for name in names))
    told = answers(place)
    assert [answer.model for answer in told] == names[:MOST]
    assert f"only the first {MOST} commands" in place.forge.answers["41"].replace(
        "\N{NO-BREAK SPACE}", " "
    )


def test_of_the_same_command_twice_one_is_answered(place: Place, shown: Digest) -> None:
    command = approval(place, shown)
    ask(place, command, command, Command(word=CommandName.HELP), Command(word=CommandName.HELP))
    assert [answer.word for answer in answers(place)] == [CommandName.APPROVE, CommandName.HELP]
