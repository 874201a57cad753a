"""The bytes of one bundle, taken away on purpose."""

from __future__ import annotations

from assent.core.digest import Digest
from assent.errors import OutsideError
from assent.keeping.contents import Contents, look
from assent.report.numbers import size
from assent.workspace import Workspace

JUST_USED_S = 2 * 60 * 60.0
"""What was used since then may be needed by a bundle that is written at this moment."""


def take_away(workspace: Workspace, model: str, bundle: Digest) -> str:
    """Take away a bundle, and the blobs that no other needs; what was done, in words. The manifest
    goes last, so that a clean-up that was cut off is done again. The ledger has said so before.
    """
    store = workspace.store
    try:
        contents = look(store)
        gone, left = _blobs_gone(workspace, contents, bundle)
        if bundle in contents.bundles or bundle in contents.damaged:
            store.remove(bundle, older_than_s=0.0)
            gone.append(bundle)
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
    said = f"{size(contents.size_of(gone))} taken away"
    return f"{said}; {left}" if left else said


def _blobs_gone(
    workspace: Workspace, contents: Contents, bundle: Digest
) -> tuple[list[Digest], str]:
    """The blobs that were taken away, and what was not."""
    if bundle not in contents.bundles:
        return [], ""
    own = [one for one in contents.own_blobs(bundle) if one != bundle]
    shared = len(set(contents.bundles[bundle].blobs)) - len(own) - 1
    left = [f"{shared:,} blobs stay, which others need"] if shared else []
    if not workspace.store.lists_blobs:
        left.append("the registry clears the blobs away when it collects its garbage")
        return own, "; ".join(left)
    named = {one for one in own if one in contents.blobs and contents.blobs[one].is_named}
    gone = [
        one
        for one in own
        if one not in named | contents.strange
        and workspace.store.remove(one, older_than_s=JUST_USED_S)
    ]
    kept = [one for one in own if one in contents.blobs and one not in gone]
    if kept:
        left.append(
            f"{len(kept):,} blobs stay: they were used within two hours, or have another name; "
            "`assent store gc` takes them away later"
        )
    return gone, "; ".join(left)
