"""What reviewers were shown, and when: the reading of a forge's record of it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from assent.core.digest import Digest


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that was shown at a revision from some time on; None while the comment was being
    changed to another one.
    """

    bundle: Digest | None
    at: str


def bundle_at(sights: Sequence[Sight], at: str) -> Digest | None:
    """The bundle that was shown at some time, or None if that is not known. `sights` are oldest
    first; all times are texts that sort as the times do.

    Where the bundle changed at the very time, nobody can tell which one was seen.
    """
    before = [sight.bundle for sight in sights if sight.at < at]
    within = [sight.bundle for sight in sights if sight.at == at]
    candidates = {*before[-1:], *within}
    return candidates.pop() if len(candidates) == 1 else None
