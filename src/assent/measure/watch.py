"""A command's processes, watched while it runs: memory, and the Python interpreters among them.

Nothing is done to the processes, and no privilege is needed: they are looked at from time to time.
What lives for less than `SAMPLE_EVERY_S` may be missed, so nothing that is said here means that
something did *not* run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

from assent.core.evidence import PackagesGap
from assent.measure.interpreters import Interpreter, Seen, is_interpreter, recognise

SAMPLE_EVERY_S = 0.05
_FIRST_PAUSE_S = 0.002
_MAX_INTERPRETERS = 64
_MAX_ORPHANS = 16
_UNSEEN_S = 1.0
"""CPU seconds that are always lost between two samples and say nothing."""


class _Sight(NamedTuple):
    """What a process was last seen to run: the program's file, a hash of the command line where it
    is an interpreter, and what it is.
    """

    program: str = ""
    words: int = 0
    found: Interpreter | PackagesGap | None = None


class Watch:
    """A thread that looks at a process, at all below it, and at those that it left behind."""

    def __init__(self, pid: int, folder: Path) -> None:
        self.peak_bytes = 0
        self._process = psutil.Process(pid)
        self._folder = folder
        self._sights: dict[psutil.Process, _Sight] = {}
        self._cpu_s: dict[psutil.Process, float] = {}
        self._seen_s = 0.0
        self._interpreters: dict[Interpreter, float] = {}
        self._gaps: set[PackagesGap] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)

    def start(self) -> None:
        """Take the first sample at once, then more until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more samples."""
        self._done.set()
        if self._thread.ident is not None:
            self._thread.join()

    def seen(self, cpu_s: float) -> Seen:
        """What ran, where all processes together took `cpu_s`."""
        busiest = sorted(self._interpreters.items(), key=lambda item: (-item[1], item[0].path))
        gaps = {*self._gaps}
        if cpu_s - self._seen_s > max(_UNSEEN_S, cpu_s / 2):
            gaps.add("short")
        return Seen(interpreters=tuple(busiest), gaps=tuple(sorted(gaps)))

    def _watch(self) -> None:
        pause, first = 0.0, _FIRST_PAUSE_S
        while not self._done.wait(pause):
            before = time.thread_time()
            try:
                self._sample([self._process, *self._process.children(recursive=True)])
            except psutil.Error:  # it has ended
                return
            took = time.thread_time() - before
            # Often at first: many a program lives for a few hundredths of a second. Where there
            # are thousands of processes a sample is much work: then sample less often.
            is_first = first < SAMPLE_EVERY_S
            pause = max(first, took) if is_first else max(SAMPLE_EVERY_S, 10 * took)
            first *= 1.5

    def _sample(self, processes: list[psutil.Process]) -> None:
        alive = dict.fromkeys([*processes, *self._orphans({*processes})])
        self.peak_bytes = max(self.peak_bytes, sum(map(_resident_bytes, alive)))
        sights: dict[psutil.Process, _Sight] = {}
        cpu_s: dict[psutil.Process, float] = {}
        for process in alive:
            try:
                sights[process] = self._sight(process)
                cpu_s[process] = self._count(process, sights[process].found)
            except (psutil.Error, OSError):
                continue
        self._sights, self._cpu_s = sights, cpu_s  # of those that live: there may be millions

    def _orphans(self, known: set[psutil.Process]) -> Iterator[psutil.Process]:
        """Processes of the last sample that no longer belong to the command's tree and still
        run, since the process between has ended, and what they have started.
        """
        left = [
            process for process in self._sights if process not in known and process.is_running()
        ]
        for orphan in left[:_MAX_ORPHANS]:
            try:
                yield from (orphan, *orphan.children(recursive=True))
            except psutil.Error:
                continue

    def _sight(self, process: psutil.Process) -> _Sight:
        """What the process runs now: it may have become another program since the last sample."""
        before = self._sights.get(process)
        program, words = _runs(process.pid)
        if before is not None and (before.program, before.words) == (program, words):
            return before
        interpreter = recognise(psutil.Process(process.pid), self._folder)
        if interpreter == "hidden":
            interpreter = self._before(process, program) or interpreter
        if interpreter is not None and _runs(process.pid) != (program, words):
            return _Sight()  # it became another one meanwhile; the next sample tells
        return _Sight(program, words, interpreter)

    def _before(self, process: psutil.Process, program: str) -> Interpreter | None:
        """The interpreter that a process was before it wrote another title over its command
        line; or its parent, if it has forked since.
        """
        for ancestor in (process, process.parent()):
            sight = _Sight() if ancestor is None else self._sights.get(ancestor, _Sight())
            if sight.program == program and isinstance(sight.found, Interpreter):
                return sight.found
        return None

    def _count(
        self, process: psutil.Process, interpreter: Interpreter | PackagesGap | None
    ) -> float:
        """Give the CPU time since the last sample to what the process is."""
        times = process.cpu_times()
        total = float(times.user + times.system)
        spent = max(0.0, total - self._cpu_s.get(process, 0.0))
        self._seen_s += spent
        if isinstance(interpreter, str):
            self._gaps.add(interpreter)
        elif interpreter in self._interpreters or len(self._interpreters) < _MAX_INTERPRETERS:
            if interpreter is not None:
                self._interpreters[interpreter] = self._interpreters.get(interpreter, 0.0) + spent
        elif interpreter is not None:
            self._gaps.add("many")
        return total


def _runs(pid: int) -> tuple[str, int]:
    """The program of a process, and a hash of its command line if that is an interpreter."""
    process = psutil.Process(pid)  # a new one: what psutil has read of a process, it keeps
    try:
        program = process.exe()
    except psutil.AccessDenied:
        return "", 0
    return program, hash(tuple(process.cmdline())) if is_interpreter(Path(program).name) else 0


def _resident_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
