"""A copy of the ledger does not grow with the readings."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.core.registry import fold
from assent.git import Repository
from assent.ledgers.git import tidying
from assent.ledgers.git.ledger import GitLedger
from tests.builders import new_clone, new_repository, registered, run_git

READINGS = 24


@pytest.fixture
def copies(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[GitLedger, GitLedger, Path]:
    """A writer's ledger and a reader's, and where the reader keeps its copy."""
    remote = tmp_path / "remote.git"
    how = getattr(request, "param", "sha1")
    remote.mkdir()
    run_git(remote, "init", "-q", "--bare", "-b", "main", f"--object-format={how}")
    for name, value in (("allowFilter", "true"), ("allowAnySHA1InWant", "true")):
        run_git(remote, "config", f"uploadpack.{name}", value)
    writer, reader = tmp_path / "writer", tmp_path / "reader"
    for folder in (writer, reader):
        folder.mkdir()
        run_git(folder, "init", "-q", "-b", "main", f"--object-format={how}")
        run_git(folder, "remote", "add", "origin", remote.as_uri())
    opened = [GitLedger(Repository(folder), "origin") for folder in (writer, reader)]
    return opened[0], opened[1], reader


def packs(reader: Path) -> list[Path]:
    return list(reader.glob(".git/assent/*/ledger.git/objects/pack/*.pack"))


@pytest.mark.parametrize("copies", ["sha1", "sha256"], indirect=True)
def test_packs_do_not_add_up(
    copies: tuple[GitLedger, GitLedger, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Constants, not behaviours, are changed: few packs and few notes of shallow commits."""
    monkeypatch.setattr(tidying, "MOST_PACKS", 4)
    monkeypatch.setattr(tidying, "MOST_SHALLOW", 4)
    writer, reader, folder = copies
    counts = []
    for number in range(1, READINGS + 1):
        writer.append(writer.read("churn"), [registered(number)])
        assert reader.read("churn").state.versions == number
        counts.append(len(packs(folder)))
    assert max(counts) <= 4 + 5
    [shallow] = folder.glob(".git/assent/*/ledger.git/shallow")
    assert len(shallow.read_text().split()) <= 4 + 1
    view = reader.read("churn")
    assert view.astray(fold("churn", view.entries())) == ()
    home = shallow.parent
    run_git(home, "--git-dir=.", "fsck", "--connectivity-only", "--no-dangling")


def test_a_large_pack_stays_as_it_is(
    copies: tuple[GitLedger, GitLedger, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a `verify` has brought is not rewritten every few readings."""
    monkeypatch.setattr(tidying, "MOST_PACKS", 2)
    monkeypatch.setattr(tidying, "SMALL_BYTES", 1)
    writer, reader, folder = copies
    for number in range(1, 5):
        writer.append(writer.read("churn"), [registered(number)])
        before = set(packs(folder))
        reader.read("churn")
        assert before <= set(packs(folder))


def test_a_writer_s_loose_objects_are_merged_too(
    copies: tuple[GitLedger, GitLedger, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    writer, _, _ = copies
    for number in range(1, 4):
        writer.append(writer.read("churn"), [registered(number)])
    [home] = (tmp_path / "writer").glob(".git/assent/*/ledger.git")
    monkeypatch.setattr(tidying, "_MOST_LOOSE", -1)
    (home / "objects/17").mkdir(exist_ok=True)
    asked: list[tuple[str, ...]] = []

    def spy(*words: str, **_: object) -> bytes:
        asked.append(words)
        return b""

    tidying.tidy(home, spy)
    assert [words[-3:] for words in asked] == [("gc", "--auto", "--quiet")]


def test_an_index_that_is_not_understood_is_left_alone(
    copies: tuple[GitLedger, GitLedger, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "MOST_PACKS", 2)
    writer, reader, folder = copies
    writer.append(writer.read("churn"), [registered(1)])
    reader.read("churn")
    odd = packs(folder)[0].with_name("pack-odd.pack")
    odd.write_bytes(b"x")
    odd.with_suffix(".idx").write_bytes(b"\377tOc\0\0\0\2" + b"x" * 2000)
    for number in range(2, 5):
        writer.append(writer.read("churn"), [registered(number)])
        reader.read("churn")
    assert odd.exists()
    assert reader.read("churn").state.versions == 4


def test_a_new_clone_needs_no_tidying(tmp_path: Path) -> None:
    remote = new_repository(tmp_path / "remote.git", bare=True)
    ledger = GitLedger(Repository(new_clone(remote, tmp_path / "clone")), "origin")
    assert ledger.read("churn").state.seq == -1
