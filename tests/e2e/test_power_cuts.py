"""The power is cut, or everything is killed, at some point of `register` or `promote`.

Each verb runs once while all that it does to files is written down. What a disk may hold after a
cut at any point of it is then made again (`tests/e2e/disk.py`), in the same place, and a person
goes on from there.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import pytest

from assent.core.bundle import read_manifest
from assent.errors import AssentError, ExitCode
from assent.ports import BlobState
from assent.verbs.bundle import bundle
from assent.verbs.outcome import Decided
from assent.verbs.promote import promote
from assent.verbs.register import register
from assent.verbs.verify import VerifyResult, read_whole, verify
from assent.verbs.workspace import Workspace
from assent.wiring import open_workspace
from tests.e2e import disk
from tests.e2e.disk import Data, Disk, Image, Names, Step
from tests.e2e.project import GRACE, Project
from tests.effort import IS_SOAK

KEPT, LOST = Names.KEPT, Names.LOST
JOURNALLED = ("work", "remote.git")

LEFT = (
    ({"work": KEPT, "remote.git": KEPT, "store": KEPT}, Data.EMPTY),
    ({"work": LOST, "remote.git": LOST, "store": LOST}, Data.EMPTY),
    ({"work": KEPT, "remote.git": LOST, "store": KEPT}, Data.ZEROS),
    ({"work": LOST, "remote.git": KEPT, "store": LOST}, Data.ZEROS),
    ({"work": KEPT, "remote.git": KEPT, "store": KEPT}, Data.KEPT),  # killed, not cut off
)
"""What may be left, by file system: the more or the less, in step with each other or not."""

SAMPLE = 12
"""From how much of what is not left right after a flush one goes on, where not from all of it."""


@dataclass(frozen=True)
class Traced:
    """A verb that was run once: what everything was before, and what was done since; the last
    `count` steps are those of the verb.
    """

    project: Project
    before: Disk
    steps: list[Step]
    count: int

    @property
    def root(self) -> Path:
        return self.before.root


def traced(project: Project, *commands: tuple[str, ...]) -> Traced:
    """Run commands, the last of which is the verb."""
    root = project.folder.parent
    log = root.with_name(f"{root.name}.log")
    before, found, count = Disk(root, JOURNALLED), list[Step](), 0
    for words in commands:
        replace(project, prefix=disk.tracer(log)).run(*words)
        done = disk.steps(log)
        found += done
        count = len(done)
    return Traced(project, before, found, count)


@dataclass(frozen=True)
class Left:
    """What may be left after a cut, after how many flushes of all, and at which point it is."""

    image: Image
    flushes: int
    is_after_flush: bool
    at: str


def lefts(traced: Traced) -> Iterator[Left]:
    """Everything that may be left after a cut at any point of the verb, each once."""
    now, seen, flushes = traced.before, set[int](), 0
    start = len(traced.steps) - traced.count
    for number in range(len(traced.steps) + 1):
        last = traced.steps[number - 1] if number else None
        if number == start or (number > start and last is not None and now.has(last)):
            for names, data in LEFT:
                image = now.image(names, data)
                name = hash(frozenset(image.items()))
                if name not in seen:
                    seen.add(name)
                    at = f"step {number} of {len(traced.steps)}, {names}, {data}, after {last}"
                    yield Left(image, flushes, last is not None and last.is_flush, at)
        if number < len(traced.steps):
            now.do(traced.steps[number])
            flushes += traced.steps[number].is_flush


def chosen(found: list[Left]) -> list[Left]:
    """All in a soak; else what is left right after each flush, in one way, and some of the rest."""
    if IS_SOAK:
        return found
    draw = random.Random(12)
    flushed = [one for one in found if one.is_after_flush]
    by_flush = groupby(flushed, key=lambda one: one.flushes)
    rest = [one for one in found if not one.is_after_flush]
    return [draw.choice(list(group)) for _, group in by_flush] + draw.sample(rest, SAMPLE)


class Person:
    """Somebody at the place of a project, whatever is left there."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.said: list[str] = []

    def open(self) -> Workspace:
        """A new run of Assent."""
        return open_workspace(
            self.project.folder,
            environ=self.project.environment,
            now=datetime.now(UTC),
            say=self.said.append,
        )

    def verify(self) -> VerifyResult:
        return verify(self.open(), ["churn"])

    def finds_all_that_was_decided(self, at: str) -> None:
        """Nothing that the store was derived from is lost, and no byte of any version."""
        workspace = self.open()
        read = read_whole(workspace, "churn")
        assert read.witnessed == {}, at
        for digest in read.registry.versions.values():
            blobs = read_manifest(workspace.store.read(digest)).blobs
            assert set(workspace.store.check(blobs).values()) == {BlobState.SOUND}, at

    def go_on(self, verb: Callable[[Workspace], Decided]) -> Decided:
        """Run the verb again. Where it says that bytes are lost, do what it says first."""
        for left in self.project.remote.rglob("*.lock"):
            left.unlink()  # as a writer is told (tests/ledgers), after it has waited for long
        lost = self.outcome_of(verb)
        if isinstance(lost, Decided):
            return lost
        assert "`assent bundle` where it was trained" in (lost.hint or ""), lost
        bundle(self.open(), "churn")
        return verb(self.open())

    def outcome_of(self, verb: Callable[[Workspace], Decided]) -> Decided | AssentError:
        """What a verb gives, or says is wrong."""
        try:
            return verb(self.open())
        except AssentError as error:
            return error


def registers(workspace: Workspace) -> Decided:
    return register(workspace, "churn")


def promotes(workspace: Workspace) -> Decided:
    return promote(workspace, "churn", "staging")


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> Callable[[Project], None]:
    """Let this process be one of the account that the project is of."""

    def be(project: Project) -> None:
        for name in list(os.environ):
            if name.startswith(("GIT_", "CI", "GITHUB_", "GITLAB_")):
                monkeypatch.delenv(name)
        for name, value in project.environment.items():
            monkeypatch.setenv(name, value)

    return be


def check(traced: Traced, verb: Callable[[Workspace], Decided], entries: int) -> None:
    """Go on from what is left after each cut."""
    for left in chosen(list(lefts(traced))):
        disk.write(left.image, traced.root)
        person = Person(traced.project)
        person.finds_all_that_was_decided(left.at)
        done = person.go_on(verb)
        assert done.exit_code is ExitCode.DONE, (left.at, done)
        after = person.verify()
        assert (after.exit_code, after.entries) == (ExitCode.DONE, entries), (left.at, after)


@pytest.mark.threat(25)
def test_cut_off_while_it_registers(fresh: Project, at_home: Callable[[Project], None]) -> None:
    fresh.run("train")
    fresh.run("evaluate")
    at_home(fresh)
    check(traced(fresh, ("bundle",), ("approve", "--as", GRACE), ("register",)), registers, 2)


@pytest.mark.threat(25)
def test_cut_off_while_it_promotes(registered: Project, at_home: Callable[[Project], None]) -> None:
    at_home(registered)
    check(traced(registered, ("promote", "staging")), promotes, 3)
