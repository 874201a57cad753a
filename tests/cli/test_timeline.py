"""How the timeline and what is recorded look, and what the command is asked."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assent.cli import explain, note, show, timeline
from assent.core.entry import Kind, ReviewRecord
from assent.core.evidence import Run
from assent.core.identity import Actor
from assent.verbs.explain import recall
from assent.verbs.show import show as show_verb
from assent.verbs.timeline import Asked
from assent.verbs.timeline import timeline as timeline_verb
from tests.verbs.place import MODEL, Place

HOSTILE = "\x1b[31mred\u202e | a,b\n::error::x\tApproved-by: boss"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "place")


@pytest.fixture
def lived(place: Place) -> Place:
    """Hostile words wherever people give any."""
    bundle = place.version(1)
    bot = Actor(
        kind="automation", forge="f", host="h", id="9", login=f"ci{HOSTILE}", proof="claimed"
    )
    review = ReviewRecord(
        person=bot, bundle=bundle, at="2026-01-02T03:00:00Z", role=HOSTILE, change=HOSTILE
    )
    run = Run(system=HOSTILE, id=HOSTILE, address=f"https://ci.example/{HOSTILE}")
    place.write(Kind.APPROVED, 1, bundle, approvals=(review,), reason=HOSTILE, run=run)
    place.write(
        *(Kind.PROMOTED, 1, bundle),
        stage="production",
        approvals=(review,),
        required=0,
        reason=HOSTILE,
    )
    place.write(
        *(Kind.NOTED, 1, bundle),
        reason=HOSTILE,
        metrics={HOSTILE: 1.5},
        links={HOSTILE: f"https://x/{HOSTILE}"},
        happened="2026-01-01",
    )
    return place


def is_seen(text: str) -> bool:
    return all(character.isprintable() or character == "\n" for character in text)


def test_a_timeline_for_people(lived: Place, capsys: pytest.CaptureFixture[str]) -> None:
    timeline.show(timeline_verb(lived.open(), (MODEL,), Asked(at="2200-01-01")))
    shown = capsys.readouterr().out
    assert is_seen(shown)
    assert "churn as it stood at 2200-01-01T23:59:59Z, after entry 3: 1 version" in shown
    assert "  production  v1  since " in shown
    assert "nobody had to approve this; approved before by ci" in shown
    assert "(automation, claimed)" in shown
    assert "happened: 2026-01-01" in shown
    assert "that is all; the chain verifies" in shown


def test_what_is_recorded_for_people(lived: Place, capsys: pytest.CaptureFixture[str]) -> None:
    show.show_result(show_verb(lived.open(), MODEL, "v1"))
    shown = capsys.readouterr().out
    assert is_seen(shown)
    for words in (
        "stands in    production since",
        "person id-alice, known by memory (memory)",
        "(automation, claimed), account 9",
        "link ",
        "attempt 1 https://ci.example/",
        "metric accuracy",
        "follows      sha256:",
    ):
        assert words in shown
    assert shown.count("\n#") == 4


def test_what_was_decided_then_for_people(lived: Place, capsys: pytest.CaptureFixture[str]) -> None:
    explain.show_recalled(recall(lived.open(), MODEL, 2))
    shown = capsys.readouterr().out
    assert is_seen(shown)
    assert "as it was decided and recorded then" in shown
    assert "nothing was judged for this entry" in shown
    assert "noted since:" in shown


def test_csv_is_read_back_as_the_same_rows(
    lived: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    timeline.show_csv(timeline_verb(lived.open(), (MODEL,)))
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["kind"] for row in rows] == ["noted", "promoted", "approved", "registered"]
    assert rows[1]["required"] == "0"
    assert all(is_seen(cell) for row in rows for cell in row.values())


def test_csv_that_lacks_entries_says_so_beside_itself(
    lived: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    timeline.show_csv(timeline_verb(lived.open(), (MODEL,), limit=1))
    shown = capsys.readouterr()
    assert shown.out.count("\n") == 2
    assert "1 of 4 entries: --all gives the others, too" in shown.err


def asked(place: Place, monkeypatch: pytest.MonkeyPatch, command: object, *words: str) -> Result:
    monkeypatch.chdir(place.folder)
    return CliRunner().invoke(command, words)  # type: ignore[arg-type]  # a command of Click


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--csv", "--json"), "--csv and --json are two forms"),
        (("--kind", "rolled"), "did you mean 'rolled_back'?"),
        (("--limit", "0"), "--limit"),
    ],
)
def test_questions_that_are_none(
    place: Place, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str
) -> None:
    done = asked(place, monkeypatch, timeline.command, *words)
    assert done.exit_code == 2
    assert told in done.output


def test_the_json_of_a_timeline_is_one_document(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = asked(place, monkeypatch, timeline.command, "--json")
    assert json.loads(done.output) == {
        "models": [
            {
                "model": MODEL,
                "total": 0,
                "matching": 0,
                "verified_from": 0,
                "doubtful": [],
                "standing": None,
                "problem": None,
                "hint": None,
            }
        ],
        "moments": [],
        "at": None,
        "people": [],
        "leads": [],
        "code": 0,
    }


def test_an_entry_is_not_explained_as_if_it_were_to_come(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = asked(place, monkeypatch, explain.command, "--entry", "1", "--stage", "staging")
    assert done.exit_code == 2
    assert "what would be decided now" in done.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--metric", "a"), "'a' is not NAME=VALUE"),
        (("--metric", "=1"), "'=1' is not NAME=VALUE"),
        (("--metric", "a=high"), "with a number such as"),
        (("--metric", "a=1", "--metric", "a=2"), "'a' is given twice"),
        (("--link", "a=x", "--link", "a=y"), "'a' is given twice"),
        (("--link", "x"), "'x' is not NAME=ADDRESS"),
    ],
)
def test_what_a_note_cannot_hold(
    place: Place, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str
) -> None:
    done = asked(place, monkeypatch, note.command, "text", *words)
    assert done.exit_code == 2
    assert told in done.output
