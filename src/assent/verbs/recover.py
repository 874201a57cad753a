"""`verify --recover`: let a ledger that lost its end decide again, by a person who says why."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from assent.core.digest import short
from assent.core.entry import Draft, Entry, Kind
from assent.core.registry import ChainError
from assent.errors import PolicyError, UsageError
from assent.ports import Pointer
from assent.recording.idempotency_keys import Key, keyed
from assent.recording.namesakes import require_own_name
from assent.recording.reading import require_here
from assent.recording.reasons import require_reason
from assent.recording.whole import FullRead, read_whole
from assent.workspace import Workspace

HERE = "this clone"
"""Stands for what a clone remembers among the witnesses."""


_OF_JOBS = ("CI", "JENKINS_URL", "TEAMCITY_VERSION", "TF_BUILD")
"""Variables that are set in jobs: the first by most systems, the others by those that do not."""


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """What was given up: the witnesses by name, with the entries that they were derived from. The
    loss is noted as entry `seq` of the ledger. `numbers` are those of versions that are lost, which
    later versions will get.
    """

    model: str
    seq: int
    given_up: dict[str, str]
    restored: tuple[str, ...]
    numbers: tuple[int, ...] = ()


def recover(workspace: Workspace, model: str, *, reason: str) -> Recovered:
    """Note on the ledger that entries are lost, with the witnesses of them, and derive what the
    store points to from what is left.

    A person decides that, never a job: whoever cut the ledger off would ask for it. Raises
    `PolicyError` in CI and where a clone of the lost entries is at hand, `UsageError` if nothing
    is missing, and `IntegrityError` if what is left does not verify.
    """
    doing = f"recovering the ledger of {model}"
    workspace.require_trusted(doing)
    require_reason(reason, doing)
    if workspace.context.system is not None or any(map(workspace.environ.get, _OF_JOBS)):
        raise PolicyError(
            doing,
            "a job cannot decide that entries are lost",
            hint="a person runs this on a clone of their own, after looking for the lost entries",
        )
    require_own_name(workspace, model, doing)
    read = read_whole(workspace, model, remembered=False)
    require_here(workspace, read.view)
    given_up = {name: _said(read.there[name]) for name in read.witnessed}
    try:
        workspace.ledger.read(model)
    except ChainError as error:
        given_up[HERE] = error.problem
    if not given_up:
        raise UsageError(doing, "nothing is missing", hint="`assent verify --repair` is enough")
    _require_no_copy(workspace, model, read, doing)
    lost = {
        pointer.version
        for pointer in read.there.values()
        if pointer is not None and pointer.version
    }
    with keyed(workspace, model, "recover", reason) as key:
        noted = _noted(workspace, model, given_up, reason, key)
        workspace.ledger.forget(model)  # now that the loss is noted
        restored = _restored(workspace, read_whole(workspace, model))
    return Recovered(
        model=model,
        seq=noted.seq,
        given_up=given_up,
        restored=restored,
        numbers=tuple(
            sorted(version for version in lost if version > read.registry.state.versions)
        ),
    )


def _noted(
    workspace: Workspace, model: str, given_up: Mapping[str, str], reason: str, key: Key
) -> Entry:
    """The entry about the loss. One that an earlier run has written, which was cut off, is the
    same if it names all that is given up now.
    """
    view = workspace.ledger.read(model, remembered=False)
    for entry in key.written(view) if key.is_repeated else ():
        if all(f"{name}: " in (entry.reason or "") for name in given_up):
            return entry
    draft = Draft(
        kind=Kind.NOTED,
        at=workspace.now,
        model=model,
        actor=workspace.forge.whoami(),
        reason=f"entries are lost: {_listed(given_up)}. {reason}",
        key=key.value,
    )
    [noted] = workspace.ledger.append(view, [draft])
    return noted


def _require_no_copy(workspace: Workspace, model: str, read: FullRead, doing: str) -> None:
    """Raise `PolicyError` if a branch of this clone has entries that the ledger has not."""
    for copy in workspace.ledger.copies(model):
        if copy.seq >= len(read.digests) or read.digests[copy.seq] != copy.entry:
            raise PolicyError(
                doing,
                f"{copy.name} of this clone has another entry {copy.seq} than the ledger, or the "
                "only one",
                hint=f"look at it, and push it if it is right: `git push --force <remote> "
                f"{copy.commit}:refs/heads/assent/{model}`; else delete it here",
            )


def _restored(workspace: Workspace, read: FullRead) -> tuple[str, ...]:
    wanted = read.wanted
    empty = Pointer(seq=read.registry.state.seq, entry=read.registry.head)
    names = [
        name
        for name in sorted({*wanted, *read.witnessed})
        if read.there.get(name) != wanted.get(name)
    ]
    return tuple(
        name
        for name in names
        if workspace.store.restore(name, wanted.get(name, empty), instead_of=read.there.get(name))
    )


def _said(pointer: Pointer | None) -> str:
    return "" if pointer is None else f"knew entry {pointer.seq} ({short(pointer.entry)})"


def _listed(given_up: Mapping[str, str]) -> str:
    shown = [f"{name}: {entry}" for name, entry in sorted(given_up.items())]
    more = f" and {len(shown) - 5:,} more" if len(shown) > 5 else ""
    return ", ".join(shown[:5]) + more
