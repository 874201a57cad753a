"""Threads that a person can leave."""

from __future__ import annotations

import signal
import threading
from threading import Event

import pytest

from assent.threads import each, heard, together


def test_what_is_made_at_once_is_given_in_order() -> None:
    assert each(lambda item: item * 2, range(100), 8) == [item * 2 for item in range(100)]
    assert each(lambda item: item, [], 8) == []


def test_a_failure_is_raised_once_all_have_ended() -> None:
    has_failed, ended = Event(), list[int]()

    def fail() -> None:
        has_failed.set()
        raise ValueError("it failed")

    def follow() -> None:
        has_failed.wait()
        ended.append(1)
        raise ValueError("it failed as well")

    with pytest.raises(ValueError, match="it failed"):
        together([follow, fail], Event())
    assert ended == [1]


def test_of_many_items_none_is_begun_after_a_failure() -> None:
    begun: list[int] = []

    def fail(item: int) -> None:
        begun.append(item)
        raise ValueError("it failed")

    with pytest.raises(ValueError, match="it failed"):
        each(fail, range(100), 2)
    assert len(begun) <= 2


def test_an_interrupt_leaves_behind_what_hears_nothing() -> None:
    is_waiting, stop, end = Event(), Event(), Event()

    def wait() -> None:
        is_waiting.set()
        end.wait()

    def interrupt() -> None:
        is_waiting.wait()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        stop.wait()

    with pytest.raises(KeyboardInterrupt):
        together([wait, interrupt], stop)
    assert stop.is_set()
    assert not end.is_set()
    end.set()


def test_a_call_is_made_by_another_thread_where_this_one_hears_interrupts() -> None:
    main = threading.current_thread()
    assert heard(threading.current_thread) is not main
    [(outer, inner)] = each(
        lambda _: (threading.current_thread(), heard(threading.current_thread)), [1], 1
    )
    assert outer is inner
