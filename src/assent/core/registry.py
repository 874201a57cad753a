"""The registry: what all entries of one model's ledger add up to.

`fold` is the whole law and reads every entry. `advance` is one step of it and needs only the
current `State` and the records of the bundles that an entry touches, so writing costs the same
with ten entries and with a hundred thousand.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from assent.core.digest import Digest, digest_of_value
from assent.core.entry import (
    GENESIS,
    Draft,
    Entry,
    Kind,
    decode_entry,
    encode_entry,
    entry_digest,
    placed,
)
from assent.core.identity import PersonKey, unpinned
from assent.errors import IntegrityError, PolicyError

_ADDING = "adding an entry to the ledger"

TOLERANCE_S = 300.0
"""How far two clocks may be apart before one of them is called wrong."""

NEWEST = 20
"""How many versions the current state lists; older ones are found through their records."""


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The shape of every part of the registry."""


class Standing(Struct, frozen=True, kw_only=True):
    """The version that a stage holds, since when, and by whom. `previous` is where `rollback`
    goes when nobody names a version.
    """

    version: int
    bundle: Digest
    model_digest: Digest
    since: str
    seq: int
    by: str
    previous: int | None = None


class VersionLine(Struct, frozen=True, kw_only=True):
    """One version in the list of the newest."""

    version: int
    bundle: Digest
    at: str
    retired: bool = False
    purged: bool = False


class State(Struct, frozen=True, kw_only=True):
    """The current state of one model: bounded in size, whatever the length of the ledger. `pins`
    are the ids that names of the policy's lists were found to mean when they first counted. `back`
    is the newest entry whose date is before that of the one before it: one of two clocks was wrong.
    """

    model: str
    seq: int = -1
    at: str | None = None
    versions: int = 0
    stages: dict[str, Standing] = {}
    newest: tuple[VersionLine, ...] = ()
    pins: dict[str, str] = {}
    back: int | None = None

    @property
    def latest(self) -> VersionLine | None:
        """The newest version that is not retired, of those that are listed."""
        return next((line for line in self.newest if not line.retired), None)

    @property
    def standing(self) -> Digest:
        """The digest of who stands where: the number of versions, and version and bundle of
        every stage. Each entry states it; later releases may keep more in the state without
        another standing.
        """
        stages = {name: [held.version, held.bundle] for name, held in self.stages.items()}
        return digest_of_value({"versions": self.versions, "stages": stages})


class EntryRef(Struct, frozen=True, kw_only=True):
    """Which entry holds a person's latest review of a bundle, and its kind."""

    kind: Kind
    seq: int


class Stay(Struct, frozen=True, kw_only=True):
    """A version's time in one stage: `since` the latest arrival until `left`, `spent_s` in
    earlier stays, the version it `replaced` when it was first promoted, and the ids of the `runs`
    that promoted it.
    """

    since: str
    left: str | None = None
    spent_s: float = 0.0
    replaced: int | None = None
    runs: tuple[str, ...] = ()


class Record(Struct, frozen=True, kw_only=True):
    """What the ledger knows of one bundle. `purged`: its bytes were taken away on purpose, by the
    entry of that number; it is retired as well.
    """

    bundle: Digest
    model_digest: Digest
    version: int | None = None
    registered: int | None = None
    retired: bool = False
    purged: int | None = None
    authors: tuple[PersonKey, ...] = ()
    opinions: dict[PersonKey, EntryRef] = {}
    stays: dict[str, Stay] = {}


class Registry(Struct, frozen=True, kw_only=True):
    """The fold of all entries: the state, every record, the bundle of every version, and the
    digest of the last entry.
    """

    state: State
    records: dict[Digest, Record]
    versions: dict[int, Digest]
    head: Digest = GENESIS


class Step(Struct, frozen=True, kw_only=True):
    """One more entry, ready to be written: its bytes and their digest, and what it makes of the
    state and of the records.
    """

    entry: Entry
    content: bytes
    digest: Digest
    state: State
    records: dict[Digest, Record]


class ChainError(IntegrityError):
    """The chain is broken; `seq` is the first entry that is bad."""

    remedy = (
        "restore the ledger: its branch from a clone that still verifies, or its objects from what "
        "the bucket has kept; nothing is written until it verifies"
    )

    def __init__(self, model: str, seq: int, problem: str) -> None:
        super().__init__(
            f"verifying the ledger of {model}", f"entry {seq}: {problem}", hint=self.remedy
        )
        self.seq = seq


class LostError(ChainError):
    """The ledger lacks entries that a clone has seen, from `seq` on."""

    remedy = (
        "push the entries again from a clone that has them, or restore the objects that a bucket "
        "has kept; where nobody has, or a person has given them up already, `assent verify "
        "--recover --reason …` lets this clone forget them. "
        "A job cannot: it needs a new clone"
    )


class UnlikeError(IntegrityError):
    """An entry states another digest of what is derived than it has where it was to be taken."""


class IllegalEntryError(PolicyError):
    """An entry that the law does not allow after the ones before it."""


def seconds_between(earlier: str, later: str) -> float:
    """Seconds from one RFC 3339 time to another, never negative: clocks may be wrong, and order
    comes from the sequence numbers alone.
    """
    span = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    return max(0.0, span.total_seconds())


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).utcoffset() == timedelta(0)
    except ValueError:
        return False


def _is_day_or_time(text: str) -> bool:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is None:
        return _is_time(text)
    return _is_time(f"{text}T00:00:00Z")


def _goes_back(before: str | None, at: str) -> bool:
    return before is not None and seconds_between(at, before) > TOLERANCE_S


def spent_s(stay: Stay, now: str) -> float:
    """How long the version has been in the stage, all stays together."""
    return stay.spent_s + seconds_between(stay.since, stay.left or now)


def rfc3339(now: datetime) -> str:
    """`now` in UTC as RFC 3339 text with whole seconds."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def touched(state: State, draft: Draft) -> tuple[Digest, ...]:
    """The bundles whose records `advance` needs for this entry."""
    bundles = [] if draft.subject.bundle is None else [draft.subject.bundle]
    if draft.stage is not None and draft.stage in state.stages:
        bundles.append(state.stages[draft.stage].bundle)
    return tuple(dict.fromkeys(bundles))


def advance(
    state: State, records: Mapping[Digest, Record], draft: Draft, seq: int
) -> tuple[State, dict[Digest, Record]]:
    """The state and the changed records after one more entry.

    `records` holds those of `touched(state, draft)` that exist. Raises `IllegalEntryError` if the
    entry is not allowed where it stands.
    """
    changed: dict[Digest, Record] = {}
    _require(draft.model == state.model, f"it belongs to {draft.model}")
    _require(_is_time(draft.at), f"{draft.at!r} is not a time in UTC (RFC 3339)")
    _require(
        draft.happened is None or (draft.kind is Kind.NOTED and _is_day_or_time(draft.happened)),
        f"{draft.happened!r} is not when a noted event happened: a day, or a time in UTC",
    )
    _require(draft.kind is Kind.NOTED or not draft.metrics, "only a note has figures of its own")
    for name, value in draft.metrics.items():
        # Any other number would be written in a form that is not the one it is read back in.
        is_figure = type(value) is float and math.isfinite(value)
        _require(is_figure, f"{name} is {value!r}, which is no finite number")
    back = seq if _goes_back(state.at, draft.at) else state.back
    state = msgspec.structs.replace(state, seq=seq, at=draft.at, back=back)
    match draft.kind:
        case Kind.NOTED | Kind.OVERRIDDEN | Kind.MOVED:
            return state, changed
        case Kind.CLEARED:
            held = _held(state, draft)
            changed[held.bundle] = _left(records[held.bundle], draft)
            stages = {name: at for name, at in state.stages.items() if name != draft.stage}
            return msgspec.structs.replace(state, stages=stages), changed
        case Kind.APPROVED | Kind.REJECTED:
            record = _record(records, draft)
            opinions = dict(record.opinions)
            for approval in draft.approvals:
                opinions[approval.person.key] = EntryRef(kind=draft.kind, seq=seq)
            changed[record.bundle] = msgspec.structs.replace(
                record, opinions=opinions, authors=_authors(record, draft)
            )
            return msgspec.structs.replace(state, pins=_pins(state, draft)), changed
        case Kind.REGISTERED:
            record = _record(records, draft)
            version = state.versions + 1
            _require(draft.subject.version == version, f"the next version is v{version}")
            _require(record.version is None, f"these bytes are v{record.version} already")
            changed[record.bundle] = msgspec.structs.replace(
                record, version=version, registered=seq, authors=_authors(record, draft)
            )
            line = VersionLine(version=version, bundle=record.bundle, at=draft.at)
            newest = (line, *state.newest)[:NEWEST]
            return msgspec.structs.replace(state, versions=version, newest=newest), changed
        case Kind.RETIRED | Kind.PURGED:
            record = _versioned(records, draft)
            held_in = [n for n, at in state.stages.items() if at.bundle == record.bundle]
            _require(not held_in, f"v{record.version} is in {', '.join(held_in)}")
            _require(record.purged is None, f"v{record.version} is purged already")
            is_purged = draft.kind is Kind.PURGED
            purged = seq if is_purged else None
            changed[record.bundle] = msgspec.structs.replace(record, retired=True, purged=purged)
            newest = tuple(
                msgspec.structs.replace(line, retired=True, purged=is_purged)
                if line.version == record.version
                else line
                for line in state.newest
            )
            return msgspec.structs.replace(state, newest=newest), changed
        case Kind.PROMOTED | Kind.ROLLED_BACK:
            return _move(state, records, draft, seq)


def underived(seq: int, prev: Digest, state: State, records: Mapping[Digest, Record]) -> None:
    """What a ledger states that keeps nothing beside its entries."""


Derive = Callable[[int, Digest, State, Mapping[Digest, Record]], Digest | None]
"""Asked for the `derived` of an entry: given its number, the digest of the entry before it, and
the state and the changed records after it.
"""


def extend(
    state: State,
    records: Mapping[Digest, Record],
    head: Digest,
    drafts: Iterable[Draft],
    derive: Derive = underived,
) -> Iterator[Step]:
    """Place `drafts` after `head`, one after the other.

    `records` holds those of `touched` for every draft. `derive` is asked about an entry when the
    step before it has been handed out. Raises `IllegalEntryError`.
    """
    known = dict(records)
    for draft in drafts:
        seq = state.seq + 1
        state, changed = advance(state, known, draft, seq)
        known.update(changed)
        derived = derive(seq, head, state, changed)
        entry = placed(draft, seq=seq, prev=head, state=state.standing, derived=derived)
        content = encode_entry(entry)
        head = entry_digest(content)
        yield Step(entry=entry, content=content, digest=head, state=state, records=changed)


def linked(
    model: str, contents: Iterable[bytes], seq: int = 0, head: Digest = GENESIS
) -> Iterator[tuple[Entry, Digest]]:
    """The entries with the digests of their bytes, each checked to follow from the one before.

    The first is expected to be entry `seq` and to follow from `head`. Raises `ChainError` with
    the first bad entry.
    """
    for content in contents:
        try:
            entry = decode_entry(content)
        except IntegrityError as error:
            raise ChainError(model, seq, error.problem) from None
        if entry.seq != seq:
            raise ChainError(model, seq, f"it says it is entry {entry.seq}")
        if entry.prev != head:
            raise ChainError(model, seq, "it does not follow from the entry before it")
        if entry.model != model:
            raise ChainError(model, seq, f"it belongs to {entry.model}")
        head = entry_digest(content)
        yield entry, head
        seq += 1


def follow(
    state: State,
    records: Mapping[Digest, Record],
    head: Digest,
    contents: Sequence[bytes],
    derive: Derive = underived,
) -> Iterator[Step]:
    """The steps that entries make which are written already, after `head`; as `extend` for those
    that are not. Raises `ChainError` with the first bad entry, and `UnlikeError` if the last one
    states something else than `derive` makes of them.
    """
    known, model = dict(records), state.model
    entries = linked(model, contents, state.seq + 1, head)
    for number, (content, (entry, digest)) in enumerate(zip(contents, entries, strict=True), 1):
        state, changed = _advanced(state, known, entry)
        known.update(changed)
        derived = derive(entry.seq, entry.prev, state, changed)
        if number == len(contents) and derived != entry.derived:
            raise UnlikeError(
                f"taking over the ledger of {model}",
                f"entry {entry.seq} states something else than is derived here: it was written by "
                "another release, or for a repository whose ids are of another kind",
            )
        yield Step(entry=entry, content=content, digest=digest, state=state, records=changed)


def _advanced(
    state: State, records: Mapping[Digest, Record], entry: Entry
) -> tuple[State, dict[Digest, Record]]:
    """`advance` by an entry that is written. Raises `ChainError`."""
    model = state.model
    try:
        state, changed = advance(state, records, entry, entry.seq)
    except (IllegalEntryError, ValueError, KeyError) as error:
        raise ChainError(model, entry.seq, str(error)) from None
    if entry.state != state.standing:
        raise ChainError(model, entry.seq, "it states another state than the entries add up to")
    return state, changed


def fold(model: str, contents: Iterable[bytes]) -> Registry:
    """Read every entry in order and add them up, checking the chain on the way.

    Raises `ChainError` with the first bad entry.
    """
    state = State(model=model)
    head = GENESIS
    records: dict[Digest, Record] = {}
    versions: dict[int, Digest] = {}
    for entry, digest in linked(model, contents):
        state, changed = _advanced(state, records, entry)
        records.update(changed)
        if entry.kind is Kind.REGISTERED and entry.subject.bundle is not None:
            versions[state.versions] = entry.subject.bundle
        head = digest
    return Registry(state=state, records=records, versions=versions, head=head)


def _move(
    state: State, records: Mapping[Digest, Record], draft: Draft, seq: int
) -> tuple[State, dict[Digest, Record]]:
    record = _versioned(records, draft)
    stage = draft.stage
    if stage is None or record.version is None:
        raise IllegalEntryError(_ADDING, "no stage")
    _require(record.purged is None, f"v{record.version} is purged")
    _require(not record.retired, f"v{record.version} is retired")
    held = state.stages.get(stage)
    replaced = None if held is None else held.version
    _require(draft.replaces == replaced, f"{stage} holds {_name(replaced)}")
    _require(replaced != record.version, f"{stage} holds v{record.version} already")
    changed: dict[Digest, Record] = {}
    if held is not None:
        changed[held.bundle] = _left(records[held.bundle], draft)
    before = record.stays.get(stage)
    if draft.kind is Kind.ROLLED_BACK:
        _require(before is not None, f"v{record.version} was never in {stage}")
    # Going back keeps the way further back: a second rollback must not return to the version
    # that the first one left. Ways back start at first promotions, so that they have an end.
    first = replaced if before is None else before.replaced
    previous = first if draft.kind is Kind.ROLLED_BACK else replaced
    runs = () if before is None else before.runs
    if draft.kind is Kind.PROMOTED and draft.run is not None and draft.run.id not in runs:
        runs = (*runs, draft.run.id)
    stay = Stay(
        since=draft.at,
        spent_s=0.0 if before is None else spent_s(before, draft.at),
        replaced=first,
        runs=runs,
    )
    changed[record.bundle] = msgspec.structs.replace(record, stays={**record.stays, stage: stay})
    standing = Standing(
        version=record.version,
        bundle=record.bundle,
        model_digest=record.model_digest,
        since=draft.at,
        seq=seq,
        by=draft.actor.login,
        previous=previous,
    )
    return msgspec.structs.replace(state, stages={**state.stages, stage: standing}), changed


def _left(record: Record, draft: Draft) -> Record:
    stage = draft.stage or ""
    stay = msgspec.structs.replace(record.stays[stage], left=draft.at)
    return msgspec.structs.replace(record, stays={**record.stays, stage: stay})


def _authors(record: Record, draft: Draft) -> tuple[PersonKey, ...]:
    return tuple(dict.fromkeys([*record.authors, *(author.key for author in draft.authors)]))


def _pins(state: State, draft: Draft) -> dict[str, str]:
    """What names mean from now on: what they meant first, until the policy itself pins them."""
    pins = dict(state.pins)
    for approval in draft.approvals if draft.kind is Kind.APPROVED else ():
        resolved = approval.resolved
        if resolved is None or resolved.id is None:
            continue
        _, pin = unpinned(approval.role)
        if pin is not None or resolved.name not in pins:
            pins[resolved.name] = resolved.id
    return pins


def _held(state: State, draft: Draft) -> Standing:
    _require(draft.stage in state.stages, f"{draft.stage} holds nothing")
    return state.stages[draft.stage or ""]


def _record(records: Mapping[Digest, Record], draft: Draft) -> Record:
    bundle, model_digest = draft.subject.bundle, draft.subject.model_digest
    if bundle is None or model_digest is None:
        raise IllegalEntryError(_ADDING, "no bundle")
    record = records.get(bundle) or Record(bundle=bundle, model_digest=model_digest)
    _require(record.model_digest == model_digest, "the bundle has another model digest")
    return record


def _versioned(records: Mapping[Digest, Record], draft: Draft) -> Record:
    record = _record(records, draft)
    _require(
        record.version is not None and record.version == draft.subject.version,
        f"the bundle is not registered as {_name(draft.subject.version)}",
    )
    return record


def _name(version: int | None) -> str:
    return "nothing" if version is None else f"v{version}"


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise IllegalEntryError(_ADDING, problem)
