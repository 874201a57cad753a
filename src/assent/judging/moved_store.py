"""A store or a ledger that a change moves: what is in the old one, and would be looked for in the
new one.
"""

from __future__ import annotations

import shlex

from assent.compare.bundles import LoadedBundle
from assent.config.settings import Config
from assent.core.bundle import read_manifest
from assent.core.digest import Digest
from assent.core.ledgers import place_of
from assent.errors import AssentError
from assent.judging.landing import approved
from assent.ports import View
from assent.workspace import Workspace

_ELSEWHERE = "://"
"""What the address of a store has that is no folder."""


def moved_store(
    workspace: Workspace, view: View, candidate: LoadedBundle, proposed: Config | None
) -> tuple[str, ...]:
    """What a reviewer has to know of a change that moves the store: from the merge on, whatever is
    registered, promoted or pulled is looked for in the new one alone. How it gets there is offered.
    """
    base = workspace.base_config()
    if base is None or proposed is None or base.store == proposed.store:
        return ()
    held = [line.bundle for line in view.state.newest if not line.purged]
    wanted = list(dict.fromkeys([candidate.bundle.digest, *approved(view), *held]))
    sentence = f"It moves the store from {base.store} to {proposed.store}."
    missing = _missing(workspace, proposed.store, wanted)
    if missing is not None and not missing:
        return (f"{sentence} The new one holds this bundle and the newest versions.",)
    what = "is not known to hold" if missing is None else "does not hold"
    count = len(wanted) if missing is None else len(missing)
    return (
        f"{sentence} The new one {what} {count} of the {len(wanted)} bundles that are approved, or "
        "are the newest versions, and this one is among those that are looked for: after the merge "
        "nothing that is missing can be registered, promoted or pulled. Before it, "
        f"{_copy(base.store, proposed.store)}",
    )


def moved_ledger(workspace: Workspace, proposed: Config | None) -> tuple[str, ...]:
    """What a reviewer has to know of a change that moves the ledger: whoever merges it has to have
    moved the entries.
    """
    base = workspace.base_config()
    if base is None or proposed is None or place_of(base.ledger) == place_of(proposed.ledger):
        return ()
    target = place_of(proposed.ledger)
    return (
        f"It moves the ledger from {base.ledger} to {target}. Right before the merge, somebody who "
        f"may decide runs `assent ledger move {shlex.quote(target)} --reason …` on "
        f"{workspace.base_branch or 'the base branch'}: every decision is there then, and none is "
        "written until the merge. Without it nothing can be decided afterwards: the store knows "
        "entries that are not there.",
    )


def _missing(workspace: Workspace, address: str, wanted: list[Digest]) -> list[Digest] | None:
    """Which of the bundles a store does not hold whole; None where it cannot be looked into."""
    folder = workspace.root / address
    if _ELSEWHERE in address or not folder.is_dir():
        return None if _ELSEWHERE in address else wanted
    store = workspace.folder_store(folder.resolve())
    missing = []
    for digest in wanted:
        try:
            blobs = read_manifest(store.read(digest)).blobs
            if any(state.value != "sound" for state in store.check(blobs).values()):
                missing.append(digest)
        except AssentError:
            missing.append(digest)
    return missing


def _copy(old: str, new: str) -> str:
    """How all of it gets there: what is there already is not sent again."""
    return (
        f"copy it: `assent store copy {shlex.quote(new)}`; and once more right after the merge, "
        f"`assent store copy {shlex.quote(new)} --from {shlex.quote(old)} --moved --reason …`, "
        "which says in the ledger that it has moved."
    )
