"""`verify`: read the ledger and the store whole, and say everything that is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from assent.core.bundle import Bundle, read_manifest
from assent.core.digest import Digest, short
from assent.core.entry import entry_digest
from assent.core.registry import ChainError, Registry, fold
from assent.errors import AssentError, ExitCode, IntegrityError
from assent.ports import BlobState, NotInStoreError, Pointer, View
from assent.verbs.workspace import Workspace


class Area(StrEnum):
    """What a problem is about."""

    CHAIN = "chain"
    STATE = "state"
    BLOBS = "blobs"
    POINTERS = "pointers"


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something that does not verify, and whether `--repair` has put it right. `seq` is the first
    bad entry, for a broken chain.
    """

    model: str
    area: Area
    problem: str
    seq: int | None = None
    repaired: bool = False


class VerifyResult(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was read, and everything that is wrong with it."""

    models: tuple[str, ...]
    entries: int
    versions: int
    blobs: int
    faults: tuple[Fault, ...]

    @property
    def exit_code(self) -> ExitCode:
        """4 if anything is left that does not verify."""
        left = [fault for fault in self.faults if not fault.repaired]
        return ExitCode.INTEGRITY if left else ExitCode.DONE


class _Findings:
    """What is found on the way."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.entries = 0
        self.versions = 0
        self.blobs = 0


def verify(
    workspace: Workspace, models: Sequence[str], *, repair: bool = False, blobs: bool = True
) -> VerifyResult:
    """Check chain, state, blobs and pointers of `models`; one broken model hides no other.

    With `repair`, what can be derived is derived again (state, pointers), and damaged blobs are
    taken away so that bundling stores them again. A broken chain is never repaired.
    """
    if repair:
        workspace.require_trusted("repairing what is derived")
    found = _Findings()
    for model in models:
        workspace.say(f"verifying {model}")
        registry = _ledger(workspace, model, found, repair=repair)
        if registry is not None:
            if blobs:
                _blobs(workspace, model, registry, found, repair=repair)
            _pointers(workspace, model, registry, found, repair=repair)
    return VerifyResult(
        models=tuple(models),
        entries=found.entries,
        versions=found.versions,
        blobs=found.blobs,
        faults=tuple(found.faults),
    )


def _ledger(workspace: Workspace, model: str, found: _Findings, *, repair: bool) -> Registry | None:
    """The fold of the entries, or None if the chain is broken."""
    try:
        view = workspace.ledger.read(model, strict=False)
        registry = fold(model, view.entries())
    except ChainError as error:
        found.faults.append(
            Fault(model=model, area=Area.CHAIN, problem=error.problem, seq=error.seq)
        )
        return None
    except IntegrityError as error:
        found.faults.append(Fault(model=model, area=Area.CHAIN, problem=error.problem))
        return None
    found.entries += registry.state.seq + 1
    found.versions += registry.state.versions
    problem = _derived_problem(view, registry)
    if problem is not None:
        if repair:
            workspace.ledger.rebuild(view, registry)
        found.faults.append(Fault(model=model, area=Area.STATE, problem=problem, repaired=repair))
    return registry


def _derived_problem(view: View, registry: Registry) -> str | None:
    try:
        derived = view.derived()
    except IntegrityError as error:
        return error.problem
    if (derived.state, derived.head) != (registry.state, registry.head):
        return "registry.yaml does not say what the entries add up to"
    if (derived.records, derived.versions) != (registry.records, registry.versions):
        return "the index does not say what the entries add up to"
    return None


def _blobs(
    workspace: Workspace, model: str, registry: Registry, found: _Findings, *, repair: bool
) -> None:
    wanted: dict[Digest, str] = {}
    for version, digest in registry.versions.items():
        bundle = _manifest(workspace, model, version, digest, found, repair=repair)
        if bundle is not None:
            stated = registry.records[digest].model_digest
            if bundle.model != model or bundle.model_digest != stated:
                problem = f"bundle {short(digest)} of v{version} is of other bytes than recorded"
                found.faults.append(Fault(model=model, area=Area.BLOBS, problem=problem))
            for blob in bundle.blobs:
                wanted.setdefault(blob, f"v{version}")
    found.blobs += len(wanted)
    for blob, state in workspace.store.check(list(wanted)).items():
        if state is not BlobState.SOUND:
            _bad_blob(workspace, model, wanted[blob], blob, state, found, repair=repair)


def _manifest(
    workspace: Workspace,
    model: str,
    version: int,
    digest: Digest,
    found: _Findings,
    *,
    repair: bool,
) -> Bundle | None:
    try:
        return read_manifest(workspace.store.read(digest))
    except NotInStoreError:
        _bad_blob(workspace, model, f"v{version}", digest, BlobState.MISSING, found, repair=repair)
    except AssentError:
        _bad_blob(workspace, model, f"v{version}", digest, BlobState.CORRUPT, found, repair=repair)
    return None


def _bad_blob(
    workspace: Workspace,
    model: str,
    version: str,
    blob: Digest,
    state: BlobState,
    found: _Findings,
    *,
    repair: bool,
) -> None:
    problem = f"{blob} of {version} is {state.value}"
    if repair and state is BlobState.CORRUPT:
        workspace.store.discard(blob)
        problem += "; taken away: run `assent bundle` on the trained commit to store it again"
    found.faults.append(Fault(model=model, area=Area.BLOBS, problem=problem))


def _pointers(
    workspace: Workspace, model: str, registry: Registry, found: _Findings, *, repair: bool
) -> None:
    """The ledger decides: a pointer that says something else is wrong, whoever moved it."""
    there = workspace.store.pointers(model)
    last = registry.state.seq
    for name, wanted in _expected(workspace, model, registry).items():
        pointer = there.pop(name, None)
        if pointer is not None and pointer.seq > last:
            found.faults.append(
                Fault(
                    model=model,
                    area=Area.CHAIN,
                    problem=f"{name} in the store knows entry {pointer.seq}: entries are missing",
                    seq=last + 1,
                )
            )
        elif pointer != wanted:
            if repair:
                workspace.store.point(name, wanted, force=True)
            what = "is missing or unreadable" if pointer is None else "points elsewhere"
            found.faults.append(
                Fault(
                    model=model,
                    area=Area.POINTERS,
                    problem=f"{name} {what}; the ledger says {_target(wanted)}",
                    repaired=repair,
                )
            )
    for name, pointer in there.items():
        if pointer is not None and pointer.version is None:
            continue  # an emptied stage
        if repair:
            empty = Pointer(seq=last, entry=registry.head)
            workspace.store.point(name, empty, force=True)
        found.faults.append(
            Fault(
                model=model,
                area=Area.POINTERS,
                problem=f"{name} is not in the ledger",
                repaired=repair,
            )
        )


def _expected(workspace: Workspace, model: str, registry: Registry) -> dict[str, Pointer]:
    """Every pointer that the ledger asks for."""
    view = workspace.ledger.read(model, strict=False)
    digests = [entry_digest(content) for content in view.entries()]
    pointers: dict[str, Pointer] = {}
    for version, bundle in registry.versions.items():
        record = registry.records[bundle]
        seq = record.registered or 0
        pointers[f"{model}/versions/{version}"] = Pointer(
            seq=seq,
            entry=digests[seq],
            version=version,
            bundle=bundle,
            model_digest=record.model_digest,
        )
    for stage, held in registry.state.stages.items():
        pointers[f"{model}/stages/{stage}"] = Pointer(
            seq=held.seq,
            entry=digests[held.seq],
            version=held.version,
            bundle=held.bundle,
            model_digest=held.model_digest,
        )
    return pointers


def _target(pointer: Pointer) -> str:
    return "nothing" if pointer.version is None else f"v{pointer.version}"
