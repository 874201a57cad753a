"""`store gc`: take away what nothing refers to any more. It shows what, and does it if asked to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from assent.core.bundle import Bundle
from assent.core.digest import Digest, short
from assent.errors import IntegrityError, UsageError
from assent.keeping.contents import Contents, look
from assent.keeping.plan import Plan, Why, plan, unneeded
from assent.keeping.purging import take_bundle
from assent.keeping.references import (
    References,
    branch_tips,
    known_models,
    locked,
    references,
    require_whole,
    shown,
)
from assent.making.bundles import open_bundle
from assent.ports import NotInStoreError, StaysError
from assent.workspace import Workspace

LEAST_S = 24 * 60 * 60.0
"""The shortest time that may be asked for: a bundle may be written for hours."""


class OldBundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that is taken away. `size_bytes` are those that no other bundle needs."""

    model: str
    bundle: Digest
    age_s: float
    size_bytes: int
    why: Why
    removed: bool = False


class StoreGcResult(msgspec.Struct, frozen=True, kw_only=True):
    """What nothing refers to, and whether it was taken away (`deleted`). `kept` counts the bundles
    that stay, by the reason. `blobs` are those that no bundle needs; None where the store clears
    them away itself. `uncounted` are blobs of no use any more, or of bundles that may go, whose age
    the store does not know: `deleted` has it counted from then on. `spared` were used again in the
    meantime, and `stuck` cannot be taken away from this store by Assent.
    """

    older_than_s: float
    deleted: bool
    bundles: tuple[OldBundle, ...]
    kept: dict[Why, int]
    blobs: int | None
    size_bytes: int
    spared: int = 0
    uncounted: int = 0
    stuck: tuple[Digest, ...] = ()
    left_bytes: int = 0


def store_gc(workspace: Workspace, *, older_than_s: float, delete: bool = False) -> StoreGcResult:
    """Find the bundles and blobs that no ledger, pointer, lock or open change refers to and that
    nobody has used for so long; with `delete`, take them away.

    A bundle counts as used when it is bundled, taken over, reviewed, found again or decided on. It
    is taken for one of an open change while a branch of this clone ends with the commit that it was
    made from, or the forge shows it on the change of this checkout. When in doubt, it stays. Raises
    `IntegrityError` where it is not known what is needed.
    """
    doing = "cleaning up the store"
    if older_than_s < LEAST_S:
        problem = "a bundle that is being written must not lose what it has found there"
        raise UsageError(doing, problem, hint="let it be a day (24h) at least")
    if delete:
        workspace.require_trusted(doing)
    contents = look(workspace.store)
    # After what is held: whoever refers to something from now on has renewed it.
    known = _known(workspace, doing)
    _require_known(contents, known, doing)
    tips, on_show = branch_tips(workspace), shown(workspace, [refers.model for refers in known])

    def may_be_open(bundle: Bundle) -> bool:
        return bundle.digest in on_show or _ends_a_branch(workspace, bundle, tips)

    planned = plan(contents, known, older_than_s=older_than_s, may_be_open=may_be_open)
    if not delete:
        return _result(workspace, contents, planned, older_than_s)
    return _done(workspace, contents, planned, older_than_s)


def _known(workspace: Workspace, doing: str) -> list[References]:
    known = []
    models = known_models(workspace)
    for model in models:
        workspace.say(f"{doing}: reading what the ledger of {model} refers to")
        known.append(references(require_whole(workspace, model)))
    names = locked(workspace, models)
    return [msgspec.structs.replace(refers, locked=names) for refers in known]


def _require_known(contents: Contents, known: Sequence[References], doing: str) -> None:
    """Raise `IntegrityError` if nobody knows what is needed by something that must stay."""
    lost = [
        f"v{number} of {refers.model} ({short(digest)})"
        for refers in known
        for number, digest in refers.versions.items()
        if digest not in contents.bundles
    ]
    needed = frozenset[Digest]().union(*(refers.needed for refers in known))
    unread = needed & contents.blobs.keys() - contents.bundles.keys()
    damaged = {*contents.damaged, *unread} - {
        digest for refers in known for digest in refers.versions.values()
    }
    lost += [short(digest) for digest in sorted(damaged)]
    if lost:
        more = f" and {len(lost) - 5:,} more" if len(lost) > 5 else ""
        raise IntegrityError(
            doing,
            f"manifests are missing or damaged, so that nobody knows what they need: "
            f"{', '.join(lost[:5])}{more}",
            hint="`assent verify` says more; write them again with `assent bundle`, or say with "
            "`assent retire VERSION --purge` that the bytes of a version are gone for good",
        )


def _ends_a_branch(workspace: Workspace, bundle: Bundle, tips: frozenset[str]) -> bool:
    """Whether a branch may end with the commit that a bundle was made from. One whose evidence is
    gone is of no use to anybody; what evidence says that cannot be read, nobody knows.
    """
    try:
        return open_bundle(workspace, bundle).evidence.code.commit in tips
    except NotInStoreError:
        return False
    except IntegrityError:
        return True


def _done(
    workspace: Workspace, contents: Contents, planned: Plan, older_than_s: float
) -> StoreGcResult:
    store = workspace.store
    # First, for it must not wait until everything else can be taken away.
    for digest in (*planned.of(Why.UNCOUNTED), *planned.uncounted):
        store.remove(digest, older_than_s=older_than_s)  # its age is counted from now on
    purged = [take_bundle(store, contents, digest) for digest in planned.of(Why.PURGED)]
    erased = frozenset[Digest]().union(*(taken.gone for taken in purged))
    stuck = set[Digest]().union(*(taken.stuck for taken in purged))
    # Manifests first: what is cut off afterwards leaves blobs that nothing refers to.
    gone = _removed(workspace, planned.of(Why.EXPIRED), older_than_s, stuck)
    gone |= erased & contents.bundles.keys()
    wanted = unneeded(contents, gone, older_than_s=older_than_s) if store.lists_blobs else ()
    old = [digest for digest in wanted if digest not in erased]
    removed = _removed(workspace, old, older_than_s, stuck)
    used_again = {*planned.of(Why.EXPIRED), *old} - gone - removed - stuck
    removed |= erased - gone
    if gone:
        store.forget(gone)
    left = store.sweep(older_than_s=older_than_s)
    outcome = _result(workspace, contents, planned, older_than_s)
    all_gone = gone | removed if store.lists_blobs else _own(contents, gone)
    return msgspec.structs.replace(
        outcome,
        deleted=True,
        bundles=tuple(
            msgspec.structs.replace(old, removed=old.bundle in gone) for old in outcome.bundles
        ),
        blobs=len(removed) if store.lists_blobs else None,
        size_bytes=contents.size_of(all_gone),
        spared=len(used_again),
        stuck=tuple(sorted(stuck)),
        left_bytes=left,
    )


def _removed(
    workspace: Workspace, digests: Iterable[Digest], older_than_s: float, stuck: set[Digest]
) -> set[Digest]:
    """What was taken away of these. What this store cannot take away is `stuck`, and said."""
    gone = set()
    for digest in digests:
        try:
            if workspace.store.remove(digest, older_than_s=older_than_s):
                gone.add(digest)
        except StaysError as error:
            workspace.say(str(error))
            stuck.add(digest)
    return gone


def _result(
    workspace: Workspace, contents: Contents, planned: Plan, older_than_s: float
) -> StoreGcResult:
    over = planned.of(Why.EXPIRED, Why.PURGED)
    kept = Counter(why for why in planned.bundles.values() if not why.is_over)
    lists_blobs = workspace.store.lists_blobs
    whole = {*over, *planned.blobs} if lists_blobs else _own(contents, over)
    return StoreGcResult(
        older_than_s=older_than_s,
        deleted=False,
        bundles=tuple(
            OldBundle(
                model=contents.bundles[digest].model,
                bundle=digest,
                age_s=contents.blobs[digest].age_s or 0.0,
                size_bytes=contents.size_of(contents.own_blobs(digest)),
                why=planned.bundles[digest],
            )
            for digest in over
        ),
        kept=dict(sorted(kept.items())),
        blobs=len(planned.blobs) if lists_blobs else None,
        size_bytes=contents.size_of(whole),
        uncounted=len(planned.uncounted) if lists_blobs else 0,
    )


def _own(contents: Contents, gone: Sequence[Digest] | set[Digest]) -> set[Digest]:
    """The blobs that these bundles alone need."""
    stay = {
        blob
        for digest in contents.bundles.keys() - set(gone)
        for blob in contents.bundles[digest].blobs
    }
    return {blob for digest in gone for blob in contents.bundles[digest].blobs} - stay
