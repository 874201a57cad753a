"""The time that a forge takes, after a merge, to say what a commit came from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from assent.git import Repository

T = TypeVar("T")

PAUSES_S = (1.0, 2.0, 4.0)


class Lag:
    """Waits for the forge, once in a run however many commits are looked at, and never for one
    that was there `before` the push that started the run. None of it unless `may_be_late`.
    """

    def __init__(
        self,
        checkout: Repository,
        wait: Callable[[float], None],
        *,
        may_be_late: bool,
        before: str | None,
    ) -> None:
        self._checkout = checkout
        self._wait = wait
        self._before = before
        self._pauses = list(PAUSES_S) if may_be_late else []

    def read(self, commit: str, look: Callable[[], list[T]], is_it: Callable[[T], bool]) -> list[T]:
        """What `look` finds of a commit, as soon as one of it `is_it`, or the time is over."""
        items = look()
        while self._pauses and not any(map(is_it, items)) and not self._is_old(commit):
            self._wait(self._pauses.pop(0))
            items = look()
        return items

    def _is_old(self, commit: str) -> bool:
        return self._before is not None and self._checkout.contains(self._before, commit)
