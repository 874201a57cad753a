"""Transfers of one call end together."""

from __future__ import annotations

from threading import Event

import pytest

from assent.parallel import StoppedError, Transfers, pause


def test_who_waits_stops_when_another_fails() -> None:
    """A registry may ask for two minutes; nobody waits for it once it is known that all is lost."""
    is_waiting = Event()
    stopped: list[str] = []

    def work(item: str) -> None:
        if item == "waits":
            is_waiting.set()
            try:
                pause(10_000_000)
            except StoppedError:
                stopped.append(item)
                raise
        is_waiting.wait()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Transfers().run(work, ["waits", "fails"], 2, most=2)
    assert stopped == ["waits"]


def test_what_is_within_a_transfer_leaves_the_outer_one_as_it_was() -> None:
    def work(_: int) -> None:
        Transfers().run(lambda _: pause(0), [1], 1)
        pause(0)

    Transfers().run(work, [1, 2], 2, most=2)
    pause(0)
