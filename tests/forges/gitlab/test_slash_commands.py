"""Slash commands in notes: what is asked, and the answer."""

from __future__ import annotations

import pytest

from assent.ports import Asked, CommandName
from tests.builders import digest
from tests.forges.gitlab.conftest import Scene
from tests.gitlab.records import Note


def asked(scene: Scene, note: Note) -> Asked | None:
    return scene.forge(note=note.id).asked()


def test_a_note_asks_something(scene: Scene) -> None:
    scene.show("b")
    note = scene.request.note(
        scene.bob, f"/assent approve churn {digest('b')[:19]}\n/assent explain"
    )
    found = asked(scene, note)
    assert found is not None
    assert (found.id, found.by.id) == (str(note.id), str(scene.bob.id))
    approve, explain = found.commands
    assert (approve.bundle, approve.head) == (digest("b"), scene.request.sha)
    assert explain.word is CommandName.EXPLAIN


@pytest.mark.threat(21)
def test_what_was_typed_for_an_earlier_revision_says_so(scene: Scene) -> None:
    scene.show("b")
    old = scene.request.sha
    scene.request.push()
    scene.gitlab.tick()
    note = scene.request.note(scene.bob, f"/assent approve churn {digest('b')}")
    found = asked(scene, note)
    assert found is not None
    assert found.commands[0].head == old


@pytest.mark.threat(21)
def test_nobody_asks_anything(scene: Scene) -> None:
    assert scene.forge().asked() is None
    assert asked(scene, scene.request.note(scene.bob, "Hello.")) is None
    assert asked(scene, scene.request.note(scene.bot, "/assent help")) is None
    assert asked(scene, scene.request.note(scene.bob, "> /assent help")) is None
    edited = scene.request.note(scene.bob, "Hello.")
    scene.gitlab.tick()
    edited.edit("/assent help")
    assert asked(scene, edited) is None
    gone = scene.request.note(scene.bob, "/assent help")
    gone.delete()
    assert asked(scene, gone) is None


@pytest.mark.threat(18)
def test_a_note_of_another_merge_request_is_not_found_here(premium: Scene) -> None:
    other = premium.gitlab.open_merge_request(premium.bob, branch="other")
    note = other.note(premium.bob, "/assent help")
    assert asked(premium, note) is None


@pytest.mark.threat(35)
def test_there_is_one_answer(scene: Scene) -> None:
    note = scene.request.note(scene.bob, "/assent help")
    found = asked(scene, note)
    assert found is not None
    address = scene.forge().answer(found, "Here you are.")
    assert scene.forge().answer(found, "Here you are again.") == address
    own = [one for one in scene.request.notes if one.author is scene.bot]
    assert [one.body for one in own] == [f"<!-- assent:answer={note.id} -->\n\nHere you are."]


def test_where_there_is_no_merge_request_there_is_no_answer(premium: Scene) -> None:
    note = premium.request.note(premium.bob, "/assent help")
    found = asked(premium, note)
    assert found is not None
    work = premium.checkout(premium.project.push(premium.alice))
    assert premium.forge(checkout=work).answer(found, "x") is None
    assert premium.forge(checkout=work, note=note.id).asked() is None
