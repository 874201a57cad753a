"""What it costs that nothing is lost with the power: verbs as they are, against the same processes
that flush nothing; and bytes that are flushed right after they were stored, against stored alone.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.context import Context
from benchmarks.figures import Figure, against, mebibytes, plain
from benchmarks.measure import Command, in_turns, ratio
from benchmarks.small import SmallProject, small_project

_MIB = 2**20
_VERBS = {"register": ["register"], "promote": ["promote", "staging"]}
_AS_IT_IS = "from assent.cli.main import main; main()"
_WITHOUT = f"""\
import os
os.fsync = lambda file: None
from assent.ledgers.git import flushing
flushing.receiving = lambda with_references: "git receive-pack"
{_AS_IT_IS}
"""
_STORED = """\
import sys
from pathlib import Path
from assent.ports import Source
from assent.stores.directory import DirectoryStore
source, store = Path(sys.argv[1]), DirectoryStore(Path(sys.argv[2]))
stored = store.add([Source(path=path) for path in source.iterdir()])
"""
_FLUSHED = f"{_STORED}store.flush([one.digest for one in stored])\n"


def measure(context: Context) -> Iterator[Figure]:
    rounds = context.rounds(15, quick=3)
    yield from _verbs(context, rounds)
    scale = 8 if context.is_quick else 1
    for count, size in ((1, 1024 * _MIB // scale), (10_000 // scale, 64 << 10)):
        yield from _bytes(context, count, size, context.rounds(5, quick=2))


def _verbs(context: Context, rounds: int) -> Iterator[Figure]:
    first = small_project(context.folder / "small", context.env, candidates=rounds + 2)
    first.start()
    places = {name: _Place(first.copy(context.folder / name)) for name in ("with", "without")}
    commands = {
        f"{verb} {name}": place.command(verb, _AS_IT_IS if name == "with" else _WITHOUT)
        for verb in _VERBS
        for name, place in places.items()
    }
    samples = in_turns(commands, rounds)
    for verb in _VERBS:
        flushed, plainly = samples[f"{verb} with"], samples[f"{verb} without"]
        yield plain("flushing", f"assent {verb} that flushes nothing", plainly)
        held = ratio(flushed, plainly)
        yield against("flushing", f"assent {verb}", flushed, "one that flushes nothing", held, None)


@dataclass
class _Place:
    """A clone, its remote and its store, in which one candidate follows another."""

    project: SmallProject
    _next: int = field(default=0)

    def command(self, verb: str, program: str) -> Command:
        words = [sys.executable, "-c", program, *_VERBS[verb]]
        before = self._next_candidate if verb == "register" else os.sync
        return replace(self.project.command(verb), words=words, before=before)

    def _next_candidate(self) -> None:
        self._next += 1
        self.project.check_out(self._next)
        self.project.approve()
        os.sync()


def _bytes(context: Context, count: int, size: int, rounds: int) -> Iterator[Figure]:
    source, target = context.folder / "source", context.folder / "target"
    source.mkdir()
    for number in range(count):
        with (source / str(number)).open("wb") as file:
            for _ in range(0, size, _MIB):
                file.write(os.urandom(min(size, _MIB)))

    def command(program: str) -> Command:
        words = [sys.executable, "-c", program, str(source), str(target)]
        return Command(words, context.folder, context.env, before=lambda: _clear(target))

    samples = in_turns({"stored": command(_STORED), "flushed": command(_FLUSHED)}, rounds)
    shutil.rmtree(source)
    what = f"{count:,} new file{'s' * (count > 1)} of {_size(size)}"
    yield plain("flushing", f"store {what}", samples["stored"])
    held = ratio(samples["flushed"], samples["stored"])
    what_is_done = f"store and flush {what}"
    yield against("flushing", what_is_done, samples["flushed"], "storing alone", held, None)


def _size(size: int) -> str:
    return mebibytes(size) if size >= _MIB else f"{size >> 10} KiB"


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.sync()
