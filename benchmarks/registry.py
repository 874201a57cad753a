"""The registry from small to large: reading it and writing to it must cost the same, and not
much more than Git itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.context import Context
from benchmarks.figures import Figure, milliseconds, numbers, plain
from benchmarks.history import write_history
from benchmarks.measure import Command, Ratio, Samples, above, in_turns, ratio
from benchmarks.project import MODEL, Project
from benchmarks.small import SmallProject, small_project

FLAT_LIMIT, FLOOR_LIMIT = 1.2, 3.0
SIZES, QUICK_SIZES = (100, 1_000, 10_000, 100_000), (100, 1_000)

_FLOOR = (
    "git fetch --quiet origin && date +%N >changed && git add changed && "
    "git commit --quiet --message change && git push --quiet origin HEAD:main"
)
_WRITING = ("register", "promote")
_VERBS = {
    "resolve": "resolve, nothing new",
    "resolve moved": "resolve, others wrote since",
    "resolve cold": "resolve, fresh clone",
    # In this order each promotion follows a registration, so that it has something to do.
    "register": "register",
    "promote": "promote",
    "register cold": "register, fresh clone",
    "promote cold": "promote, fresh clone",
}


def measure(context: Context) -> Iterator[Figure]:
    rounds = context.rounds(7, quick=3)
    sizes = QUICK_SIZES if context.is_quick else SIZES
    # Two candidates are registered per round, one round warms up, and one stands in production.
    first = small_project(context.folder / "small", context.env, candidates=2 * (rounds + 1) + 1)
    places = [_Place(first.copy(context.folder / f"of{size}"), size) for size in sizes]
    for place in places:
        place.fill()
    floor = Project(context.folder / "floor", context.env)
    floor.create()
    floor.write(changed="")
    floor.commit("start")
    commands = {
        "floor": Command(["sh", "-c", _FLOOR], floor.folder, context.env),
        **{f"start {verb}": first.command(verb, "--help") for verb in _WRITING},
    }
    for name in _VERBS:
        for place in places:
            commands[f"{name} {place.size}"] = place.commands()[name]
    before = [place.entries() for place in places]
    samples = in_turns(commands, rounds)
    for place, count in zip(places, before, strict=True):
        # Two candidates per round, each approved, registered and promoted.
        if place.entries() - count != 6 * (rounds + 1):
            written = place.entries() - count
            raise RuntimeError(f"{written} entries were written, not {6 * (rounds + 1)}")
    yield plain("registry", "floor: git fetch, commit, push", samples["floor"])
    for verb in _WRITING:
        yield plain("registry", f"start-up: assent {verb} --help", samples[f"start {verb}"])
    for name, words in _VERBS.items():
        by_size = {size: samples[f"{name} {size}"] for size in sizes}
        for size, measured in by_size.items():
            if name.startswith("resolve"):
                yield plain("registry", f"{words}, {size:,} versions", measured)
            else:
                start = samples[f"start {name.partition(' ')[0]}"]
                held = above(measured, start, samples["floor"])
                yield _written(f"{words}, {size:,} versions", measured, held)
        yield _flat(words, by_size)
    for place in places:
        yield Figure(
            "registry",
            f"resolve, fresh clone, {place.size:,} versions",
            f"{place.cold_bytes() / 1e3:,.0f} kB of Git objects in the clone",
            numbers={"bytes": place.cold_bytes()},
        )


def _written(what: str, measured: Samples, held: Ratio) -> Figure:
    return Figure(
        "registry",
        what,
        f"{milliseconds(measured.wall_s)}, less start-up {held} times the floor",
        goal=f"at most {FLOOR_LIMIT:g} times",
        met=held.value <= FLOOR_LIMIT,
        numbers=numbers(measured) | {"ratio": held.value, "low": held.low, "high": held.high},
    )


def _flat(words: str, by_size: dict[int, Samples]) -> Figure:
    smallest, largest = min(by_size), max(by_size)
    held = ratio(by_size[largest], by_size[smallest])
    return Figure(
        "registry",
        f"{words}, {largest:,} against {smallest:,} versions",
        f"{held} times",
        goal=f"at most {FLAT_LIMIT:g} times",
        met=held.value <= FLAT_LIMIT,
        numbers={"ratio": held.value, "low": held.low, "high": held.high},
    )


@dataclass
class _Place:
    """One size: the clone that writes, one that only reads, and one that is always fresh."""

    project: SmallProject
    size: int
    _next: int = field(default=0)

    def fill(self) -> None:
        """Write the history, and make the reading clones."""
        write_history(self.project, self.size)
        for name in ("reads", "fresh"):
            folder = self._beside(name)
            self.project.git("clone", "--quiet", "--depth=1", self.project.address, str(folder))

    def commands(self) -> dict[str, Command]:
        """What is measured, in the order of one round."""
        project = self.project
        register = project.command("register")
        promote = project.command("promote", "staging")
        resolve = project.command("resolve", "production")
        fresh = self._beside("fresh")
        return {
            "resolve": resolve,
            "resolve moved": replace(resolve, folder=self._beside("reads")),
            "resolve cold": replace(resolve, folder=fresh, before=lambda: _forget(fresh)),
            "register": replace(register, before=self._next_candidate),
            "promote": promote,
            "register cold": replace(register, before=self._next_candidate_cold),
            "promote cold": replace(promote, before=lambda: _forget(project.folder)),
        }

    def entries(self) -> int:
        """The number of entries in the remote, one per commit."""
        remote, branch = str(self.project.remote), f"refs/heads/assent/{MODEL}"
        return int(self.project.git("-C", remote, "rev-list", "--count", branch))

    def cold_bytes(self) -> int:
        """What the fresh clone holds of the ledger."""
        files = (self._beside("fresh") / ".git" / "assent").rglob("objects/**/*")
        return sum(path.stat().st_size for path in files if path.is_file())

    def _beside(self, name: str) -> Path:
        folder = self.project.folder
        return folder.with_name(f"{folder.name}-{name}")

    def _next_candidate(self) -> None:
        self._next += 1
        self.project.check_out(self._next)
        self.project.approve()

    def _next_candidate_cold(self) -> None:
        self._next_candidate()
        _forget(self.project.folder)


def _forget(clone: Path) -> None:
    """Make a clone as fresh as those of CI: without its copy of the ledger."""
    shutil.rmtree(clone / ".git" / "assent", ignore_errors=True)
