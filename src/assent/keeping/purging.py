"""The bytes of one bundle, taken away on purpose."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from assent.core.digest import Digest, short
from assent.core.entry import decode_entry
from assent.core.kept_inspection import layer_of
from assent.core.registry import fold
from assent.errors import AssentError, IntegrityError, OutsideError
from assent.keeping.contents import Contents, look
from assent.keeping.references import bundles_in, known_models
from assent.ports import NotInStoreError, StaysError, Store
from assent.report.numbers import size
from assent.workspace import Workspace

JUST_USED_S = 2 * 60 * 60.0
"""What was used since then may be needed by a bundle that is written at this moment."""

_SWEPT_S = 24 * 60 * 60.0


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What of a bundle was taken away: `gone`. Of the blobs that it needs, `shared` are of others,
    too, and `left` are its own and could not go yet; with them its manifest stays. Those that are
    `stuck` never go by this store.
    """

    gone: frozenset[Digest]
    shared: int
    left: int
    is_whole: bool
    stuck: frozenset[Digest] = frozenset()


def survey(store: Store) -> Contents:
    """What the store holds, also what an earlier run was taking away when it was killed. Asked
    before the ledger says that a version is purged, so that nothing is recorded if nobody can tell.
    """
    store.sweep(older_than_s=_SWEPT_S)
    return look(store)


def take_away(
    workspace: Workspace,
    model: str,
    bundle: Digest,
    contents: Contents,
    inspections: Collection[Digest] = (),
) -> str:
    """Take away a bundle, the blobs that no other needs, and `inspections` of its files; what
    was done, in words, and what stays. The manifest goes last: while a blob stays, it says which,
    so that this can be done again. The ledger has said so before.
    """
    store = workspace.store
    try:
        done = _bundle_gone(workspace, contents, bundle)
        for inspection in inspections:
            _take_inspection(store, inspection)
        store.forget([bundle])
        store.relist(model)
    except AssentError as error:
        kind = IntegrityError if isinstance(error, IntegrityError) else OutsideError
        raise kind(
            error.doing,
            f"{error.problem}; the ledger says that the version is purged, and that decides, but "
            f"bytes of {bundle} may be there",
            hint=f"{error.hint or 'see that the store can be written'}; then run the verb again",
        ) from None
    return done


def take_bundle(store: Store, contents: Contents, bundle: Digest) -> Taken:
    """Take away a bundle that can be read, and what no other needs of it."""
    blobs = set(contents.bundles[bundle].blobs) - {bundle}
    own = set(contents.own_blobs(bundle)) - {bundle} - contents.strange
    if not store.lists_blobs:
        is_gone = store.remove(bundle, older_than_s=0.0)
        gone = frozenset({bundle, *own} if is_gone else ())
        return Taken(gone=gone, shared=len(blobs - own), left=0, is_whole=is_gone)
    held = blobs & contents.blobs.keys()
    own = {blob for blob in own & held if not contents.blobs[blob].is_named}
    taken, stuck = set(), set()
    for blob in sorted(own):
        try:
            if store.remove(blob, older_than_s=JUST_USED_S):
                taken.add(blob)
        except StaysError:
            stuck.add(blob)
    is_whole = taken == own and store.remove(bundle, older_than_s=0.0)
    return Taken(
        gone=frozenset({bundle, *taken} if is_whole else taken),
        shared=len(held - own),
        left=len(own - taken),
        is_whole=is_whole,
        stuck=frozenset(stuck),
    )


def _bundle_gone(workspace: Workspace, contents: Contents, bundle: Digest) -> str:
    store = workspace.store
    if bundle in contents.damaged:
        store.remove(bundle, older_than_s=0.0)
        return f"its manifest was damaged and is taken away; {_rest(store)}"
    if bundle not in contents.bundles:
        return f"its manifest is not in the store; {_rest(store)}"
    if store.lists_blobs and (lost := _unknown(workspace, contents, bundle)):
        more = f" and {len(lost) - 5:,} more" if len(lost) > 5 else ""
        return (
            f"its bytes stay: manifests are missing or damaged, so that nobody knows which of them "
            f"others need: {', '.join(lost[:5])}{more}; see `assent verify`, then run this again"
        )
    taken = take_bundle(store, contents, bundle)
    done = [f"{size(contents.size_of(taken.gone))} taken away"]
    if taken.shared:
        done.append(f"{taken.shared:,} blobs stay, which others need")
    if not taken.is_whole and not store.lists_blobs:
        done.append(
            "its manifest stays: the tag that is to keep it names something else; remove the "
            f"manifest {bundle} with all its tags where the registry is looked after"
        )
    elif not taken.is_whole:
        blobs = (
            f"{taken.left:,} blobs and its manifest stay" if taken.left else "its manifest stays"
        )
        done.append(
            f"{blobs}: they were used within two hours, or how old they are is counted from now "
            "on; run this again after two hours"
        )
    if taken.stuck:
        names = ", ".join(sorted(taken.stuck)[:5])
        done.append(
            f"{len(taken.stuck):,} of them cannot be removed here: do it with the tools of the "
            f"service: {names}"
        )
    if taken.is_whole and not store.lists_blobs:
        done.append("the registry clears the blobs away when it collects its garbage")
    return "; ".join(done)


def _rest(store: Store) -> str:
    """What becomes of blobs that no manifest calls its own."""
    if not store.lists_blobs:
        return "blobs that no manifest needs are the registry's to clear away"
    return (
        "its blobs were not looked for, for only the manifest names them: `assent store gc` has "
        "what no bundle needs"
    )


def _unknown(workspace: Workspace, contents: Contents, bundle: Digest) -> list[str]:
    """The bundles that must stay, beside this one, of which nobody knows what they need."""
    lost = [short(digest) for digest in contents.damaged]
    for model in known_models(workspace):
        view = workspace.ledger.read(model)
        registry = fold(model, view.entries())
        named = {
            digest for content in view.entries() for digest in bundles_in(decode_entry(content))
        }
        unread = named & contents.blobs.keys() - contents.bundles.keys()
        seen = {*contents.damaged, *registry.versions.values()}
        lost += [short(digest) for digest in sorted(unread - seen)]
        lost += [
            f"v{number} of {model}"
            for number, digest in registry.versions.items()
            if digest != bundle
            and digest not in contents.bundles
            and registry.records[digest].purged is None
        ]
    return lost


def _take_inspection(store: Store, inspection: Digest) -> None:
    try:
        layer = layer_of(store.read(inspection))
    except (NotInStoreError, IntegrityError):
        return
    store.remove(inspection, older_than_s=0.0)
    if layer is not None and store.lists_blobs:
        store.remove(layer, older_than_s=0.0)
