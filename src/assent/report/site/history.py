"""What became of each version and stage of a model, by all entries of its ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from assent.core.digest import Digest
from assent.core.entry import Entry, Kind


class Struct(msgspec.Struct, frozen=True, kw_only=True):
    """The shape of what the pages are made of."""


class Stay(Struct, frozen=True, kw_only=True):
    """A version's time in a stage: the entry that let it in, and the one that ended it, if any."""

    stage: str
    version: int
    since: Entry
    until: Entry | None = None

    @property
    def is_rollback(self) -> bool:
        """Whether the stage went back to it."""
        return self.since.kind is Kind.ROLLED_BACK


class VersionHistory(Struct, frozen=True, kw_only=True):
    """All entries about one version, oldest first; those about its bundle from before it had a
    number are among them.
    """

    number: int
    bundle: Digest
    registered: Entry
    entries: tuple[Entry, ...]
    stays: tuple[Stay, ...]

    @property
    def holding(self) -> tuple[Stay, ...]:
        """The stages that hold it now."""
        return tuple(stay for stay in self.stays if stay.until is None)

    def last(self, kind: Kind) -> Entry | None:
        """The newest entry of a kind."""
        return next((entry for entry in reversed(self.entries) if entry.kind is kind), None)


class Candidate(Struct, frozen=True, kw_only=True):
    """A bundle that people said something of and that has no version yet."""

    bundle: Digest
    entries: tuple[Entry, ...]


class History(Struct, frozen=True, kw_only=True):
    """A model's ledger told by version and stage. `stages` are those of the configuration in their
    order, then those that the ledger names besides. `doubts` say of entries whose date cannot be
    right why, by their number. `last_stage` is that whose version a candidate is compared with:
    production, or the last of the configuration; "" where there is none.
    """

    model: str
    entries: tuple[Entry, ...]
    versions: Mapping[int, VersionHistory]
    candidates: tuple[Candidate, ...]
    stays: tuple[Stay, ...]
    stages: tuple[str, ...]
    last_stage: str
    doubts: Mapping[int, str]

    def holding(self, stage: str) -> Stay | None:
        """The version that a stage holds, if any."""
        return next(
            (stay for stay in self.stays if stay.stage == stage and stay.until is None), None
        )


def history_of(
    model: str, entries: Sequence[Entry], stages: Sequence[str], doubts: Mapping[int, str]
) -> History:
    """Tell the entries of a ledger, which are taken as they stand: they were proven before."""
    stays = _stays(entries)
    about = _by_bundle(entries)
    lived: dict[int, list[Stay]] = {}
    for stay in stays:
        lived.setdefault(stay.version, []).append(stay)
    versions = {
        history.number: history
        for bundle, told in about.items()
        if (history := _version(bundle, told, lived)) is not None
    }
    registered = {history.bundle for history in versions.values()}
    every = tuple(dict.fromkeys([*stages, *(stay.stage for stay in stays)]))
    last = (stages or every or ("",))[-1]
    return History(
        model=model,
        entries=tuple(entries),
        versions=dict(sorted(versions.items())),
        candidates=tuple(
            Candidate(bundle=bundle, entries=tuple(told))
            for bundle, told in about.items()
            if bundle not in registered
        ),
        stays=stays,
        stages=every,
        last_stage="production" if "production" in every else last,
        doubts=doubts,
    )


def _by_bundle(entries: Sequence[Entry]) -> dict[Digest, list[Entry]]:
    about: dict[Digest, list[Entry]] = {}
    for entry in entries:
        if entry.subject.bundle is not None:
            about.setdefault(entry.subject.bundle, []).append(entry)
    return about


def _version(
    bundle: Digest, entries: Sequence[Entry], stays: Mapping[int, Sequence[Stay]]
) -> VersionHistory | None:
    registered = next((entry for entry in entries if entry.kind is Kind.REGISTERED), None)
    if registered is None or registered.subject.version is None:
        return None
    number = registered.subject.version
    return VersionHistory(
        number=number,
        bundle=bundle,
        registered=registered,
        entries=tuple(entries),
        stays=tuple(stays.get(number, ())),
    )


def _stays(entries: Sequence[Entry]) -> tuple[Stay, ...]:
    """Every time that a stage held something, in the order in which they began."""
    ended: list[Stay] = []
    held: dict[str, int] = {}
    for entry in entries:
        if entry.stage is None or entry.kind not in _MOVES:
            continue
        if entry.stage in held:
            at = held.pop(entry.stage)
            ended[at] = msgspec.structs.replace(ended[at], until=entry)
        if entry.kind is not Kind.CLEARED and entry.subject.version is not None:
            held[entry.stage] = len(ended)
            ended.append(Stay(stage=entry.stage, version=entry.subject.version, since=entry))
    return tuple(ended)


_MOVES = (Kind.PROMOTED, Kind.ROLLED_BACK, Kind.CLEARED)
