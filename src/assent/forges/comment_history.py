"""What reviewers were shown, and when: the reading of a forge's record of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from assent.core.digest import Digest

UNKNOWN_HEAD = "unknown"
"""No revision: what was given there counts nowhere."""


class ShownBundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that was shown at a revision from some time on; None while the comment was being
    changed to another one.
    """

    bundle: Digest | None
    at: str


def bundle_at(sights: Sequence[ShownBundle], at: str) -> Digest | None:
    """The bundle that was shown at some time, or None if that is not known. `sights` are oldest
    first; all times are texts that sort as the times do.

    Where the bundle changed at the very time, nobody can tell which one was seen.
    """
    before = [sight.bundle for sight in sights if sight.at < at]
    within = [sight.bundle for sight in sights if sight.at == at]
    candidates = {*before[-1:], *within}
    return candidates.pop() if len(candidates) == 1 else None


def resolved(
    digest: str, at: str, shown: Iterable[tuple[str, Sequence[ShownBundle]]]
) -> tuple[str, Digest | None]:
    """The revision and the bundle that a typed digest, perhaps cut off, means: one that was shown
    by then. `shown` has revisions with their sights, the first that fits counts; where it fits
    several bundles, it means none.
    """
    for revision, sights in shown:
        bundles = {
            sight.bundle
            for sight in sights
            if sight.bundle is not None and sight.at <= at and sight.bundle.startswith(digest)
        }
        if len(bundles) > 1:
            break
        if bundles:
            return revision, bundles.pop()
    return UNKNOWN_HEAD, None
