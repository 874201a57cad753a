"""What refers to a bundle: ledgers, pointers, locks and branches."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from assent.core.digest import Digest
from assent.core.entry import Entry, decode_entry
from assent.errors import IdleError, IntegrityError, UsageError
from assent.making.locks import lock_at, lock_here
from assent.recording.reading import require_here
from assent.recording.whole import FullRead, read_whole
from assent.recording.witnesses import witness_error
from assent.workspace import Workspace


class References(msgspec.Struct, frozen=True, kw_only=True):
    """What one model's ledger, pointers and locks refer to. `versions` have their bytes, those of
    `purged` were taken away on purpose; `named` are other bundles that entries name; `inspections`
    say what is in the files of a bundle.
    """

    model: str
    versions: dict[int, Digest]
    purged: dict[int, Digest]
    named: frozenset[Digest]
    pointed: frozenset[Digest]
    inspections: dict[Digest, frozenset[Digest]] = {}
    locked: frozenset[Digest] = frozenset()

    @property
    def needed(self) -> frozenset[Digest]:
        """All of them, but for what was purged."""
        kept = {*self.versions.values(), *self.named, *self.pointed, *self.locked}
        return frozenset(kept - set(self.purged.values()))


def known_models(workspace: Workspace) -> list[str]:
    """Every model that the configuration or a ledger has."""
    return sorted({*workspace.config.models, *workspace.ledger.models()})


def require_whole(workspace: Workspace, model: str) -> FullRead:
    """The ledger of a model read whole. Raises `IntegrityError` if it does not verify, or lacks an
    entry that the store was derived from.
    """
    read = read_whole(workspace, model)
    if read.witnessed:
        read = read_whole(workspace, model)  # a server may have answered from an old copy
    for problem in read.witnessed.values():
        require_here(workspace, read.view, "reading")
        raise witness_error(model, problem)
    return read


def references(read: FullRead) -> References:
    """What a ledger that was read whole refers to, and the pointers beside it. Raises
    `IntegrityError` for one that a later format has written: it may refer to more.
    """
    model, records = read.registry.state.model, read.registry.records
    if read.view.later_format is not None:
        raise IntegrityError(
            f"reading what the ledger of {model} refers to",
            f"format {read.view.later_format} has written it, which may refer to more than is known"
            " here",
            hint="upgrade Assent first",
        )
    named: set[Digest] = set()
    inspections: dict[Digest, frozenset[Digest]] = {}
    for content in read.view.entries():
        entry = decode_entry(content)
        named |= bundles_in(entry)
        if entry.inspection is not None and entry.subject.bundle is not None:
            known = inspections.get(entry.subject.bundle, frozenset())
            inspections[entry.subject.bundle] = known | {entry.inspection}
    gone = {record.bundle for record in records.values() if record.purged is not None}
    numbered = read.registry.versions.items()
    return References(
        model=model,
        versions={number: bundle for number, bundle in numbered if bundle not in gone},
        purged={number: bundle for number, bundle in numbered if bundle in gone},
        named=frozenset(named - set(read.registry.versions.values())),
        pointed=frozenset(
            pointer.bundle
            for pointer in read.there.values()
            if pointer is not None and pointer.bundle is not None
        ),
        inspections=inspections,
    )


def bundles_in(entry: Entry) -> set[Digest]:
    """The bundles that an entry names."""
    bundles = {entry.subject.bundle, *(review.bundle for review in entry.approvals)}
    return {bundle for bundle in bundles if bundle is not None}


def locked(workspace: Workspace, models: Sequence[str]) -> frozenset[Digest]:
    """The bundles that `assent.lock` names, in the working tree and on the base branch. Raises
    `UsageError` for a lock that cannot be read.
    """
    locks = []
    for model in models:
        locks.append(lock_here(workspace, model))
        if workspace.base is not None:
            locks.append(lock_at(workspace, workspace.base, model))
    return frozenset(lock.bundle for lock in locks if lock is not None)


def branch_tips(workspace: Workspace) -> frozenset[str]:
    """The commits that branches of this clone end with: an open change has one."""
    doing = "listing the branches of this clone"
    words = ("for-each-ref", "--format=%(objectname)", "refs/heads", "refs/remotes")
    return frozenset(workspace.repository.run(*words, doing=doing).split())


def shown(workspace: Workspace, models: Sequence[str]) -> frozenset[Digest]:
    """The bundles that the forge shows on the change of this checkout."""
    bundles = set()
    for model in models:
        try:
            bundles.add(workspace.forge.shown(model))
        except (UsageError, IdleError):  # a checkout of no change
            continue
    return frozenset(bundle for bundle in bundles if bundle is not None)
