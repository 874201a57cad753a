"""What nothing refers to, and how long it has been so: what a clean-up takes away. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from enum import StrEnum

import msgspec

from assent.core.bundle import Bundle
from assent.core.digest import Digest
from assent.keeping.contents import Contents
from assent.keeping.references import References


class Why(StrEnum):
    """Why a bundle is kept, or not."""

    REFERRED = "referred"  # by a ledger, a pointer or a lock
    ELSEWHERE = "elsewhere"  # of a model that this repository does not know
    NAMED = "named"  # by others than Assent
    YOUNG = "young"  # used since
    UNCOUNTED = "uncounted"  # how old it is was not counted yet
    OPEN = "open"  # of a change that may be open
    EXPIRED = "expired"  # nothing refers to it
    PURGED = "purged"  # of a version that was purged

    @property
    def is_over(self) -> bool:
        """Whether what it says is taken away."""
        return self in (Why.EXPIRED, Why.PURGED)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of each bundle, and the blobs that no bundle which stays needs and that nobody
    has used for as long.
    """

    bundles: dict[Digest, Why]
    blobs: tuple[Digest, ...]

    def of(self, *reasons: Why) -> list[Digest]:
        """The bundles with one of these reasons."""
        return [digest for digest, why in self.bundles.items() if why in reasons]


def plan(
    contents: Contents,
    known: Sequence[References],
    *,
    older_than_s: float,
    may_be_open: Callable[[Bundle], bool],
) -> Plan:
    """What becomes of what a store holds. When in doubt, it is kept."""
    needed = frozenset[Digest]().union(*(refers.needed for refers in known))
    purged = {digest for refers in known for digest in refers.purged.values()}
    models = {refers.model for refers in known}

    def judged(bundle: Bundle) -> Why:
        held = contents.blobs[bundle.digest]
        if bundle.digest in needed:
            return Why.REFERRED
        if bundle.model not in models:
            return Why.ELSEWHERE
        if held.is_named:
            return Why.NAMED
        if held.age_s is None:
            return Why.UNCOUNTED
        if held.age_s < older_than_s:
            return Why.YOUNG
        if bundle.digest in purged:
            return Why.PURGED
        return Why.OPEN if may_be_open(bundle) else Why.EXPIRED

    bundles = {digest: judged(bundle) for digest, bundle in sorted(contents.bundles.items())}
    gone = {digest for digest, why in bundles.items() if why.is_over}
    return Plan(bundles=bundles, blobs=unneeded(contents, gone, older_than_s=older_than_s))


def unneeded(
    contents: Contents, gone: Collection[Digest], *, older_than_s: float
) -> tuple[Digest, ...]:
    """The blobs that are no bundle, that none but the bundles `gone` need, and that nobody has
    used for so long.
    """
    needed = set(contents.strange)
    for digest, bundle in contents.bundles.items():
        if digest not in gone:
            needed.update(bundle.blobs)
    return tuple(
        sorted(
            held.digest
            for held in contents.blobs.values()
            if held.digest not in contents.bundles
            and held.digest not in needed
            and not held.is_named
            and held.age_s is not None
            and held.age_s >= older_than_s
        )
    )
