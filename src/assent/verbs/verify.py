"""`verify`: read the ledger and the store whole, and say everything that is wrong."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from assent.core.bundle import Bundle, read_manifest
from assent.core.clock import Doubt, doubts
from assent.core.digest import Digest, short
from assent.core.registry import ChainError, LostError, Registry
from assent.errors import ExitCode, IntegrityError, OutsideError
from assent.ports import BlobState, NotInStoreError, Pointer, Source, Store
from assent.recording.reading import say_went, went_to
from assent.recording.whole import FullRead, read_whole
from assent.workspace import Workspace

MOST_NAMED = 5
"""How many files that do not verify are named."""


class Area(StrEnum):
    """What a problem is about."""

    CHAIN = "chain"
    STATE = "state"
    BLOBS = "blobs"
    POINTERS = "pointers"


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something that does not verify, and whether `--repair` has put it right. `seq` is the first
    bad entry, for a broken chain. `is_lost`: the store was derived from an entry that is not there,
    or this clone has seen it.
    """

    model: str
    area: Area
    problem: str
    seq: int | None = None
    repaired: bool = False
    is_lost: bool = False


class OddDate(msgspec.Struct, frozen=True, kw_only=True):
    """An entry whose date cannot be right. It is said, and is no fault: order is the chain."""

    model: str
    doubt: Doubt


class VerifyResult(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was read, everything that is wrong with it, and what was not looked at."""

    models: tuple[str, ...]
    entries: int
    versions: int
    blobs: int
    faults: tuple[Fault, ...]
    not_compared: tuple[str, ...] = ()
    candidates: int = 0
    purged: int = 0
    """Versions whose bytes were taken away on purpose, which nobody looks for."""
    incomplete: tuple[str, ...] = ()
    """Candidates of which something is missing. That is no fault: none of them is a version, and
    whoever wants one bundles it again.
    """
    odd_dates: tuple[OddDate, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """4 if anything is left that does not verify, or that was not looked at."""
        left = [fault for fault in self.faults if not fault.repaired]
        return ExitCode.INTEGRITY if left or self.not_compared else ExitCode.DONE


class _Findings:
    """What is found on the way."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.not_compared: list[str] = []
        self.incomplete: list[str] = []
        self.candidates = 0
        self.purged = 0
        self.odd_dates: list[OddDate] = []
        self.entries = 0
        self.versions = 0
        self.blobs = 0

    def add(
        self,
        model: str,
        area: Area,
        problem: str,
        *,
        seq: int | None = None,
        repaired: bool = False,
        is_lost: bool = False,
    ) -> None:
        self.faults.append(
            Fault(
                model=model,
                area=area,
                problem=problem,
                seq=seq,
                repaired=repaired,
                is_lost=is_lost,
            )
        )


ROUNDS = 5
"""How often the pointers are read before one is called wrong: somebody may be writing."""

PAUSE_S = 0.25
"""How long a writer is given, and each time as much longer, to write a pointer."""


def verify(
    workspace: Workspace, models: Sequence[str], *, repair: bool = False, blobs: bool = True
) -> VerifyResult:
    """Check chain, state, blobs and pointers of `models`; one broken model hides no other.

    Blobs are those of the versions that were not purged, and of the candidates that the ledger or
    a hint in the store names and whose manifest is there. With `repair`, what can be derived is
    derived again (state, pointers), and damaged blobs are taken away; bundling stores them again. A
    broken chain is never repaired, and neither is anything of a ledger that lacks an entry which
    the store was derived from: a repair would take the only witness away.
    """
    if repair:
        workspace.require_trusted("repairing what is derived")
    findings = _Findings()
    for model in models:
        workspace.say(f"verifying {model}")
        read = _ledger(workspace, model, findings)
        if read is not None:
            repairs = repair and not read.witnessed
            is_honest = _derived(workspace, read, findings, repair=repairs)
            if blobs:
                _blobs(workspace, model, read.registry, findings, repair=repairs and is_honest)
            _pointers(workspace, read, findings, repair=repairs and is_honest)
            kept = _referred(workspace, model, read.registry) if blobs else frozenset[Digest]()
            _listing(workspace, model, kept, findings, repair=repairs and is_honest)
    return VerifyResult(
        models=tuple(models),
        entries=findings.entries,
        versions=findings.versions,
        blobs=findings.blobs,
        faults=tuple(findings.faults),
        not_compared=tuple(findings.not_compared),
        candidates=findings.candidates,
        purged=findings.purged,
        incomplete=tuple(findings.incomplete),
        odd_dates=tuple(findings.odd_dates),
    )


def _ledger(workspace: Workspace, model: str, findings: _Findings) -> FullRead | None:
    """The ledger, or None if the chain is broken. Whatever contradicts it is read again first."""
    try:
        read = read_whole(workspace, model)
        if read.witnessed:
            read = read_whole(workspace, model)  # a server may have answered from an old copy
    except ChainError as error:
        is_lost = isinstance(error, LostError)
        findings.add(model, Area.CHAIN, error.problem, seq=error.seq, is_lost=is_lost)
        return None
    except IntegrityError as error:
        findings.add(model, Area.CHAIN, error.problem)
        return None
    findings.entries += len(read.digests)
    findings.versions += read.registry.state.versions
    odd = doubts(read.dates, workspace.machine_now).values()
    findings.odd_dates += [OddDate(model=model, doubt=doubt) for doubt in odd]
    went = went_to(workspace, read.view)
    say_went(workspace, read.view)
    for name, problem in read.witnessed.items():
        pointer = read.there[name]
        seq = len(read.digests) if pointer is None else min(pointer.seq, len(read.digests))
        why = "entries are missing" if went is None else f"the ledger has moved to {went}"
        findings.add(model, Area.CHAIN, f"{problem}; {why}", seq=seq, is_lost=went is None)
    return read


def _derived(workspace: Workspace, read: FullRead, findings: _Findings, *, repair: bool) -> bool:
    """What is kept beside the entries, byte for byte. False if the newest entry itself lies about
    it: then nothing may be made from it.
    """
    model = read.registry.state.model
    try:
        astray = read.view.astray(read.registry)
        if astray and repair:
            workspace.ledger.rebuild(read.view, read.registry)
    except ChainError as error:
        findings.add(model, Area.CHAIN, error.problem, seq=error.seq)
        return False
    if astray is None:
        findings.not_compared.append(
            f"{model}: what is kept beside the entries; a later format has written it"
        )
    elif astray:
        names = ", ".join(repr(name) for name in astray[:MOST_NAMED])
        more = f" and {len(astray) - MOST_NAMED:,} more" if len(astray) > MOST_NAMED else ""
        problem = f"not what the entries add up to: {names}{more}"
        findings.add(model, Area.STATE, problem, repaired=repair)
    return True


def _blobs(
    workspace: Workspace, model: str, registry: Registry, findings: _Findings, *, repair: bool
) -> None:
    wanted: dict[Digest, str] = {}
    for version, digest in registry.versions.items():
        if registry.records[digest].purged is not None:
            findings.purged += 1  # on purpose
            continue
        bundle = _manifest(workspace, model, f"v{version}", digest, findings, repair=repair)
        if bundle is not None:
            stated = registry.records[digest].model_digest
            if bundle.model != model or bundle.model_digest != stated:
                problem = f"bundle {short(digest)} of v{version} is of other bytes than recorded"
                findings.add(model, Area.BLOBS, problem)
            for blob in bundle.blobs:
                wanted.setdefault(blob, f"v{version}")
    findings.blobs += len(wanted)
    for blob, state in workspace.store.check(list(wanted)).items():
        if state is not BlobState.SOUND:
            _bad_blob(workspace, model, wanted[blob], blob, state, findings, repair=repair)
    _candidates(workspace, model, registry, set(wanted), findings, repair=repair)


def _candidates(
    workspace: Workspace,
    model: str,
    registry: Registry,
    known: set[Digest],
    findings: _Findings,
    *,
    repair: bool,
) -> None:
    """The bundles that are no version, or none yet: what was approved must not turn out to be
    damaged when it is registered. `known` are the blobs that were looked at already.
    """
    for digest in sorted(_referred(workspace, model, registry) - {*registry.versions.values()}):
        [there] = workspace.store.check([digest]).values()
        who = f"the candidate {short(digest)}"
        if there is BlobState.MISSING:  # a hint or an approval outlives what was cleaned up
            if digest in registry.records:
                _left_over(workspace, model, who, digest, findings, repair=repair)
            continue
        bundle = _manifest(workspace, model, who, digest, findings, repair=repair, is_version=False)
        findings.candidates += 1
        if bundle is None:
            continue
        states = workspace.store.check([blob for blob in bundle.blobs if blob not in known])
        for blob, state in states.items():
            if state is BlobState.CORRUPT:
                _bad_blob(
                    *(workspace, model, who, blob, state, findings), repair=repair, is_version=False
                )
        missing = sum(state is BlobState.MISSING for state in states.values())
        if missing:
            findings.incomplete.append(f"{model}: {who} lacks {missing:,} of {len(states):,} blobs")


def _referred(workspace: Workspace, model: str, registry: Registry) -> frozenset[Digest]:
    """The bundles that the ledger or a hint names, but for what was purged."""
    purged = {digest for digest, record in registry.records.items() if record.purged is not None}
    return frozenset({*registry.records, *workspace.store.remembered(model)} - purged)


def _left_over(
    workspace: Workspace,
    model: str,
    who: str,
    digest: Digest,
    findings: _Findings,
    *,
    repair: bool,
) -> None:
    """The manifest of a candidate that nothing keeps, and whose bytes are there all the same until
    the registry collects its garbage.
    """
    try:
        workspace.store.read(digest)
    except (NotInStoreError, IntegrityError):
        return
    is_kept = repair and _is_kept_again(workspace.store, digest)
    problem = f"{digest} of {who} is kept by no manifest of the registry"
    findings.add(
        model, Area.BLOBS, problem + ("; it is again" if is_kept else ""), repaired=is_kept
    )


def _manifest(
    workspace: Workspace,
    model: str,
    who: str,
    digest: Digest,
    findings: _Findings,
    *,
    repair: bool,
    is_version: bool = True,
) -> Bundle | None:
    [state] = workspace.store.check([digest]).values()
    is_lost = state is BlobState.MISSING and is_version
    if is_lost and repair and _is_kept_again(workspace.store, digest):
        problem = f"{digest} of {who} was kept by no manifest of the registry; it is again"
        findings.add(model, Area.BLOBS, problem, repaired=True)
    elif state is not BlobState.SOUND:
        _bad_blob(
            *(workspace, model, who, digest, state, findings), repair=repair, is_version=is_version
        )
        return None
    try:
        return read_manifest(workspace.store.read(digest))
    except IntegrityError as error:
        if is_version:  # a hint may name anything
            findings.add(model, Area.BLOBS, f"{digest} of {who} is no bundle: {error.problem}")
    return None


def _is_kept_again(store: Store, digest: Digest) -> bool:
    """Whether a manifest could be stored again from bytes that are still there: a registry has them
    until it collects its garbage.
    """
    try:
        store.add([Source(content=store.read(digest), is_manifest=True)])
    except (NotInStoreError, IntegrityError, OutsideError):
        return False  # what is missing is said
    return store.check([digest])[digest] is BlobState.SOUND


def _bad_blob(
    workspace: Workspace,
    model: str,
    who: str,
    blob: Digest,
    state: BlobState,
    findings: _Findings,
    *,
    repair: bool,
    is_version: bool = True,
) -> None:
    """A blob that is not what it should be. A version without it is still broken when it was taken
    away; a candidate is only one that has to be bundled again.
    """
    problem = f"{blob} of {who} is {state.value}"
    if repair and state is BlobState.CORRUPT:
        try:
            workspace.store.discard(blob)
        except OutsideError as error:  # the rest is repaired all the same
            findings.add(model, Area.BLOBS, f"{problem}; {error.problem}")
            return
        problem += "; it was taken away"
        findings.add(model, Area.BLOBS, problem, repaired=not is_version)
    else:
        findings.add(model, Area.BLOBS, problem)


def _pointers(workspace: Workspace, read: FullRead, findings: _Findings, *, repair: bool) -> None:
    """The ledger decides: a pointer that says something else is wrong, whoever moved it. It is
    called so if it stays the same wrong one while both are read again and again.
    """
    model, wrong = read.registry.state.model, read.wrong
    if wrong and not read.there:
        _no_pointers(workspace, read, wrong, findings, repair=repair)
        return
    for attempt in range(1, ROUNDS):
        if not wrong:
            return
        time.sleep(PAUSE_S * attempt)
        now = read_whole(workspace, model).wrong
        wrong = {name: pair for name, pair in wrong.items() if now.get(name) == pair}
    for name, (pointer, wanted) in sorted(wrong.items()):
        if repair and not workspace.store.restore(name, wanted, instead_of=pointer):
            continue  # somebody has just written it
        findings.add(model, Area.POINTERS, _wrong(name, pointer, wanted), repaired=repair)


def _no_pointers(
    workspace: Workspace,
    read: FullRead,
    wrong: Mapping[str, tuple[Pointer | None, Pointer]],
    findings: _Findings,
    *,
    repair: bool,
) -> None:
    """A store that knows nothing of a model whose ledger has entries. That is one fault, however
    many pointers are missing: nothing says that the ledger is whole.
    """
    model = read.registry.state.model
    done = [
        workspace.store.restore(name, wanted, instead_of=None)
        for name, (_, wanted) in sorted(wrong.items())
        if repair
    ]
    problem = (
        f"the store knows nothing of this model, and the ledger asks for {len(wrong):,} pointers: "
        "it was lost or moved, or `store` in assent.yaml is not the right one"
    )
    findings.add(model, Area.POINTERS, problem, repaired=all(done) and repair)


def _listing(
    workspace: Workspace,
    model: str,
    kept: frozenset[Digest],
    findings: _Findings,
    *,
    repair: bool,
) -> None:
    """What other tools are told follows the pointers, and what bundles are kept by names them. A
    writer may be between the two.
    """
    store = workspace.store
    astray = {*store.astray(model, kept)}
    for attempt in range(1, ROUNDS):
        if not astray:
            return
        time.sleep(PAUSE_S * attempt)
        astray &= {*store.astray(model, kept)}
    left = astray
    if repair and astray:
        store.relist(model, kept)
        left = {*store.astray(model, kept)}
    for tag in sorted(astray):
        problem = f"the tag {tag} names nothing, or something else than it should"
        findings.add(model, Area.POINTERS, problem, repaired=tag not in left)


def _wrong(name: str, pointer: Pointer | None, wanted: Pointer) -> str:
    if wanted.version is None and not name.endswith("/head"):
        return f"{name} is not in the ledger"
    what = "is missing or unreadable" if pointer is None else "points elsewhere"
    says = f"entry {wanted.seq}" if wanted.version is None else f"v{wanted.version}"
    return f"{name} {what}; the ledger says {says}"
