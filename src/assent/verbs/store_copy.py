"""`store copy`: what the ledgers name, from one store to another, with its digests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec

from assent.core.digest import Digest, hex_of, short
from assent.core.entry import Draft, Entry, Kind, decode_entry
from assent.errors import AssentError, ExitCode, IntegrityError, OutsideError, UsageError
from assent.files import scratch_folder
from assent.keeping.copying import CopiedBundle, Copying
from assent.keeping.references import References, known_models, references, require_whole
from assent.making.bundles import decode_evidence
from assent.ports import BlobState, Progress, Store, View
from assent.recording.appending import Intent, record
from assent.recording.reasons import require_reason
from assent.recording.versions import record_of, version_number
from assent.recording.whole import FullRead
from assent.recording.witnesses import head_of
from assent.workspace import Workspace


class Lacking(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that the other store does not hold whole, and why."""

    model: str
    version: int | None
    bundle: Digest | None
    problem: str


class StoreCopyResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was copied. `lacking` are versions that could not be, bundles that a ledger names, or
    whole models; `incomplete` are other candidates, which whoever wants one bundles again; `purged`
    counts versions without bytes.
    """

    source: str
    target: str
    models: tuple[str, ...]
    versions: int
    candidates: int
    sent_bytes: int
    pointers: int
    purged: int = 0
    lacking: tuple[Lacking, ...] = ()
    incomplete: tuple[Lacking, ...] = ()
    entries: tuple[Entry, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """4 if the other store does not hold all that was to be copied."""
        return ExitCode.INTEGRITY if self.lacking else ExitCode.DONE


class _Tally:
    """What is counted on the way."""

    def __init__(self) -> None:
        self.versions = self.candidates = self.sent_bytes = self.pointers = self.purged = 0
        self.lacking: list[Lacking] = []
        self.incomplete: list[Lacking] = []
        self.entries: list[Entry] = []
        self.newest: dict[str, int] = {}  # version of each model when it was copied


def store_copy(
    workspace: Workspace,
    target: str,
    *,
    source: str | None = None,
    model: str | None = None,
    names: Sequence[str] = (),
    reason: str | None = None,
    is_move: bool = False,
    progress: Progress | None = None,
) -> StoreCopyResult:
    """Copy the bundles that the ledgers and the hints of `source` (None: the store of this run)
    name to the store `target`, of one `model` or of all; then write the pointers as the ledgers
    have them. With `names`, only these versions, or what these stages hold.

    What is held there is not sent again, so that it goes on where it was cut off. What the source
    lacks or has damaged is named, and the rest is copied. With `is_move`, an entry of each ledger
    says from where to where the store has moved, if nothing was lacking; that needs a reason.
    """
    doing = f"copying to {target}"
    address = workspace.store_address if source is None else source
    if _place(workspace, address) == _place(workspace, target):
        raise UsageError(doing, "that is the store to copy from")
    models = known_models(workspace)
    if model is not None and model not in models:
        hint = f"there is {', '.join(models) or 'none'}"
        raise UsageError(doing, f"no model is called {model!r}", hint=hint)
    chosen = models if model is None else [model]
    if is_move:
        require_reason(reason or "", doing)
        if names or model is not None:
            raise UsageError(doing, "a store moves as a whole", hint="leave out what is chosen")
        workspace.require_trusted(doing)
    origin = workspace if source is None else replace(workspace, store=workspace.store_at(source))
    there = replace(workspace, store=workspace.store_at(target))
    tally = _Tally()
    with scratch_folder(workspace.work, ".copied-") as scratch:
        copying = Copying(origin.store, there.store, scratch, progress)
        for name in chosen:
            _copy_model(origin, there, name, names, copying, tally)
    if is_move and not tally.lacking:
        _record_move(workspace, there, chosen, address, target, reason or "", tally)
    return StoreCopyResult(
        source=address,
        target=target,
        models=tuple(chosen),
        versions=tally.versions,
        candidates=tally.candidates,
        sent_bytes=tally.sent_bytes,
        pointers=tally.pointers,
        purged=tally.purged,
        lacking=tuple(tally.lacking),
        incomplete=tuple(tally.incomplete),
        entries=tuple(tally.entries),
    )


def _place(workspace: Workspace, address: str) -> str:
    """An address as it can be compared."""
    if "://" in address:
        return address.rstrip("/")
    return str((workspace.root / address).expanduser().resolve())


def _copy_model(
    origin: Workspace,
    there: Workspace,
    model: str,
    names: Sequence[str],
    copying: Copying,
    tally: _Tally,
) -> None:
    """One model. What is wrong with its ledger, or with the pointers of either store, keeps the
    others from nothing.
    """
    try:
        read = require_whole(origin, model)
        known = references(read)
        require_whole(there, model)
    except IntegrityError as error:
        tally.lacking.append(Lacking(model=model, version=None, bundle=None, problem=error.problem))
        return
    tally.newest[model] = read.registry.state.versions
    numbers = _chosen(read.view, model, names)
    for number, digest in sorted(known.versions.items()):
        if numbers is None or number in numbers:
            _copy_version(origin, there, known, number, digest, copying, tally)
    wanted = {known.versions[number] for number in numbers or () if number in known.versions}
    tally.purged += sum(numbers is None or number in numbers for number in known.purged)
    if numbers is None:
        _copy_candidates(origin, there, known, copying, tally)
    origin.say(f"copying {model}: writing the pointers")
    tally.pointers += _point(there, model, None if numbers is None else wanted, tally)


def _chosen(view: View, model: str, names: Sequence[str]) -> set[int] | None:
    """The numbers of the versions that are meant; None for all."""
    if not names:
        return None
    numbers = set()
    for name in names:
        held = view.state.stages.get(name)
        number = version_number(name) if held is None else held.version
        if number is None:
            raise UsageError(f"copying {name!r} of {model}", "that is no version and no stage")
        record_of(view, model, number)
        numbers.add(number)
    return numbers


def _copy_version(
    origin: Workspace,
    there: Workspace,
    known: References,
    number: int,
    digest: Digest,
    copying: Copying,
    tally: _Tally,
) -> None:
    origin.say(f"copying v{number} of {known.model}")
    done = copying.bundle(digest)
    tally.sent_bytes += done.sent_bytes
    if done.lacks:
        tally.lacking.append(
            Lacking(model=known.model, version=number, bundle=digest, problem="; ".join(done.lacks))
        )
        return
    tally.versions += 1
    for inspection in sorted(known.inspections.get(digest, ())):
        copying.inspection(inspection)
    _hint(origin.store, there.store, known.model, done, digest)


def _copy_candidates(
    origin: Workspace, there: Workspace, known: References, copying: Copying, tally: _Tally
) -> None:
    """What may still be registered, and what is found again so that it is not made twice."""
    model = known.model
    named = {*known.named, *origin.store.remembered(model)}
    for digest in sorted(named - {*known.versions.values(), *known.purged.values()}):
        done = copying.bundle(digest, of=model)
        if done.bundle is None:
            continue  # a hint or an approval outlives what was cleaned up
        origin.say(f"copying the candidate {short(digest)} of {model}")
        tally.sent_bytes += done.sent_bytes
        if done.lacks:
            problem = "; ".join(done.lacks)
            lacking = Lacking(model=model, version=None, bundle=digest, problem=problem)
            # What a ledger names may have been approved, and is registered from there.
            (tally.lacking if digest in known.named else tally.incomplete).append(lacking)
            continue
        tally.candidates += 1
        _hint(origin.store, there.store, model, done, digest)


def _hint(source: Store, target: Store, model: str, done: CopiedBundle, digest: Digest) -> None:
    """Leave the hints by which the bundle is found in the source."""
    bundle = done.bundle
    if bundle is None:
        return
    try:
        evidence = decode_evidence(bundle, source.read(bundle.evidence.digest))
    except AssentError:
        return  # of another format: only a hint is lost
    names = [f"{model}/inputs/{hex_of(evidence.inputs_digest)}"]
    if evidence.train is not None:
        names.append(f"{model}/trained/{hex_of(evidence.train.inputs_digest)}")
    if evidence.code.commit is not None:
        names.append(f"{model}/commits/{evidence.code.commit}")
    for name in names:
        if source.recall(name) == digest != target.recall(name):
            target.remember(name, digest)


def _point(there: Workspace, model: str, only: set[Digest] | None, tally: _Tally) -> int:
    """Write the pointers as the ledger has them; how many were written. With `only`, those of
    these bundles. What serves from there keeps what it has, where the bundle has not come whole.
    """
    read: FullRead = require_whole(there, model)
    named = {wanted.bundle for _, wanted in read.wrong.values() if wanted.bundle is not None}
    held = there.store.confirm(sorted(named))
    whole = {bundle for bundle, state in held.items() if state is BlobState.SOUND}
    whole |= {known.bundle for known in read.registry.records.values() if known.purged is not None}
    whole -= {lacking.bundle for lacking in tally.lacking if lacking.bundle is not None}
    written = 0
    for name, (standing, wanted) in sorted(read.wrong.items()):
        is_meant = only is None or wanted.bundle in only or name == head_of(model)
        is_there = wanted.bundle is None or wanted.bundle in whole
        if is_meant and is_there and there.store.restore(name, wanted, instead_of=standing):
            written += 1
    if there.store.astray(model):
        there.store.relist(model)
    return written


def _record_move(
    workspace: Workspace,
    there: Workspace,
    models: Iterable[str],
    source: str,
    target: str,
    reason: str,
    tally: _Tally,
) -> None:
    """Say in each ledger from where to where the store has moved, once."""
    links = {"from": source, "to": target}

    for model in models:

        def decide(view: View, model: str = model) -> Intent[None]:
            if view.state.seq < 0 or _last_move(view) == links:
                return Intent(outcome=None)
            if view.state.versions != tally.newest.get(model):
                raise OutsideError(
                    f"recording that the store of {model} has moved",
                    f"v{view.state.versions} was registered while it was copied",
                    hint="copy once more: what is there is not sent again",
                )
            draft = Draft(
                kind=Kind.MOVED,
                at=workspace.now,
                model=model,
                actor=workspace.forge.whoami(),
                run=workspace.run,
                reason=reason,
                links=links,
            )
            return Intent(outcome=None, drafts=(draft,))

        tally.entries += record(workspace, model, decide).entries
        tally.pointers += _point(there, model, None, tally)


def _last_move(view: View) -> dict[str, str] | None:
    """Where the store has moved last, as the ledger says."""
    moves = [entry for entry in map(decode_entry, view.entries()) if entry.kind is Kind.MOVED]
    return dict(moves[-1].links) if moves else None
