"""What nothing refers to, and how long it has been so: what a clean-up takes away. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from enum import StrEnum

import msgspec

from assent.core.bundle import Bundle
from assent.core.digest import Digest
from assent.keeping.contents import Contents
from assent.keeping.references import References
from assent.ports import Held


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


_MAY_GO = (Why.YOUNG, Why.UNCOUNTED)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of each bundle, and the blobs that no bundle which stays needs and that nobody
    has used for as long. `uncounted` are blobs that nothing keeps for good and whose age the store
    does not know yet: it is to be counted, so that they can go with or after their bundles.
    """

    bundles: dict[Digest, Why]
    blobs: tuple[Digest, ...]
    uncounted: tuple[Digest, ...] = ()

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
        if bundle.digest in purged:  # the ledger has said so: nobody may use it, however young
            return Why.PURGED
        if held.age_s is None:
            return Why.UNCOUNTED
        if held.age_s < older_than_s:
            return Why.YOUNG
        return Why.OPEN if may_be_open(bundle) else Why.EXPIRED

    bundles = {digest: judged(bundle) for digest, bundle in sorted(contents.bundles.items())}
    gone = {digest for digest, why in bundles.items() if why.is_over}
    passing = {digest for digest, why in bundles.items() if why.is_over or why in _MAY_GO}
    return Plan(
        bundles=bundles,
        blobs=unneeded(contents, gone, older_than_s=older_than_s),
        uncounted=tuple(held.digest for held in _needless(contents, passing) if held.age_s is None),
    )


def unneeded(
    contents: Contents, gone: Collection[Digest], *, older_than_s: float
) -> tuple[Digest, ...]:
    """The blobs that are no bundle, that none but the bundles `gone` need, and that nobody has
    used for so long.
    """
    return tuple(
        held.digest
        for held in _needless(contents, gone)
        if held.age_s is not None and held.age_s >= older_than_s
    )


def _needless(contents: Contents, gone: Collection[Digest]) -> list[Held]:
    """The same, however old."""
    needed = set(contents.strange)
    for digest, bundle in contents.bundles.items():
        if digest not in gone:
            needed.update(bundle.blobs)
    return [
        contents.blobs[digest]
        for digest in sorted(contents.blobs.keys() - contents.bundles.keys() - needed)
        if not contents.blobs[digest].is_named
    ]
