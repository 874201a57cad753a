"""Threads that a person can leave: what waits for a server that says nothing keeps nobody."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Event, Thread, current_thread, main_thread
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

LAST_S = 1.0
"""How long they may tidy up once they are to stop."""


def together(calls: Sequence[Callable[[], object]], stop: Event) -> None:
    """Make calls, each in a thread of its own, until all of them have ended; the first failure is
    raised then.

    Ctrl-C reaches the thread that waits for them alone. Then `stop` is set, which they look at, and
    who has not stopped a moment later is left behind: it may be waiting for minutes, in code that
    nobody can interrupt. It keeps no process from ending.
    """
    failures: list[BaseException] = []

    def made(call: Callable[[], object]) -> None:
        try:
            call()
        except BaseException as error:
            failures.append(error)

    threads = [Thread(target=made, args=(call,), daemon=True) for call in calls]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:
        stop.set()
        _wait_for(threads)
        raise
    if failures:
        try:
            raise failures[0]
        finally:
            failures.clear()  # what has failed keeps its frames, and this one would keep it


def each(work: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """What `work` gives for each item, in their order, on at most so many threads."""
    todo, results, stop = deque(enumerate(items)), dict[int, Result](), Event()

    def drain() -> None:
        while not stop.is_set():
            try:
                index, item = todo.popleft()
            except IndexError:
                return
            try:
                results[index] = work(item)
            except BaseException:
                stop.set()
                raise

    together([drain] * min(threads, len(items)), stop)
    return [results[index] for index in range(len(items))]


def heard(call: Callable[[], Result], stop: Event | None = None) -> Result:
    """What a call gives that hears no Ctrl-C, such as one of compiled code: where this is the
    thread that is to hear it, another one makes the call.
    """
    if current_thread() is not main_thread():
        return call()
    results: list[Result] = []
    together([lambda: results.append(call())], stop or Event())
    return results[0]


def _wait_for(threads: Sequence[Thread]) -> None:
    end = time.monotonic() + LAST_S
    for thread in threads:
        if thread.ident is not None:  # it was begun
            thread.join(max(0.0, end - time.monotonic()))
