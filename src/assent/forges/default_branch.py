"""What a forge knows of the default branch: the pushes to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from assent.forges.makers import Push, bringer
from assent.git import Repository


class DefaultBranch:
    """The default branch as the pushes to it tell, newest first. They are read when they are first
    needed, and only then: it costs a request. `most` steps are looked through in the clone.
    """

    def __init__(
        self, checkout: Repository, read: Callable[[], Sequence[Push]], *, most: int
    ) -> None:
        self._checkout = checkout
        self._read = read
        self._most = most

    def pusher(self, commit: str) -> Push | None:
        """Who has put a commit there, as far as the forge tells."""
        return bringer(self._pushes, commit, self._line)

    @property
    def tips(self) -> frozenset[str]:
        """See `Forge.tips`."""
        before = (push.before for push in self._pushes if push.before is not None)
        return frozenset([*(push.after for push in self._pushes), *before])

    @cached_property
    def _pushes(self) -> Sequence[Push]:
        return self._read()

    def _line(self, tip: str) -> Sequence[str]:
        if self._checkout.resolve(tip) is None:
            return ()
        return self._checkout.first_parents(tip, most=self._most)
