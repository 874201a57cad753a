"""What Git makes of a merge, in clones of any depth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from assent.git import Repository
from assent.git.merges import Merges
from tests.builders import new_repository, run_git


class History(NamedTuple):
    """A branch that has merged the base, which had forked from it some commits before."""

    origin: Path
    fork: str
    own: str
    base: str
    merge: str


def written(folder: Path, name: str) -> str:
    (folder / name).write_text(name)
    run_git(folder, "add", "-A")
    run_git(folder, "commit", "-qm", name)
    return run_git(folder, "rev-parse", "HEAD")


@pytest.fixture
def history(tmp_path: Path) -> History:
    origin = new_repository(tmp_path / "origin")
    run_git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    fork = written(origin, "fork")
    run_git(origin, "switch", "-qc", "topic")
    own = written(origin, "own")
    run_git(origin, "switch", "-q", "main")
    base = [written(origin, f"base-{number}") for number in range(5)][-1]
    run_git(origin, "switch", "-q", "topic")
    run_git(origin, "merge", "-q", "--no-edit", "main")
    merge = run_git(origin, "rev-parse", "HEAD")
    run_git(origin, "switch", "-q", "main")
    return History(origin, fork, own, base, merge)


def clone(history: History, *options: str) -> Repository:
    folder = history.origin.parent / "clone"
    run_git(history.origin.parent, "clone", "-q", *options, f"file://{history.origin}", str(folder))
    return Repository(folder)


@pytest.mark.parametrize("options", [(), ("--depth=1",), ("--depth=3",)])
def test_a_merge_of_the_base_adds_nothing_however_little_of_it_was_cloned(
    history: History, options: Sequence[str]
) -> None:
    """A job checks out one commit, and two branches fork before that."""
    merges = Merges(clone(history, *options))
    assert merges.adds_nothing(history.merge, history.own, history.base) is True
    assert merges.contains(history.merge, history.fork)
    assert merges.parents(history.merge) == (history.own, history.base)


@pytest.mark.parametrize("options", [(), ("--depth=1",)])
def test_one_with_something_of_its_own_does_not(history: History, options: Sequence[str]) -> None:
    run_git(history.origin, "switch", "-q", "topic")
    (history.origin / "more").write_text("more")
    run_git(history.origin, "add", "-A")
    run_git(history.origin, "commit", "-q", "--amend", "--no-edit")
    merge = run_git(history.origin, "rev-parse", "HEAD")
    run_git(history.origin, "switch", "-q", "main")
    merges = Merges(clone(history, *options))
    assert merges.adds_nothing(merge, history.own, history.base) is False
    assert not merges.contains(history.base, merge)


def test_what_cannot_be_had_is_not_known(history: History) -> None:
    repository = clone(history, "--depth=1")
    run_git(repository.top, "remote", "set-url", "origin", str(history.origin / "gone"))
    merges = Merges(repository)
    assert merges.adds_nothing(history.merge, history.own, history.base) is None
    assert merges.parents(history.merge) == ()
    assert not merges.contains(history.base, history.fork)


def test_what_could_not_be_had_is_not_asked_for_again(history: History) -> None:
    repository = clone(history, "--depth=1")
    address = run_git(repository.top, "remote", "get-url", "origin")
    run_git(repository.top, "remote", "set-url", "origin", str(history.origin / "gone"))
    merges = Merges(repository)
    assert merges.parents(history.merge) == ()
    run_git(repository.top, "remote", "set-url", "origin", address)
    assert merges.parents(history.merge) == ()
    assert Merges(repository).parents(history.merge) == (history.own, history.base)
