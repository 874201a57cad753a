"""What cannot be left to the clock: how often the ledger asks its remote, and for how much."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assent.core.entry import Draft, Kind
from assent.core.registry import fold
from assent.git import Repository
from assent.ledgers import layout
from assent.ledgers.git.commits import imported
from assent.ledgers.git.ledger import GitLedger
from tests.builders import digest, draft, new_clone, new_repository, promoted, registered, run_git
from tests.effort import IS_SOAK

SMALL, LARGE = 30, 1_300 if IS_SOAK else 330
"""Both leave the newest block of entries half full, which is what is read."""


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A remote that filters as GitHub does: no trees at all, or all of them."""
    folder = new_repository(tmp_path / "remote.git", bare=True)
    run_git(folder, "config", "uploadpack.allowFilter", "true")
    run_git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    run_git(folder, "config", "uploadpackfilter.tree.maxDepth", "0")
    return folder


@pytest.fixture
def requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[], object]], int]:
    """Counts how often something asks the remote for objects."""

    def count(call: Callable[[], object]) -> int:
        trace = tmp_path / "trace"
        trace.unlink(missing_ok=True)
        with monkeypatch.context() as patched:
            patched.setenv("GIT_TRACE", str(trace))
            call()
        return trace.read_text().count("built-in: git upload-pack")

    return count


def versions(count: int) -> Iterator[Draft]:
    entries = count + 1
    for _ in range((layout.BLOCK // 2 - entries) % layout.BLOCK):
        yield draft(Kind.NOTED, reason="filled")
    for number in range(1, count + 1):
        yield registered(number)
    yield promoted(count, "production")


def write(remote: Path, drafts: Iterator[Draft]) -> None:
    stream = b"".join(imported("churn", drafts))
    words = ["git", "fast-import", "--quiet", "--done"]
    subprocess.run(words, cwd=remote, input=stream, check=True)


def open_fresh(remote: Path, folder: Path) -> GitLedger:
    clone = new_clone(remote, folder)
    run_git(clone, "remote", "set-url", "origin", remote.as_uri())
    return GitLedger(Repository(clone), "origin")


def test_an_imported_ledger_is_the_one_that_appending_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "BLOCK", 2)
    monkeypatch.setattr(layout, "FILES", 2)
    one, other = (new_repository(tmp_path / name, bare=True) for name in ("one.git", "other.git"))
    drafts = [*map(registered, range(1, 22)), promoted(10, "production")]
    write(one, iter(drafts))
    ledger = open_fresh(other, tmp_path / "clone")
    for each in drafts:
        ledger.append(ledger.read("churn"), [each])
    tree = "assent/churn^{tree}"
    assert run_git(one, "rev-parse", tree) == run_git(other, "rev-parse", tree)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_a_fresh_clone_reads_the_state_in_three_requests(
    remote: Path, tmp_path: Path, requests: Callable[[Callable[[], object]], int], size: int
) -> None:
    write(remote, versions(size))
    ledger = open_fresh(remote, tmp_path / "clone")
    assert requests(lambda: ledger.read("churn")) == 3  # commit, root, files
    assert requests(lambda: ledger.read("churn")) == 1


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_a_fresh_clone_writes_in_few_requests(
    remote: Path, tmp_path: Path, requests: Callable[[Callable[[], object]], int], size: int
) -> None:
    write(remote, versions(size))
    ledger = open_fresh(remote, tmp_path / "clone")

    def work() -> None:
        view = ledger.read("churn")
        view.record(digest(f"b{size}"))
        view.entry(view.state.seq)
        ledger.append(view, [registered(size + 1)])

    asked = requests(work)
    assert asked <= 13  # and not one per entry of the newest folder
    packs = (tmp_path / "clone" / ".git" / "assent").rglob("*.pack")
    assert sum(pack.stat().st_size for pack in packs) < 250_000
    view = ledger.read("churn")
    assert view.astray(fold("churn", view.entries())) == ()


def test_a_branch_whose_name_ends_alike_is_not_the_ledger(remote: Path, tmp_path: Path) -> None:
    write(remote, versions(2))
    ledger = open_fresh(remote, tmp_path / "clone")
    ledger.read("churn")
    run_git(remote, "branch", "a/refs/heads/assent/churn", "assent/churn")
    other = open_fresh(remote, tmp_path / "other")
    other.append(other.read("churn"), [registered(3)])
    assert ledger.read("churn").state.versions == 3
