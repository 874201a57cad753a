"""`git log` is the timeline: commits say why in trailers, and nobody's words forge one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.core.entry import Draft, Kind, ReviewRecord, decode_entry
from assent.core.evidence import Run
from assent.core.identity import Actor
from assent.core.registry import fold
from assent.git import Repository
from assent.ledgers.git.commits import VALUE_LIMIT, trailer, trailers_of
from assent.ledgers.git.ledger import GitLedger
from tests.builders import (
    AT,
    approved,
    digest,
    draft,
    new_clone,
    new_repository,
    person,
    promoted,
    registered,
    run_git,
    subject,
)
from tests.core.histories import written
from tests.effort import more_in_soak

HOSTILE = (
    "x\n\nApproved-by: boss <1>",
    "x\r\nApproved-by: boss",
    "x\nApproved-by: boss\n\n",
    "\n\n---\nApproved-by: boss",
    "x\u2028Approved-by: boss",
    "x\x0bApproved-by: boss\x0c\x85Approved-by: boss",
    "\x1b[2K\rApproved-by: boss",
    "x\u202eApproved-by: boss",
    " \n Approved-by: boss",
    "x\n  Approved-by: boss",
    "\x00Approved-by: boss",
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[GitLedger, Path]:
    folder = tmp_path_factory.mktemp("trailers")
    remote = new_repository(folder / "remote.git", bare=True)
    return GitLedger(Repository(new_clone(remote, folder / "clone")), "origin"), remote


def log(remote: Path, form: str) -> str:
    shown = subprocess.run(
        ["git", "log", "-1", f"--format={form}", "assent/churn"],
        cwd=remote,
        check=True,
        capture_output=True,
    )
    return shown.stdout.decode()


def trailers(remote: Path) -> list[tuple[str, str]]:
    """As Git itself reads them."""
    shown = log(remote, "%(trailers:only,unfold,key_value_separator=%x00,separator=%x01)")
    pairs = [line.split("\0") for line in shown.rstrip("\n").split("\1")]
    return [(name, value) for name, value in pairs]


def write(place: tuple[GitLedger, Path], *drafts: Draft) -> list[tuple[str, str]]:
    ledger, remote = place
    ledger.append(ledger.read("churn"), drafts)
    return [(name, value) for name, value in trailers(remote) if name != "Write"]


def test_a_commit_says_what_its_entry_does(place: tuple[GitLedger, Path]) -> None:
    run = Run(system="ci", id="7", address="https://ci.example/7")
    assert write(place, approved("b1", "bob")) == [
        ("Entry", "0"),
        ("Approved-by", "bob <local:local:bob> (claimed)"),
    ]
    review = ReviewRecord(person=person("bob"), bundle=digest("b1"), at=AT, role="*")
    told = write(place, registered(1, approvals=(review,), required=1, run=run, reason="merged"))
    assert told == [
        ("Entry", "1"),
        ("Reason", "merged"),
        ("Approvals-required", "1"),
        ("Approved-by", "bob <local:local:bob> (claimed)"),
        ("Run", "https://ci.example/7"),
    ]
    told = write(
        place,
        draft(
            Kind.NOTED,
            subject("b1", 1),
            reason="won",
            happened="2026-01-01",
            metrics={"retention": 0.5},
            links={"trial": "https://trials.example/1"},
        ),
    )
    assert told == [
        ("Entry", "2"),
        ("Reason", "won"),
        ("Happened", "2026-01-01"),
        ("Metric", "retention=0.5"),
        ("Link", "trial=https://trials.example/1"),
    ]
    assert log(place[1], "%s").strip() == "note on v1"


def test_an_approval_that_was_not_needed_is_not_named_as_one() -> None:
    review = ReviewRecord(person=person("bob"), bundle=digest("b1"), at=AT, role="*")
    drafts = [registered(1), promoted(1, "staging", approvals=(review,), required=0)]
    entry = decode_entry(written(drafts)[1])
    assert trailers_of(entry) == (("Entry", "1"), ("Approvals-required", "0"))


def test_an_objection_is_none(place: tuple[GitLedger, Path]) -> None:
    for is_withdrawn, name in ((False, "Rejected-by"), (True, "Withdrawn-by")):
        review = ReviewRecord(
            person=person("bob"), bundle=digest("b1"), at=AT, role="*", is_withdrawn=is_withdrawn
        )
        entry = draft(Kind.REJECTED, subject("b1"), approvals=(review,))
        assert trailers_of(decode_entry(written([entry])[0]))[1][0] == name


@pytest.mark.parametrize("text", [*HOSTILE[:6], *more_in_soak(*HOSTILE[6:])])
def test_no_words_forge_a_trailer(place: tuple[GitLedger, Path], text: str) -> None:
    actor = Actor(
        kind="person", forge="f", host="h", id=f"{text}>", login=f"{text} <boss>", proof="forge"
    )
    review = ReviewRecord(person=actor, bundle=digest("b9"), at=AT, role="*")
    drafts = (
        draft(Kind.NOTED, reason=text, links={text: text}, metrics={text: 1.0}, actor=actor),
        draft(Kind.APPROVED, subject("b9"), approvals=(review,), reason=text),
    )
    told = write(place, drafts[0])
    assert [name for name, _ in told] == ["Entry", "Reason", "Metric", "Link"]
    told = write(place, drafts[1])
    assert [name for name, _ in told] == ["Entry", "Reason", "Approved-by"]
    assert told[2][1].count("<") == told[2][1].count(">") == 1
    body = log(place[1], "%B").rstrip("\n").splitlines()
    assert len(body) == 2 + len(told) + 1
    assert all(character.isprintable() for line in body for character in line)


@given(st.text(max_size=200))
def test_a_trailer_is_one_line_that_is_seen(text: str) -> None:
    line = trailer(("Reason", text))
    assert line.startswith("Reason: ")
    assert line.isprintable()
    assert len(line.splitlines()) == 1


def test_what_is_long_is_cut_and_the_entry_has_it_all(place: tuple[GitLedger, Path]) -> None:
    text = "a" * 10 * VALUE_LIMIT
    told = dict(write(place, draft(Kind.NOTED, reason=text)))
    assert "characters left out" in told["Reason"]
    assert len(told["Reason"]) < 2 * VALUE_LIMIT
    ledger, _ = place
    view = ledger.read("churn")
    assert decode_entry(view.entry(view.state.seq)).reason == text


def test_a_ledger_whose_commits_have_none_is_read_and_written_on(tmp_path: Path) -> None:
    """What earlier releases wrote says its sentence alone; nobody reads commits to decide."""
    remote = new_repository(tmp_path / "remote.git", bare=True)
    ledger = GitLedger(Repository(new_clone(remote, tmp_path / "clone")), "origin")
    ledger.append(ledger.read("churn"), [registered(1, reason="x")])
    work = tmp_path / "work"
    run_git(tmp_path, "clone", "-q", "-b", "assent/churn", str(remote), str(work))
    run_git(
        work, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--amend", "-m", "v1"
    )
    run_git(work, "push", "-q", "--force", "origin", "HEAD:assent/churn")
    other = GitLedger(Repository(new_clone(remote, tmp_path / "other")), "origin")
    other.append(other.read("churn"), [promoted(1, "staging", required=0)])
    assert fold("churn", other.read("churn").entries()).state.stages["staging"].version == 1
