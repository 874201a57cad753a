"""The power is cut, or everything is killed, at some point of `register` or `promote`.

Each verb runs once while all that it does to files is written down. What a disk may hold after a
cut at any point of it is then made again (`tests/e2e/disk.py`), in the same place, and a person
goes on from there.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import pytest

from tests.e2e import disk
from tests.e2e.disk import Data, Disk, Image, Names, Step
from tests.e2e.person import Person, Verb, promotes, registers
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
    after: Image

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
    return Traced(project, before, found, count, disk.read(root))


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
    assert now.image(*LEFT[-1]) == traced.after, "the model of a disk does what was done"


def chosen(found: list[Left]) -> list[Left]:
    """All in a soak; else what is left right after each flush, in one way, and some of the rest."""
    if IS_SOAK:
        return found
    draw = random.Random(12)
    flushed = [one for one in found if one.is_after_flush]
    by_flush = groupby(flushed, key=lambda one: one.flushes)
    rest = [one for one in found if not one.is_after_flush]
    return [draw.choice(list(group)) for _, group in by_flush] + draw.sample(rest, SAMPLE)


def check(traced: Traced, verb: Verb, entries: int) -> None:
    """Go on from what is left after each cut."""
    for left in chosen(list(lefts(traced))):
        disk.write(left.image, traced.root)
        person = Person(traced.project)
        person.finds_all_that_was_decided(left.at)
        person.finishes(verb, entries, left.at)


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
