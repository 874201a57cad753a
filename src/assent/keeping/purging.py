"""The bytes of one bundle, taken away on purpose."""

from __future__ import annotations

from assent.core.digest import Digest
from assent.core.kept_inspection import layer_of
from assent.errors import IntegrityError, OutsideError
from assent.keeping.contents import Contents, look
from assent.ports import NotInStoreError, Store
from assent.report.numbers import size
from assent.workspace import Workspace

JUST_USED_S = 2 * 60 * 60.0
"""What was used since then may be needed by a bundle that is written at this moment."""


def take_away(
    workspace: Workspace, model: str, bundle: Digest, inspection: Digest | None = None
) -> str:
    """Take away a bundle, the blobs that no other needs, and the `inspection` of its files; what
    was done, in words. The manifest goes last, so that what was cut off is done again. The ledger
    has said so before.
    """
    store = workspace.store
    try:
        contents = look(store)
        gone, left = _blobs_gone(workspace, contents, bundle)
        if bundle in contents.bundles or bundle in contents.damaged:
            store.remove(bundle, older_than_s=0.0)
            gone.append(bundle)
        if inspection is not None:
            _take_inspection(store, inspection)
        store.forget([bundle])
        store.relist(model)
    except OutsideError as error:
        raise OutsideError(
            error.doing,
            f"{error.problem}; the ledger says that the version is purged, and that decides",
            hint=f"{error.hint or 'see that the store can be written'}; then run the verb again",
        ) from None
    if not gone:
        return "its bytes are not in the store"
    sentence = f"{size(contents.size_of(gone))} taken away"
    return f"{sentence}; {left}" if left else sentence


def _take_inspection(store: Store, inspection: Digest) -> None:
    try:
        layer = layer_of(store.read(inspection))
    except (NotInStoreError, IntegrityError):
        return
    store.remove(inspection, older_than_s=0.0)
    if layer is not None and store.lists_blobs:
        store.remove(layer, older_than_s=0.0)


def _blobs_gone(
    workspace: Workspace, contents: Contents, bundle: Digest
) -> tuple[list[Digest], str]:
    """The blobs that were taken away, and what was not."""
    if bundle not in contents.bundles:
        return [], ""
    own = [blob for blob in contents.own_blobs(bundle) if blob != bundle]
    shared = len(set(contents.bundles[bundle].blobs)) - len(own) - 1
    left = [f"{shared:,} blobs stay, which others need"] if shared else []
    if not workspace.store.lists_blobs:
        left.append("the registry clears the blobs away when it collects its garbage")
        return own, "; ".join(left)
    named = {blob for blob in own if blob in contents.blobs and contents.blobs[blob].is_named}
    gone = [
        blob
        for blob in own
        if blob not in named | contents.strange
        and workspace.store.remove(blob, older_than_s=JUST_USED_S)
    ]
    kept = [blob for blob in own if blob in contents.blobs and blob not in gone]
    if kept:
        left.append(
            f"{len(kept):,} blobs stay: they were used within two hours, or have another name; "
            "`assent store gc` takes them away later"
        )
    return gone, "; ".join(left)
