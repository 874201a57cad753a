"""What only the local stand-in has: branches as changes, identities from history, a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.core.change import ReviewState
from assent.errors import OutsideError, UsageError
from assent.forges.local import LocalForge, Person
from assent.git import BaseBranch, Repository
from tests.builders import AT, digest, new_repository, notice, run_git


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new_repository(tmp_path / "work")


def forge(folder: Path, *people: Person) -> LocalForge:
    repository = Repository(folder)
    return LocalForge(
        repository,
        base=BaseBranch(repository, None),
        people=people,
        folder=folder / "comments",
    )


def commit(folder: Path, message: str, author: str) -> None:
    run_git(folder, "commit", "-q", "--allow-empty", "-m", message, f"--author={author}")


@pytest.mark.threat(1)
def test_authors_committers_and_co_authors_made_the_change(folder: Path) -> None:
    run_git(folder, "checkout", "-q", "-b", "topic")
    commit(folder, "one\n\nCo-authored-by: Carl <carl@example.com>", "Bob <bob@example.com>")
    commit(folder, "two", "Dora <dora@example.com>")
    change = forge(folder).change()
    assert change is not None
    people = {author.person.id for author in change.authors if author.person is not None}
    assert people == {
        "alice@example.com",
        "bob@example.com",
        "carl@example.com",
        "dora@example.com",
    }


def test_what_a_merge_brought_in_is_what_landed(folder: Path) -> None:
    run_git(folder, "checkout", "-q", "-b", "topic")
    commit(folder, "one", "Bob <bob@example.com>")
    run_git(folder, "checkout", "-q", "main")
    run_git(folder, "merge", "-q", "--no-ff", "--no-edit", "topic")
    change = forge(folder).change()
    assert change is not None
    assert change.landed
    assert "bob@example.com" in {author.person.id for author in change.authors if author.person}


def test_a_detached_head_is_a_change_too(folder: Path) -> None:
    run_git(folder, "checkout", "-q", "--detach")
    commit(folder, "one", "Bob <bob@example.com>")
    change = forge(folder).change()
    assert change is not None
    assert change.id == change.head[:12]
    assert not change.landed


def test_no_commit_is_no_change(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    run_git(folder, "init", "-q", "-b", "main")
    assert forge(folder).change() is None


@pytest.mark.threat(1)
@pytest.mark.parametrize(
    "name", ["bob", "Bob", "BOB@example.com", "bob@example.com", "Bob Builder"]
)
def test_an_author_is_recognised_however_the_name_is_spelled(folder: Path, name: str) -> None:
    commit(folder, "one", "Bob Builder <Bob@example.com>")
    assert forge(folder).person(name).id == "bob@example.com"


def test_a_name_that_could_be_two_people_is_refused(folder: Path) -> None:
    commit(folder, "one", "Bob <bob@one.example>")
    commit(folder, "two", "Bob <bob@two.example>")
    with pytest.raises(UsageError, match="could be"):
        forge(folder).person("bob")


def test_where_people_are_listed_nobody_else_counts(folder: Path) -> None:
    grace = Person(name="grace", email="grace@example.com", groups=("ml",))
    stranger = forge(folder, grace).person("mallory")
    assert not forge(folder, grace).matches(stranger, "*")
    assert forge(folder).matches(stranger, "*")


@pytest.mark.threat(25)
def test_a_review_cut_off_by_a_crash_was_never_given(folder: Path) -> None:
    one = forge(folder)
    one.review("churn", digest("b"), by="g", state=ReviewState.APPROVED, at=AT, reason=None)
    kept = folder / ".git/assent/reviews.jsonl"
    whole = kept.read_bytes()
    kept.write_bytes(whole + whole[:40])
    assert len(one.reviews("churn", digest("b"))) == 1
    one.review("churn", digest("b"), by="h", state=ReviewState.APPROVED, at=AT, reason=None)
    assert [review.person.login for review in one.reviews("churn", digest("b"))] == ["g", "h"]


def test_a_damaged_review_is_an_error_and_not_skipped(folder: Path) -> None:
    one = forge(folder)
    one.review("churn", digest("b"), by="g", state=ReviewState.APPROVED, at=AT, reason=None)
    kept = folder / ".git/assent/reviews.jsonl"
    kept.write_bytes(b"nonsense\n" + kept.read_bytes())
    with pytest.raises(OutsideError, match="damaged") as caught:
        one.reviews("churn", digest("b"))
    assert "take it away" in (caught.value.hint or "")


@pytest.mark.threat(35)
def test_an_unchanged_comment_is_not_rewritten(folder: Path) -> None:
    one = forge(folder)
    path = Path(one.comment(notice("churn", "b", "body")))
    before = path.stat().st_ino
    one.comment(notice("churn", "b", "body"))
    assert path.stat().st_ino == before
    one.comment(notice("churn", "b", "another"))
    assert path.read_text() == "another"


def test_the_authors_of_the_ledger_are_no_second_identities(folder: Path) -> None:
    run_git(folder, "checkout", "-q", "--orphan", "assent/churn")
    commit(folder, "register v1", "bob <assent>")
    run_git(folder, "checkout", "-q", "main")
    commit(folder, "one", "Bob <bob@example.com>")
    assert forge(folder).person("bob").id == "bob@example.com"


def test_what_the_base_branch_was_is_what_this_clone_has_seen(folder: Path) -> None:
    first = run_git(folder, "rev-parse", "HEAD")
    commit(folder, "two", "Bob <bob@example.com>")
    run_git(folder, "checkout", "-q", "-b", "topic")
    commit(folder, "three", "Bob <bob@example.com>")
    assert set(forge(folder).tips()) == {first, run_git(folder, "rev-parse", "main")}
    run_git(folder, "reflog", "expire", "--expire=now", "--all")
    assert set(forge(folder).tips()) <= {run_git(folder, "rev-parse", "main")}
