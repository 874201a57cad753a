"""The ledger asked: which entries answer a question, what each rested on, what stood when.

Everything here is told by entries that were read and proven before. What was decided is said as it
was recorded then; nothing is judged again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise

import msgspec

from assent.core.clock import Doubt, doubts, is_a_day
from assent.core.digest import Digest, short
from assent.core.entry import Entry, Kind, ReviewRecord, sentence
from assent.core.identity import Actor, PersonKey
from assent.core.registry import Record, Standing, State, advance, rfc3339
from assent.core.units import count, show_span, span_s
from assent.core.verdict import Finding, Verdict

DECISIONS = (Kind.REGISTERED, Kind.PROMOTED, Kind.ROLLED_BACK)
"""What people may have to approve."""

OPINIONS = (Kind.APPROVED, Kind.REJECTED)


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The shape of every answer: what is not there is left out."""


class GivenApproval(Struct, frozen=True, kw_only=True):
    """An approval that an entry lists, as what it was: given by `person` at `at`, as the `role` of
    the policy, in `change`. `recorded` is the earlier entry that put it on the record; None for one
    that was given to this very run. `counted` is the first earlier entry that rested on it, and
    `counted_for` says which decision that was.
    """

    person: Actor
    at: str
    role: str
    change: str | None = None
    recorded: int | None = None
    counted: int | None = None
    counted_for: str | None = None

    @property
    def is_earlier(self) -> bool:
        """Whether it was there before the entry that lists it."""
        return self.recorded is not None or self.counted is not None


class Lead(Struct, frozen=True, kw_only=True):
    """The time from a commit to the entry: from the one that was trained, or, where that is not
    known here, the one that it landed as (`is_landed`). Who commits dates it: it proves nothing.
    """

    commit: str
    committed: str
    seconds: float
    is_landed: bool = False


class Moment(Struct, frozen=True, kw_only=True):
    """One entry with the sentence that says it, and what is known of it by others. `doubt` says why
    its date cannot be right. `approvals` are those that it lists, as what they were; `unapproved`:
    it is a decision that nobody had to approve, which those who had done so before do not change.
    `against` is the entry that overrode the policy for it.
    """

    sentence: str
    entry: Entry
    doubt: Doubt | None = None
    approvals: tuple[GivenApproval, ...] = ()
    unapproved: bool = False
    against: int | None = None
    lead: Lead | None = None


class Query(Struct, frozen=True, kw_only=True):
    """Which entries are asked for; what is not set asks for all. `since` and `until` are moments,
    RFC 3339, and both belong to what is asked for.
    """

    kinds: frozenset[Kind] = frozenset()
    stages: frozenset[str] = frozenset()
    people: frozenset[PersonKey] | None = None
    bundle: Digest | None = None
    since: str | None = None
    until: str | None = None

    @property
    def is_of_all(self) -> bool:
        """Whether every entry is asked for."""
        return self == Query()


class Selected(Struct, frozen=True, kw_only=True):
    """The entries that a query asks for, oldest first. `doubtful` are others that it would ask for
    if the dates they state, which cannot be right, were others.
    """

    entries: tuple[Entry, ...] = ()
    doubtful: tuple[int, ...] = ()


def select(
    entries: Sequence[Entry], query: Query, doubted: Collection[int] = frozenset()
) -> Selected:
    """Those of `entries` that `query` asks for. `doubted` are the numbers of those whose dates
    cannot be right. A note is found by when it was written, and by when its event happened.
    """
    since = None if query.since is None else _s(query.since)
    until = None if query.until is None else _s(query.until)
    chosen: list[Entry] = []
    doubtful: list[int] = []
    for entry in entries:
        if not _is_about(entry, query):
            continue
        if any(_overlaps(span, since, until) for span in _spans(entry)):
            chosen.append(entry)
        elif entry.seq in doubted:
            doubtful.append(entry.seq)
    return Selected(entries=tuple(chosen), doubtful=tuple(doubtful))


def _is_about(entry: Entry, query: Query) -> bool:
    return (
        (not query.kinds or entry.kind in query.kinds)
        and (not query.stages or entry.stage in query.stages)
        and (query.bundle is None or entry.subject.bundle == query.bundle)
        and (query.people is None or not query.people.isdisjoint(_involved(entry)))
    )


def _involved(entry: Entry) -> Iterator[PersonKey]:
    yield entry.actor.key
    yield from (approval.person.key for approval in entry.approvals)


def _spans(entry: Entry) -> Iterator[tuple[float, float]]:
    """When the entry was written, and when its event happened: a day lasts."""
    at = _s(entry.at)
    yield at, at
    if entry.happened is not None:
        yield _s(instant(entry.happened, entry.at)), _s(instant(entry.happened, entry.at, end=True))


def _overlaps(span: tuple[float, float], since: float | None, until: float | None) -> bool:
    return (since is None or span[1] >= since) and (until is None or span[0] <= until)


def instant(text: str, now: str, *, end: bool = False) -> str:
    """The moment that people mean by a day, a time with its offset, or how long ago (`30d`), RFC
    3339. Of a day it is the beginning in UTC, or the `end`. Raises `ValueError`.
    """
    wanted = (
        "a day (2026-01-31), a time with its offset (2026-01-31T12:00:00Z), or how long ago (30d)"
    )
    try:
        ago_s = span_s(text)
    except ValueError:
        ago_s = None
    here = datetime.fromisoformat(now)
    try:
        if ago_s is not None:
            return rfc3339(here - timedelta(seconds=ago_s))
        told = datetime.fromisoformat(text)
        if is_a_day(text):
            told = told.replace(tzinfo=here.tzinfo)
            return rfc3339(told + timedelta(days=1, seconds=-1) if end else told)
        if told.tzinfo is None:
            raise ValueError(text)
        return rfc3339(told)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not {wanted}") from None


def people_called(entries: Iterable[Entry], who: str) -> dict[PersonKey, Actor]:
    """Everybody in `entries` who acted or approved and was ever called `who`: by a login, whatever
    the case of its letters, an id, or a key. An id stays when a login is renamed, and a login can
    be two people's.
    """
    wanted = who.removeprefix("@").casefold()
    return {
        actor.key: actor
        for entry in entries
        for actor in (entry.actor, *(approval.person for approval in entry.approvals))
        if wanted in (actor.login.casefold(), actor.id.casefold(), actor.key.casefold())
    }


def last_until(entries: Sequence[Entry], at: str, doubted: Collection[int]) -> int:
    """The number of the last entry that was written by `at`; -1 if none was. Order comes from the
    numbers alone: a date that cannot be right neither ends what came before nor hides it.
    """
    until = _s(at)
    sound = (entry for entry in reversed(entries) if entry.seq not in doubted)
    return next((entry.seq for entry in sound if _s(entry.at) <= until), -1)


def state_after(model: str, entries: Sequence[Entry], seq: int) -> State:
    """The state after entry `seq`, of `entries` from the first one on."""
    state = State(model=model)
    records: dict[Digest, Record] = {}
    for entry in entries[: seq + 1]:
        state, changed = advance(state, records, entry, entry.seq)
        records.update(changed)
    return state


class History:
    """Entries of one model in their order, all or the newest ones, and what they say of each other.
    `now` is the time of whoever asks.
    """

    def __init__(self, entries: Sequence[Entry], now: str) -> None:
        self.entries = entries
        self._now = now
        self._committed: Mapping[str, str] = {}

    def with_dates(self, committed: Mapping[str, str]) -> History:
        """The same where the dates of these commits are known, by their id."""
        dated = copy(self)
        dated._committed = committed
        return dated

    @cached_property
    def doubted(self) -> dict[int, Doubt]:
        """The entries whose dates cannot be right, by number."""
        return doubts([entry.dated for entry in self.entries], self._now)

    def moment(self, entry: Entry) -> Moment:
        """What is known of one of the entries."""
        return Moment(
            sentence=sentence(entry),
            entry=entry,
            doubt=self.doubted.get(entry.seq),
            approvals=self._given(entry),
            unapproved=is_unapproved(entry),
            against=self._overrides.get(entry.seq),
            lead=self._lead(entry),
        )

    def commits(self, entries: Sequence[Entry]) -> frozenset[str]:
        """The commits whose dates tell how long it took to get to `entries`."""
        landed = (self._landed.get(entry.subject.bundle or Digest("")) for entry in entries)
        named = {*landed, *(entry.commit for entry in entries)}
        return frozenset(commit for commit in named if commit is not None)

    def notes(self, bundle: Digest) -> tuple[Entry, ...]:
        """The notes about a bundle, newest first."""
        return tuple(
            entry
            for entry in reversed(self.entries)
            if entry.kind is Kind.NOTED and entry.subject.bundle == bundle
        )

    @cached_property
    def _overrides(self) -> dict[int, int]:
        """The entry that overrode the policy, by the one that it was written with."""
        return {
            after.seq: before.seq
            for before, after in pairwise(self.entries)
            if before.kind is Kind.OVERRIDDEN
            and after.kind in DECISIONS
            and (before.subject.bundle, before.stage) == (after.subject.bundle, after.stage)
        }

    @cached_property
    def _recorded(self) -> dict[tuple[PersonKey, Digest, str], tuple[int, ReviewRecord]]:
        """The first entry that recorded an approval, and how, by what makes it that approval."""
        recorded: dict[tuple[PersonKey, Digest, str], tuple[int, ReviewRecord]] = {}
        for entry in self.entries:
            for approval in entry.approvals if entry.kind is Kind.APPROVED else ():
                recorded.setdefault(_of(approval), (entry.seq, approval))
        return recorded

    @cached_property
    def _counted(self) -> dict[tuple[PersonKey, Digest, str], Entry]:
        """The first decision that rested on an approval."""
        counted: dict[tuple[PersonKey, Digest, str], Entry] = {}
        for entry in self.entries:
            for approval in entry.approvals if entry.kind in DECISIONS else ():
                if entry.required != 0:
                    counted.setdefault(_of(approval), entry)
        return counted

    @cached_property
    def _landed(self) -> dict[Digest, str]:
        """The commit that each bundle was registered from."""
        return {
            entry.subject.bundle: entry.commit
            for entry in self.entries
            if entry.kind is Kind.REGISTERED and entry.commit and entry.subject.bundle
        }

    def _given(self, entry: Entry) -> tuple[GivenApproval, ...]:
        return tuple(self._as_it_was(entry, approval) for approval in entry.approvals)

    def _as_it_was(self, entry: Entry, approval: ReviewRecord) -> GivenApproval:
        seq, recorded = self._recorded.get(_of(approval), (entry.seq, approval))
        first = self._counted.get(_of(approval))
        is_earlier = first is not None and first.seq < entry.seq
        return GivenApproval(
            person=approval.person,
            at=approval.at,
            role=approval.role,
            change=recorded.change,
            recorded=seq if seq < entry.seq else None,
            counted=first.seq if first is not None and is_earlier else None,
            counted_for=sentence(first) if first is not None and is_earlier else None,
        )

    def _lead(self, entry: Entry) -> Lead | None:
        if entry.kind not in (Kind.REGISTERED, Kind.PROMOTED):
            return None
        bundle = entry.subject.bundle
        landed = None if bundle is None else self._landed.get(bundle)
        for commit in (entry.commit, landed):
            committed = None if commit is None else self._committed.get(commit)
            if commit is not None and committed is not None:
                return Lead(
                    commit=commit,
                    committed=committed,
                    seconds=max(0.0, _s(entry.at) - _s(committed)),
                    is_landed=commit == landed,
                )
        return None


class LeadTime(Struct, frozen=True, kw_only=True):
    """How long versions took from their commit to a stage, at their first promotion to it: of
    `versions`, the median and the longest; `unknown` more have no date.
    """

    stage: str
    versions: int = 0
    unknown: int = 0
    median_s: float | None = None
    longest_s: float | None = None


def lead_times(moments: Iterable[Moment]) -> tuple[LeadTime, ...]:
    """The times from commit to each stage, of the promotions among `moments`, oldest first."""
    first: dict[str, dict[int, Moment]] = {}
    for moment in moments:
        entry = moment.entry
        if entry.kind is Kind.PROMOTED and entry.stage and entry.subject.version:
            first.setdefault(entry.stage, {}).setdefault(entry.subject.version, moment)
    return tuple(_lead_time(stage, list(versions.values())) for stage, versions in first.items())


def _lead_time(stage: str, promotions: Sequence[Moment]) -> LeadTime:
    spans = sorted(moment.lead.seconds for moment in promotions if moment.lead is not None)
    known = len(spans)
    median = (spans[(known - 1) // 2] + spans[known // 2]) / 2 if spans else None
    return LeadTime(
        stage=stage,
        versions=known,
        unknown=len(promotions) - known,
        median_s=median,
        longest_s=spans[-1] if spans else None,
    )


def is_unapproved(entry: Entry) -> bool:
    """Whether this is a decision that nobody had to approve."""
    return entry.kind in DECISIONS and entry.required == 0


def verdict_of(entry: Entry) -> Verdict | None:
    """The verdict that an entry rests on, as it was recorded; None where nothing was judged."""
    if entry.verdict is None:
        return None
    return Verdict(
        findings=tuple(
            Finding(
                rule=finding.rule,
                outcome=finding.outcome,
                reason=finding.reason,
                evidence=finding.evidence,
            )
            for finding in entry.verdict.findings
        )
    )


class Naming(Struct, frozen=True, kw_only=True):
    """What a digest or a commit is to an entry: `digest` whole, and the `role` that it has there,
    such as `bundle of v3` or `policy`.
    """

    digest: str
    role: str


def namings(entry: Entry, own: Digest) -> Iterator[Naming]:
    """Every digest and commit that an entry names, and its `own`."""
    subject, verdict = entry.subject, entry.verdict
    of = "" if subject.version is None else f" of v{subject.version}"
    yield Naming(digest=own, role=f"entry {entry.seq}")
    if subject.bundle is not None:
        yield Naming(digest=subject.bundle, role=f"bundle{of}")
    if subject.model_digest is not None:
        yield Naming(digest=subject.model_digest, role=f"model files{of}")
    if verdict is not None:
        yield Naming(digest=verdict.policy, role="policy")
    if verdict is not None and verdict.evidence is not None:
        yield Naming(digest=verdict.evidence, role=f"evidence{of}")
    if entry.inspection is not None:
        yield Naming(digest=entry.inspection, role=f"what was seen in the files{of}")
    if entry.commit is not None:
        yield Naming(digest=entry.commit, role=f"commit{of}")
    for approval in entry.approvals:
        if approval.head is not None:
            yield Naming(digest=approval.head, role="commit that was approved")
        if approval.bundle != subject.bundle:
            yield Naming(digest=approval.bundle, role="bundle that was approved")


def digests_of(entries: Sequence[Entry], head: Digest) -> dict[int, Digest]:
    """The digest of each entry's bytes, by its number: the next one names it, and `head` is that of
    the newest. An entry of a later minor format has more bytes than are known here.
    """
    named = {entry.seq: after.prev for entry, after in pairwise(entries)}
    return {**named, entries[-1].seq: head} if entries else {}


class Place(Struct, frozen=True, kw_only=True):
    """A stage that holds a version, and since which entry."""

    stage: str
    since: str
    entry: int


def places(stages: Mapping[str, Standing], version: int) -> tuple[Place, ...]:
    """Where a version stands."""
    return tuple(
        Place(stage=stage, since=held.since, entry=held.seq)
        for stage, held in stages.items()
        if held.version == version
    )


def actor_words(actor: Actor) -> str:
    """Somebody as people are to see them: with what they are, if no person, and how that is known,
    if nobody vouches for it.
    """
    kind = "" if actor.kind == "person" else actor.kind
    proof = "claimed" if actor.proof == "claimed" else ""
    remarks = ", ".join(filter(None, (kind, proof)))
    return f"{actor.login} ({remarks})" if remarks else actor.login


def by_words(entry: Entry) -> str:
    """Who did it: of an opinion the person who has it, and who put it on the record."""
    actor = actor_words(entry.actor)
    if entry.kind not in OPINIONS or not entry.approvals:
        return actor
    others = [approval.person for approval in entry.approvals]
    people = ", ".join(map(actor_words, others))
    is_own = all(person.key == entry.actor.key for person in others)
    return people if is_own else f"{people}; recorded by {actor}"


def approval_words(moment: Moment) -> tuple[str, ...]:
    """Whose approval a decision rested on, how many there had to be, and, where there had to be
    none, what those that it lists were.
    """
    entry = moment.entry
    if entry.kind not in DECISIONS:
        return ()
    if entry.required is None:
        if not moment.approvals:
            return ()
        people = "; ".join(map(given_words, moment.approvals))
        words = f"the bundle was approved by {people}"
        if all(approval.counted is None for approval in moment.approvals):
            return (words,)
        return (f"{words}. How many had to approve this was not recorded then",)
    if entry.required == 0:
        words = "nobody had to approve this"
        before = [given for given in moment.approvals if given.is_earlier]
        now = [given for given in moment.approvals if not given.is_earlier]
        words += f"; approved before by {'; '.join(map(given_words, before))}" if before else ""
        words += f"; approved with this run by {'; '.join(map(given_words, now))}" if now else ""
        return (words if moment.approvals else f"{words}, and nobody had",)
    needed = f"needed {count(entry.required, 'approval')}"
    people = "; ".join(map(given_words, moment.approvals))
    return (f"{needed}: {people}" if people else f"{needed}, and had none",)


def given_words(approval: GivenApproval) -> str:
    """An approval as what it was."""
    words = actor_words(approval.person)
    words += f" as {approval.role}" if approval.role and approval.role != "*" else ""
    words += f" in {approval.change}" if approval.change else ""
    words += f" on {approval.at}"
    words += "" if approval.recorded is None else f", entry {approval.recorded}"
    if approval.counted is not None:
        words += f", for entry {approval.counted}: {approval.counted_for}"
    return words


def lead_words(lead: Lead) -> str:
    """The time from commit to here."""
    landed = ", as which it landed" if lead.is_landed else ""
    return f"{show_span(lead.seconds)} after commit {lead.commit[:12]}{landed}"


def about_words(entry: Entry) -> str:
    """What an entry is about, in short: `v3`, a bundle, or nothing."""
    if entry.subject.version is not None:
        return f"v{entry.subject.version}"
    return "" if entry.subject.bundle is None else short(entry.subject.bundle)


def note_words(entry: Entry) -> str:
    """A note in one line: when it happened, its text, figures and links, and whose it is."""
    when = entry.happened or entry.at[:10]
    parts = [f"{when}: {entry.reason or ''}"]
    if entry.metrics:
        parts.append(", ".join(f"{name} = {value:.12g}" for name, value in entry.metrics.items()))
    parts += [f"{name}: {address}" for name, address in entry.links.items()]
    return f"{'; '.join(parts)} ({actor_words(entry.actor)}, entry {entry.seq})"


def _of(approval: ReviewRecord) -> tuple[PersonKey, Digest, str]:
    return approval.person.key, approval.bundle, approval.at


def _s(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
