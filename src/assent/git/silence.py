"""A Git that waits for somebody who does not answer: it is said after a second, and given up.

Git itself waits for ever. What it does meanwhile is seen from outside: bytes that its processes
read or write, and the time that they compute. Neither: nobody answers. SSH's own signs of life do
not count; a server whose Git hangs sends them too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from subprocess import Popen
from typing import Any

LIMIT_S = 60
"""How long nobody may answer, where Git's `http.lowSpeedTime` says nothing."""

TICK_S = 0.5
_NOTICE_TICKS = 2
_WEB_FACTOR = 2
"""Over HTTP a large request is sent without any sign that is seen from here, and Git itself ends a
connection on which nothing moves; this one is for what Git does not end: a connection that is
never made.
"""
_SLOWEST = 0.5
"""Bytes in a second. Who sends less sends nothing, as with Git's `http.lowSpeedLimit`; the signs of
life that a busy server sends are five bytes in five seconds.
"""
_BUSY_SHARE = 0.005
"""Computing less than this share of the time is looking whether something has come."""


def _nobody(_: str) -> None:
    pass


@dataclass(frozen=True)
class Patience:
    """How long to bear it that nobody answers, and who is told while that is so."""

    limit_s: float = LIMIT_S
    say: Callable[[str], None] = _nobody
    remote: str = ""
    """Who is waited for; empty: nobody needs to be told."""


@dataclass(frozen=True)
class Activity:
    """What the processes have moved and computed up to a moment. Without `bytes_moved` this
    system does not tell.
    """

    bytes_moved: int | None
    cpu_s: float
    is_web: bool


class Silence:
    """What is seen of one Git process and those it has started, tick by tick. Ticks are counted
    and not the time: a machine that slept, or a job that was stopped, heard no silence.
    """

    def __init__(self, process: Popen[Any], patience: Patience, doing: str) -> None:
        self._process = process
        self._patience = patience
        self._doing = doing
        self._last: Activity | None = None
        self._ticks = 0
        self._is_said = False
        self.is_given_up = False

    @property
    def lasted_s(self) -> float:
        """For how long nobody has answered."""
        return self._ticks * TICK_S

    def tick(self) -> None:
        """Look once more; say so if nobody answers, and end the process if that lasts too long."""
        now = _activity(self._process.pid, only_git=bool(self._patience.remote))
        quiet_s = self.lasted_s + TICK_S
        if self._last is None or has_moved(self._last, now, quiet_s=quiet_s):
            self._last, self._ticks = now, 0
            return
        self._ticks += 1
        if self._ticks >= _NOTICE_TICKS and self._patience.remote and not self._is_said:
            self._is_said = True
            self._patience.say(f"waiting for {self._patience.remote} ({self._doing})")
        factor = _WEB_FACTOR if now.is_web else 1
        if self.lasted_s >= self._patience.limit_s * factor:
            self.is_given_up = True
            _end(self._process)


def has_moved(last: Activity, now: Activity, *, quiet_s: float) -> bool:
    """Whether the processes have got on between two moments that are `quiet_s` apart."""
    computed_s = now.cpu_s - last.cpu_s
    if last.bytes_moved is None or now.bytes_moved is None:
        return computed_s > 0
    bytes_moved = abs(now.bytes_moved - last.bytes_moved)
    return bytes_moved > quiet_s * _SLOWEST or computed_s > max(0.05, quiet_s * _BUSY_SHARE)


@contextmanager
def watched(process: Popen[Any], patience: Patience, doing: str) -> Iterator[Silence]:
    """Watch a process while the caller waits for it."""
    silence, is_done = Silence(process, patience, doing), threading.Event()

    def watch() -> None:
        while not silence.is_given_up and not is_done.wait(TICK_S):
            silence.tick()

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield silence
    finally:
        is_done.set()


def _activity(pid: int, *, only_git: bool) -> Activity:
    """What the processes below `pid`, itself among them, have done so far: those of Git alone
    where somebody else is waited for; else also a filter of the user's, which may take its time.
    """
    import psutil  # only for what takes long

    bytes_moved: int | None = None
    cpu_s, is_web = 0.0, False
    for process in _family(psutil, pid):
        with suppress(psutil.Error, OSError):
            name = process.name()
            if only_git and not name.startswith("git"):
                continue
            is_web = is_web or name.startswith("git-remote-http")
            spent = process.cpu_times()
            cpu_s += spent.user + spent.system
            if hasattr(process, "io_counters"):
                moved = process.io_counters()
                bytes_moved = (bytes_moved or 0) + moved.read_chars + moved.write_chars
    return Activity(bytes_moved, cpu_s, is_web)


def _family(psutil: Any, pid: int) -> list[Any]:
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except (psutil.Error, OSError):
        return []


def _end(process: Popen[Any]) -> None:
    """End a process and all that it has started: who is left would keep its pipes open."""
    import psutil

    if process.returncode is not None:  # its number may be another's by now
        return
    for member in reversed(_family(psutil, process.pid)):
        with suppress(psutil.Error):
            member.kill()
