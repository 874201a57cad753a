"""Many transfers at once, with one progress and one end."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Event, Lock
from typing import TypeVar

from assent.ports import Progress
from assent.threads import together

Item = TypeVar("Item")
Result = TypeVar("Result")


_own = threading.local()  # `stop`: what ends the transfers that a thread works for


class StoppedError(Exception):
    """Another transfer of the same call failed, or the person pressed Ctrl-C."""


def pause(seconds: float) -> None:
    """Wait. Raises `StoppedError` at once if the others of the same call have ended."""
    stop: Event | None = getattr(_own, "stop", None)
    if stop is None:
        time.sleep(seconds)
    elif stop.wait(seconds):
        raise StoppedError


class Transfers:
    """The transfers of one call. `progress` is called by one thread at a time."""

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress
        self._lock = Lock()
        self._stop = Event()

    def advance(self, size_bytes: int) -> None:
        """Report bytes that are done. Raises `StoppedError` if the others have ended."""
        self.proceed()
        if self._progress is not None:
            with self._lock:
                self._progress(size_bytes)

    def proceed(self, _: int = 0) -> None:
        """Report nothing, for bytes that were reported before. Raises `StoppedError` as well."""
        if self._stop.is_set():
            raise StoppedError

    def run(
        self,
        work: Callable[[Item], Result],
        items: Sequence[Item],
        threads: int,
        *,
        most: int | None = None,
    ) -> list[Result]:
        """What `work` gives for each item, in their order, on at most so many threads and `most`,
        or one per processor. The first failure ends all the others and is raised once none of them
        runs; Ctrl-C waits no longer than a moment for them.
        """
        todo = deque(enumerate(items))
        results: dict[int, Result] = {}

        # One call per thread and not one per item: ten thousand cost as much as the files.
        def drain() -> None:
            outer = getattr(_own, "stop", None)
            _own.stop = self._stop
            try:
                while not self._stop.is_set():
                    try:
                        index, item = todo.popleft()
                    except IndexError:
                        return
                    results[index] = work(item)
            except StoppedError:
                return
            except BaseException:
                self._stop.set()
                raise
            finally:
                _own.stop = outer

        threads = min(threads, most or os.cpu_count() or 1, len(items))
        if threads <= 1:
            drain()
            return [results[index] for index in range(len(items))]
        together([drain] * threads, self._stop)
        return [results[index] for index in range(len(items))]
